"""The flat bounds of a place (floor, walls, ceiling): nothing that is seen lies beyond them, so they are no thing to take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.lift.objects.sight import Sight
from spatialwm.scene.objects import OPAQUE

_TRIES = 300
_SAMPLE = 4000
_LEAST_SHARE = 0.03
"""Of the picture, that a plane must cover to be looked at."""
_BEYOND_SHARE = 0.015
"""Of the picture, that may lie beyond a bound: views out of windows, noise."""
_MOST = 8
_PARALLEL = 0.75
"""Cosine of the angle up to which a patch on a plane is taken for a piece of it: feet of things on a floor are steeper."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """``normal @ p == offset_m``, the normal towards the inside of the place."""

    normal: Float[np.ndarray, " 3"]
    offset_m: float
    thickness_m: float
    """Three standard deviations of what lies on it."""

    def height(self, points: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
        """Signed distance, positive inside."""
        return points @ self.normal - self.offset_m

    def holds(
        self, points: Float[np.ndarray, "n 3"], normals: Float[np.ndarray, "n 3"] | None = None, slack_m: float = 0.0
    ) -> Bool[np.ndarray, " n"]:
        """Which points lie on it or beyond; with normals, only those on it that face as it does."""
        height = self.height(points)
        on = height < self.thickness_m + slack_m
        if normals is not None:
            on &= (np.abs(normals @ self.normal) > _PARALLEL) | (height < -self.thickness_m - slack_m)
        return on


def shell_of(sight: Sight) -> list[Plane]:
    """Planes that cover much of a picture and have nothing beyond them, the largest first."""
    return planes_in(sight, _BEYOND_SHARE)


def planes_in(sight: Sight, beyond_share: float = 1.0) -> list[Plane]:
    """Planes that cover much of a picture, the largest first.

    Args:
        beyond_share: of the picture, that may lie beyond one.
    """
    places, normals = _surface(sight)
    if len(places) < 50:
        return []
    eye = np.asarray(sight.camera.eye)
    tolerance = 0.006 * float(np.median(np.linalg.norm(places - eye, axis=1)))
    rng = np.random.default_rng(0)
    everything, free = places, np.ones(len(places), bool)
    found: list[Plane] = []
    for _ in range(_MOST):
        left = np.flatnonzero(free)
        if len(left) < _LEAST_SHARE * len(places):
            break
        tried = rng.choice(left, min(_TRIES, len(left)), replace=False)
        heights = np.abs((places[left] @ normals[tried].T) - (places[tried] * normals[tried]).sum(1))
        agree = (heights < tolerance) & (normals[left] @ normals[tried].T > 0.9)
        best = int(agree.sum(0).argmax())
        members = left[agree[:, best]]
        if len(members) < _LEAST_SHARE * len(places):
            break
        plane = _fitted(places[members], eye)
        on = np.abs(plane.height(places)) < max(plane.thickness_m, tolerance)
        free &= ~on
        free[members] = False
        if (plane.height(everything) < -2 * max(plane.thickness_m, tolerance)).mean() <= beyond_share:
            found.append(plane)
    return found


def nearby(plane: Plane, sight: Sight) -> Plane | None:
    """The same bound where a closer look shows it, thinner and following slow undulations; None where it is not seen."""
    places, normals = _surface(sight)
    near = (np.abs(plane.height(places)) < 2 * plane.thickness_m) & (normals @ plane.normal > 0.85)
    if near.sum() < max(30, 0.01 * len(places)):
        return None
    return _fitted(places[near], np.asarray(sight.camera.eye))


def through_centers(plane: Plane, gaussians: Gaussians, eye: Float[np.ndarray, " 3"]) -> Plane:
    """The plane moved to where its Gaussians have their centres; what is seen at a slant seems nearer by up to their size."""
    heights = plane.height(gaussians.means.double().numpy())
    flattest = gaussians.scales.argmin(1)
    axes = quat_to_matrix(gaussians.quats)[torch.arange(len(gaussians)), :, flattest].double().numpy()
    near = (np.abs(heights) < max(4 * plane.thickness_m, 0.06 * plane.height(eye))) & (gaussians.opacities.numpy() > OPAQUE)
    flat = near & (np.abs(axes @ plane.normal) > 0.8)
    if flat.sum() >= 0.3 * near.sum():  # captures have round Gaussians too, whose flattest axis means nothing
        near = flat
    if near.sum() < 20:
        return plane
    area = np.prod(np.sort(gaussians.scales.double().numpy()[near], 1)[:, 1:], axis=1)
    order = np.argsort(heights[near], kind="stable")
    shares = np.cumsum(area[order]) / area.sum()
    low, middle, high = np.interp([0.16, 0.5, 0.84], shares, heights[near][order])
    thickness = float(np.clip(1.5 * (high - low), plane.thickness_m, 3 * plane.thickness_m))
    return Plane(plane.normal, plane.offset_m + middle, thickness)


def _fitted(points: Float[np.ndarray, "n 3"], eye: Float[np.ndarray, " 3"]) -> Plane:
    for _ in range(3):
        middle = points.mean(0)
        normal = np.linalg.eigh(np.cov((points - middle).T))[1][:, 0]
        residual = (points - middle) @ normal
        residual -= np.median(residual)
        # Not the standard deviation: seats and shelves are parallel to the floor, and few.
        points = points[np.abs(residual) <= max(4 * float(np.median(np.abs(residual))), 1e-9)]
    middle = points.mean(0)
    normal = np.linalg.eigh(np.cov((points - middle).T))[1][:, 0]
    if normal @ (eye - middle) < 0:
        normal = -normal
    spread = float(((points - middle) @ normal).std())
    return Plane(normal, float(middle @ normal), max(3 * spread, 0.001 * float(np.linalg.norm(eye - middle))))


def _surface(sight: Sight) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
    """An even sample of seen places and their normals towards the eye, edges left out."""
    places = sight.places()
    depth = sight.depth_m
    across, down = places[1:-1, 2:] - places[1:-1, :-2], places[2:, 1:-1] - places[:-2, 1:-1]
    normals = np.cross(down, across)
    length = np.linalg.norm(normals, axis=-1)
    inner = depth[1:-1, 1:-1]
    jump = np.maximum(np.abs(depth[1:-1, 2:] - depth[1:-1, :-2]), np.abs(depth[2:, 1:-1] - depth[:-2, 1:-1]))
    steady = (inner > 0) & (jump < 0.1 * inner) & (length > 0)
    v, u = np.nonzero(steady)
    step = max(1, len(v) // _SAMPLE)
    v, u = v[::step], u[::step]
    normals = normals[v, u] / length[v, u][:, None]
    places = places[1:-1, 1:-1][v, u]
    normals[((np.asarray(sight.camera.eye) - places) * normals).sum(1) < 0] *= -1
    return places, normals
