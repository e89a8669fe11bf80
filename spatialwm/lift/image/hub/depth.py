"""A learned depth backend: picture in, geometry out, on whatever machine there is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.hub.fit import Device, Plan, climb, devices_here, free_bytes, ladder
from spatialwm.lift.image.hub.models import HubModel
from spatialwm.lift.image.hub.networks import Depths, depths, opened, preparation_of
from spatialwm.lift.image.hub.place import placed
from spatialwm.lift.image.photo import Photo
from spatialwm.lift.image.rays import Rays
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource

_FILM_DIAGONAL_MM = math.hypot(36, 24)
_ASSUMED_FOCAL_MM = 30.0
_NEAREST_M, _FARTHEST_M = 0.05, 2000.0
_AGREEMENT = 0.1
"""Relative difference between a picture and its mirror image at which confidence has fallen to 1/e."""

Say = Callable[[Photo, float | None], Depths]
"""What a network says about a picture whose focal length in pixels may be known."""


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
        self._model, self._folder = model, folder
        self._devices, self._free = tuple(devices or devices_here()), free
        self._open: tuple[Plan, Say] | None = None

    def estimate(self, photo: Photo, progress: Progress = silent) -> Estimate:
        """Depth of a picture at its own size.

        Raises:
            LiftError: it is a panorama, memory does not suffice for any way to run, or the weights are damaged.
            MissingDependencyError: names what to install.
        """
        if photo.panorama:
            raise LiftError(f"{self._model.name} takes ordinary pictures; for a panorama choose --depth embedded")
        known_px, focal_source = _known_focal(photo)
        mirrored = Photo(name=photo.name, rgb=np.ascontiguousarray(photo.rgb[:, ::-1]), focal_px=photo.focal_px)

        def run(plan: Plan) -> tuple[Depths, Depths]:
            progress(f"opening {self._model.name}", 0.05)
            say = self._running(plan)
            progress(f"depth by {self._model.name} {plan}", 0.2)
            seen = say(photo, known_px)
            progress("the same in the mirror", 0.6)
            return seen, say(mirrored, known_px or seen.focal_px)

        (seen, mirror), plan, notes = climb(self._model, ladder(self._model, self._devices), run, self._free)
        if not np.isfinite(seen.depth_m).any():
            raise LiftError(f"{self._model.name} found no depth in {photo.name}; choose another depth backend")
        focal_px, focal_source = _focal(photo, known_px, focal_source, seen, self._model)
        camera = Camera(Pose(), *photo.size, focal_px, focal_px, photo.size[0] / 2, photo.size[1] / 2)
        sky = _sky(seen, self._model)
        distance = _distances(seen.depth_m, camera, sky)
        confidence = np.exp(-np.abs(np.log(_clean(seen.depth_m) / _clean(mirror.depth_m[:, ::-1]))) / _AGREEMENT)
        factor, scale = _scale(distance, photo, self._model)
        return Estimate(
            distance_m=(distance * factor).astype(np.float32),
            sky=sky,
            confidence=confidence.astype(np.float32),
            up=_up(),
            camera=camera,
            scale=scale,
            backend=f"{self._model.name} {plan}",
            focal_source=focal_source,
            kind={"indoors": "room", "outdoors": "open ground"}.get(self._model.place, ""),
            notes=(*notes, *_said(self._model, plan, bool(notes))),
        )

    def _running(self, plan: Plan) -> Say:
        if self._open is None or self._open[0] != plan:
            self._open = None  # free the old weights before the new ones are read
            self._open = plan, _say(self._model, self._folder, plan)
        return self._open[1]


def _say(model: HubModel, folder: Path, plan: Plan) -> Say:
    preparation = preparation_of(folder, model)
    network = placed(opened(folder, model), plan)

    def say(photo: Photo, focal_px: float | None) -> Depths:
        def forward(pixels: object) -> object:
            return network(pixel_values=pixels)

        return depths(model, forward, preparation, photo.rgb, focal_px, plan.shrink, plan.tiles)

    return say


def _known_focal(photo: Photo) -> tuple[float | None, str]:
    if photo.hints.focal_mm is not None:
        return photo.hints.focal_mm / _FILM_DIAGONAL_MM * math.hypot(*photo.size), "given"
    return photo.focal_px, "written by the camera" if photo.focal_px is not None else ""


def _focal(photo: Photo, known_px: float | None, source: str, seen: Depths, model: HubModel) -> tuple[float, str]:
    if known_px is not None:
        return known_px, source
    if seen.focal_px is not None:
        return seen.focal_px, f"seen by {model.name}"
    return _ASSUMED_FOCAL_MM / _FILM_DIAGONAL_MM * math.hypot(*photo.size), f"assumed: {_ASSUMED_FOCAL_MM:g} mm"


def _clean(depth_m: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Finite and positive everywhere; what has no depth is far."""
    return np.clip(np.nan_to_num(depth_m, nan=_FARTHEST_M, posinf=_FARTHEST_M, neginf=_NEAREST_M), _NEAREST_M, _FARTHEST_M)


def _sky(seen: Depths, model: HubModel) -> Bool[np.ndarray, "h w"]:
    if seen.sky is not None:
        return seen.sky
    if model.sky_beyond_m is None:
        return np.zeros(seen.depth_m.shape, bool)
    return _clean(seen.depth_m) >= model.sky_beyond_m


def _distances(depth_m: Float[np.ndarray, "h w"], camera: Camera, sky: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Along the rays instead of the optical axis; the sky at the farthest distance of what is solid."""
    distance = _clean(depth_m) / Rays.pinhole(camera).directions[..., 2]
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
        return float(np.median(ratios)), ScaleSource("measured", 0.05, f"{len(ratios)} distances in the picture were given")
    return 1.0, ScaleSource("model", model.scale_sigma, f"metric depth by {model.name}")


def _said(model: HubModel, plan: Plan, stepped_down: bool) -> Iterator[str]:
    if stepped_down:
        yield f"Therefore {model.name} ran {plan}."
    if not model.commercial:
        yield f"The weights of {model.name} are {model.licence}: not for commercial use."


def _up() -> Vec3:
    return (0.0, -1.0, 0.0)
