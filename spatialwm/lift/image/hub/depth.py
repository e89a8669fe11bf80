"""A learned depth backend: picture in, geometry out, on whatever machine there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.embedded.focal import known_focal
from spatialwm.lift.image.hub.fit import Device, Plan, free_bytes
from spatialwm.lift.image.hub.kept import Kept
from spatialwm.lift.image.hub.models import TRANSFORMERS, HubModel
from spatialwm.lift.image.hub.networks import Depths, depths, opened, preparation_of
from spatialwm.lift.image.hub.packages import Say, package_say
from spatialwm.lift.image.hub.place import placed
from spatialwm.lift.image.hub.surroundings import Surroundings
from spatialwm.lift.image.photo import Photo
from spatialwm.lift.image.rays import Rays
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource

_NEAREST_M, _FARTHEST_M = 0.05, 2000.0
_DISAGREEMENT = 0.1
"""Relative difference between a picture and its mirror image at which confidence has fallen to 1/e."""


class HubDepth:
    """Learned depth; weights stay in memory between calls."""

    def __init__(
        self,
        model: HubModel,
        folder: Path,
        devices: Sequence[Device] | None = None,
        free: Callable[[Device], int | None] = free_bytes,
    ) -> None:
        """
        Args:
            folder: of the configuration and the weights.
            devices: in order of preference; None: all that torch can use.
            free: memory that can be had on a device.
        """
        self._model = model
        self._network = Kept(model, lambda plan: _say(model, folder, plan), devices, free)

    def estimate(self, photo: Photo, progress: Progress = silent) -> Estimate:
        """Depth of a picture at its own size.

        Raises:
            LiftError: it is a panorama, memory does not suffice for any way to run, or the weights are damaged.
            MissingDependencyError: names what to install.
        """
        if photo.panorama:
            raise LiftError(f"{self._model.name} takes ordinary pictures; for a panorama choose --depth embedded")
        known_px, focal_source = _known_focal(photo)

        def look(say: Say, plan: Plan) -> tuple[Depths, Depths]:
            progress(f"depth by {self._model.name} {plan}", 0.1)
            seen = say(photo.rgb, known_px)
            progress("the same in the mirror", 0.5)
            return seen, say(np.ascontiguousarray(photo.rgb[:, ::-1]), known_px or seen.focal_px)

        progress(f"opening {self._model.name}", 0.0)
        (seen, mirror), plan, notes = self._network.run(look)
        if not np.isfinite(seen.depth_m).any():
            raise LiftError(f"{self._model.name} found no depth in {photo.name}; choose another depth backend")
        progress("up and sky", 0.9)
        if known_px is None and seen.focal_px is not None:
            known_px, focal_source = seen.focal_px, self._model.name
        around = Surroundings(photo, known_px, focal_source)
        camera = Camera(Pose(), *photo.size, around.focal_px, around.focal_px, photo.size[0] / 2, photo.size[1] / 2)
        depth_m = _clean(seen.depth_m)
        sky = around.sky(seen, depth_m, self._model)
        distance = _distances(depth_m, camera, sky)
        factor, scale = _scale(distance, photo, self._model)
        return Estimate(
            distance_m=(distance * factor).astype(np.float32),
            sky=sky,
            confidence=_agreement(depth_m, _clean(mirror.depth_m[:, ::-1])),
            up=around.up,
            camera=camera,
            scale=scale,
            backend=f"{self._model.name} {plan}",
            focal_source=around.focal_source,
            kind="room" if self._model.place == "indoors" or not sky.any() else "street",
            notes=(*notes, *_said(self._model, plan, bool(notes))),
        )


def _say(model: HubModel, folder: Path, plan: Plan) -> Say:
    if model.architecture not in TRANSFORMERS:
        return package_say(model, folder, plan)
    preparation = preparation_of(folder, model)
    network = placed(opened(folder, model), plan)

    def say(rgb: UInt8[np.ndarray, "h w 3"], focal_px: float | None) -> Depths:
        return depths(model, lambda pixels: network(pixel_values=pixels), preparation, rgb, focal_px, plan.shrink, plan.tiles)

    return say


def _known_focal(photo: Photo) -> tuple[float | None, str]:
    """In pixels, where the user or the camera said so."""
    focal_px, _, source = known_focal(photo)
    return (focal_px, source) if photo.hints.focal_mm is not None or photo.focal_px is not None else (None, "")


def _clean(depth_m: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Finite and positive everywhere; what has no depth is far."""
    return np.clip(np.nan_to_num(depth_m, nan=_FARTHEST_M, posinf=_FARTHEST_M, neginf=_NEAREST_M), _NEAREST_M, _FARTHEST_M)


def _agreement(depth_m: Float[np.ndarray, "h w"], mirrored_m: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Confidence: where a network says something else of the mirror image it guesses, above all along edges."""
    return np.exp(-np.abs(np.log(depth_m / mirrored_m)) / _DISAGREEMENT).astype(np.float32)


def _distances(depth_m: Float[np.ndarray, "h w"], camera: Camera, sky: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Along the rays instead of the optical axis; the sky at the farthest distance of what is solid."""
    distance = depth_m / Rays.pinhole(camera).directions[..., 2]
    if sky.any() and not sky.all():
        distance[sky] = distance[~sky].max()
    return distance


def _scale(distance: Float[np.ndarray, "h w"], photo: Photo, model: HubModel) -> tuple[float, ScaleSource]:
    """Distances that a user measured settle the scale; else it is the model's word."""
    height, width = distance.shape
    ratios = []
    for (x, y), known_m in photo.hints.depths:
        if 0 <= x <= 1 and 0 <= y <= 1:
            ratios.append(known_m / distance[min(int(y * height), height - 1), min(int(x * width), width - 1)])
    if ratios:
        return float(np.median(ratios)), ScaleSource("measured", 0.05, f"{len(ratios)} given distances")
    return 1.0, ScaleSource("model", model.scale_sigma, f"learned by {model.name}, not measured")


def _said(model: HubModel, plan: Plan, stepped_down: bool) -> Iterator[str]:
    if stepped_down:
        yield f"therefore {model.name} ran {plan}"
    if not model.commercial:
        yield f"the weights of {model.name} are {model.licence}: not for commercial use"

