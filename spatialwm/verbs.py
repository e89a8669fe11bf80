"""What each verb of the command line does: calls the studio, shows progress, says what came out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spatialwm.lift.image.photo import Hints

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130


def create(args: argparse.Namespace) -> Any:
    """Make a world; an interrupted lift of photographs says how to go on."""
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


def info(args: argparse.Namespace) -> Any:
    """Describe a world."""
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


def edit(args: argparse.Namespace) -> Any:
    """Change a world by commands or a script."""
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


def select(args: argparse.Namespace) -> Any:
    """Make an object of a thing in a captured place."""
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


def history(args: argparse.Namespace) -> Any:
    """List the history, or move in it."""
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


def predict(args: argparse.Namespace) -> Any:
    """Predict actions on a branch, and film or commit the prediction."""
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


def render(args: argparse.Namespace) -> Any:
    """Write a still or a film."""
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


def export(args: argparse.Namespace) -> Any:
    """Write files for other programs."""
    from spatialwm import studio

    with studio.open_world(args.world, read_only=True) as world:
        scene = world.scene()
    for out in args.out:
        with _bar(args, f"exporting {out}") as progress:
            studio.export(scene, out, progress=progress)
        _say(args, f"{out}  {out.stat().st_size / 1e6:.1f} MB")
    return {"out": [str(o) for o in args.out]} if args.json else None


def app(args: argparse.Namespace) -> Any:
    """Open the studio."""
    from spatialwm.errors import MissingDependencyError

    try:
        # By name: the studio is a layer above the command line, which must not depend on it.
        studio_app = import_module("spatialwm_app")
    except ImportError as e:
        raise MissingDependencyError(e.name or "spatialwm_app", "app", "the studio") from None
    studio_app.launch(args.world, port=args.port, open_browser=not args.no_browser)
    return None


def bench(args: argparse.Namespace) -> Any:
    """Time the rasterisers."""
    # Before torch loads: its idle threads would otherwise spin on through the next job's processor time.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from spatialwm.bench import load_scene, measure
    from spatialwm.bench.picture import draw
    from spatialwm.bench.render import default_backends
    from spatialwm.bench.table import print_table
    from spatialwm.errors import ExportError
    from spatialwm.report import new_figure, write_json

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


def data(args: argparse.Namespace) -> Any:
    """Make a data set."""
    from spatialwm.dynamics.data import generate
    from spatialwm.dynamics.table import VARIANTS
    from spatialwm.errors import ActionError

    if args.variant not in VARIANTS:
        raise ActionError(f"no table is called {args.variant!r}; there are: {', '.join(VARIANTS)}")
    try:
        with _bar(args, f"making {args.out}") as progress:
            held = generate(args.variant, args.episodes, args.out, args.workers, args.seed, progress, args.cluster)
    except KeyboardInterrupt:
        return _goes_on(args.out)
    if args.json:
        return {"data": str(args.out), "episodes": held}
    _say(args, f"{args.out}  {_count(held, 'episode')}")
    return None


def train(args: argparse.Namespace) -> Any:
    """Train a world model."""
    from spatialwm.dynamics.learn import train_model

    command = " ".join(["spatialwm", *sys.argv[1:]])
    try:
        with _bar(args, f"training {args.model}") as progress:
            weights = train_model(
                args.model, args.out, source=args.data, episodes=args.episodes, steps=args.steps, seed=args.seed,
                workers=args.workers, command=command, progress=progress,
            )  # fmt: skip
    except KeyboardInterrupt:
        return _goes_on(args.out)
    if args.json:
        return {"weights": str(weights), "bytes": weights.stat().st_size}
    _say(args, f"{weights}  {weights.stat().st_size / 1e6:.1f} MB")
    return None


def _goes_on(out: Path) -> int:
    print(f"spatialwm: interrupted; the same command goes on from what is in {out}", file=sys.stderr)
    return EXIT_INTERRUPTED


def evaluate(args: argparse.Namespace) -> Any:
    """Judge lifts or predictions on what they never saw."""
    from spatialwm.errors import ActionError

    if args.what == "dynamics":
        return _evaluate_dynamics(args)
    if not args.source:
        raise ActionError("name what is to be lifted: photos/, clip.mp4, transforms.json or photo.jpg")
    return _evaluate_lift(args)


def _evaluate_dynamics(args: argparse.Namespace) -> Any:
    from spatialwm.bench.dynamics import MODELS, PROTOCOL, judge
    from spatialwm.dynamics.evaluate import report
    from spatialwm.dynamics.evaluate.page import markdown
    from spatialwm.progress import part_of

    sources = args.source or ["push"]
    told = {}
    for n, source in enumerate(sources):
        name = Path(source).name
        with _bar(args, f"judging {name}") as progress:
            models = args.models or tuple(MODELS)
            seconds = args.seconds or 5.0
            judging = part_of(progress, 0.0, 0.9 if args.out else 1)
            results = judge(source, args.episodes, models=models, seconds=seconds, progress=judging)
            out = args.out if args.out is None or len(sources) == 1 else args.out.with_stem(f"{args.out.stem}-{name}")
            if out:
                report(results, out, title=f"Predictions on tables: {name}", look=PROTOCOL, progress=part_of(progress, 0.9, 1.0))
        told[source] = results.to_dict()
        if not args.json:
            print(markdown(results, f"Predictions on tables: {name}") + ("\n" if n + 1 < len(sources) else ""))
            if out:
                print(out)
    if args.json:
        print(json.dumps(told))
    return 0


def _evaluate_lift(args: argparse.Namespace) -> Any:
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


def check(args: argparse.Namespace) -> Any:
    """Verify checksums, and free what nothing uses."""
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


def doctor(args: argparse.Namespace) -> Any:
    """Say what this machine can do."""
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
