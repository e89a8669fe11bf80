"""HTTP addresses beside Gradio's own: the viewer bundle, Gaussians, colliders, rollouts, downloads and the WebSocket."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from spatialwm_app import channel
from spatialwm_app.forming import Forming
from spatialwm_app.hub import Hub
from spatialwm_app.session import Session
from spatialwm_app.tray_routes import tray_routes

PREFIX = "/spatialwm"
STATIC = Path(__file__).parent / "static"
BINARY = "application/octet-stream"
IMMUTABLE = "private, max-age=31536000, immutable"


def world_url(session: Session | Forming) -> str:
    """The address under which a session's parts are found."""
    return f"{PREFIX}/world/{session.token}"


def export_url(session: Session, path: Path) -> str:
    """Where the browser downloads an exported file."""
    return f"{world_url(session)}/export/{path.name}"


def routes(hub: Hub, bound_to: str) -> list[BaseRoute]:
    """What is mounted next to Gradio. Every address holds a session's token, which nobody can guess."""

    async def viewer(request: Request) -> Response:
        return FileResponse(STATIC / "viewer.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    async def gaussians(request: Request) -> Response:
        session, content = _session(request), request.path_params["content"]
        if session is None:
            return Response(status_code=404)
        if request.headers.get("if-none-match") == f'"{content}"':
            return Response(status_code=304)
        body = await asyncio.to_thread(session.spz, content)
        if body is None:
            return Response(status_code=404)
        return Response(body, media_type=BINARY, headers={"ETag": f'"{content}"', "Cache-Control": IMMUTABLE})

    async def collider(request: Request) -> Response:
        session = _session(request)
        if session is None:
            return Response(status_code=404)
        body = await asyncio.to_thread(session.collider)
        tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304)
        packed = await asyncio.to_thread(gzip.compress, body, 1)  # mostly empty space: 1 MB of bits becomes a few kB
        return Response(packed, media_type=BINARY, headers={"ETag": tag, "Cache-Control": "no-cache", "Content-Encoding": "gzip"})

    async def rollout(request: Request) -> Response:
        session = _session(request)
        body = None if session is None else await asyncio.to_thread(session.rollout)
        if body is None:
            return Response(status_code=404)
        return Response(body, media_type=BINARY, headers={"Cache-Control": "no-store"})

    async def export(request: Request) -> Response:
        session = _session(request)
        path = None if session is None else session.export_path(request.path_params["name"])
        return Response(status_code=404) if path is None else FileResponse(path, filename=path.name)

    async def socket(websocket: WebSocket) -> None:
        session = hub.shown(websocket.path_params["token"])
        headers = websocket.headers
        if session is None or not channel.may_connect(headers.get("origin"), headers.get("host"), bound_to):
            await websocket.close(4404)
            return
        await channel.serve(websocket, session)

    def _session(request: Request) -> Session | Forming | None:
        return hub.shown(request.path_params["token"])

    return [
        Mount(
            PREFIX,
            routes=[
                Route("/viewer.js", viewer),
                Route("/world/{token}/gaussians/{content}.spz", gaussians),
                Route("/world/{token}/collider.bin", collider),
                Route("/world/{token}/rollout.bin", rollout),
                Route("/world/{token}/export/{name}", export),
                WebSocketRoute("/world/{token}/socket", socket),
                *tray_routes(hub.trays, bound_to),
            ],
        )
    ]
