"""Captures and start points as arrays and facts, exact to the last bit: what :class:`Unfinished` keeps of them."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import numpy as np

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift.capture.capture import Capture, Points, View
from spatialwm.lift.capture.fusion import StartPoints
from spatialwm.scene import ScaleSource

Kept = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays by name, and what JSON holds."""
_PLANES = ("rgb", "depth", "usable")
_POINTS = ("means", "rgb", "tracks")


def capture_to_arrays(capture: Capture) -> Kept:
    """The inverse of :func:`capture_from_arrays`."""
    arrays = {f"points.{name}": getattr(capture.points, name) for name in _POINTS}
    views: list[dict[str, Any]] = []
    for i, view in enumerate(capture.views):
        arrays |= {f"{i}.{name}": plane for name in _PLANES if (plane := getattr(view, name)) is not None}
        views.append({"name": view.name, "camera": asdict(view.camera), "time_s": view.time_s})
    facts = {"views": views, "scale": asdict(capture.scale), "up": capture.up, "given": capture.given, "notes": capture.notes}
    return arrays, facts


def capture_from_arrays(kept: Kept) -> Capture:
    """The capture that was kept.

    Raises:
        KeyError, TypeError, ValueError, ShapeError: it is none.
    """
    arrays, facts = kept
    views: list[View] = []
    for i, about in enumerate(facts["views"]):
        pose = about["camera"]["world_from_cam"]
        w, x, y, z = pose["quat"]
        camera = Camera(**{**about["camera"], "world_from_cam": Pose(vec3(pose["position"]), (w, x, y, z), pose["scale"])})
        depth, usable = arrays.get(f"{i}.depth"), arrays.get(f"{i}.usable")
        views.append(View(about["name"], camera, arrays[f"{i}.rgb"], depth, usable, about["time_s"]))
    points = Points(*(arrays[f"points.{name}"] for name in _POINTS))
    up = None if facts["up"] is None else vec3(facts["up"])
    return Capture(tuple(views), points, ScaleSource(**facts["scale"]), up, facts["given"], tuple(facts["notes"]))


def start_to_arrays(start: StartPoints) -> Kept:
    """The inverse of :func:`start_from_arrays`."""
    return {f.name: getattr(start, f.name) for f in fields(start)}, {}


def start_from_arrays(kept: Kept) -> StartPoints:
    """The start points that were kept.

    Raises:
        TypeError: they are none.
    """
    return StartPoints(**kept[0])
