"""``python -m spatialwm_app [WORLD ...]``: the studio without the rest of the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spatialwm.errors import SpatialwmError
from spatialwm_app.server import PORT, launch


def main() -> int:
    parser = argparse.ArgumentParser(prog="spatialwm_app", description="Open the studio in a browser.")
    parser.add_argument("worlds", nargs="*", type=Path, metavar="WORLD", help="worlds to open")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--worlds-dir", type=Path, default=Path("worlds"), help="where created worlds are kept")
    parser.add_argument("--open", action="store_true", help="open a browser tab")
    args = parser.parse_args()
    try:
        launch(args.worlds, port=args.port, worlds_dir=args.worlds_dir, open_browser=args.open)
    except SpatialwmError as error:
        print(f"spatialwm: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
