"""HTTP addresses of a page's tray: open one, put files in, take them out, drop it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from spatialwm.errors import SpatialwmError
from spatialwm_app.channel import may_connect
from spatialwm_app.intake import tray_message
from spatialwm_app.tray import Tray, Trays

Handler = Callable[[Request], Awaitable[Response]]


def tray_routes(trays: Trays, bound_to: str) -> list[BaseRoute]:
    """Mounted beside the worlds' addresses; only pages of this very server may write."""

    def guarded(handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            if not may_connect(request.headers.get("origin"), request.headers.get("host"), bound_to):
                return Response(status_code=403)
            try:
                return await handler(request)
            except SpatialwmError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            except ClientDisconnect:
                return Response(status_code=499)

        return answer

    def of(handler: Callable[[Request, Tray], Awaitable[Response]]) -> Handler:
        async def find(request: Request) -> Response:
            tray = trays.get(request.path_params["token"])
            return Response(status_code=404) if tray is None else await handler(request, tray)

        return guarded(find)

    async def open_tray(request: Request) -> Response:
        return JSONResponse({"tray": (await asyncio.to_thread(trays.open)).token})

    async def put(request: Request, tray: Tray) -> Response:
        with ExitStack() as stack:
            write = stack.enter_context(tray.receive(request.path_params["name"]))
            async for chunk in request.stream():
                write(chunk)
            # Unpacking takes a while; other pages are answered meanwhile.
            await asyncio.to_thread(stack.close)
        return Response(status_code=204)

    async def look(request: Request, tray: Tray) -> Response:
        return JSONResponse(await asyncio.to_thread(tray_message, tray))

    async def remove(request: Request, tray: Tray) -> Response:
        await asyncio.to_thread(tray.remove, request.path_params["name"])
        return JSONResponse(await asyncio.to_thread(tray_message, tray))

    async def leave(request: Request, tray: Tray) -> Response:
        # A page that is closing can only POST; what is being lifted stays until that ends.
        await asyncio.to_thread(trays.drop, tray.token)
        return Response(status_code=204)

    return [
        Route("/tray", guarded(open_tray), methods=["POST"]),
        Route("/tray/{token}", of(look), methods=["GET"]),
        Route("/tray/{token}/leave", of(leave), methods=["POST"]),
        Route("/tray/{token}/{name:path}", of(put), methods=["PUT"]),
        Route("/tray/{token}/{name:path}", of(remove), methods=["DELETE"]),
    ]
