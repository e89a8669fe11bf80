"""Edges in the pictures that may be upright lines: door frames, corners of houses, posts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image
from scipy.ndimage import gaussian_filter, sobel

from spatialwm.lift.capture.capture import View

_LONG_SIDE = 480
_VIEWS = 40
_PER_VIEW = 1500
_STRAIGHT = 0.92
"""Coherence of the gradients over some 9 px: 1 for a perfect edge, 0.3 in leaves."""
_STRONG = 12.0
"""Gradient, levels per pixel: less is noise or shading."""


def edge_planes(views: Sequence[View]) -> Float[np.ndarray, "n 3"]:
    """Unit normals, in the capture's frame, of the planes through a camera and a straight edge that it saw.

    An upright line lies in such a plane, so up is perpendicular to the normal, wherever the line is in the picture.
    """
    step = max(1, len(views) // _VIEWS)
    return np.concatenate([_of_view(view) for view in views[::step]])


def _of_view(view: View) -> Float[np.ndarray, "n 3"]:
    c = view.camera
    k = min(1.0, _LONG_SIDE / max(c.width, c.height))
    size = (max(8, round(c.width * k)), max(8, round(c.height * k)))
    grey = np.asarray(Image.fromarray(view.rgb).convert("L").resize(size, Image.Resampling.BILINEAR), np.float64)
    smooth = gaussian_filter(grey, 1.0)
    gx, gy = sobel(smooth, 1) / 8, sobel(smooth, 0) / 8
    xx, yy, xy = (gaussian_filter(a, 2.5) for a in (gx * gx, gy * gy, gx * gy))
    root = np.hypot(xx - yy, 2 * xy)
    coherent = root > _STRAIGHT * (xx + yy)
    strong = np.hypot(gx, gy) > _STRONG
    border = np.zeros_like(strong)
    border[6:-6, 6:-6] = True
    v, u = np.nonzero(coherent & strong & border)
    if not len(v):
        return np.zeros((0, 3))
    thin = max(1, len(v) // _PER_VIEW)
    v, u = v[::thin], u[::thin]
    angle = 0.5 * np.arctan2(2 * xy[v, u], (xx - yy)[v, u])  # of the gradient, across the edge
    fx, fy, cx, cy = c.fx * size[0] / c.width, c.fy * size[1] / c.height, c.cx * size[0] / c.width, c.cy * size[1] / c.height
    # The line a x + b y + c = 0 in pixels seen from the camera: the plane's normal is K^T (a, b, c).
    a, b = np.cos(angle), np.sin(angle)
    offset = -(a * (u + 0.5) + b * (v + 0.5))
    normals = np.stack([a * fx, b * fy, a * cx + b * cy + offset], 1)
    return c.world_from_cam.rotate(normals / np.linalg.norm(normals, axis=1, keepdims=True))
