"""The loop: one photograph at a time, render, compare, step; now and then move Gaussians to where they are needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from spatialwm.errors import LiftError
from spatialwm.gaussians import Gaussians, RawGaussians, from_raw
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.fusion import StartPoints
from spatialwm.lift.capture.training.checkpoint import optimizer_tensors, read_checkpoint, restore_optimizer, write_checkpoint
from spatialwm.lift.capture.training.exposure import Exposures
from spatialwm.lift.capture.training.normals import facing, normals_loss, normals_shown
from spatialwm.lift.capture.training.pictures import Picture, Pictures
from spatialwm.lift.capture.training.plan import Plan
from spatialwm.lift.capture.training.poses import Poses
from spatialwm.lift.capture.training.score import ViewScore, mean_of, score
from spatialwm.lift.capture.training.splats import FIELDS, Splats
from spatialwm.progress import Progress, silent
from spatialwm.ranks import Ranks
from spatialwm.render import BACKENDS, choose
from spatialwm.render.photometric import photometric_loss
from spatialwm.render.relocation import add_new, inject_noise, relocate_dead

MEDIAN_DEPTH = 4.0
"""Training units from the cameras to the middle of the scene; rates and limits are tuned to it."""
NEAR_PLANE = 0.2
"""Training units; splats nearer to a camera are floaters in front of the lens."""
EXPOSURE_FROM = 0.05
"""Share of the training; before, exposures would make up for what the scene lacks."""
POSES_FROM = 0.1
"""Share of the training; before, the scene is fog that any camera fits."""
NORMALS_EVERY = 4
"""Steps; three more channels cost a fifth of a step."""

PROGRESS_EVERY = 20
"""Steps."""
PREVIEW_EVERY_S, CHECKPOINT_EVERY_S = 10.0, 15.0
ADAM = "splats.adam"
"""What checkpoints call Adam's memory."""

Preview = Callable[[Gaussians, float], None]
"""Called with the Gaussians so far, in the capture's frame, and the share of the training done."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a training ends with."""

    gaussians: Gaussians
    """In the capture's frame and unit."""
    scores: tuple[ViewScore, ...]
    """Of the held-out views."""
    steps: int
    seconds: float
    backend: str

    @property
    def psnr(self) -> float:
        """Mean over the held-out views, dB; NaN when none was held out."""
        return mean_of(self.scores, "psnr")

    @property
    def ssim(self) -> float:
        """Mean over the held-out views; NaN when none was held out."""
        return mean_of(self.scores, "ssim")


class Rendered(NamedTuple):
    """A view of the Gaussians in training."""

    rgb: Tensor
    normals: Tensor
    """(h, w, 3) in the camera's frame; anything where they were not asked for."""
    depth: Tensor
    """(h, w) in training units; anything where it was not asked for."""
    alphas: Tensor
    visible: Tensor
    """Which Gaussians it shows."""


class Trainer:
    """Trains Gaussians on the views of a capture, less those held out."""

    def __init__(
        self, capture: Capture, start: StartPoints, plan: Plan, *, held_out: Sequence[int] = (), seed: int = 0,
        backend: str = "auto",
    ) -> None:  # fmt: skip
        """Prepare; nothing is trained yet.

        Raises:
            LiftError: no view is left to train on, or there is nothing to start from.
        """
        self.capture, self.plan = capture, plan
        self.held_out = tuple(held_out)
        self.trained = [i for i in range(len(capture.views)) if i not in self.held_out]
        if not self.trained:
            raise LiftError("training needs at least one view that is not held out")
        if not len(start.means):
            raise LiftError("training needs points to start from; the capture has none")
        self._ranks = Ranks()
        self.backend, self._rasterization = choose(backend)
        self.device = torch.device(BACKENDS[self.backend].device)
        self.unit = median_depth(capture, start) / MEDIAN_DEPTH
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self._order = torch.Generator().manual_seed(seed)
        self.splats = Splats.from_points(start, self.unit, self.device)
        self._start_count = len(self.splats)
        self._pictures = [Pictures(view, self.unit, self.device) for view in capture.views]
        self._exposures = Exposures(len(capture.views), self.trained, self.device)
        viewmats = torch.stack([p.reduced(1).viewmat for p in self._pictures])
        self._poses = Poses(viewmats, self.trained, MEDIAN_DEPTH)
        eyes = np.array([capture.views[i].camera.eye for i in self.trained]) / self.unit
        self.extent = 1.1 * float(np.linalg.norm(eyes - eyes.mean(0), axis=1).max()) or 1.0
        behind = np.mean([capture.views[i].rgb.mean((0, 1)) for i in self.trained], axis=0) / 255
        self._background = torch.tensor(behind, dtype=torch.float32, device=self.device)[None]
        self.step_count, self.elapsed_s = 0, 0.0
        self._waiting: list[int] = []

    @property
    def near_plane(self) -> float:
        """In the capture's unit: what lies before it was never shown."""
        return NEAR_PLANE * self.unit

    @property
    def share(self) -> float:
        """How much of the training is done, 0 to 1."""
        done = self.step_count / self.plan.steps if self.plan.steps else self.elapsed_s / (self.plan.seconds or 1.0)
        return min(done, 1.0)

    def run(
        self, progress: Progress = silent, *, preview: Preview | None = None, checkpoint: Path | None = None,
        enough: Callable[[], bool] | None = None,
    ) -> Trained:  # fmt: skip
        """Train to the end of the plan; called again after an interruption it goes on where it was.

        Args:
            checkpoint: a file kept up to date, from which :meth:`resume` goes on even in another process.
            enough: asked before every step; True ends the training there, as if it had been planned so.
        """
        shown = saved = time.perf_counter()
        while self.share < 1.0 and not self._ranks.agreed(enough is not None and enough()):
            started = time.perf_counter()
            self._step()
            now = time.perf_counter()
            self.elapsed_s = self._ranks.agreed(self.elapsed_s + now - started)
            if not self._ranks.first:
                continue
            if self.step_count % PROGRESS_EVERY == 0:
                progress(f"training, {len(self.splats):,} Gaussians", self.share)
            if preview is not None and now - shown > PREVIEW_EVERY_S:
                preview(self.gaussians(), self.share)
                shown = time.perf_counter()
            if checkpoint is not None and now - saved > CHECKPOINT_EVERY_S:
                try:
                    self.save(checkpoint)
                except LiftError:  # a full disk costs the checkpoints, not the training
                    checkpoint = None
                saved = time.perf_counter()
        return Trained(self.gaussians(), self.scores(), self.step_count, self.elapsed_s, self.backend)

    def save(self, path: Path) -> None:
        """Write everything that :meth:`resume` needs."""
        tensors = {f"splats.{name}": tensor for name, tensor in self.splats.fields.items()}
        tensors |= {"exposures": self._exposures.values, "twists": self._poses.twists}
        tensors |= {"generator": self.generator.get_state(), "order": self._order.get_state()}
        tensors |= optimizer_tensors(self.splats.optimizer, ADAM)
        facts = {
            "steps": self.step_count, "elapsed_s": self.elapsed_s, "waiting": self._waiting, "start": self._start_count,
            "exposure_steps": self._exposures.steps, "pose_steps": self._poses.steps, "views": len(self.capture.views),
        }  # fmt: skip
        write_checkpoint(path, tensors, facts)

    def resume(self, path: Path) -> None:
        """Continue a training of the same capture and plan.

        Raises:
            LiftError: the file is missing, damaged, or of another capture.
        """
        tensors, facts = read_checkpoint(path)
        if facts["views"] != len(self.capture.views):
            views = len(self.capture.views)
            raise LiftError(f"{path} is of {facts['views']} views, the capture has {views}; delete it to start anew")
        self.splats = Splats({name: tensors[f"splats.{name}"].to(self.device) for name in FIELDS})
        self._exposures.values.copy_(tensors["exposures"])
        self._poses.twists.copy_(tensors["twists"])
        self.generator.set_state(tensors["generator"])
        self._order.set_state(tensors["order"])
        restore_optimizer(self.splats.optimizer, ADAM, tensors)
        self.step_count, self.elapsed_s, self._waiting = facts["steps"], facts["elapsed_s"], facts["waiting"]
        self._start_count, self._exposures.steps = facts["start"], facts["exposure_steps"]
        self._poses.steps = facts["pose_steps"]

    def gaussians(self) -> Gaussians:
        """The present state in the capture's frame and unit."""
        raw = self.splats.raw()
        g = from_raw(RawGaussians(raw.means * self.unit, raw.quats, raw.log_scales + float(np.log(self.unit)),
                                  raw.logit_opacities, raw.sh))  # fmt: skip
        return g.to("cpu")

    def cameras(self) -> tuple[Camera, ...]:
        """Of all views in the capture's frame and unit: as given, or where they are refined as training found them."""
        found = [view.camera for view in self.capture.views]
        for i in self.trained if self.plan.with_poses else ():
            cam_from_world = self._poses.viewmat(i).double().cpu().numpy()
            cam_from_world[:3, 3] *= self.unit
            found[i] = replace(found[i], world_from_cam=Pose.from_matrix(cam_from_world).inverse())
        return tuple(found)

    @torch.no_grad()
    def scores(self) -> tuple[ViewScore, ...]:
        """Of the held-out views, each with the exposure of its trained neighbours."""
        found, arguments = [], self._arguments()
        for i in self.held_out:
            picture = self._pictures[i].reduced(1)
            image = self._render(arguments, picture, picture.viewmat).rgb
            if self.plan.with_exposure:
                exposure = self._exposures.neighbours(i)
                image = image * exposure[:3] + exposure[3:]
            found.append(score(i, self.capture.views[i].name, image, picture.rgb))
        return tuple(found)

    def _arguments(self) -> dict[str, Any]:
        return self.splats.arguments(self.share >= self.plan.sh1_from)

    def _render(
        self, arguments: dict[str, Any], picture: Picture, viewmat: Tensor, with_normals: bool = False, with_depth: bool = False
    ) -> Rendered:
        width, height = picture.size
        features = None
        if with_normals:
            features = facing(arguments["means"], arguments["quats"], arguments["scales"], viewmat)
        image, alphas, info = self._rasterization(
            **arguments, features=features, viewmats=viewmat[None], Ks=picture.K[None],
            width=width, height=height, near_plane=NEAR_PLANE, rasterize_mode="antialiased", backgrounds=self._background,
            render_mode="RGB+ED" if with_depth else "RGB",
        )
        visible = torch.zeros(len(self.splats), dtype=torch.bool, device=self.device)
        visible[info["gaussian_ids"]] = True
        return Rendered(image[0, ..., :3], image[0, ..., 3:6], image[0, ..., -1], alphas[0, ..., 0], visible)

    def _step(self) -> None:
        plan, share = self.plan, self.share
        view = self._ranks.mine(self._next_views())
        picture = self._pictures[view].reduced(plan.reduction(share))
        exposure = plan.with_exposure and share >= EXPOSURE_FROM
        arguments = self._arguments()
        refine = plan.with_poses and share >= POSES_FROM
        viewmat = self._poses.viewmat(view) if plan.with_poses else picture.viewmat
        level = plan.normal_weight > 0 and self.step_count % NORMALS_EVERY == 0
        shown = self._render(
            arguments, picture, viewmat, with_normals=level, with_depth=picture.depth is not None or refine or level
        )
        image = self._exposures.apply(shown.rgb, view) if exposure else shown.rgb
        loss = photometric_loss(image, picture.rgb, ssim_weight=plan.ssim_weight, mask=picture.usable)
        if picture.depth is not None:
            known = picture.depth > 0
            error = (shown.depth - picture.depth).abs() / picture.depth.clamp(min=1e-3)
            loss = loss + plan.depth_weight * (error.clamp(max=1.0) * known).sum() / known.sum().clamp(min=1)
        if level:
            measured = self._pictures[view].normals(plan.reduction(share))
            target = normals_shown(shown.depth, picture.K) if measured is None else measured
            loss = loss + plan.normal_weight * normals_loss(shown.normals, shown.alphas, target)
        loss = loss + plan.opacity_weight * arguments["opacities"].mean() + plan.scale_weight * arguments["scales"].mean()
        loss.backward()
        self._ranks.average(self.splats.fields.values())
        rates = self._rates(share)
        self.splats.step(rates, self._ranks.seen_by_any(shown.visible))
        if exposure:
            self._exposures.step(self._ranks.summed(self._exposures.told(shown.rgb.detach(), picture.rgb, view)))
        if refine:
            told = self._poses.told(image.detach(), shown.depth.detach(), picture.rgb, picture.usable, picture.K, view)
            self._poses.step(self._ranks.summed(told))
        noisy = inject_noise(self.splats.raw(), plan.noise * rates["means"], generator=self.generator)
        self.splats.shift(noisy.means)
        self.step_count += 1
        if self.step_count % plan.move_every == 0 and share < plan.move_until:
            self._move(share)

    def _next_views(self) -> list[int]:
        """One view for each process; every view comes once before any comes again."""
        views: list[int] = []
        while len(views) < self._ranks.count:
            if not self._waiting:
                order = torch.randperm(len(self.trained), generator=self._order)
                self._waiting = [self.trained[int(i)] for i in order]
            views.append(self._waiting.pop())
        return views

    def _rates(self, share: float) -> dict[str, float]:
        rates, late = self.plan.rates, self.plan.others_end ** max(0.0, 2 * share - 1)
        others = {k: getattr(rates, k) * late for k in ("quats", "log_scales", "logit_opacities", "sh0", "sh1")}
        return {"means": rates.means * self.extent * self.plan.means_end**share, **others}

    def _move(self, share: float) -> None:
        """Faded Gaussians go to where others are; the number grows linearly to the cap."""
        self.splats.move(relocate_dead(self.splats.raw(), generator=self.generator))
        grown = self._start_count + (self.plan.cap - self._start_count) * min(1.0, share / self.plan.grow_until)
        if grown > len(self.splats):
            growth = grown / len(self.splats)
            self.splats.move(add_new(self.splats.raw(), cap=self.plan.cap, growth=growth, generator=self.generator))


def median_depth(capture: Capture, start: StartPoints) -> float:
    """Of the start points in front of the cameras, in the capture's unit.

    Raises:
        LiftError: no camera has a point before it.
    """
    depths = []
    for view in capture.views:
        z = view.camera.world_from_cam.inverse().apply(start.means)[:, 2]
        depths.append(z[z > 0])
    if not sum(len(d) for d in depths):
        raise LiftError("no point lies in front of any camera; the cameras' axes or poses are wrong")
    return float(np.median(np.concatenate(depths)))
