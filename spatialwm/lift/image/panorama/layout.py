"""A room of upright walls, a level floor and a level ceiling, seen from inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """In the viewer's level frame (x right, y down, z ahead), metres."""

    corners: Float[np.ndarray, "n 2"]
    """(x, z) of the walls' corners, in order; the viewer, at (0, 0), is inside."""
    floor_m: float
    """Below the eye."""
    ceiling_m: float
    """Above the eye."""

    def wall_distance_m(self, x: Float[np.ndarray, "*n"], z: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """How many ``(x, z)`` long steps reach the nearest wall in that direction."""
        nearest = np.full(np.broadcast(x, z).shape, np.inf)
        for a, b in zip(self.corners, np.roll(self.corners, -1, axis=0), strict=True):
            ex, ez = b - a
            cross = x * ez - z * ex
            with np.errstate(divide="ignore", invalid="ignore"):
                t = (a[0] * ez - a[1] * ex) / cross
                along = (a[0] * z - a[1] * x) / cross
            hit = (t > 0) & (along >= -1e-9) & (along <= 1 + 1e-9)
            nearest = np.where(hit, np.minimum(nearest, t), nearest)
        return nearest

    def distance_m(self, directions: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
        """Along unit directions to the floor, the ceiling or a wall; finite everywhere."""
        x, y, z = np.moveaxis(directions, -1, 0)
        with np.errstate(divide="ignore"):
            level = np.where(y > 0, self.floor_m / np.maximum(y, 1e-12), self.ceiling_m / np.maximum(-y, 1e-12))
        return np.minimum(level, self.wall_distance_m(x, z))

    @staticmethod
    def box(right_m: float, ahead_m: float, left_m: float, behind_m: float, floor_m: float, ceiling_m: float) -> Layout:
        """Four walls square to the frame, each by its distance from the viewer."""
        corners = [(right_m, ahead_m), (-left_m, ahead_m), (-left_m, -behind_m), (right_m, -behind_m)]
        return Layout(np.array(corners, np.float64), floor_m, ceiling_m)
