"""A session carries out a page's commands on the world, and tells everyone what became of them."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spatialwm_app.session import Session

from spatialwm.errors import ActionError, EditError, StaleRevisionError, WorldError
from spatialwm.gaussians import concatenate, transform
from spatialwm.progress import silent
from spatialwm.scene import Scene, SceneObject, edits
from spatialwm.world import World


@pytest.fixture
def session(world: World) -> Iterator[Session]:
    session = Session(world)
    yield session
    session.close()


def heard(session: Session) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    session.listen(messages.append)
    return messages


def pose(message: dict[str, Any], object_id: str) -> list[float]:
    return next(o["pose"] for o in message["objects"] if o["id"] == object_id)


def test_an_edit_lands_on_disk_and_everyone_hears_of_it(session: Session) -> None:
    session.state()
    messages = heard(session)
    session.command({"op": "edit", "edit": {"op": "move", "object": "stool-1", "by": [0.5, 0, 0]}})
    with World.open(session.path, read_only=True) as again:
        assert again.scene()["stool-1"].world_from_object.position[0] == pytest.approx(-0.9)
    assert pose(messages[-1], "stool-1")[0] == pytest.approx(-0.9)
    assert (messages[-1]["can_undo"], messages[-1]["can_redo"]) == (True, False)


def test_undo_and_redo_walk_the_history(session: Session) -> None:
    before = session.state()
    session.command({"op": "edit", "edit": {"op": "delete", "object": "box-1"}})
    session.command({"op": "undo"})
    undone = session.state()
    assert undone["objects"] == before["objects"]
    assert (undone["can_undo"], undone["can_redo"]) == (False, True)
    session.command({"op": "redo"})
    assert len(session.state()["objects"]) == len(before["objects"]) - 1
    session.command({"op": "goto", "revision": before["revision"]})
    assert session.state()["objects"] == before["objects"]


def test_an_edit_of_an_older_state_is_refused(session: Session) -> None:
    seen = session.state()["revision"]
    session.say("move stool-1 0.1 0 0")
    with pytest.raises(StaleRevisionError):
        session.command({"op": "edit", "base": seen, "edit": {"op": "delete", "object": "stool-1"}})
    assert any(o["id"] == "stool-1" for o in session.state()["objects"])


def test_undo_at_the_beginning_says_so_and_changes_nothing(session: Session) -> None:
    before = session.state()
    with pytest.raises(WorldError):
        session.command({"op": "undo"})
    assert session.state() == before


@pytest.mark.parametrize(
    "command", [{}, {"op": "format_disk"}, {"op": "edit", "edit": {"op": "move", "object": "ghost-9", "by": [0, 0, 1]}}]
)
def test_a_command_that_cannot_be_is_refused(session: Session, command: dict[str, Any]) -> None:
    with pytest.raises(EditError):
        session.command(command)


def test_a_commit_of_another_process_is_noticed(session: Session) -> None:
    session.state()
    messages = heard(session)
    with World.open(session.path) as other:
        other.apply(edits.Rename("stool-1", "Milking stool"))
    session.refresh()
    assert [m["event"] for m in messages] == ["scene"]
    assert "Milking stool" in [o["name"] for o in messages[0]["objects"]]
    session.refresh()
    assert len(messages) == 1, "nothing new, nothing said"


def test_gaussians_are_served_by_content_and_only_those_of_the_scene(session: Session) -> None:
    content = next(o["content"] for o in session.state()["objects"] if o["id"] == "stool-1")
    spz = session.spz(content)
    assert spz is not None
    assert gzip.decompress(spz)[:4] == b"NGSP"
    assert session.spz("0" * 32) is None
    session.say("move stool-1 1 0 0")
    assert next(o["content"] for o in session.state()["objects"] if o["id"] == "stool-1") == content, "moving fetches nothing"
    session.say("recolor stool-1 green")
    assert next(o["content"] for o in session.state()["objects"] if o["id"] == "stool-1") != content


def test_a_push_is_predicted_on_a_branch_shown_and_committed(session: Session) -> None:
    before = session.state()
    messages = heard(session)
    done = threading.Event()
    session.listen(lambda m: done.set() if m["event"] == "done" else None)
    assert session.command({"op": "predict", "object": "stool-1", "by": [-0.4, 0.0]})["job"]
    assert done.wait(60)
    assert not any("error" in m for m in messages), messages[-1]
    assert any(m["event"] == "progress" for m in messages)
    shown = session.state()
    assert shown["revision"] == before["revision"], "a prediction is not the truth"
    told = shown["prediction"]
    k = len(told["object_ids"])
    raw = np.frombuffer(session.rollout() or b"", "<f4")
    assert len(raw) == told["frames"] * k * 8
    last = raw[: told["frames"] * k * 7].reshape(told["frames"], k, 7)[-1, told["object_ids"].index("stool-1")]
    session.command({"op": "commit"})
    committed = session.state()
    assert committed["prediction"] is None
    assert pose(committed, "stool-1")[:7] == pytest.approx(last.tolist(), abs=1e-5)


def test_an_edit_makes_a_pending_prediction_obsolete(session: Session) -> None:
    session.predict_push("stool-1", (-0.3, 0.0), silent)
    assert session.state()["prediction"] is not None
    session.say("move box-1 0.05 0 0")
    assert session.state()["prediction"] is None
    with pytest.raises(ActionError, match="no prediction"):
        session.commit_prediction()


def test_a_discarded_prediction_leaves_neither_branch_nor_history(session: Session) -> None:
    before = session.state()
    prediction = session.predict_push("stool-1", (-0.3, 0.0), silent)
    assert len(session.state()["history"]) == len(before["history"]) + 1
    session.command({"op": "discard"})
    assert session.state() == before
    with World.open(session.path, read_only=True) as world:
        assert world.branches() == {"main": before["revision"]}
        assert world.scene(prediction.revision.id), "what was predicted is still there by its number"
    assert session.predict_push("stool-1", (-0.3, 0.0), silent).branch != prediction.branch


def test_an_export_is_named_after_the_world_and_its_revision(session: Session) -> None:
    path = session.export("ply", silent)
    assert path.name == "room-r1.ply"
    assert path.stat().st_size > 100_000
    assert session.export_path("room-r1.ply") == path
    assert session.export_path("../room.world/world.sqlite") is None


@pytest.fixture
def captured(room: Scene, tmp_path: Path) -> Iterator[Session]:
    """The room as cameras would have seen it: one static thing."""
    whole = concatenate([transform(o.gaussians, o.world_from_object) for o in room.objects])
    body = SceneObject("capture-1", "capture", whole, mobility="static", provenance="measured")
    scene = Scene(objects=(body,), spawn=room.spawn)
    session = Session(World.create(tmp_path / "seen.world", scene, command={"op": "create", "source": "photos"}))
    yield session
    session.close()


def answer_of(session: Session, command: dict[str, Any]) -> dict[str, Any]:
    """What is told of a command that is answered later."""
    answers: list[dict[str, Any]] = []
    told = threading.Event()

    def listen(message: dict[str, Any]) -> None:
        if message.get("question") == command["question"]:
            answers.append(message)
            told.set()

    session.listen(listen)
    session.command(command)
    assert told.wait(120)
    session.unlisten(listen)
    return answers[0]


def pointing(room: Scene, low: tuple[float, ...], high: tuple[float, ...]) -> dict[str, Any]:
    """A box in the visitor's view around a box in the world."""
    camera = room.spawn
    assert camera is not None
    corners = [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    seen = camera.world_from_cam.inverse().apply(np.array(corners))
    x, y = camera.fx * seen[:, 0] / seen[:, 2] + camera.cx, camera.fy * seen[:, 1] / seen[:, 2] + camera.cy
    right, down, forward = camera.world_from_cam.rotation().T.tolist()
    fov = float(np.degrees(2 * np.arctan(camera.height / 2 / camera.fy)))
    view = {"eye": camera.eye, "right": right, "down": down, "forward": forward, "fov_y_deg": fov}
    box = [float(v) for v in (x.min(), y.min(), x.max(), y.max())]
    return {"camera": {**view, "width": camera.width, "height": camera.height}, "box": box}


def test_a_thing_that_is_pointed_at_is_outlined_and_on_assent_an_object(captured: Session, room: Scene) -> None:
    assert captured.state()["objects"][0]["place"]
    pointed = pointing(room, (-1.62, 0.38, 0.0), (-1.18, 0.82, 0.47))
    found = answer_of(captured, {"op": "select", "question": "q1", **pointed})
    assert "error" not in found
    ring = np.array(found["outline"][0]) * (1280, 720)
    assert np.ptp(ring[:, 0]) == pytest.approx(pointed["box"][2] - pointed["box"][0], rel=0.35)
    assert captured.state()["revision"] == 1, "looking changes nothing"
    taken = answer_of(captured, {"op": "take", "question": "q1", "name": "blue stool"})
    assert taken["object"] == "stool-1"
    stool = next(o for o in captured.state()["objects"] if o["id"] == "stool-1")
    assert stool["mass_kg"] > 0
    assert not stool["place"]


def test_pointing_at_nothing_is_answered_with_why(captured: Session, room: Scene) -> None:
    sky = {**pointing(room, (-1.0, 1.0, 1.0), (1.0, 2.0, 2.0)), "box": [600.0, 2.0, 640.0, 10.0]}
    found = answer_of(captured, {"op": "select", "question": "q2", **sky})
    assert "outline" not in found
    assert found["error"]
    with pytest.raises(EditError, match="click on it again"):
        captured.command({"op": "take", "question": "other"})
