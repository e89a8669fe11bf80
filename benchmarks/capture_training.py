"""Training beside its peer on real captures: ``python benchmarks/capture_training.py --data DIR --experiment DIR -o told.json``.

The DIR of ``--data`` holds ``mv_instantngp_fox``, ``mv_sceaux_castle`` and ``mv_opensfm_lund``; ``--captures`` names others.
Cameras, pictures and start points are found once and given to every trainer, so that only the training differs; the clock of
both is processor time over two, which is minutes of two free cores however busy the machine is; runs take turns.

The experiment is a folder with ``train.py`` and ``kern.py`` and, there or in ``../rasteriser``, ``splat_nb.py`` and
``splat_nbi.py``: the throwaway whose figures were the aim. Other peers cannot run here. OpenSplat is a C++ program to be built
against a libtorch of its own; no package index carries it. The trainers of gsplat, of graphdeco and nerfstudio's splatfacto
launch CUDA kernels and have no path for a processor; nerfstudio also holds numpy and gsplat at versions of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from spatialwm.bench import describe_machine
from spatialwm.lift import LiftOptions
from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.fusion import StartPoints, start_points
from spatialwm.lift.capture.lifter import read_capture
from spatialwm.lift.capture.stereo import depth_maps
from spatialwm.lift.capture.training import Plan, Trainer, held_out_views, plan_for
from spatialwm.report import INK, headline, new_figure, plain_axes, write_figure, write_json

CAPTURES = {"fox": "mv_instantngp_fox/images", "sceaux": "mv_sceaux_castle", "lund": "mv_opensfm_lund/images"}
EXPOSED_APART = ("sceaux",)
"""Taken at several exposures; the peer has to be told."""
PEER_FILES = ("train.py", "kern.py", "splat_nb.py", "splat_nbi.py")
OURS, PEER = "spatialwm", "throwaway"
COLORS = {OURS: "#3366cc", PEER: "#9aa3b5"}


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What both trainers are given."""

    name: str
    capture: Capture
    start: StartPoints
    held_out: tuple[int, ...]
    plan: Plan
    seconds: float


def prepared(name: str, source: Path, seconds: float) -> Prepared:
    """Cameras and start points, as for a user."""
    capture = read_capture(source, LiftOptions(quality="draft"))
    held_out = held_out_views(len(capture.views))
    shown = [i for i in range(len(capture.views)) if i not in held_out]
    plan = replace(plan_for("draft"), seconds=seconds)
    start = start_points(capture, depth_maps(capture, views=shown), plan.start_count, 0)
    return Prepared(name, capture, start, held_out, plan, seconds)


def ours(p: Prepared, seed: int) -> dict[str, float]:
    """Train until two free cores would have taken so many seconds."""
    # Kernels load, or at first compile, which is not training: two steps for nothing, then for the record.
    Trainer(p.capture, p.start, replace(p.plan, seconds=None, steps=2), held_out=p.held_out).run()
    trainer = Trainer(p.capture, p.start, p.plan, held_out=p.held_out, seed=seed)
    began = time.process_time()

    def on_two_free_cores() -> bool:
        trainer.elapsed_s = (time.process_time() - began) / 2
        return False

    trained = trainer.run(enough=on_two_free_cores)
    fitted = float(np.mean([s.psnr_fitted for s in trained.scores]))
    return {"psnr": trained.psnr, "psnr_fitted": fitted, "ssim": trained.ssim, "steps": trained.steps,
            "gaussians": len(trained.gaussians)}  # fmt: skip


def peer(p: Prepared, seed: int, folder: Path) -> dict[str, float]:
    """The throwaway's recommended recipe, run by a copy of it in ``folder``."""
    write_for_peer(p, folder / "data")
    words = {
        "data": "capture", "init": "start", "out": "told", "clock": "cpu", "seed": seed, "cap": p.plan.cap,
        "ninit": p.plan.start_count, "o0": 0.3, "lr_m": 8e-4, "lr_s": 1.5e-2, "lr_q": 5e-3, "lr_o": 5e-2, "lr_c": 1e-2,
        "lr_sh": 5, "ro": 0.02, "rs": 0.03, "lrend_all": 0.05, "levels": "4:.06,2:.3,1:1", "evals": "1", "save": 0,
        "expo": int(p.name in EXPOSED_APART),
    }  # fmt: skip
    call = [sys.executable, "train.py", *(f"{key}={value}" for key, value in words.items())]
    # Kernels that are not in its cache yet compile on the clock, which is not training: once for nothing, then for the record.
    for seconds in (0.5, p.seconds):
        done = subprocess.run([*call, f"budget={seconds}"], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"the experiment failed on {p.name}: {done.stderr.strip().splitlines()[-1]}")
    last = json.loads((folder / "out" / "told.json").read_text())["log"][-1]
    names = {"psnr": "psnr", "psnr_fitted": "psnr_cc", "ssim": "ssim", "steps": "it", "gaussians": "N"}
    return {ours_name: last[its_name] for ours_name, its_name in names.items()}


def write_for_peer(p: Prepared, folder: Path) -> None:
    """The capture as the throwaway keeps it.

    Raises:
        SystemExit: its views differ in size or focal length, which it cannot take.
    """
    cameras = [v.camera for v in p.capture.views]
    if len({(c.width, c.height, c.fx, c.fy, c.cx, c.cy) for c in cameras}) > 1:
        sys.exit(f"{p.name}: the experiment takes pictures of one camera only; leave it out with --captures")
    views = [c.viewmat().double().numpy() for c in cameras]
    np.savez(
        folder / "capture.npz", imgs=np.stack([v.rgb for v in p.capture.views]), V=np.stack(views),
        K=cameras[0].K().double().numpy(), pts=p.start.means.astype(np.float64), rgb=p.start.rgb * 255.0,
        err=np.zeros(len(p.start)), vl=np.full(len(p.start), 2), test=np.array(p.held_out),
    )  # fmt: skip
    np.savez(folder / "capture_start.npz", X=p.start.means.astype(np.float64), rgb=p.start.rgb, n=p.start.normals)


def _peer_file(experiment: Path, name: str) -> Path:
    for folder in (experiment, experiment.parent / "rasteriser"):
        if (folder / name).is_file():
            return folder / name
    sys.exit(f"no {name} in {experiment} or {experiment.parent / 'rasteriser'}; --experiment is the throwaway's folder")


def measure(sources: dict[str, Path], seconds: float, turns: int, experiment: Path | None) -> tuple[list[dict[str, Any]], bool]:
    """A row per run, and whether none is missing: Ctrl-C keeps what was measured."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        if experiment is not None:
            (Path(folder) / "data").mkdir()
            for file in PEER_FILES:
                shutil.copy(_peer_file(experiment, file), folder)
        try:
            for name, source in sources.items():
                rows_of(prepared(name, source, seconds), turns, Path(folder) if experiment else None, rows)
        except KeyboardInterrupt:
            if not rows:
                raise
            return rows, False
    return rows, True


def rows_of(p: Prepared, turns: int, folder: Path | None, rows: list[dict[str, Any]]) -> None:
    """Add the runs of one capture, trainers in turns; ``folder`` holds the copy of the experiment."""
    trainers: dict[str, Callable[[int], dict[str, float]]] = {OURS: lambda seed: ours(p, seed)}
    if folder is not None:
        trainers[PEER] = lambda seed: peer(p, seed, folder)
    views = {"used": len(p.capture.views), "given": p.capture.given, "held_out": list(p.held_out)}
    for seed in range(turns):
        for trainer, run in trainers.items():
            row = {"capture": p.name, **views, "trainer": trainer, "seed": seed, **run(seed)}
            rows.append(row)
            told = f"{row['psnr']:6.2f} dB  {row['psnr_fitted']:6.2f} fitted  SSIM {row['ssim']:.3f}"
            print(f"{p.name:10} {trainer:10} {told}  {row['steps']:6,} steps", flush=True)


def draw(told: dict[str, Any], path: Path) -> Path:
    """Held-out PSNR of each capture, a bar per trainer; the line ends where exposure is forgiven."""
    captures = list(dict.fromkeys(r["capture"] for r in told["rows"]))
    trainers = list(dict.fromkeys(r["trainer"] for r in told["rows"]))
    figure = new_figure(9.0, 1.4 + 0.45 * len(captures) * len(trainers))
    axes = figure.subplots()
    plain_axes(axes)
    ticks: list[tuple[float, str]] = []
    for i, capture in enumerate(captures):
        for k, trainer in enumerate(trainers):
            rows = [r for r in told["rows"] if (r["capture"], r["trainer"]) == (capture, trainer)]
            if not rows:
                continue
            psnr, fitted, ssim = (float(np.median([r[key] for r in rows])) for key in ("psnr", "psnr_fitted", "ssim"))
            y = -i - 0.38 * k
            axes.barh([y], [psnr], height=0.32, color=COLORS[trainer])
            axes.plot([psnr, fitted], [y, y], color=COLORS[trainer], linewidth=1.2)
            text = f"{psnr:.2f} dB, SSIM {ssim:.3f}"
            axes.annotate(text, (fitted, y), (5, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK)
            ticks.append((y, f"{capture}  {trainer}"))
    axes.set_yticks([y for y, _ in ticks], [text for _, text in ticks], color=INK)
    axes.set_xlim(0, 1.25 * max(r["psnr_fitted"] for r in told["rows"]))
    minutes = told["seconds"] / 60
    title = f"Views that training never saw, after {minutes:g} min of two cores (line: after a colour fit)"
    return write_figure(figure, path, title, told["machine"])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and with ``-o`` write JSON and a picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the captures that have names here")
    parser.add_argument("--captures", default=",".join(CAPTURES), help="names, or folders")
    parser.add_argument("--seconds", type=float, default=60.0, help="of two free cores (default: 60)")
    parser.add_argument("--turns", type=int, default=1, help="runs of each trainer, with seeds 0, 1, ...")
    parser.add_argument("--experiment", type=Path, help="folder of the throwaway trainer")
    parser.add_argument("-o", "--out", type=Path, help="x.json; the picture is x.png")
    args = parser.parse_args(argv)
    if args.experiment:
        for file in PEER_FILES:
            _peer_file(args.experiment, file)
    sources: dict[str, Path] = {}
    for name in args.captures.split(","):
        if name in CAPTURES and args.data is None:
            parser.error(f"--data DIR must hold {CAPTURES[name]}")
        sources[Path(name).name] = args.data / CAPTURES[name] if name in CAPTURES else Path(name)
    machine = describe_machine()
    print(headline(machine), flush=True)
    rows, complete = measure(sources, args.seconds, args.turns, args.experiment)
    if args.out:
        told = {"machine": machine, "seconds": args.seconds, "complete": complete, "rows": rows}
        print(write_json(args.out, told), draw(told, args.out.with_suffix(".png")))
    return 0 if complete else 130


if __name__ == "__main__":
    sys.exit(main())
