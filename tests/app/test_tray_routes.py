"""The addresses by which a page fills its tray; other sites' pages may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="the studio needs spatialwm[app]")

from spatialwm_app.hub import Hub
from spatialwm_app.routes import routes
from starlette.applications import Starlette
from starlette.testclient import TestClient

SAME_ORIGIN = {"origin": "http://127.0.0.1:7860"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    hub = Hub(tmp_path / "worlds")
    app = Starlette(routes=routes(hub, "127.0.0.1"))
    with TestClient(app, base_url="http://127.0.0.1:7860", headers=SAME_ORIGIN) as client:
        yield client
    hub.close()


@pytest.fixture
def url(client: TestClient) -> str:
    return f"/spatialwm/tray/{client.post('/spatialwm/tray').json()['tray']}"


def test_files_are_put_in_told_and_taken_out(client: TestClient, url: str) -> None:
    assert client.put(f"{url}/holiday/été 1.ply", content=b"ply\n").status_code == 204
    told = client.get(url).json()
    assert told["files"] == [{"name": "holiday/été 1.ply", "bytes": 4}]
    assert told["kind"] == "splats"
    assert client.delete(f"{url}/holiday/été 1.ply").json()["files"] == []


def test_a_refusal_is_its_one_clear_line(client: TestClient, url: str) -> None:
    answer = client.put(f"{url}/x.zip", content=b"no archive")
    assert answer.status_code == 400
    assert "cannot be unpacked" in answer.json()["error"]
    assert client.put(f"{url}/..%2Fevil.txt", content=b"x").status_code in (400, 404)
    assert client.get(url).json()["files"] == []


def test_a_tray_that_was_left_is_gone(client: TestClient, url: str) -> None:
    client.put(f"{url}/a.jpg", content=b"x")
    assert client.post(f"{url}/leave").status_code == 204
    assert client.get(url).status_code == 404
    assert client.put(f"{url}/a.jpg", content=b"x").status_code == 404


def test_pages_of_other_sites_may_not_write(client: TestClient, url: str) -> None:
    foreign = {"origin": "http://evil.example"}
    assert client.post("/spatialwm/tray", headers=foreign).status_code == 403
    assert client.put(f"{url}/a.jpg", content=b"x", headers=foreign).status_code == 403
    assert client.post(f"{url}/leave", headers=foreign).status_code == 403
    assert client.get(url).json()["files"] == []
