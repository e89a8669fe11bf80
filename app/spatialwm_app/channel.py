"""The WebSocket between a tab and its session: JSON commands in, replies and scene messages out."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from spatialwm.errors import SpatialwmError
from spatialwm_app.audience import Message
from spatialwm_app.forming import Forming
from spatialwm_app.session import Session

POLL_S = 1.0
"""How often another process's commits are looked for."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def may_connect(origin: str | None, host: str | None, bound_to: str) -> bool:
    """Whether a browser page of this ``Origin`` may open the socket it asked for under this ``Host``.

    The page must come from the very server it talks to; and a server bound to this machine answers only to names of this machine,
    so that a foreign site cannot point its own name here (DNS rebinding). Programs other than browsers send no Origin.
    """
    if origin is None:
        return True
    if host is None or urlsplit(origin).netloc != host:
        return False
    return bound_to not in LOOPBACK or urlsplit(f"//{host}").hostname in LOOPBACK


async def serve(socket: WebSocket, session: Session | Forming) -> None:
    """Carry messages both ways until the tab goes away."""
    await socket.accept()
    loop = asyncio.get_running_loop()
    outbox: asyncio.Queue[Message] = asyncio.Queue()

    def post(message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the server is shutting down
            loop.call_soon_threadsafe(outbox.put_nowait, message)

    session.listen(post)
    background = [asyncio.create_task(_send(socket, outbox)), asyncio.create_task(_poll(session))]
    try:
        post(await asyncio.to_thread(session.state))
        while True:
            post(await asyncio.to_thread(_answer, session, await socket.receive_text()))
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        session.unlisten(post)
        for task in background:
            task.cancel()


def _answer(session: Session | Forming, text: str) -> Message:
    reply: dict[str, Any] = {"event": "reply"}
    try:
        message = json.loads(text)
        reply["id"] = message.get("id")
        reply.update(session.command(message))
    except SpatialwmError as error:
        reply["error"] = str(error)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reply["error"] = f"the page sent a command that makes no sense here ({error}); reload it"
    return reply


async def _send(socket: WebSocket, outbox: asyncio.Queue[Message]) -> None:
    while True:
        await socket.send_text(json.dumps(await outbox.get()))


async def _poll(session: Session | Forming) -> None:
    while True:
        await asyncio.sleep(POLL_S)
        with contextlib.suppress(SpatialwmError):  # a world that is briefly unreadable is read again a second later
            await asyncio.to_thread(session.refresh)
