"""Starting the studio: what is missing is said in one line, and what runs answers programs too."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from spatialwm_app.server import VIEWER, ViewerMissingError, _free_port, launch

from spatialwm.errors import MissingDependencyError, SpatialwmError, WorldError
from spatialwm.world import World


def test_missing_packages_are_named_with_the_extra_that_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spatialwm_app.server.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"spatialwm\[app\]"):
        launch()


def test_a_missing_bundle_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="the studio needs spatialwm[app]")
    monkeypatch.setattr("spatialwm_app.server.VIEWER", tmp_path / "viewer.js")
    with pytest.raises(ViewerMissingError, match=r"pip install -e \."):
        launch()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, room: Any) -> tuple[Any, Path]:
    pytest.importorskip("gradio", reason="the studio needs spatialwm[app]")
    if not VIEWER.is_file():
        pytest.skip("the viewer bundle is not built: pip install -e .")
    from gradio_client import Client

    folder = tmp_path_factory.mktemp("studio")
    World.create(folder / "room.world", room, command={"op": "create", "source": "a small room"}).close()
    url = launch([folder / "room.world"], port=7930, worlds_dir=folder / "worlds", block=False)
    return Client(url, verbose=False), folder / "room.world"


def test_programs_edit_predict_and_export_through_named_endpoints(client: tuple[Any, Path]) -> None:
    page, path = client
    assert page.predict(world=str(path), text="move stool-1 0.1 0 0", api_name="/edit") == {"revision": 2}
    future = page.predict(world=str(path), object_id="stool-1", dx=-0.3, dy=0.0, commit=True, api_name="/predict")
    assert future["committed"] == future["revision"] + 1
    with World.open(path, read_only=True) as world:
        k = future["object_ids"].index("stool-1")
        assert world.scene()["stool-1"].world_from_object.position == pytest.approx(tuple(future["poses"][-1][k][:3]))
    written = page.predict(world=str(path), suffix="ply", api_name="/export")
    assert os.path.getsize(written["file"]) > 100_000


def test_a_refused_call_gives_its_one_clear_line(client: tuple[Any, Path]) -> None:
    page, path = client
    with pytest.raises(Exception, match="no object 'sofa-9'"):
        page.predict(world=str(path), text="move sofa-9 1 0 0", api_name="/edit")
    with pytest.raises(Exception, match="empty"):
        page.predict(source="  ", api_name="/create")


def test_only_the_four_verbs_are_published(client: tuple[Any, Path]) -> None:
    page, _ = client
    assert set(page.view_api(return_format="dict")["named_endpoints"]) == {"/create", "/edit", "/predict", "/export"}


def test_the_next_free_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert _free_port("127.0.0.1", port) > port


@pytest.mark.parametrize("port", [0, -1, 65536, 99999])
def test_a_port_that_is_none_is_refused_in_one_line(port: int) -> None:
    with pytest.raises(SpatialwmError, match="1 to 65535"):
        _free_port("127.0.0.1", port)


def heed_ctrl_c() -> None:
    """Whoever was started in the background of a shell ignores Ctrl-C, and would hand that on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to one process")
def test_the_command_takes_the_next_port_and_ctrl_c_ends_it_cleanly(tmp_path: Path, room: Any) -> None:
    pytest.importorskip("gradio", reason="the studio needs spatialwm[app]")
    if not VIEWER.is_file():
        pytest.skip("the viewer bundle is not built: pip install -e .")
    World.create(tmp_path / "room.world", room, command={"op": "create", "source": "a small room"}).close()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        command = [sys.executable, "-m", "spatialwm.cli", "app", "room.world", "--no-browser", "--port", str(busy)]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c
        )
        assert process.stdout is not None
        said = process.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
    assert address, said
    assert int(address.group(1)) > busy
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in complaints
    assert "saved" in complaints


def test_a_world_that_is_none_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="the studio needs spatialwm[app]")
    if not VIEWER.is_file():
        pytest.skip("the viewer bundle is not built: pip install -e .")
    with pytest.raises(WorldError):
        launch([tmp_path / "nothing.world"])
