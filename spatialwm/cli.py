"""The command line: the same verbs as Python and the studio, with progress bars and one-line errors."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from spatialwm import __version__, verbs
from spatialwm.errors import SpatialwmError
from spatialwm.verbs import EXIT_ERROR, EXIT_INTERRUPTED

EXIT_USAGE = 2


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of printing the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status: 0, 1 for a refused input, 2 for bad usage, 130 for Ctrl-C."""
    # torch's idle threads otherwise spin for milliseconds after every small operation, on the cores that our kernels want: on a
    # busy machine training ran at a quarter of the speed. Read once, when torch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    args = build_parser().parse_args(argv)
    run: Callable[[argparse.Namespace], Any] = args.run
    try:
        result = run(args)
    except KeyboardInterrupt:
        print("spatialwm: interrupted; nothing unfinished was kept", file=sys.stderr)
        return EXIT_INTERRUPTED
    except SpatialwmError as e:
        return _fail(args, str(e))
    except BrokenPipeError:
        return EXIT_ERROR
    except OSError as e:
        where = f" {e.filename}" if e.filename else ""
        return _fail(args, f"{e.strerror or e}{where}")
    except MemoryError:
        return _fail(args, "out of memory; close other programs, or use --quality draft")
    if isinstance(result, int):
        return result
    if args.json and result is not None:
        print(json.dumps(result))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Every verb and option."""
    parser = _Parser(
        prog="spatialwm",
        description="A sentence or a splat file becomes a persistent world of 3D Gaussians that predicts what an action will do.",
    )
    parser.add_argument("--version", action="version", version=f"spatialwm {__version__}")
    subparsers = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=_Parser)

    def verb(name: str, run: Callable[[argparse.Namespace], Any], text: str) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="print machine-readable results on stdout and nothing else")
        sub.set_defaults(run=run)
        return sub

    p = verb("create", verbs.create, "make a world from a sentence, a picture, photographs or a splat file")
    p.add_argument("source", help='"a sentence" | photo.jpg | photos/ | clip.mp4 | transforms.json | COLMAP | scene.ply|...')
    p.add_argument("-o", "--out", type=Path, help="the new world, NAME.world (default: named after the source)")
    p.add_argument("--overwrite", action="store_true", help="replace a world that is there already")
    _lift_options(p)
    _picture_options(p)

    p = verb("info", verbs.info, "describe a world")
    p.add_argument("world", type=Path)

    p = verb("edit", verbs.edit, "change a world")
    p.add_argument("world", type=Path)
    p.add_argument("command", nargs="+", help='"move mug-1 0.1 0 0" (several may follow each other), or a script: edits.json')

    p = verb("select", verbs.select, "make an object of a thing in a captured place, and fill in what it hid")
    p.add_argument("world", type=Path)
    p.add_argument("--at", action="append", type=_pixels, metavar="X,Y", help="a pixel of the picture; again for more of it")
    p.add_argument("--not-at", action="append", type=_pixels, metavar="X,Y", help="a pixel of what is not meant")
    p.add_argument("--box", type=_pixels, metavar="X0,Y0,X1,Y1", help="a box around it, in pixels")
    p.add_argument("--words", default="", help='what it is: "the red chair" (needs the hub extra)')
    p.add_argument("--name", default="", help="a plain noun for it: mug")
    p.add_argument("--camera", type=Path, metavar="FILE", help="camera of the picture as JSON (default: as render's)")
    _size_option(p, (1280, 720))

    p = verb("history", verbs.history, "list the history; undo, redo, branch or go back")
    p.add_argument("world", type=Path)
    p.add_argument("step", nargs="?", choices=("undo", "redo", "branch", "goto"), help="what to do; nothing: list")
    p.add_argument("target", nargs="?", help="name of the branch, or number of the revision")

    p = verb("predict", verbs.predict, "predict what an action does; the result lies on a branch until committed")
    p.add_argument("world", type=Path)
    p.add_argument("--push", nargs=3, metavar=("ID", "DX", "DY"), help="push an object by DX DY metres")
    p.add_argument("--place", nargs=4, metavar=("ID", "X", "Y", "Z"), help="grasp an object and put it at X Y Z")
    p.add_argument("--actions", type=Path, metavar="FILE", help="actions as JSON")
    p.add_argument("--model", default="physics", help="world model: physics or hybrid (default: physics)")
    p.add_argument("--commit", action="store_true", help="make the predicted end state the truth")
    p.add_argument("-o", "--out", type=Path, help="rollout.npz or rollout.mp4")
    _size_option(p, (960, 540))

    p = verb("render", verbs.render, "render a world to a picture or a film")
    p.add_argument("world", type=Path)
    p.add_argument("-o", "--out", type=Path, required=True, help="out.png or out.mp4")
    p.add_argument("--orbit", action="store_true", help="turn once around (mp4)")
    p.add_argument("--camera", type=Path, metavar="FILE", help="camera as JSON (png)")
    p.add_argument("--path", type=Path, metavar="FILE", help="key cameras as JSON (mp4)")
    p.add_argument("--seconds", type=float, default=6.0, help="length of a film (default: 6)")
    p.add_argument("--revision", type=int, help="an older state, see history")
    p.add_argument("--backend", default="auto", help="auto (the fastest that can run here), cuda, gsplat, cpu or reference")
    _size_option(p, (1280, 720))

    p = verb("export", verbs.export, "write a world for other programs")
    p.add_argument("world", type=Path)
    p.add_argument("-o", "--out", type=Path, required=True, action="append", help=".glb .ply .spz .splat .sog; may repeat")

    p = verb("app", verbs.app, "open the studio in the browser")
    p.add_argument("world", type=Path, nargs="*")
    p.add_argument("--port", type=int, default=7860)
    p.add_argument("--no-browser", action="store_true", help="only print the address")

    p = verb("bench", verbs.bench, "time the rasterisers on this machine")
    p.add_argument("what", choices=("render",), help="what is timed")
    p.add_argument("--backends", type=_names, metavar="NAMES", help="cpu,reference,... (default: all but reference)")
    p.add_argument("--scenes", type=_names, default=["synth100k", "synth500k"], metavar="NAMES",
                   help="synth100k,NAME.world,file.ply,... (default: synth100k,synth500k)")  # fmt: skip
    p.add_argument("--sizes", type=_sizes, default=[(640, 480), (1280, 720)], metavar="SIZES", help="640x480,1280x720 by default")
    p.add_argument("--backward", action="store_true", help="also time forward and backward together")
    p.add_argument("--repeats", type=_positive, default=9, metavar="N", help="runs of each cell, in turns (default: 9)")
    p.add_argument("--against", metavar="BACKEND", help="compare every picture with this backend's; reference is exact and slow")
    p.add_argument("-o", "--out", type=Path, metavar="out.json", help="write the report, and beside it a picture, out.png")

    p = verb("data", verbs.data, "make a data set of simulated episodes, in LeRobot's layout; an interrupted one goes on")
    p.add_argument("variant", help="which tables: push, six, shapes, heavy, slippery, center, lifted, stack or drawer")
    p.add_argument("-o", "--out", type=Path, required=True, help="folder of the data set")
    p.add_argument("--episodes", type=_positive, default=1000, metavar="N", help="how many it shall hold (default: 1000)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--workers", type=_positive, metavar="N", help="processes (default: all cores)")
    p.add_argument("--cluster", metavar="RAY", help="a Ray address, or auto, or local (needs the ray extra)")

    p = verb("train", verbs.train, "train a world model; the same command goes on where an interrupted one stopped")
    p.add_argument("model", choices=("hybrid", "learned", "gwm"), help="which")
    p.add_argument("-o", "--out", type=Path, required=True, help="folder for checkpoints, losses and weights")
    p.add_argument("--data", default="push", metavar="SOURCE", help="a data set's folder, or tables to make (default: push)")
    p.add_argument("--episodes", type=_positive, metavar="N", help="how many (default: as the package's own weights)")
    p.add_argument("--steps", type=_positive, metavar="N", help="of training (default: as the package's own weights)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--workers", type=_positive, metavar="N", help="processes that make tables (default: all cores)")

    p = verb("evaluate", verbs.evaluate, "judge lifts or predictions on what they never saw, beside simple baselines")
    p.add_argument("what", choices=("lift", "dynamics"), help="what is judged")
    p.add_argument("source", nargs="*", help="lift: photos/ | clip.mp4 | transforms.json | COLMAP or RGB-D folder | photo.jpg; "
                   "dynamics: push (the default) and other tables | a data set's folder")  # fmt: skip
    p.add_argument("--episodes", type=_positive, default=200, metavar="N", help="dynamics: how many of each (default: 200)")
    p.add_argument("--models", type=_names, metavar="NAMES", help="dynamics: which, with commas between (default: all)")
    _lift_options(p)
    p.add_argument("--steps", type=_positive, metavar="N", help="of training, instead of seconds: the same on any machine")
    p.add_argument("--truth", type=Path, action="append", default=[], metavar="DEPTH",
                   help="measured depth of a single picture, 16-bit grey or .npy; one for each, in their order")  # fmt: skip
    p.add_argument("--truth-unit", type=float, default=0.001, metavar="M", help="metres of one step of it (default: 0.001)")
    p.add_argument("-o", "--out", type=Path, metavar="report.md", help="write the page, and beside it report.png with every view")

    p = verb("check", verbs.check, "verify every checksum of a world")
    p.add_argument("world", type=Path)
    p.add_argument("--gc", action="store_true", help="also free what no revision uses")

    verb("doctor", verbs.doctor, "say what this machine can do")
    return parser


def _lift_options(p: argparse.ArgumentParser) -> None:
    p.add_argument("--quality", choices=("draft", "standard", "high"), default="standard")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--seconds", type=float, metavar="S",
                   help="of training on photographs (default: as the quality says); of a prediction (default: 5)")  # fmt: skip


def _picture_options(p: argparse.ArgumentParser) -> None:
    g = p.add_argument_group("a single picture", "X,Y are shares of its width and height from the top left")
    g.add_argument("--depth", default="auto", metavar="BACKEND", help="where depth comes from: auto, embedded or a learned model")
    g.add_argument("--hints", type=Path, metavar="FILE", help="what you know about it, as JSON; the flags below win over it")
    g.add_argument("--focal-mm", type=float, metavar="MM", help="35 mm equivalent focal length")
    g.add_argument("--horizon", nargs=2, metavar="X,Y", help="two places on the line of eye height")
    g.add_argument("--corner", action="append", default=[], metavar="X,Y", help="where floor and walls meet; may repeat")
    g.add_argument("--depth-at", action="append", default=[], metavar="X,Y=M", help="metres to a place; may repeat")
    where = g.add_mutually_exclusive_group()
    where.add_argument("--indoors", dest="indoors", action="store_const", const=True, help="it shows a room")
    where.add_argument("--outdoors", dest="indoors", action="store_const", const=False, help="it shows no room")


def _size_option(p: argparse.ArgumentParser, default: tuple[int, int]) -> None:
    p.add_argument("--size", type=_size, default=default, metavar="WxH", help=f"pixels (default: {default[0]}x{default[1]})")


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(v) for v in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"size must look like 1280x720; got {text!r}") from None
    if not (1 <= width <= 16384 and 1 <= height <= 16384):
        raise argparse.ArgumentTypeError(f"size must lie between 1x1 and 16384x16384; got {text}")
    return width, height


def _sizes(text: str) -> list[tuple[int, int]]:
    return [_size(part) for part in _names(text)]


def _names(text: str) -> list[str]:
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise argparse.ArgumentTypeError(f"expected names with commas between them; got {text!r}")
    return names


def _pixels(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected pixels with commas between them, such as 640,360; got {text!r}") from None


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0; got {text!r}")
    return int(text)


def _fail(args: argparse.Namespace, message: str) -> int:
    one_line = " ".join(message.split())
    print(f"spatialwm {args.verb}: {one_line}", file=sys.stderr)
    return EXIT_ERROR


if __name__ == "__main__":
    sys.exit(main())
