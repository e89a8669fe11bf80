"""Pointing at things in a page's view: its camera and clicks as Python's, and a found mask as outlines to draw."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Bool

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.objects import Click, Prompt

SPECK_EDGES = 16
"""Outlines shorter than this are noise of the mask."""
SMOOTHING = 5
"""Edges averaged along an outline, so that it does not show the mask's pixels."""

Ring = list[list[float]]


def camera_of(view: dict[str, Any]) -> Camera:
    """The camera of a page's view: axes in the world, OpenCV frame; size in CSS pixels.

    Raises:
        LiftError: it is none.
    """
    try:
        width, height = int(view["width"]), int(view["height"])
        matrix = np.eye(4)
        matrix[:3] = np.array([view[axis] for axis in ("right", "down", "forward", "eye")], np.float64).T
        focal = height / 2 / math.tan(math.radians(float(view["fov_y_deg"])) / 2)
        return Camera(Pose.from_matrix(matrix), width, height, focal, focal, width / 2, height / 2)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise LiftError(f"the page sent a view that makes no sense here ({error}); reload it") from error


def prompt_of(message: dict[str, Any]) -> Prompt:
    """What the page points at, in pixels of its view.

    Raises:
        LiftError: nothing, or what is no place in a picture.
    """
    try:
        clicks = tuple(Click(float(c["x"]), float(c["y"]), bool(c.get("add", True))) for c in message.get("clicks") or ())
        box = message.get("box")
        if box is None:
            return Prompt(clicks)
        x0, y0, x1, y1 = (float(v) for v in box)
        return Prompt(clicks, (x0, y0, x1, y1))
    except (KeyError, TypeError, ValueError) as error:
        raise LiftError(f"the page sent clicks that make no sense here ({error}); reload it") from error


def outlines(mask: Bool[np.ndarray, "h w"]) -> list[Ring]:
    """Closed lines around what a mask holds, in shares of its width and height; the long ones, smoothed."""
    h, w = mask.shape
    padded = np.pad(mask, 1)
    ends: dict[tuple[int, int], list[tuple[int, int]]] = {}
    # Unit edges between inside and outside, directed so that the inside lies on the right: they chain into rings.
    for dy, dx, start, end in ((-1, 0, (0, 0), (1, 0)), (0, 1, (1, 0), (1, 1)), (1, 0, (1, 1), (0, 1)), (0, -1, (0, 1), (0, 0))):
        edge = mask & ~padded[1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]
        for y, x in np.argwhere(edge).tolist():
            ends.setdefault((x + start[0], y + start[1]), []).append((x + end[0], y + end[1]))
    rings: list[Ring] = []
    while ends:
        first = at = next(iter(ends))
        corners: list[tuple[int, int]] = []
        while at in ends:
            corners.append(at)
            onward = ends[at]
            at = onward.pop()
            if not onward:
                del ends[corners[-1]]
        if at == first and len(corners) >= SPECK_EDGES:
            rings.append(_smooth(np.array(corners, np.float64) / (w, h)))
    return sorted(rings, key=len, reverse=True)


def _smooth(ring: np.ndarray) -> Ring:
    shifts = range(-(SMOOTHING // 2), SMOOTHING // 2 + 1)
    return np.mean([np.roll(ring, s, axis=0) for s in shifts], axis=0)[::2].round(4).tolist()
