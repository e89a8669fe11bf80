"""The addresses beside Gradio's: tokens, caching, and who may open the socket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="the studio needs spatialwm[app]")

from spatialwm_app.channel import may_connect
from spatialwm_app.hub import Hub
from spatialwm_app.routes import routes, world_url
from spatialwm_app.session import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from spatialwm.world import World

SAME_ORIGIN = {"origin": "http://127.0.0.1:7860", "host": "127.0.0.1:7860"}


@pytest.fixture
def hub(world: World, tmp_path: Path) -> Iterator[Hub]:
    path = world.path
    world.close()
    hub = Hub(tmp_path / "worlds")
    hub.open(path)
    yield hub
    hub.close()


@pytest.fixture
def session(hub: Hub) -> Session:
    session = hub.latest()
    assert session is not None
    return session


@pytest.fixture
def client(hub: Hub) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(hub, "127.0.0.1")), base_url="http://127.0.0.1:7860") as client:
        yield client


def test_gaussians_are_cached_for_good_by_their_content(client: TestClient, session: Session) -> None:
    content = session.state()["objects"][0]["content"]
    url = f"{world_url(session)}/gaussians/{content}.spz"
    first = client.get(url)
    assert first.status_code == 200
    assert "immutable" in first.headers["cache-control"]
    assert client.get(url, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_a_collider_is_sent_again_only_when_something_moved(client: TestClient, session: Session) -> None:
    url = f"{world_url(session)}/collider.bin"
    tag = client.get(url).headers["etag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    session.say("move stool-1 0.5 0 0")
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("part", ["collider.bin", "rollout.bin", "gaussians/00.spz", "export/room-r1.glb"])
def test_a_guessed_token_opens_nothing(client: TestClient, part: str) -> None:
    assert client.get(f"/spatialwm/world/guess/{part}").status_code == 404


def test_the_socket_tells_the_scene_answers_commands_and_explains_refusals(client: TestClient, session: Session) -> None:
    with client.websocket_connect(f"{world_url(session)}/socket", headers=SAME_ORIGIN) as socket:
        assert socket.receive_json()["event"] == "scene"
        socket.send_json({"id": 1, "op": "edit", "edit": {"op": "move", "object": "stool-1", "by": [0.2, 0, 0]}})
        messages = [socket.receive_json(), socket.receive_json()]
        assert {m["event"] for m in messages} == {"scene", "reply"}
        socket.send_json({"id": 2, "op": "edit", "edit": {"op": "move", "object": "stol-1", "by": [0.2, 0, 0]}})
        refusal = socket.receive_json()
        assert refusal["id"] == 2
        assert "stool-1" in refusal["error"]
        socket.send_text("not json")
        assert "error" in socket.receive_json()
        socket.send_text("[]")
        assert "error" in socket.receive_json()


def test_a_foreign_page_cannot_open_the_socket(client: TestClient, session: Session) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"{world_url(session)}/socket", headers={**SAME_ORIGIN, "origin": "http://evil.example"}),
    ):
        pass


@pytest.mark.parametrize(
    ("origin", "host", "bound_to", "allowed"),
    [
        ("http://127.0.0.1:7860", "127.0.0.1:7860", "127.0.0.1", True),
        ("http://localhost:7860", "localhost:7860", "127.0.0.1", True),
        (None, "127.0.0.1:7860", "127.0.0.1", True),
        ("http://127.0.0.1:9999", "127.0.0.1:7860", "127.0.0.1", False),
        ("http://rebound.example:7860", "rebound.example:7860", "127.0.0.1", False),
        ("http://studio.lan:7860", "studio.lan:7860", "0.0.0.0", True),
        ("null", "127.0.0.1:7860", "127.0.0.1", False),
    ],
)
def test_who_may_connect(origin: str | None, host: str, bound_to: str, allowed: bool) -> None:
    assert may_connect(origin, host, bound_to) is allowed


def test_one_world_is_opened_once_however_it_is_named(hub: Hub, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(session.path.parent)
    assert hub.open(Path("room.world")) is session
    assert hub.find(session.token) is session
    assert hub.find(f".{os.sep}room.world") is session
