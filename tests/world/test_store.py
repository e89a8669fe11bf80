"""Creating, opening and writing worlds: what is kept bit for bit, and what is refused with nothing lost."""

from __future__ import annotations

import os
import signal
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
import torch

from spatialwm.errors import EditError, WorldError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, SceneObject, edits
from spatialwm.world import World, check_world


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_a_scene_comes_back_bit_for_bit(tmp_path, make_scene, fingerprint):
    for seed in range(8):
        scene = make_scene(seed)
        with World.create(tmp_path / f"{seed}.world", scene, command={"op": "create", "prompt": "ein Becher"}):
            pass
        with World.open(tmp_path / f"{seed}.world") as world:
            assert fingerprint(world.scene()) == fingerprint(scene)
            assert world.scene().same_as(scene)
            assert world.head.command == {"op": "create", "prompt": "ein Becher"}


def test_an_empty_scene_is_a_world(tmp_path):
    with World.create(tmp_path / "void.world", Scene()) as world:
        assert world.scene().same_as(Scene())
        assert world.check() == []


def test_numbers_that_text_formats_lose_are_kept(tmp_path, fingerprint):
    odd = SceneObject("odd-1", "odd", Gaussians.empty(), Pose((0.1 + 0.2, -0.0, 5e-324)), mass_kg=1.7976931348623157e308)
    with World.create(tmp_path / "odd.world", Scene((odd,))):
        pass
    with World.open(tmp_path / "odd.world") as world:
        assert fingerprint(world.scene()["odd-1"]) == fingerprint(odd)


def test_other_precisions_and_layouts_are_kept_by_value(tmp_path):
    rows = torch.randn(5, 14, dtype=torch.float64)
    strided = Gaussians(rows[:, :3], rows[:, 3:7], rows[:, 7:10].abs(), rows[:, 10].sigmoid(), rows[:, 11:].reshape(5, 1, 3))
    scene = Scene((SceneObject("cloud-1", "cloud", strided),))
    with World.create(tmp_path / "cloud.world", scene) as world:
        assert world.scene().same_as(scene)
        assert world.scene()["cloud-1"].gaussians.means.is_contiguous(), "what is worked on is what is stored"
        other = replace(scene["cloud-1"], gaussians=replace(strided, opacities=strided.opacities * 0.5, means=strided.means + 1))
        strided_too = replace(other, gaussians=replace(other.gaussians, means=other.gaussians.means.T.contiguous().T))
        assert not strided_too.gaussians.means.is_contiguous()
        world.commit(Scene((strided_too,)), {"op": "again"})
        assert world.scene()["cloud-1"].gaussians.means.is_contiguous()


def test_a_unicode_path_with_signs_that_mean_something_in_a_uri(tmp_path, scene):
    path = tmp_path / "Küche 100% #1?mode=ro&x=世界.world"
    with World.create(path, scene) as world:
        world.apply(edits.Rename("mug-1", "Erna"))
    with World.open(path, read_only=True) as world:
        assert world.scene()["mug-1"].name == "Erna"


def test_one_edit_of_one_object_adds_two_small_records_and_no_arrays(world):
    before = files(world.path / "blobs")
    with sqlite3.connect(world.path / "world.sqlite") as sql:
        count = "SELECT count(*) FROM records"
        records = sql.execute(count).fetchone()[0]
        world.apply(edits.SetPhysics("mug-1", mass_kg=0.5))
        assert sql.execute(count).fetchone()[0] == records + 2
    assert files(world.path / "blobs") == before


def test_unchanged_objects_are_the_same_values_in_every_revision_read(world):
    first = world.scene()
    world.apply(edits.SetPhysics("mug-1", mass_kg=0.5))
    for a, b in zip(first.objects, world.scene().objects, strict=True):
        assert (a is b) == (a.id != "mug-1")
    world.close()
    with World.open(world.path) as again:
        old, new = again.scene(1), again.scene(2)
        assert old["mug-2"] is new["mug-2"]
        assert old["mug-1"].gaussians is new["mug-1"].gaussians


def test_duplicates_share_their_arrays_on_disk(world):
    before = files(world.path / "blobs")
    world.apply(edits.Duplicate("mug-1"))
    assert files(world.path / "blobs") == before


def test_a_refused_edit_changes_nothing(world):
    scene = world.scene()
    for bad in (edits.Delete("nobody"), edits.Scale("mug-1", float("nan")), edits.Insert(scene["mug-1"])):
        with pytest.raises(EditError):
            world.apply(bad)
    assert world.head.id == 1
    assert world.scene() is scene
    assert world.check() == []


def test_the_log_is_what_is_applied_so_a_numpy_number_replays_exactly(world, fingerprint):
    by = np.array([0.1, 0.2, 0.3], np.float32).astype(np.float64)
    world.apply(edits.Move("mug-1", (by[0], by[1], by[2])))
    assert type(world.head.command["by"][0]) is float
    world.apply(edits.SetPhysics("mug-1", mass_kg=np.float64(0.3)))
    assert type(world.scene()["mug-1"].mass_kg) is float
    assert fingerprint(world.replay()) == fingerprint(world.scene())


def test_what_cannot_be_logged_is_refused(world, scene):
    with pytest.raises(WorldError, match="needs an 'op'"):
        world.commit(scene, {"prompt": "x"})
    with pytest.raises(WorldError, match="plain JSON"):
        world.commit(scene, {"op": "lift", "when": object()})
    assert world.head.id == 1


def test_authors_and_times_are_kept(tmp_path, scene):
    with World.create(tmp_path / "a.world", scene, author="cli") as world:
        with World.open(world.path, author="studio") as other:
            other.apply(edits.Rename("mug-1", "x"))
        assert [r.author for r in world.history()] == ["cli", "studio"]
        assert all(r.created_at.endswith("+00:00") for r in world.history())


# ---------------------------------------------------------------------------------------------------------------- attachments


def test_attachments_come_back_and_are_replaced_by_name(world):
    poses = np.random.default_rng(0).normal(size=(3, 2, 7))
    for meta in ({"backend": "old"}, {"backend": "physics/mujoco", "dt_s": 1 / 30}):
        world.put_attachment(1, "rollout", {"poses": poses, "contact": np.array([True, False]), "t": np.array(3)}, meta)
    tensors, meta = world.get_attachment(1, "rollout")
    assert meta == {"backend": "physics/mujoco", "dt_s": 1 / 30}
    assert tensors["poses"].dtype == np.float64
    np.testing.assert_array_equal(tensors["poses"], poses)
    assert tensors["contact"].tolist() == [True, False]
    assert tensors["t"].shape == ()
    assert world.attachments(1) == ["rollout"]
    assert world.check() == []


def test_attachments_that_do_not_exist_or_do_not_fit_are_refused(world):
    with pytest.raises(WorldError, match="revision 1 has no attachment 'x'; it has: none"):
        world.get_attachment(1, "x")
    with pytest.raises(WorldError, match="no revision 9"):
        world.put_attachment(9, "x", {"a": np.zeros(1)}, {})
    with pytest.raises(WorldError, match="numeric numpy arrays"):
        world.put_attachment(1, "x", {"a": np.array([object()])}, {})
    assert world.attachments(1) == []


# --------------------------------------------------------------------------------------------------------- refused to be made


def test_creating_where_something_is_needs_consent(tmp_path, scene, make_scene):
    path = tmp_path / "a.world"
    World.create(path, scene).close()
    with pytest.raises(WorldError, match="exists already"):
        World.create(path, make_scene(2))
    with World.create(path, make_scene(2), overwrite=True) as world:
        assert world.scene().same_as(make_scene(2))
    assert files(tmp_path)[0] == "a.world"
    assert len(list(tmp_path.iterdir())) == 1


def test_only_a_world_is_ever_overwritten(tmp_path, scene):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_text("x")
    (tmp_path / "file.world").write_text("x")
    for name in ("photos", "file.world"):
        with pytest.raises(WorldError, match="not a world"):
            World.create(tmp_path / name, scene, overwrite=True)
    assert files(tmp_path) == ["file.world", "photos", "photos/a.jpg"]


def test_a_missing_parent_folder_is_named(tmp_path, scene):
    with pytest.raises(WorldError, match="does not exist"):
        World.create(tmp_path / "no" / "a.world", scene)


def test_a_writer_whose_world_was_replaced_is_told_instead_of_writing_into_nothing(tmp_path, scene, make_scene):
    with World.create(tmp_path / "a.world", scene) as old:
        World.create(tmp_path / "a.world", make_scene(2), overwrite=True).close()
        with pytest.raises(WorldError, match="replaced or removed"):
            old.apply(edits.Rename("mug-1", "x"))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX interval timers")
def test_control_c_while_creating_leaves_a_whole_world_or_nothing(tmp_path, make_scene):
    scene = make_scene(0, 40)

    def interrupt(*_):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        for i in range(12):
            path = tmp_path / f"{i}.world"
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.002 + 0.008 * i)
                World.create(path, scene).close()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            left = [p.name for p in tmp_path.iterdir()]
            assert left in ([], [path.name])
            if left:
                assert check_world(path).problems == ()
                World.create(path, Scene(), overwrite=True).close()
                for file in [*path.rglob("*.*")]:
                    file.unlink()
                (path / "blobs").rmdir()
                path.rmdir()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert interrupted > 0


def test_what_a_killed_creation_left_is_cleared_by_the_next(tmp_path, scene):
    (tmp_path / f".a.world.creating-{2**22 + 7}-abc").mkdir()
    (tmp_path / f".a.world.creating-{os.getppid()}-abc").mkdir()
    World.create(tmp_path / "a.world", scene).close()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f".a.world.creating-{os.getppid()}-abc", "a.world"]


# ------------------------------------------------------------------------------------------------------- refused to be opened


def test_what_is_not_a_world_is_named(tmp_path, scene):
    (tmp_path / "folder.world").mkdir()
    (tmp_path / "file.world").write_text("x")
    foreign = tmp_path / "foreign.world"
    (foreign / "blobs").mkdir(parents=True)
    with sqlite3.connect(foreign / "world.sqlite") as sql:
        sql.execute("CREATE TABLE t (x)")
    noise = tmp_path / "noise.world"
    (noise / "blobs").mkdir(parents=True)
    (noise / "world.sqlite").write_bytes(os.urandom(20000))
    for name, message in (
        ("missing.world", "there is no world"),
        ("file.world", "is a file"),
        ("folder.world", "should hold world.sqlite"),
        ("foreign.world", "not that of a world"),
        ("noise.world", "damaged"),
    ):
        for read_only in (False, True):
            with pytest.raises(WorldError, match=message) as caught:
                World.open(tmp_path / name, read_only=read_only)
            assert "\n" not in str(caught.value)
            assert name in str(caught.value)
        assert check_world(tmp_path / name).problems


def test_a_closed_world_says_so(world):
    world.close()
    world.close()
    for use in (lambda: world.head, world.scene, world.undo, lambda: world.apply(edits.Delete("mug-1"))):
        with pytest.raises(WorldError, match="closed"):
            use()


def test_a_world_opened_to_read_refuses_every_write_in_one_line(world, scene):
    before = files(world.path)
    with World.open(world.path, read_only=True) as reader:
        assert reader.scene().same_as(scene)
        for write in (
            lambda: reader.apply(edits.Rename("mug-1", "x")),
            lambda: reader.commit(replace(scene, prompt="x"), {"op": "x"}),
            reader.undo,
            lambda: reader.create_branch("b"),
            lambda: reader.put_attachment(1, "a", {"x": np.ones(3)}, {}),
            reader.gc,
        ):
            with pytest.raises(WorldError, match="opened read-only"):
                write()
        world.apply(edits.Rename("mug-1", "seen at once"))
        assert reader.scene()["mug-1"].name == "seen at once"
    assert files(world.path) == before
