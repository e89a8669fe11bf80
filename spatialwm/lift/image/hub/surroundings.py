"""What a depth network does not say about a picture: which way is up, and where there is nothing but sky."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.geometry.se3 import Vec3, vec3
from spatialwm.lift.image.embedded.guided import guided_up
from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.sky import find_sky
from spatialwm.lift.image.embedded.view import View, find_view
from spatialwm.lift.image.hub.models import HubModel
from spatialwm.lift.image.hub.networks import Depths
from spatialwm.lift.image.photo import Photo


class Surroundings:
    """From the picture's straight edges and colours, by the embedded estimator's own means."""

    def __init__(self, photo: Photo, focal_px: float | None, focal_source: str) -> None:
        """
        Args:
            focal_px: where it is known; else vanishing points tell.
        """
        self._photo, self._look = photo, Look.of(photo.rgb)
        known = photo if focal_px is None else replace(photo, focal_px=focal_px, hints=replace(photo.hints, focal_mm=None))
        self._view: View = find_view(known, self._look)
        self.focal_px = focal_px or self._view.focal_px * photo.size[0] / self._look.size[0]
        self.focal_source = focal_source if focal_px is not None else self._view.focal_source
        self.up: Vec3 = vec3(self._view.axes[2])

    def sky(self, seen: Depths, depth_m: Float[np.ndarray, "h w"], model: HubModel) -> Bool[np.ndarray, "h w"]:
        """Where the network says so; else what it puts as far as it can, and what looks like sky and is not near by its word."""
        if seen.sky is not None:
            return seen.sky
        if model.sky_beyond_m is None:
            return np.zeros(depth_m.shape, bool)
        far = depth_m >= model.sky_beyond_m
        small = find_sky(self._look, self._view.below_horizon_rad)
        if not small.any():
            return far
        alike = guided_up(self._look.rgb, small.astype(np.float32), self._photo.rgb.astype(np.float32) / 255, 3, 3e-4) > 0.5
        return far | (alike & (depth_m > 0.25 * model.sky_beyond_m))


def shows_sky(photo: Photo) -> bool:
    """Whether a picture was taken outdoors, as far as the sky in it tells."""
    look = Look.of(photo.rgb)
    return float(find_sky(look, find_view(photo, look).below_horizon_rad).mean()) > 0.02
