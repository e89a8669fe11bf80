"""A single picture: shown again from where it was taken, its depth against a truth where one is given, holes one step aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image

from spatialwm.bench.depth_metrics import constant_plane, metric_error, relative_error
from spatialwm.bench.lift.report import Row, Shown, SourceReport
from spatialwm.bench.lift.stages import StageMeter
from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift import LiftOptions
from spatialwm.lift.capture.training.score import score
from spatialwm.lift.image.lifter import ImageLifter
from spatialwm.lift.image.reading import read_photo
from spatialwm.progress import Progress, part_of, silent
from spatialwm.render import render_scene
from spatialwm.scene import Flattened, Scene, flatten

_HOLE = 0.5
"""Where less than this share of the light is stopped, one looks through the world."""
_MILLIMETRE = 1e-3


@dataclass(frozen=True, slots=True)
class DepthTruth:
    """Measured depth of a picture, over the same field of view and of any size."""

    path: Path
    """``.npy`` or a picture with 16 bits of grey."""
    unit_m: float = _MILLIMETRE
    """Metres of one step."""

    def read(self, width: int, height: int) -> Float[np.ndarray, "h w"]:
        """Metres along the optical axis at a picture's size, 0 where unknown; never interpolated.

        Raises:
            LiftError: not a depth map, or of another shape than the picture.
        """
        try:
            raw = np.load(self.path) if self.path.suffix == ".npy" else np.asarray(Image.open(self.path))
        except (OSError, ValueError) as e:
            raise LiftError(f"{self.path} is not a depth map ({e}); expected 16-bit grey or .npy") from e
        if raw.ndim != 2 or abs(raw.shape[1] / raw.shape[0] / (width / height) - 1) > 0.02:
            raise LiftError(f"{self.path} is {raw.shape}, its picture {(height, width)}; give depth over the same field of view")
        v = ((np.arange(height) + 0.5) * raw.shape[0] / height).astype(np.intp)
        u = ((np.arange(width) + 0.5) * raw.shape[1] / width).astype(np.intp)
        depth = raw[v[:, None], u[None, :]].astype(np.float32)
        unknown = ~np.isfinite(depth) | (depth <= 0) | ((raw.dtype == np.uint16) & (depth == np.iinfo(np.uint16).max))
        return np.where(unknown, 0, depth * np.float32(self.unit_m))


def evaluate_photo(source: str, options: LiftOptions, truth: DepthTruth | None, progress: Progress = silent) -> SourceReport:
    """Lift and judge.

    Raises:
        LiftError: not a picture, or a truth that does not fit it.
    """
    photo = read_photo(Path(source), options.quality, options.hints)
    measured = None if truth is None else truth.read(*photo.size)
    with StageMeter(part_of(progress, 0.0, 0.9)) as meter:
        scene = ImageLifter().lift(source, options, meter)
    progress("judging", 0.9)
    flat = flatten(scene)
    rows: list[Row] = []
    shown: tuple[Shown, ...] = ()
    camera = scene.spawn
    if camera is not None and not photo.panorama:
        frame = render_scene(flat, camera, background=scene.environment.background)
        told = score(0, photo.name, torch.from_numpy(frame.rgb), torch.from_numpy(photo.rgb / np.float32(255)))
        depth = None if measured is None else metric_error(frame.depth_m, measured)
        relative = None if measured is None else relative_error(frame.depth_m, measured)
        rows = [Row(method="ours, from where it was taken", psnr=told.psnr, psnr_fitted=told.psnr_fitted, ssim=told.ssim,
                    depth=depth, relative=relative)]  # fmt: skip
        caption = f"{photo.name}   {told.psnr:.1f} dB, SSIM {told.ssim:.3f}"
        if measured is not None and relative is not None:
            plane = constant_plane(measured)
            rows.append(Row(method="a plane at constant depth", relative=relative_error(plane, measured)))
            caption += f"   aligned AbsRel {relative.abs_rel:.3f}, delta 1.25 {relative.delta_125:.3f}"
        both = None if measured is None or relative is None else (measured, frame.depth_m * np.float32(relative.factor))
        ours = (frame.rgb * 255 + 0.5).astype(np.uint8)
        shown = (Shown(name=photo.name, truth=photo.rgb, ours=ours, caption=caption, depth_m=both),)
    notes = (*([f"one step within the safe motion shows holes in {_holes(scene, flat, camera):.2%} of the picture"]
               if camera is not None and len(scene.walkable) > 2 else []), *scene.notes)  # fmt: skip
    return SourceReport(
        source=source, kind="photo", given=1, used=1, gaussians=len(scene), rows=tuple(rows), stages=meter.stages, notes=notes,
        scale=f"{scene.scale.method}, {scene.scale.note} (within about {scene.scale.sigma:.0%})", shown=shown,
    )  # fmt: skip


def _holes(scene: Scene, flat: Flattened, camera: Camera) -> float:
    """Largest share of a picture that nothing covers, from where the safe motion ends on either side and ahead."""
    eye = np.asarray(camera.eye)
    right, _, forward = (axis * (1, 1, 0) for axis in camera.world_from_cam.rotation().T)
    reach = np.asarray(scene.walkable) - eye[:2]
    worst = 0.0
    for axis in (right, -right, forward):
        length = float(np.linalg.norm(axis))
        step = axis / length * max(0.0, float((reach @ axis[:2]).max()) / length) if length > 1e-6 else 0 * axis
        moved = replace(camera, world_from_cam=Pose(vec3(eye + step), camera.world_from_cam.quat))
        worst = max(worst, float((render_scene(flat, moved).alpha < _HOLE).mean()))
    return worst


def paired(photos: Sequence[str], truths: Sequence[DepthTruth]) -> dict[str, DepthTruth]:
    """The truth of each photo, given in their order.

    Raises:
        LiftError: more truths than photos.
    """
    if len(truths) > len(photos):
        raise LiftError(f"{len(truths)} depth truths for {len(photos)} single pictures; give one for each, in their order")
    return dict(zip(photos, truths, strict=False))
