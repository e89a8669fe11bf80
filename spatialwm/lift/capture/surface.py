"""Places on the surfaces that a capture saw, with normals where it has depth: what up and floor are found from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spatialwm.lift.capture.capture import Capture, View

_PER_VIEW = 3000
_TOTAL = 60_000
_REACH_PX = 640 / 100
"""Half the stretch over which depth is differentiated, in pixels of a 640 px picture: less drowns in the sensor's steps."""
_STEP = 0.03
"""Relative jump of depth over that stretch beyond which it is an edge, not a surface."""
_FAR = 3.0
"""Points further than this many median distances carry more noise than news."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Sampled places, in the capture's frame."""

    means: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"] | None
    """Unit, towards the camera that saw them; None where there was no depth to take them from."""
    distance: float
    """Median distance from the cameras."""

    def __len__(self) -> int:
        return len(self.means)

    @staticmethod
    def of(means: Float[np.ndarray, "n 3"], normals: Float[np.ndarray, "n 3"] | None, views: Sequence[View]) -> Surface:
        """At most some 60,000 of the given places, without those far beyond the others."""
        if not len(means) or not views:
            return Surface(np.zeros((0, 3)), None, 1.0)
        eyes = np.array([view.camera.eye for view in views])[:: max(1, len(views) // 16)]
        thin = slice(None, None, max(1, len(means) // _TOTAL))
        means, normals = np.asarray(means[thin], np.float64), None if normals is None else np.asarray(normals[thin], np.float64)
        off = np.min([np.linalg.norm(means - eye, axis=1) for eye in eyes], axis=0)
        middle = float(np.median(off))
        near = off <= _FAR * middle
        return Surface(means[near], None if normals is None else normals[near], middle)


def seen_surface(capture: Capture) -> Surface:
    """Samples from depth where half of the views have it, else the capture's points."""
    with_depth = [view for view in capture.views if view.depth is not None]
    if with_depth and 2 * len(with_depth) >= len(capture.views):
        each = max(50, min(_PER_VIEW, _TOTAL // len(with_depth)))
        parts = [_oriented(view, each) for view in with_depth]
        means = np.concatenate([part[0] for part in parts])
        normals = np.concatenate([part[1] for part in parts])
        z = np.concatenate([part[2] for part in parts])
        return Surface(means, normals, float(np.median(z)) if len(z) else 1.0)
    return Surface.of(capture.points.means, None, capture.views)


def _oriented(view: View, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """About ``count`` places of a view's depth, their normals, and their depths."""
    assert view.depth is not None
    c, depth = view.camera, view.depth.astype(np.float64)
    reach = max(1, round(_REACH_PX * max(c.width, c.height) / 640))
    step = max(1, round((c.width * c.height / count) ** 0.5))
    v, u = (g.ravel() for g in np.mgrid[reach : c.height - reach : step, reach : c.width - reach : step])

    def place(dv: int, du: int) -> tuple[np.ndarray, np.ndarray]:
        z = depth[v + dv, u + du]
        return np.stack([(u + du + 0.5 - c.cx) / c.fx * z, (v + dv + 0.5 - c.cy) / c.fy * z, z], 1), z

    (middle, z), around = place(0, 0), [place(dv, du) for dv, du in ((0, reach), (0, -reach), (reach, 0), (-reach, 0))]
    smooth = z > 0
    for _, other in around:
        smooth &= (other > 0) & (np.abs(other - z) < _STEP * z)
    (right, _), (left, _), (down, _), (above, _) = around
    normals = np.cross(down - above, right - left)
    length = np.linalg.norm(normals, axis=1)
    smooth &= length > 0
    normals = normals[smooth] / length[smooth, None]
    return c.world_from_cam.apply(middle[smooth]), c.world_from_cam.rotate(normals), z[smooth]
