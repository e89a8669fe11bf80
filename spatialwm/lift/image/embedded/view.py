"""How the camera was held and how wide it sees, and with it where each pixel looks relative to the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from spatialwm.lift.image.embedded.focal import equivalent_mm, known_focal
from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.segments import line_segments
from spatialwm.lift.image.embedded.vanishing import Manhattan, axes_about, find_manhattan, level_axes
from spatialwm.lift.image.photo import Photo

_CLEAR = 0.28
"""Share of the edges that must run along the frame's axes, beyond chance, for it to be believed: leaves and clouds reach 0.2."""
_WELL_KNOWN = 0.14
"""Standard deviation of the log focal length below which vanishing points count as its source."""


_GUESSED = "how cameras are usually held"


@dataclass(frozen=True, eq=False)
class View:
    """A pinhole camera over the reduced picture, levelled."""

    width: int
    height: int
    focal_px: float
    """Of the reduced picture."""
    focal_sigma: float
    focal_source: str
    axes: Float[np.ndarray, "3 3"]
    """Rows: right, ahead, up in the camera's frame; ahead is level, in the middle of the picture."""
    tilt_sigma_rad: float
    tilt_source: str
    segments: Float[np.ndarray, "n 4"]
    manhattan: Manhattan
    built: bool
    """Whether the walls' directions stand out."""

    @property
    def tilt_known(self) -> bool:
        """Whether edges or the user tell how the camera was held."""
        return self.tilt_source != _GUESSED

    @cached_property
    def level(self) -> Float[np.ndarray, "h w 3"]:
        """Unit directions of the pixels: right, ahead, up."""
        v, u = np.mgrid[0.5 : self.height, 0.5 : self.width]
        x, y = (u - self.width / 2) / self.focal_px, (v - self.height / 2) / self.focal_px
        rays = np.stack([x, y, np.ones_like(x)], -1)
        return (rays / np.linalg.norm(rays, axis=-1, keepdims=True)) @ self.axes.T

    @cached_property
    def below_horizon_rad(self) -> Float[np.ndarray, "h w"]:
        """Negative above."""
        return -np.arcsin(np.clip(self.level[..., 2], -1, 1))

    @property
    def yaw_rad(self) -> float:
        """Of the walls, to the right of ahead."""
        ahead = self.axes @ self.manhattan.axes[1]
        return math.atan2(ahead[0], ahead[1])

    def looking_down(self, pitch_rad: float) -> View:
        """The same picture, taken by a camera that looks down by that much, unless edges or the user told how it was held."""
        if self.tilt_known:
            return self
        return replace(self, axes=level_axes(pitch_rad, 0.0))


def find_view(photo: Photo, look: Look) -> View:
    """From hints, the camera's notes, the picture's straight edges, and how cameras are usually held, in this order."""
    size = look.size
    focal, sigma, source = known_focal(photo)
    focal *= size[0] / photo.size[0]
    segments = line_segments(look.gradient)
    up = None if photo.hints.horizon is None else up_of_horizon(photo.hints.horizon, size, focal)
    found = find_manhattan(segments, size, focal, sigma, up)
    built = found.upright + found.square > _CLEAR and len(segments) > 25
    if not built:
        found = Manhattan(
            level_axes(math.radians(2), 0) if up is None else axes_about(up),
            focal, sigma, math.radians(8 if up is None else 1), found.upright, found.square, np.full(len(found.labels), -1),
        )  # fmt: skip
    elif sigma > 0.05 and found.focal_sigma < _WELL_KNOWN:
        source = f"vanishing points ({equivalent_mm(found.focal_px, size):.0f} mm equivalent)"
    if up is not None:  # the tilt of a drawn horizon depends on the focal length
        up = up_of_horizon(photo.hints.horizon or ((0, 0.5), (1, 0.5)), size, found.focal_px)
    axes = axes_about(found.axes[2] if up is None else up)
    where = "the horizon as drawn" if up is not None else "vanishing points" if built else _GUESSED
    return View(
        size[0], size[1], found.focal_px, found.focal_sigma, source, axes, found.tilt_sigma_rad, where, segments, found, built
    )  # fmt: skip


def up_of_horizon(horizon: tuple[tuple[float, float], tuple[float, float]], size: tuple[int, int], focal_px: float) -> np.ndarray:
    """Unit normal of the level plane that a camera sees edge on along the line through two places."""
    places = (np.asarray(horizon) - 0.5) * size / focal_px
    rays = np.concatenate([places, np.ones((2, 1))], 1)
    normal = np.cross(rays[0], rays[1])
    length = np.linalg.norm(normal)
    if length < 1e-6:
        return np.array([0.0, -1.0, 0.0])
    normal /= length
    return normal if normal[1] < 0 else -normal
