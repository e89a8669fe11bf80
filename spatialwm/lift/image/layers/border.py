"""A picture continued a little beyond its borders, so that a step aside does not look past them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from spatialwm.geometry.camera import Camera
from spatialwm.lift.image.layers.fill import blurred
from spatialwm.lift.image.layers.surface import Surface
from spatialwm.lift.image.rays import Rays

_SLOPE_PX = 24
_SHARP_PX = 3.0
_OCTAVES = 5
_STEEPEST = 2.0
"""Continued surfaces come at most this much nearer, or go this much farther."""


def widened(surface: Surface, camera: Camera, margin_px: int) -> tuple[Surface, Camera]:
    """The same picture with ``margin_px`` more on each side: mirrored and blurred, on surfaces that go straight on."""
    m = margin_px
    if m < 1:
        return surface, camera
    wide = replace(
        camera, width=camera.width + 2 * m, height=camera.height + 2 * m, cx=camera.cx + m, cy=camera.cy + m
    )  # fmt: skip
    rays = Rays.pinhole(wide)
    inner = surface.rays.directions[..., 2].astype(np.float32)
    # Of a plane the nearness along the optical axis is affine over the picture: straight on is straight.
    near = _continued(1 / (surface.distance * inner), m, axis=1)
    near = _continued(near, m, axis=0)
    distance = 1 / (near * rays.directions[..., 2].astype(np.float32))

    def mirrored(values: np.ndarray) -> np.ndarray:
        return np.pad(values, [(m, m), (m, m)] + [(0, 0)] * (values.ndim - 2), mode="symmetric")

    seen = np.pad(surface.seen, m)
    sky = mirrored(surface.sky)
    if surface.sky.any():
        distance = np.where(sky & ~seen, float(np.median(surface.distance[surface.sky])), distance)
    beyond = np.asarray(ndimage.distance_transform_edt(~seen), np.float32)
    confidence = mirrored(surface.confidence) * 0.5 ** (beyond > 0) * np.exp(-beyond / m)
    rgb = _softened(mirrored(surface.rgb), beyond)
    return Surface(rays, rgb, distance.astype(np.float32), sky, confidence.astype(np.float32), seen), wide


def _softened(rgb: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Ever more out of focus: a mirror image that stays sharp is seen for what it is."""
    octave = np.log2(1 + beyond / _SHARP_PX).clip(0, _OCTAVES)[..., None]
    levels = [rgb, *(blurred(rgb, k, False) for k in range(1, _OCTAVES + 1))]
    return sum(level * np.maximum(1 - abs(octave - k), 0) for k, level in enumerate(levels)).astype(np.float32)  # pyright: ignore[reportAttributeAccessIssue]


def _continued(near: np.ndarray, m: int, axis: int) -> np.ndarray:
    """Straight on, by the slope over the last pixels, smoothed along the border."""
    near = np.moveaxis(near, axis, 0)
    span = min(_SLOPE_PX, len(near) - 1)
    steps = np.arange(1, m + 1, dtype=np.float32)[:, None]

    def beyond(edge: np.ndarray, slope: np.ndarray) -> np.ndarray:
        smooth = ndimage.gaussian_filter1d(ndimage.median_filter(slope, 31, mode="nearest"), 8, mode="nearest")
        return np.clip(edge + steps * smooth, edge / _STEEPEST, edge * _STEEPEST)

    before = beyond(near[0], (near[0] - near[span]) / span)[::-1]
    after = beyond(near[-1], (near[-1] - near[-1 - span]) / span)
    return np.moveaxis(np.concatenate([before, near, after]), 0, axis).astype(np.float32)
