"""Undo, redo, branches and replay, against a model that keeps a full copy of every state in plain dictionaries."""

from __future__ import annotations

import copy
import itertools
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from spatialwm.errors import EditError, ShapeError, StaleRevisionError, WorldError
from spatialwm.scene import edits
from spatialwm.scene.edits import EDITS
from spatialwm.world import World

RELAXED = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),  # Shrinking worlds on disk takes longer than reading the seed.
}


def edits_then_undos(folder, seed, count, make_scene, random_edit, fingerprint):
    rng = random.Random(seed)
    copies = [make_scene(seed % 5)]
    kinds = set()
    with World.create(folder / f"{seed}.world", copies[0], overwrite=True) as world:
        while len(copies) <= count:
            before = world.scene()
            edit = random_edit(rng, before)
            try:
                revision = world.apply(edit, base=world.head.id)
            except (EditError, ShapeError):
                assert world.scene() is before
                continue
            kinds.add(revision.op)
            copies.append(copy.deepcopy(world.scene()))
            if rng.random() < 0.02:
                world.close()
                world = World.open(world.path)
        assert fingerprint(world.replay()) == fingerprint(copies[-1])
        assert [r.op for r in world.lineage()][1:] == [r.op for r in world.history()][1:]
        for expected in reversed(copies[:-1]):
            world.undo()
            assert fingerprint(world.scene()) == fingerprint(expected)
        with pytest.raises(WorldError, match="nothing to undo"):
            world.undo()
        for _ in copies[1:]:
            world.redo()
        assert fingerprint(world.scene()) == fingerprint(copies[-1])
        with pytest.raises(WorldError, match="nothing to redo"):
            world.redo()
        assert world.check() == []
        world.close()
    with World.open(world.path) as again:
        assert fingerprint(again.replay()) == fingerprint(copies[-1])
    return kinds


@settings(max_examples=2, derandomize=True, **RELAXED)
@given(seed=st.integers(0, 2**32 - 1))
def test_two_hundred_edits_then_two_hundred_undos_give_the_first_scene_back(
    seed, tmp_path_factory, make_scene, random_edit, fingerprint
):
    kinds = edits_then_undos(tmp_path_factory.mktemp("undo"), seed, 200, make_scene, random_edit, fingerprint)
    assert kinds == set(EDITS)


@pytest.mark.slow
@settings(max_examples=40, **RELAXED)
@given(seed=st.integers(0, 2**32 - 1))
def test_many_times_two_hundred_edits_and_undos(seed, tmp_path_factory, make_scene, random_edit, fingerprint):
    edits_then_undos(tmp_path_factory.mktemp("undo"), seed, 200, make_scene, random_edit, fingerprint)


def machine(folder, make_scene, random_edit, fingerprint):
    class Tree(RuleBasedStateMachine):
        """The world beside a naive model: full copies by revision, cursors and redo targets in dictionaries."""

        def __init__(self):
            super().__init__()
            self.world = World.create(Path(tempfile.mkdtemp(dir=folder)) / "tree.world", make_scene(1, 3))
            self.states = {1: copy.deepcopy(self.world.scene())}
            self.parents: dict[int, int | None] = {1: None}
            self.heads = {"main": 1}
            self.branch = "main"
            self.forward: dict[tuple[str, int], int] = {}
            self.predicted: set[int] = set()

        @property
        def at(self):
            return self.heads[self.branch]

        def grow(self, branch, revision, scene):
            self.states[revision] = copy.deepcopy(scene)
            self.parents[revision] = self.heads.get(branch, self.at)
            self.heads[branch] = revision

        @rule(rng=st.randoms(use_true_random=False), based=st.booleans())
        def edit(self, rng, based):
            change = random_edit(rng, self.states[self.at])
            try:
                expected = self.states[self.at].apply(change)
            except (EditError, ShapeError) as error:
                with pytest.raises(type(error)):
                    self.world.apply(change)
                return
            revision = self.world.apply(change, base=self.at if based else None)
            self.grow(self.branch, revision.id, expected)

        @rule(rng=st.randoms(use_true_random=False), seed=st.integers(0, 3), name=st.sampled_from(["main", "was wäre wenn", "b"]))
        def commit_elsewhere(self, rng, seed, name):
            new = make_scene(seed, 2)
            revision = self.world.commit(new, {"op": "predict", "seed": seed}, branch=name)
            self.grow(name, revision.id, new)
            self.predicted.add(revision.id)

        @rule()
        def undo(self):
            parent = self.parents[self.at]
            if parent is None:
                with pytest.raises(WorldError):
                    self.world.undo()
                return
            self.forward[self.branch, parent] = self.at
            self.heads[self.branch] = parent
            assert self.world.undo().id == parent

        @rule()
        def redo(self):
            child = self.forward.get((self.branch, self.at))
            if child is None:
                with pytest.raises(WorldError):
                    self.world.redo()
                return
            self.heads[self.branch] = child
            assert self.world.redo().id == child

        @rule(pick=st.integers(0, 10**6))
        def goto(self, pick):
            target = list(self.states)[pick % len(self.states)]
            line = [self.at]
            while (up := self.parents[line[-1]]) is not None:
                line.append(up)
            if target in line:
                for child, parent in itertools.pairwise(line[: line.index(target) + 1]):
                    self.forward[self.branch, parent] = child
            self.heads[self.branch] = target
            self.world.goto(target)

        @rule(name=st.sampled_from(["b", "c"]), pick=st.none() | st.integers(0, 10**6))
        def create_branch(self, name, pick):
            at = None if pick is None else list(self.states)[pick % len(self.states)]
            if name in self.heads:
                with pytest.raises(WorldError, match="already"):
                    self.world.create_branch(name, at)
                return
            self.heads[name] = self.at if at is None else at
            self.world.create_branch(name, at)

        @rule(pick=st.integers(0, 10**6))
        def switch(self, pick):
            self.branch = sorted(self.heads)[pick % len(self.heads)]
            self.world.switch(self.branch)

        @rule(name=st.sampled_from(["main", "was wäre wenn", "b", "c"]))
        def delete_branch(self, name):
            tip = self.heads.get(name)
            if name in ("main", self.branch) or tip not in self.predicted:
                with pytest.raises(WorldError):
                    self.world.delete_branch(name)
                return
            assert self.world.delete_branch(name).id == tip
            del self.heads[name]
            self.forward = {(branch, at): to for (branch, at), to in self.forward.items() if branch != name}

        @rule(pick=st.integers(0, 10**6))
        def stale_commits_are_refused(self, pick):
            base = list(self.states)[pick % len(self.states)]
            if base != self.at:
                with pytest.raises(StaleRevisionError):
                    self.world.apply(edits.SetEnvironment(weather="fog"), base=base)

        @rule()
        def reopen(self):
            self.world.close()
            self.world = World.open(self.world.path)

        @rule(pick=st.integers(0, 10**6))
        def any_state_reads_and_replays(self, pick):
            revision = list(self.states)[pick % len(self.states)]
            expected = fingerprint(self.states[revision])
            assert fingerprint(self.world.scene(revision)) == expected
            assert fingerprint(self.world.replay(revision)) == expected

        @invariant()
        def agrees_with_the_model(self):
            assert (self.world.branch, self.world.branches()) == (self.branch, self.heads)
            assert self.world.head.id == self.at
            assert self.world.can_undo == (self.parents[self.at] is not None)
            assert self.world.can_redo == ((self.branch, self.at) in self.forward)
            assert fingerprint(self.world.scene()) == fingerprint(self.states[self.at])

        def teardown(self):
            assert {r.id: r.parent for r in self.world.history()} == self.parents
            assert self.world.check() == []
            self.world.close()

    return Tree


def test_history_behaves_like_a_list_of_copies(tmp_path, make_scene, random_edit, fingerprint):
    run_state_machine_as_test(
        machine(tmp_path, make_scene, random_edit, fingerprint),
        settings=settings(max_examples=10, stateful_step_count=40, derandomize=True, **RELAXED),
    )


@pytest.mark.slow
def test_history_behaves_like_a_list_of_copies_for_long(tmp_path, make_scene, random_edit, fingerprint):
    run_state_machine_as_test(
        machine(tmp_path, make_scene, random_edit, fingerprint),
        settings=settings(max_examples=150, stateful_step_count=80, **RELAXED),
    )


def test_an_edit_after_undo_grows_a_new_child_and_loses_nothing(world):
    left = world.apply(edits.Rename("mug-1", "left"))
    world.undo()
    right = world.apply(edits.Rename("mug-1", "right"))
    assert (left.parent, right.parent) == (1, 1)
    assert world.scene(left.id)["mug-1"].name == "left"
    world.undo()
    assert world.redo().id == right.id, "redo follows the child that was left last"
    assert world.goto(left.id).id == left.id
    assert world.undo().id == 1
    assert world.redo().id == left.id


def test_going_back_by_goto_is_like_that_many_undos(world):
    for name in ("a", "b", "c"):
        world.apply(edits.Rename("mug-1", name))
    world.goto(1)
    assert [world.redo().id for _ in range(3)] == [2, 3, 4]


def test_a_commit_to_another_branch_leaves_the_current_one_alone(world, make_scene):
    predicted = world.commit(make_scene(3), {"op": "predict", "horizon": 30}, base=1, branch="prediction-1")
    assert world.branch == "main"
    assert world.branches() == {"main": 1, "prediction-1": predicted.id}
    assert predicted.command == {"op": "predict", "horizon": 30}
    assert world.switch("prediction-1").id == predicted.id
    assert [r.id for r in world.lineage()] == [1, predicted.id]


def test_a_new_branch_may_fork_off_an_older_revision(world, make_scene):
    world.apply(edits.Rename("mug-1", "Erna"))
    assert world.commit(make_scene(2), {"op": "predict"}, base=1, branch="old").parent == 1


def test_a_discarded_prediction_leaves_no_branch_and_stays_reachable_by_number(world, make_scene, fingerprint):
    predicted = world.commit(make_scene(3), {"op": "predict"}, branch="prediction-1")
    before = fingerprint(world.scene(predicted.id))
    assert world.delete_branch("prediction-1").id == predicted.id
    assert world.branches() == {"main": 1}
    assert fingerprint(world.scene(predicted.id)) == before
    assert world.check() == []


@pytest.mark.parametrize(
    ("name", "reason"), [("main", "main one"), ("here", "current one"), ("work", "holds work"), ("no", "no branch")]
)
def test_only_predictions_that_nobody_stands_on_are_deleted(world, make_scene, name, reason):
    world.commit(make_scene(3), {"op": "predict"}, branch="here")
    world.create_branch("work")
    world.switch("here")
    before = world.branches()
    with pytest.raises(WorldError, match=reason):
        world.delete_branch(name)
    assert world.branches() == before


def test_redo_is_not_promised_for_a_child_that_was_never_left(world):
    world.apply(edits.Rename("mug-1", "left"))
    assert (world.can_undo, world.can_redo) == (True, False)
    world.create_branch("old", 1)
    world.switch("old")
    assert (world.can_undo, world.can_redo) == (False, False), "the child is another branch's"


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 201])
def test_a_branch_name_that_does_not_print_on_a_line_is_refused(world, make_scene, name):
    with pytest.raises(WorldError, match="printable"):
        world.create_branch(name)
    if name:
        with pytest.raises(WorldError, match="printable"):
            world.commit(make_scene(2), {"op": "predict"}, branch=name)
    assert world.branches() == {"main": 1}


def test_revisions_and_branches_that_do_not_exist_are_named(world):
    for call in (lambda: world.scene(7), lambda: world.goto(7), lambda: world.create_branch("b", 7), lambda: world.replay(7)):
        with pytest.raises(WorldError, match="no revision 7; this world has 1 to 1"):
            call()
    with pytest.raises(WorldError, match="no branch 'nowhere'; there are: main"):
        world.switch("nowhere")
