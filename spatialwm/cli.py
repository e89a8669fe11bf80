"""The command line: the same verbs as Python and the studio, with progress bars and one-line errors."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from spatialwm import __version__
from spatialwm.errors import SpatialwmError

if TYPE_CHECKING:
    from spatialwm.lift.image.photo import Hints

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


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
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=_Parser)

    def verb(name: str, run: Callable[[argparse.Namespace], Any], text: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="print machine-readable results on stdout and nothing else")
        sub.set_defaults(run=run)
        return sub

    p = verb("create", _create, "make a world from a sentence, a picture, photographs or a splat file")
    p.add_argument("source", help='"a sentence" | photo.jpg | photos/ | clip.mp4 | transforms.json | COLMAP | scene.ply|...')
    p.add_argument("-o", "--out", type=Path, help="the new world, NAME.world (default: named after the source)")
    p.add_argument("--overwrite", action="store_true", help="replace a world that is there already")
    _lift_options(p)
    _picture_options(p)

    p = verb("info", _info, "describe a world")
    p.add_argument("world", type=Path)

    p = verb("edit", _edit, "change a world")
    p.add_argument("world", type=Path)
    p.add_argument("command", nargs="+", help='"move mug-1 0.1 0 0" (several may follow each other), or a script: edits.json')

    p = verb("select", _select, "make an object of a thing in a captured place, and fill in what it hid")
    p.add_argument("world", type=Path)
    p.add_argument("--at", action="append", type=_pixels, metavar="X,Y", help="a pixel of the picture; again for more of it")
    p.add_argument("--not-at", action="append", type=_pixels, metavar="X,Y", help="a pixel of what is not meant")
    p.add_argument("--box", type=_pixels, metavar="X0,Y0,X1,Y1", help="a box around it, in pixels")
    p.add_argument("--words", default="", help='what it is: "the red chair" (needs the hub extra)')
    p.add_argument("--name", default="", help="a plain noun for it: mug")
    p.add_argument("--camera", type=Path, metavar="FILE", help="camera of the picture as JSON (default: as render's)")
    _size_option(p, (1280, 720))

    p = verb("history", _history, "list the history; undo, redo, branch or go back")
    p.add_argument("world", type=Path)
    p.add_argument("step", nargs="?", choices=("undo", "redo", "branch", "goto"), help="what to do; nothing: list")
    p.add_argument("target", nargs="?", help="name of the branch, or number of the revision")

    p = verb("predict", _predict, "predict what an action does; the result lies on a branch until committed")
    p.add_argument("world", type=Path)
    p.add_argument("--push", nargs=3, metavar=("ID", "DX", "DY"), help="push an object by DX DY metres")
    p.add_argument("--place", nargs=4, metavar=("ID", "X", "Y", "Z"), help="grasp an object and put it at X Y Z")
    p.add_argument("--actions", type=Path, metavar="FILE", help="actions as JSON")
    p.add_argument("--model", default="physics", help="world model (default: physics)")
    p.add_argument("--commit", action="store_true", help="make the predicted end state the truth")
    p.add_argument("-o", "--out", type=Path, help="rollout.npz or rollout.mp4")
    _size_option(p, (960, 540))

    p = verb("render", _render, "render a world to a picture or a film")
    p.add_argument("world", type=Path)
    p.add_argument("-o", "--out", type=Path, required=True, help="out.png or out.mp4")
    p.add_argument("--orbit", action="store_true", help="turn once around (mp4)")
    p.add_argument("--camera", type=Path, metavar="FILE", help="camera as JSON (png)")
    p.add_argument("--path", type=Path, metavar="FILE", help="key cameras as JSON (mp4)")
    p.add_argument("--seconds", type=float, default=6.0, help="length of a film (default: 6)")
    p.add_argument("--revision", type=int, help="an older state, see history")
    p.add_argument("--backend", default="auto", help="auto (the fastest that can run here), cuda, gsplat, cpu or reference")
    _size_option(p, (1280, 720))

    p = verb("export", _export, "write a world for other programs")
    p.add_argument("world", type=Path)
    p.add_argument("-o", "--out", type=Path, required=True, action="append", help=".glb .ply .spz .splat .sog; may repeat")

    p = verb("app", _app, "open the studio in the browser")
    p.add_argument("world", type=Path, nargs="*")
    p.add_argument("--port", type=int, default=7860)
    p.add_argument("--no-browser", action="store_true", help="only print the address")

    p = verb("bench", _bench, "time the rasterisers on this machine")
    p.add_argument("what", choices=("render",), help="what is timed")
    p.add_argument("--backends", type=_names, metavar="NAMES", help="cpu,reference,... (default: all but reference)")
    p.add_argument("--scenes", type=_names, default=["synth100k", "synth500k"], metavar="NAMES",
                   help="synth100k,NAME.world,file.ply,... (default: synth100k,synth500k)")  # fmt: skip
    p.add_argument("--sizes", type=_sizes, default=[(640, 480), (1280, 720)], metavar="SIZES", help="640x480,1280x720 by default")
    p.add_argument("--backward", action="store_true", help="also time forward and backward together")
    p.add_argument("--repeats", type=_positive, default=9, metavar="N", help="runs of each cell, in turns (default: 9)")
    p.add_argument("--against", metavar="BACKEND", help="compare every picture with this backend's; reference is exact and slow")
    p.add_argument("-o", "--out", type=Path, metavar="out.json", help="write the report, and beside it a picture, out.png")

    p = verb("evaluate", _evaluate, "judge lifts on pictures they never saw, beside simple baselines")
    p.add_argument("what", choices=("lift",), help="what is judged")
    p.add_argument("source", nargs="+", help="photos/ | clip.mp4 | transforms.json | COLMAP or RGB-D folder | photo.jpg")
    _lift_options(p)
    p.add_argument("--steps", type=_positive, metavar="N", help="of training, instead of seconds: the same on any machine")
    p.add_argument("--truth", type=Path, action="append", default=[], metavar="DEPTH",
                   help="measured depth of a single picture, 16-bit grey or .npy; one for each, in their order")  # fmt: skip
    p.add_argument("--truth-unit", type=float, default=0.001, metavar="M", help="metres of one step of it (default: 0.001)")
    p.add_argument("-o", "--out", type=Path, metavar="report.md", help="write the page, and beside it report.png with every view")

    p = verb("check", _check, "verify every checksum of a world")
    p.add_argument("world", type=Path)
    p.add_argument("--gc", action="store_true", help="also free what no revision uses")

    verb("doctor", _doctor, "say what this machine can do")
    return parser


def _lift_options(p: argparse.ArgumentParser) -> None:
    p.add_argument("--quality", choices=("draft", "standard", "high"), default="standard")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--seconds", type=float, metavar="S", help="of training on photographs (default: as the quality says)")


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


def _hints(args: argparse.Namespace) -> Hints | None:
    """What the flags and the file tell; refused where no picture could use it."""
    from spatialwm.errors import LiftError
    from spatialwm.lift.image.hints import hints_from_words, read_hints
    from spatialwm.lift.pictures.suffixes import is_picture

    hints = hints_from_words(
        read_hints(args.hints) if args.hints else None,
        focal_mm=args.focal_mm, horizon=args.horizon, corners=args.corner, depths=args.depth_at, indoors=args.indoors,
    )  # fmt: skip
    if (hints is not None or args.depth != "auto") and not is_picture(Path(args.source)):
        raise LiftError(f"hints and --depth are for a single picture; {args.source} is none")
    return hints


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


def _create(args: argparse.Namespace) -> Any:
    from spatialwm import studio
    from spatialwm.lift import LiftOptions, Workspace
    from spatialwm.progress import StageTimes

    out = args.out or Path(_name_of(args.source) + ".world")
    options = LiftOptions(
        quality=args.quality, seed=args.seed, seconds=args.seconds, depth=args.depth, hints=_hints(args)
    )
    if int(os.environ.get("RANK", 0)) > 0:  # under torchrun the first process reports and saves
        studio.assist(args.source, options)
        return None
    bar = _bar(args, f"creating {out}")
    try:
        with bar as progress:
            times = StageTimes(progress)
            work = Workspace(say=bar.say)
            with studio.create(
                args.source, out, options=options, progress=times, overwrite=args.overwrite, workspace=work
            ) as world:
                told = studio.info(world)
    except KeyboardInterrupt:
        if not studio.unfinished_folder(out).is_dir():
            raise
        print(f"spatialwm: interrupted; the same command goes on from {studio.unfinished_folder(out).name}", file=sys.stderr)
        return EXIT_INTERRUPTED
    seconds = times.seconds()
    if args.json:
        return {"world": str(out), **told, "seconds": {stage: round(s, 2) for stage, s in seconds.items()}}
    _say(args, f"{out}  {told['gaussians']:,} Gaussians, {_count(len(told['objects']), 'object')}")
    if told["unrecognized"]:
        _say(args, f"not recognised: {', '.join(told['unrecognized'])}")
    for sentence in told["notes"]:
        _say(args, sentence)
    for sentence in told["unmet"]:
        _say(args, f"note: {sentence}")
    scale = told["scale"]
    if scale["method"] != "exact":
        source = f", {scale['note']}" if scale["note"] else ""
        _say(args, f"scale {scale['method']}, within {scale['sigma']:.1%}{source}")
    if sum(seconds.values()) >= 10:
        spent = ", ".join(f"{stage} {s:.0f}" for stage, s in seconds.items() if s >= 0.5)
        _say(args, f"{sum(seconds.values()):.0f} s: {spent}")
    return None


def _info(args: argparse.Namespace) -> Any:
    from spatialwm import studio

    with studio.open_world(args.world, read_only=True) as world:
        told = studio.info(world)
    if args.json:
        return told
    from rich.console import Console
    from rich.table import Table

    console = Console()
    place = told["environment"] or "place"
    console.print(f"[bold]{args.world}[/bold]  {place}  {told['gaussians']:,} Gaussians", highlight=False)
    console.print(f"revision {told['revision']} on {told['branch']}; scale {told['scale']['method']}", highlight=False)
    table = Table(box=None, header_style="bold")
    for title in ("id", "category", "color", "material", "size m", "stands on", "kg"):
        table.add_column(title, no_wrap=title in ("id", "size m"))
    for o in told["objects"]:
        size = "×".join(f"{b - a:.2f}" for a, b in zip(*o["aabb"], strict=True))
        mass = "" if o["mass_kg"] is None else f"{o['mass_kg']:,.0f}" if o["mass_kg"] >= 10 else f"{o['mass_kg']:.2g}"
        table.add_row(o["id"], o["category"], o["color"] or "", o["material"] or "", size, o["supported_by"] or "", mass)
    console.print(table)
    for sentence in told["notes"]:
        console.print(sentence, highlight=False, markup=False)
    if told["unrecognized"]:
        console.print(f"not recognised: {', '.join(told['unrecognized'])}", highlight=False)
    return None


def _edit(args: argparse.Namespace) -> Any:
    from spatialwm import studio

    with studio.open_world(args.world) as world:
        if len(args.command) == 1 and args.command[0].endswith(".json"):
            revisions = studio.edit_script(world, Path(args.command[0]).read_text("utf-8"))
        elif all(" " in c for c in args.command):
            revisions = studio.edit_script(world, json.dumps(args.command))
        else:  # the words of one command, unquoted
            revisions = [studio.edit(world, " ".join(args.command))]
    if args.json:
        return {"revisions": [r.id for r in revisions]}
    _say(args, f"{args.world}  revision {revisions[-1].id}" if revisions else "the script is empty: nothing changed")
    return None


def _select(args: argparse.Namespace) -> Any:
    from spatialwm import studio
    from spatialwm.errors import LiftError
    from spatialwm.lift.objects import Click, Prompt
    from spatialwm.render import establishing_view, read_cameras

    spots = [(spot, add) for given, add in ((args.at, True), (args.not_at, False)) for spot in given or ()]
    if any(len(spot) != 2 for spot, _ in spots) or (args.box is not None and len(args.box) != 4):
        raise LiftError("a place is --at X,Y and a box is --box X0,Y0,X1,Y1, in pixels")
    prompt = Prompt(tuple(Click(spot[0], spot[1], add) for spot, add in spots), args.box, args.words)
    with studio.open_world(args.world) as world, _bar(args, "selecting") as progress:
        scene = world.scene()
        camera = read_cameras(args.camera, *args.size)[0] if args.camera else establishing_view(scene, *args.size)
        object_id = studio.select(world, camera, prompt, name=args.name, progress=progress)
        body, revision = world.scene()[object_id], world.head.id
    if args.json:
        return {"object": object_id, "revision": revision, "gaussians": len(body.gaussians), "mass_kg": body.mass_kg}
    size = " x ".join(f"{v:.2f}" for v in body.bounds()[1] - body.bounds()[0])
    _say(args, f"{object_id}  {len(body.gaussians):,} Gaussians, {size} m, revision {revision}")
    return None


def _history(args: argparse.Namespace) -> Any:
    from spatialwm import studio
    from spatialwm.errors import WorldError

    with studio.open_world(args.world, read_only=args.step is None) as world:
        if args.step in ("branch", "goto") and not args.target:
            raise WorldError(f"history {args.step} needs a {'name' if args.step == 'branch' else 'revision number'} after it")
        if args.step == "undo":
            world.undo()
        elif args.step == "redo":
            world.redo()
        elif args.step == "branch":
            world.switch(args.target) if args.target in world.branches() else world.create_branch(args.target)
        elif args.step == "goto":
            if not args.target.isdigit():
                raise WorldError(f"goto needs the number of a revision, see spatialwm history; got {args.target!r}")
            world.goto(int(args.target))
        head, branch, revisions, branches = world.head, world.branch, world.history(), world.branches()
    if args.json:
        rows = [{"id": r.id, "parent": r.parent, "command": r.command, "created_at": r.created_at} for r in revisions]
        return {"head": head.id, "branch": branch, "branches": branches, "revisions": rows}
    for r in revisions:
        names = [n for n, at in branches.items() if at == r.id]
        where = f"  ({', '.join(names)})" if names else ""
        print(f"{'*' if r.id == head.id else ' '} {r.id:4d}  from {r.parent or '-':>4}  {_told(r.command)}{where}")
    return None


def _predict(args: argparse.Namespace) -> Any:
    from spatialwm import studio
    from spatialwm.dynamics import GraspPlace, Push
    from spatialwm.dynamics.files import read_actions, write_rollout
    from spatialwm.errors import ActionError

    actions: list[Any] = list(read_actions(args.actions)) if args.actions else []
    if args.push:
        actions.append(Push(object=args.push[0], by=(_number(args.push[1]), _number(args.push[2]))))
    if args.place:
        x, y, z = (_number(v) for v in args.place[1:])
        actions.append(GraspPlace(object=args.place[0], target=(x, y, z)))
    if not actions:
        raise ActionError("nothing to predict; give --push ID DX DY, --place ID X Y Z or --actions FILE")
    if args.out and args.out.suffix.lower() not in (".npz", ".mp4"):
        raise ActionError(f"a prediction is written as .npz or .mp4; got {args.out}")
    with studio.open_world(args.world) as world, _bar(args, "predicting") as progress:
        scene = world.scene()
        prediction = studio.predict(world, actions, model=args.model, commit=args.commit, progress=progress)
        head = world.head.id
    rollout = prediction.rollout
    if args.out and args.out.suffix.lower() == ".npz":
        write_rollout(rollout, args.out)
    elif args.out:
        with _bar(args, f"rendering {args.out}") as progress:
            studio.render_rollout(scene, rollout, args.out, size=args.size, progress=progress)
    if args.json:
        return {
            "branch": prediction.branch, "revision": prediction.revision.id, "committed": args.commit, "head": head,
            "backend": rollout.backend, "dt_s": rollout.dt_s, "steps": rollout.horizon,
            "objects": list(rollout.object_ids), "out": str(args.out) if args.out else None,
        }  # fmt: skip
    fate = f"committed as revision {head}" if args.commit else f"on branch {prediction.branch}; --commit makes it the truth"
    _say(args, f"{rollout.horizon * rollout.dt_s:.1f} s by {rollout.backend}, {fate}")
    if args.out:
        _say(args, str(args.out))
    return None


def _render(args: argparse.Namespace) -> Any:
    from spatialwm import studio
    from spatialwm.errors import ExportError
    from spatialwm.geometry.camera import interpolate
    from spatialwm.render import orbit_views, read_cameras

    kind = args.out.suffix.lower()
    film = args.orbit or args.path is not None
    if kind not in (".png", ".mp4"):
        raise ExportError(f"a render is written as .png or .mp4; got {args.out}")
    if film != (kind == ".mp4"):
        raise ExportError(f"{args.out}: --orbit and --path make an .mp4, everything else a .png")
    with studio.open_world(args.world, read_only=True) as world:
        scene = world.scene(args.revision)
    with _bar(args, f"rendering {args.out}") as progress:
        if film:
            frames = max(2, round(args.seconds * 30))
            if args.path:
                views = interpolate(read_cameras(args.path, *args.size), frames)
            else:
                views = orbit_views(scene, frames, *args.size)
            used = studio.render_film(scene, args.out, views, backend=args.backend, progress=progress)
        else:
            camera = read_cameras(args.camera, *args.size)[0] if args.camera else None
            used = studio.render_still(scene, args.out, camera=camera, size=args.size, backend=args.backend)
    if args.json:
        return {"out": str(args.out), "backend": used}
    _say(args, f"{args.out}  by {used}")
    return None


def _export(args: argparse.Namespace) -> Any:
    from spatialwm import studio

    with studio.open_world(args.world, read_only=True) as world:
        scene = world.scene()
    for out in args.out:
        with _bar(args, f"exporting {out}") as progress:
            studio.export(scene, out, progress=progress)
        _say(args, f"{out}  {out.stat().st_size / 1e6:.1f} MB")
    return {"out": [str(o) for o in args.out]} if args.json else None


def _app(args: argparse.Namespace) -> Any:
    from spatialwm.errors import MissingDependencyError

    try:
        # By name: the studio is a layer above the command line, which must not depend on it.
        studio_app = import_module("spatialwm_app")
    except ImportError as e:
        raise MissingDependencyError(e.name or "spatialwm_app", "app", "the studio") from None
    studio_app.launch(args.world, port=args.port, open_browser=not args.no_browser)
    return None


def _bench(args: argparse.Namespace) -> Any:
    # Before torch loads: its idle threads would otherwise spin on through the next job's processor time.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from spatialwm.bench import load_scene, measure
    from spatialwm.bench.picture import draw, new_figure
    from spatialwm.bench.render import default_backends
    from spatialwm.bench.table import print_table, write_json
    from spatialwm.errors import ExportError

    if args.out:
        if args.out.suffix.lower() != ".json":
            raise ExportError(f"a report is written as .json, with a .png beside it; got {args.out}")
        new_figure(1, 1)  # without matplotlib, say so before measuring
    with _bar(args, "measuring") as progress:
        progress("loading", 0.0)
        scenes = [load_scene(name) for name in args.scenes]
        report = measure(
            scenes, args.sizes, args.backends or default_backends(), backward=args.backward, repeats=args.repeats,
            judge=args.against, progress=progress,
        )  # fmt: skip
    told = report.to_dict()
    if args.out:
        write_json(args.out, told)
        draw(report, args.out.with_suffix(".png"))
    if args.json:
        print(json.dumps(told))
    else:
        print_table(report)
        if args.out:
            print(f"{args.out}  {args.out.with_suffix('.png')}")
    if not report.complete:
        print(f"spatialwm: interrupted; {_count(len(report.cells), 'cell')} measured by then", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0


def _evaluate(args: argparse.Namespace) -> Any:
    from spatialwm.atomic import write_bytes
    from spatialwm.bench.lift import DepthTruth, draw_sheet, evaluate
    from spatialwm.errors import ExportError
    from spatialwm.lift import LiftOptions

    if args.out and args.out.suffix.lower() != ".md":
        raise ExportError(f"the page is written as .md, with a .png beside it; got {args.out}")
    options = LiftOptions(quality=args.quality, seed=args.seed, seconds=args.seconds)
    truths = [DepthTruth(path, args.truth_unit) for path in args.truth]
    with _bar(args, "evaluating") as progress:
        report = evaluate(args.source, options, steps=args.steps, truths=truths, progress=progress)
    sheet = draw_sheet(report, args.out.with_suffix(".png")) if args.out else None
    if args.out:
        write_bytes(args.out, (report.markdown(sheet.name if sheet else None) + "\n").encode(), ExportError)
    if args.json:
        print(json.dumps(report.to_dict()))
    else:
        print(report.markdown())
        if args.out:
            print(f"{args.out}  {sheet or ''}".rstrip())
    return EXIT_ERROR if all(s.refused for s in report.sources) else 0


def _check(args: argparse.Namespace) -> Any:
    from spatialwm import studio

    problems = studio.check(args.world)
    freed = 0
    if args.gc and not problems:
        with studio.open_world(args.world) as world:
            freed = world.gc()
    if args.json:
        print(json.dumps({"world": str(args.world), "problems": problems, "freed_bytes": freed}))
    elif not problems:
        _say(args, f"{args.world}  sound" + (f", {freed / 1e6:.1f} MB freed" if args.gc else ""))
    for p in problems:
        print(f"spatialwm: {p}", file=sys.stderr)
    return EXIT_ERROR if problems else 0


def _doctor(args: argparse.Namespace) -> Any:
    from spatialwm.doctor import examine

    rows = examine()
    if args.json:
        return {"checks": [{"name": r.name, "ok": r.ok, "found": r.found, "mend": r.mend} for r in rows]}
    for r in rows:
        print(f"{'ok  ' if r.ok else 'no  '} {r.name:<12} {r.found}" + (f"  ->  {r.mend}" if r.mend else ""))
    return EXIT_ERROR if any(r.required and not r.ok for r in rows) else 0


def _told(command: dict[str, Any]) -> str:
    rest = {k: v for k, v in command.items() if k != "op" and v is not None and not isinstance(v, (dict, list))}
    return " ".join([str(command.get("op", "?")), *(f"{k}={v}" for k, v in rest.items())])[:100]


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        from spatialwm.errors import ActionError

        raise ActionError(f"expected a number of metres; got {text!r}") from None


def _name_of(source: str) -> str:
    words = Path(source).name.split(".")[0] if Path(source).suffix else source
    return "-".join("".join(c if c.isalnum() else " " for c in words).lower().split()[:5]) or "untitled"


def _say(args: argparse.Namespace, line: str) -> None:
    if not args.json:
        print(line)


def _fail(args: argparse.Namespace, message: str) -> int:
    one_line = " ".join(message.split())
    print(f"spatialwm {args.verb}: {one_line}", file=sys.stderr)
    return EXIT_ERROR


class _bar:
    """A progress bar with stage and remaining time on stderr; silent with --json or away from a terminal."""

    def __init__(self, args: argparse.Namespace, title: str) -> None:
        self._title = title
        self._show = not args.json and sys.stderr.isatty()

    def __enter__(self) -> Callable[[str, float], None]:
        if not self._show:
            return lambda stage, fraction: None
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        text = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%")
        self._bars = Progress(*text, TimeRemainingColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True)
        self._bars.start()
        task = self._bars.add_task(self._title, total=1.0)

        def report(stage: str, fraction: float) -> None:
            self._bars.update(task, completed=fraction, description=f"{self._title}: {stage}")

        return report

    def say(self, sentence: str) -> None:
        """A line on stderr, above the bar."""
        if self._show:
            self._bars.console.print(sentence, highlight=False, markup=False)
        else:
            print(sentence, file=sys.stderr)

    def __exit__(self, *error: object) -> None:
        if self._show:
            self._bars.stop()


if __name__ == "__main__":
    sys.exit(main())
