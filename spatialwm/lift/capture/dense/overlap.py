"""Which views see the same things from angles that tell depth, and how near and far those things are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import Points
from spatialwm.lift.capture.dense.depth_map import centers, intrinsics

BEST_ANGLE_DEG, NARROW_DEG, WIDE_DEG = 6.0, 2.0, 8.0
"""A pair's angle at a point weighs most at 6 degrees: less tells little of depth, more looks different. Source: MVSNet, eq. 6."""
ENOUGH = 20
"""Points a view must have for their depths to bound the sweep."""
CANDIDATES = 20
"""Views whose angles are worth computing, by common points."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Points, and which views see them."""

    means: Float[np.ndarray, "n 3"]
    by_view: Bool[np.ndarray, "v n"]
    rows: Int[np.ndarray, " n"]
    """Which of the capture's points these are; empty for points found otherwise."""

    @staticmethod
    def of(points: Points, views: Sequence[int]) -> Seen:
        """Only what at least two of these views see, so that a view left out leaves no trace."""
        by_view = np.zeros((len(views), len(points)), np.bool_)
        for row, view in enumerate(views):
            by_view[row, points.tracks[points.tracks[:, 1] == view, 0]] = True
        shared = by_view.sum(0) >= 2
        return Seen(np.asarray(points.means, np.float64)[shared], by_view[:, shared], np.flatnonzero(shared))


def ranked_sources(seen: Seen, cameras: Sequence[Camera], count: int) -> list[list[int]]:
    """For each view at most ``count`` others, the one that tells most about its depths first; none without common points."""
    eyes = centers(cameras)
    common = seen.by_view.astype(np.float32) @ seen.by_view.T.astype(np.float32)
    np.fill_diagonal(common, 0)
    out: list[list[int]] = []
    for i in range(len(cameras)):
        here = seen.by_view[i]
        toward_eye = _unit(eyes[i] - seen.means[here])
        scores: list[tuple[float, int]] = []
        for j in np.argsort(-common[i], kind="stable")[:CANDIDATES].tolist():
            both = seen.by_view[j, here]
            if not both.any():
                continue
            cosine = (toward_eye[both] * _unit(eyes[j] - seen.means[here][both])).sum(1)
            angle_deg = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
            if np.median(angle_deg) < 0.3:  # practically the same place: nothing to triangulate
                continue
            spread = np.where(angle_deg < BEST_ANGLE_DEG, NARROW_DEG, WIDE_DEG)
            scores.append((-float(np.exp(-0.5 * ((angle_deg - BEST_ANGLE_DEG) / spread) ** 2).sum()), j))
        out.append([j for _, j in sorted(scores)[:count]])
    return out


def depth_range(seen: Seen, row: int, camera: Camera) -> tuple[float, float] | None:
    """Nearest and farthest depth worth trying in a view, from the points it sees; None where there are too few."""
    z = camera.world_from_cam.inverse().apply(seen.means[seen.by_view[row]])[:, 2]
    z = z[z > 0]
    if len(z) < ENOUGH:
        _, z_all, inside = project(camera, seen.means)
        z = z_all[inside]
    if len(z) < ENOUGH:
        return None
    near, far = np.percentile(z, [1, 99])
    return 0.75 * float(near), 2.0 * float(far)


def project(
    camera: Camera, points: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Pixel, depth, and whether it lies in the picture."""
    cam_from_world = camera.world_from_cam.inverse()
    into = intrinsics(camera)
    p = points @ (into @ cam_from_world.rotation()).T + into @ cam_from_world.position
    z = p[:, 2]
    ahead = z > 1e-9
    uv = p[:, :2] / np.where(ahead, z, 1.0)[:, None]
    return uv, z, ahead & (uv >= 0).all(1) & (uv < [camera.width, camera.height]).all(1)


def guessed(cameras: Sequence[Camera]) -> tuple[Seen, Float[np.ndarray, " v"]]:
    """Stand-in points for views without any: a grid of each view's pixels at guessed depths, seen by whichever frame holds them.

    Returns:
        The points, and per view the depth guessed for it; 0 where all cameras stand in one place.
    """
    typical = _typical_depths(cameras)
    means: list[np.ndarray] = []
    for camera, depth in zip(cameras, typical, strict=True):
        u, v = np.meshgrid((np.arange(5) + 0.5) / 5 * camera.width, (np.arange(5) + 0.5) / 5 * camera.height)
        rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], -1).reshape(-1, 3)
        means += [camera.world_from_cam.apply(rays * (depth * k)) for k in (0.5, 1.0, 2.0)]
    points = np.concatenate(means)
    return Seen(points, np.stack([project(camera, points)[2] for camera in cameras]), np.zeros(0, np.int64)), typical


def _typical_depths(cameras: Sequence[Camera]) -> Float[np.ndarray, " v"]:
    """Where the optical axes come closest to each other if that lies ahead of a view, else ten times the cameras' spacing."""
    eyes = centers(cameras)
    gaps = np.linalg.norm(eyes[:, None] - eyes[None], axis=-1)
    np.fill_diagonal(gaps, np.inf)
    spacing = float(np.median(gaps.min(1))) if len(cameras) > 1 else 0.0
    axes = np.array([camera.forward for camera in cameras])
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    total = across.sum(0)
    if spacing == 0 or np.linalg.cond(total) > 1e4:
        return np.full(len(cameras), 10 * spacing)
    focus = np.linalg.solve(total, (across @ eyes[:, :, None]).sum(0)[:, 0])
    depth = ((focus - eyes) * axes).sum(1)
    return np.where(depth > 3 * spacing, depth, 10 * spacing)


def _unit(v: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    return v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-30)
