"""Several pictures of one place: lifted as for a user, then judged on the views that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float

from spatialwm.bench.depth_metrics import metric_error
from spatialwm.bench.lift.baselines import Picture, copied, mean_color, nearest, warped
from spatialwm.bench.lift.report import Row, Shown, SourceReport
from spatialwm.bench.lift.stages import StageMeter
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.lift import LiftOptions
from spatialwm.lift.capture.capture import View
from spatialwm.lift.capture.lifter import CaptureLifter, Lifted
from spatialwm.lift.capture.training import Plan, Trainer, ViewScore
from spatialwm.lift.capture.training.score import mean_of, score
from spatialwm.progress import Progress, part_of, silent
from spatialwm.render import choose, render_scene
from spatialwm.scene import Scene, flatten

Depth = Float[np.ndarray, "h w"]
"""Along the optical axis, in the capture's unit."""


def evaluate_capture(source: str, options: LiftOptions, plan: Plan, progress: Progress = silent) -> SourceReport:
    """Lift and judge; the first row is what the trainer shows, the second the scene that is kept.

    Raises:
        LiftError: there is no world.
    """
    lifter = CaptureLifter(plan)
    with StageMeter(part_of(progress, 0.0, 0.9)) as meter:
        lifted = lifter.lifted(source, options, meter)
    progress("judging", 0.9)
    capture, scene = lifted.capture, lifted.scene
    held_out = [capture.views[i] for i in lifted.held_out]
    shown: tuple[Shown, ...] = ()
    rows: tuple[Row, ...] = ()
    if held_out:
        depth = [_depth(lifted.trained.gaussians, v.camera) for v in held_out]
        rows = (_row("ours", lifted.trained.scores, held_out, depth), *_others(lifted, held_out, plan, options.seed))
        shown = tuple(_shown(v, s, d) for v, s, d in zip(held_out, lifted.trained.scores, depth, strict=True))
    sigma = f" (within about {scene.scale.sigma:.1%})"
    return SourceReport(
        source=source, kind="capture", given=max(capture.given, len(capture.views)), used=len(capture.views),
        held_out=tuple(v.name for v in held_out), gaussians=len(scene), scale=f"{scene.scale.method}, {scene.scale.note}{sigma}",
        rows=rows, stages=meter.stages, notes=scene.notes, shown=shown,
    )  # fmt: skip


def _others(lifted: Lifted, held_out: Sequence[View], plan: Plan, seed: int) -> list[Row]:
    """The scene as it is kept, and what must be beaten."""
    capture = lifted.capture
    trained = [v for i, v in enumerate(capture.views) if i not in lifted.held_out]
    behind = np.mean([v.rgb.mean((0, 1)) for v in trained], axis=0) / 255
    start = Trainer(capture, lifted.start, plan, held_out=lifted.held_out, seed=seed)
    distance = max(start.unit * 4, 1e-9)
    at_start = [_depth(start.gaussians(), v.camera) for v in held_out]
    rows = [
        _row("ours, as the scene is kept and drawn", *_kept(lifted.scene, lifted, held_out)),
        _row("start points without training", start.scores(), held_out, at_start),
    ]
    guesses: dict[str, Callable[[View], Picture | None]] = {
        "nearest training view, warped by its depth": lambda v: warped(v.camera, nearest(v.camera, trained, distance), behind),
        "nearest training view, copied": lambda v: copied(v.camera, nearest(v.camera, trained, distance)),
        "mean colour": lambda v: mean_color(v.camera, trained),
    }
    for name, guess in guesses.items():
        pictures = [p for v in held_out if (p := guess(v)) is not None]
        if len(pictures) == len(held_out):
            rows.append(_row(name, _scores(held_out, [p.rgb for p in pictures]), held_out, [p.depth_m for p in pictures]))
    return rows


def _kept(scene: Scene, lifted: Lifted, held_out: Sequence[View]) -> tuple[list[ViewScore], Sequence[View], list[Depth]]:
    """The scene drawn as the studio draws it, from the held-out cameras; depth back in the capture's unit."""
    flat = flatten(scene)
    placed = [lifted.leveled.capture.views[i].camera for i in lifted.held_out]
    frames = [render_scene(flat, camera, background=scene.environment.background) for camera in placed]
    metres = np.float32(lifted.leveled.world_from_capture.scale)
    return _scores(held_out, [f.rgb for f in frames]), held_out, [f.depth_m / metres for f in frames]


def _row(method: str, scores: Sequence[ViewScore], views: Sequence[View], depths: Sequence[Depth | None]) -> Row:
    psnr, fitted, ssim = (mean_of(scores, name) for name in ("psnr", "psnr_fitted", "ssim"))
    pairs = [(d.ravel(), v.depth.ravel()) for d, v in zip(depths, views, strict=True) if d is not None and v.depth is not None]
    error = None
    if pairs:
        shown, truth = (np.concatenate(parts)[None] for parts in zip(*pairs, strict=True))
        error = metric_error(shown, truth)
    return Row(method=method, psnr=psnr, psnr_fitted=fitted, ssim=ssim, depth=error)


def _depth(gaussians: Gaussians, camera: Camera) -> Depth:
    """Expected depth in the capture's unit."""
    _, rasterization = choose()
    g = gaussians
    with torch.no_grad():
        image, _, _ = rasterization(
            g.means, g.quats, g.scales, g.opacities, g.sh, camera.viewmat()[None], camera.K()[None], camera.width, camera.height,
            sh_degree=g.sh_degree, render_mode="ED", rasterize_mode="antialiased",
        )  # fmt: skip
    return image[0, ..., 0].cpu().numpy()


def _scores(views: Sequence[View], pictures: Sequence[np.ndarray]) -> list[ViewScore]:
    found = []
    for i, (view, rgb) in enumerate(zip(views, pictures, strict=True)):
        truth = torch.from_numpy(view.rgb / np.float32(255))
        found.append(score(i, view.name, torch.from_numpy(np.asarray(rgb, np.float32)), truth))
    return found


def _shown(view: View, told: ViewScore, depth: Depth) -> Shown:
    caption = f"{view.name}   {told.psnr:.1f} dB, {told.psnr_fitted:.1f} after colour fit, SSIM {told.ssim:.3f}"
    if view.depth is not None:
        error = metric_error(depth, view.depth)
        caption += f"   depth {1e3 * error.median_m:.0f} mm, 90 % {1e3 * error.p90_m:.0f} mm"
    both = None if view.depth is None else (view.depth, depth)
    return Shown(name=view.name, truth=view.rgb, ours=told.image, caption=caption, depth_m=both)
