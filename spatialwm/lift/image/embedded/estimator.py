"""The embedded estimator: straight edges give the view, colours the ground, the ground the distances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt, maximum_filter, minimum_filter

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.embedded.closeup import LOOKS_DOWN_RAD, closeup_surfaces
from spatialwm.lift.image.embedded.guided import enlarged, guided_up, repeated
from spatialwm.lift.image.embedded.hints import corrected
from spatialwm.lift.image.embedded.indoors import room_surfaces
from spatialwm.lift.image.embedded.kind import Kind, find_kind
from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.outdoors import outdoor_surfaces
from spatialwm.lift.image.embedded.regions import cut
from spatialwm.lift.image.embedded.sky import find_sky
from spatialwm.lift.image.embedded.surfaces import Surfaces
from spatialwm.lift.image.embedded.view import View, find_view
from spatialwm.lift.image.photo import Photo
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource

_STEP = 0.3
"""Change of log distance over five pixels that is an edge and no slope."""
_SKY_BEYOND = 1.5
"""How much further than the furthest thing the sky is put."""


class EmbeddedDepth:
    """Depth by geometry alone: nothing is downloaded, nothing was learned."""

    def estimate(self, photo: Photo, progress: Progress = silent) -> Estimate:
        """See :class:`~spatialwm.lift.image.depth.DepthBackend`."""
        progress("straight edges", 0.0)
        look = Look.of(photo.rgb)
        view = find_view(photo, look)
        progress("sky and ground", 0.3)
        sky = find_sky(look, view.below_horizon_rad)
        kind = find_kind(view, sky, photo.hints)
        if kind in ("room", "close-up"):
            sky = np.zeros_like(sky)
        regions = cut(look)
        progress("surfaces", 0.45)
        if kind == "room":
            surfaces = room_surfaces(look, view, regions, photo.hints.corners)
        elif kind == "close-up":
            view = view.looking_down(LOOKS_DOWN_RAD)
            surfaces = closeup_surfaces(look, view, regions)
        else:
            surfaces = outdoor_surfaces(look, view, regions, sky, kind)
        distance, scale, eye_height_m = surfaces.distance_m(view), _prior(surfaces), surfaces.eye_height_m
        if photo.hints.depths:
            before = distance
            distance, spread = corrected(distance, look, photo.hints.depths)
            eye_height_m *= float(np.median(distance / before))
            count = len(photo.hints.depths)
            scale = ScaleSource("measured", 0.1 + spread / count, f"distances the user gave at {count} places")
        progress("edges", 0.75)
        distance, sky = _at_full_size(photo, look, distance, sky)
        estimate = replace(_estimate(photo, view, kind, distance, sky, surfaces, scale), eye_height_m=eye_height_m)
        progress("edges", 1.0)
        return estimate


def _prior(surfaces: Surfaces) -> ScaleSource:
    note = f"the camera is taken to be {surfaces.eye_height_m} m above what lies below it; measure one length to fix it"
    return ScaleSource("prior", surfaces.scale_sigma, note)


def _at_full_size(
    photo: Photo, look: Look, distance: Float[np.ndarray, "h w"], sky: Bool[np.ndarray, "h w"]
) -> tuple[Float[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """Distances and sky whose edges follow those of the picture at its own size."""
    width, height = photo.size
    fine = photo.rgb.astype(np.float32) / 255
    logs = np.log(distance).astype(np.float32)
    if sky.any():  # the border of the sky is no border of what stands before it
        logs[sky] = np.nan
        logs = _spread_into(logs)
    out = guided_up(look.rgb, logs, fine, 2, 2e-4)
    low, high = (repeated(f(logs, 5), height, width) for f in (minimum_filter, maximum_filter))
    # Between the sides of an edge there is nothing: a pixel belongs to the nearer value.
    edge = high - low > _STEP
    np.clip(out, low, high, out=out)
    out[edge] = np.where(out - low < high - out, low, high)[edge]
    out = np.exp(out)
    if not sky.any():
        return out, np.zeros((height, width), bool)
    sky_fine = guided_up(look.rgb, sky.astype(np.float32), fine, 3, 3e-4) > 0.5
    if not sky_fine.all():
        out[sky_fine] = _SKY_BEYOND * float(out[~sky_fine].max())
    return out, sky_fine


def _spread_into(logs: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Unknown pixels take the value of the nearest known one."""
    unknown = np.isnan(logs)
    if unknown.all():
        return np.zeros_like(logs)
    nearest = distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return logs[tuple(nearest)]  # pyright: ignore[reportArgumentType]


def _estimate(
    photo: Photo, view: View, kind: Kind, distance: np.ndarray, sky: np.ndarray, surfaces: Surfaces, scale: ScaleSource
) -> Estimate:
    width, height = photo.size
    focal = view.focal_px * width / view.width
    camera = Camera(Pose(), width, height, focal, focal, width / 2, height / 2)
    notes = [f"taken for a {kind}: distances are a guess from its edges and colours, without a learned model"]
    if not view.tilt_known:
        notes.append("no straight edges tell how the camera was held: draw the horizon if the ground slopes")
    return Estimate(
        distance_m=distance.astype(np.float32),
        sky=sky,
        confidence=enlarged(np.clip(surfaces.confidence, 0.02, 1), height, width),
        up=vec3(view.axes[2]),
        camera=camera,
        scale=scale,
        backend="embedded",
        focal_source=view.focal_source,
        kind=kind,
        notes=tuple(notes),
    )
