"""A world in the making is seen as it forms, ends early when asked, and leaves nothing when given up."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from spatialwm_app.forming import Forming
from spatialwm_app.hub import Hub
from spatialwm_app.jobs import JobCancelled, Status
from spatialwm_app.making import Making, Wish

from spatialwm import studio
from spatialwm.errors import EditError, LiftError
from spatialwm.lift import LiftOptions
from spatialwm.progress import silent
from spatialwm.scene import Scene


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path / "worlds")
    yield hub
    hub.close()


def test_a_preview_is_told_served_and_walked_on_like_a_world(room: Scene) -> None:
    forming = Forming("attic")
    heard: list[dict[str, Any]] = []
    forming.listen(heard.append)
    assert not forming.shown
    forming.show(room)
    assert forming.shown
    told = heard[-1]
    assert (told["event"], told["forming"], told["title"]) == ("scene", True, "attic")
    content = told["objects"][0]["content"]
    spz = forming.spz(content)
    assert spz is not None
    assert gzip.decompress(spz)[:4] == b"NGSP"
    assert len(forming.collider()) > 1000
    forming.show(room.without("room-shell"))
    assert heard[-1]["revision"] != told["revision"]
    assert forming.spz(content) is not None, "a tab may still be fetching the preview before"
    assert forming.spz("0" * 32) is None
    forming.report(Status("training", 0.5, 10.0, 10.0))
    assert heard[-1] == {"event": "forming", "stage": "training", "fraction": 0.5, "elapsed_s": 10.0, "eta_s": 10.0}


def test_nothing_can_be_changed_before_it_is_made(room: Scene) -> None:
    forming = Forming("attic")
    with pytest.raises(EditError, match="still being made"):
        forming.command({"op": "undo"})


def test_a_file_that_was_sent_in_becomes_a_world_that_outlives_it(hub: Hub, room: Scene, tmp_path: Path) -> None:
    file = studio.export(room, tmp_path / "hall.ply")
    tray = hub.trays.open()
    with tray.receive("hall.ply") as write:
        write(file.read_bytes())
    making = Making(hub, Wish(str(tray.source()), LiftOptions(), tray))
    assert hub.shown(making.forming.token) is making.forming
    session = making.result()
    hub.trays.drop(tray.token)
    assert hub.shown(making.forming.token) is making.forming, "a tab may still be fetching the last preview"
    hub.form("another")
    assert hub.shown(making.forming.token) is None
    assert session.title == "hall"
    assert len(session.state()["objects"]) == 1
    assert session.state()["history"][0]["label"] == "Create: hall.ply"


def test_an_error_names_the_file_and_not_where_it_was_put(hub: Hub) -> None:
    tray = hub.trays.open()
    with tray.receive("scan.ply") as write:
        write(b"not splats")
    with pytest.raises(Exception, match="scan") as refusal:
        Making(hub, Wish(str(tray.source()), LiftOptions(), tray)).result()
    assert "spatialwm-tray" not in str(refusal.value)


def test_what_is_given_up_leaves_no_world(hub: Hub) -> None:
    making = Making(hub, Wish("A room with a table and six chairs", LiftOptions(quality="draft")))
    making.cancel()
    with pytest.raises(JobCancelled):
        making.result()
    assert not making.keepable
    assert list(hub.worlds_dir.glob("*")) == []


def test_two_worlds_made_at_once_get_two_names(hub: Hub, room: Scene, tmp_path: Path) -> None:
    file = studio.export(room, tmp_path / "hall.ply")
    together = threading.Barrier(2)
    titles: list[str] = []

    def meet(stage: str, fraction: float, /) -> None:
        if fraction == 0.0:
            together.wait(30)

    def make() -> None:
        titles.append(hub.create(str(file), LiftOptions(), meet).title)

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(titles) == ["hall", "hall-2"]
    with pytest.raises(LiftError):
        hub.create(str(tmp_path / "no.ply"), LiftOptions(), silent)
