"""Starting the studio's server: local only, silent to the outside, closed cleanly."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from spatialwm.errors import MissingDependencyError, SpatialwmError

PORT = 7860
PORTS_TRIED = 50
HOST = "127.0.0.1"
VIEWER = Path(__file__).parent / "static" / "viewer.js"


class ViewerMissingError(SpatialwmError):
    """The JavaScript bundle has not been built."""


def launch(
    worlds: Sequence[Path] = (),
    port: int = PORT,
    *,
    host: str = HOST,
    worlds_dir: Path = Path("worlds"),
    open_browser: bool = False,
    block: bool = True,
) -> str:
    """Serve the studio until interrupted by Ctrl-C, which ends it without an error.

    Args:
        worlds: opened at the start; the last one is shown first.
        port: the next free one is taken when it is in use.
        host: the interface to bind; anything but the default lets other machines in.
        worlds_dir: where created worlds are kept.
        block: False returns at once and leaves the server running in the background.

    Returns:
        The address of the page.

    Raises:
        MissingDependencyError: gradio or websockets is not installed.
        ViewerMissingError: the viewer's bundle has not been built.
        WorldError: one of ``worlds`` cannot be opened.
    """
    # Set before gradio is imported: it reads these once, and would otherwise ask its maker's server for news.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Without websockets uvicorn answers every socket with 404 and says nothing.
    for package in ("gradio", "websockets"):
        if find_spec(package) is None:
            raise MissingDependencyError(package, "app", "the studio")
    if not VIEWER.is_file():
        raise ViewerMissingError(
            f"the browser viewer is not built ({VIEWER} is missing): `pip install -e .` in the checkout builds it, "
            "or run `npm ci && npm run build` in app/viewer"
        )
    from spatialwm_app import theme
    from spatialwm_app.hub import Hub
    from spatialwm_app.routes import routes
    from spatialwm_app.studio_page import build_page

    port = _free_port(host, port)
    hub, url = Hub(worlds_dir), ""
    for path in worlds:
        hub.open(path)
    page = build_page(hub)
    try:
        _, url, _ = page.launch(
            server_name=host,
            server_port=port,
            inbrowser=open_browser,
            quiet=True,
            show_error=True,
            share=False,
            ssr_mode=False,
            prevent_thread_lock=True,
            footer_links=[],
            theme=theme.studio_theme(),
            css_paths=[theme.CSS],
            head=theme.HEAD,
            app_kwargs={"routes": routes(hub, host)},
        )
        print(f"spatialwm studio: {url}" + (" (Ctrl-C ends it)" if block else ""), flush=True)
        if block:
            # Not Gradio's block_thread, which prints its own farewell. In short waits: Windows heeds Ctrl-C only between them.
            stop = threading.Event()
            while not stop.wait(0.5):
                pass
    except KeyboardInterrupt:
        print("spatialwm studio: closed; worlds are saved", file=sys.stderr)
    finally:
        if block:
            page.close(verbose=False)
            hub.close()
    return url


def _free_port(host: str, first: int) -> int:
    import socket

    if not 1 <= first <= 65535:
        raise SpatialwmError(f"a port is a number from 1 to 65535; got {first}")
    last = min(first + PORTS_TRIED, 65536) - 1
    for port in range(first, last + 1):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise SpatialwmError(f"ports {first} to {last} of {host} are in use or not allowed; choose another with --port")
