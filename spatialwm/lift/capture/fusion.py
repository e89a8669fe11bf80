"""Depth maps of many views become the points that training starts from: one per patch of surface, evenly spread as seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float
from scipy.spatial import KDTree

from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.dense.depth_map import DepthMap, working_rgb
from spatialwm.lift.capture.dense.holes import hole_points
from spatialwm.lift.capture.dense.overlap import Seen, project
from spatialwm.lift.capture.dense.thinning import spread
from spatialwm.render.cpu.threads import machine_threads

F = np.float32
_MOST_PIXELS = 1_000_000  # of all maps together; more are thinned evenly before anything else
_TRIES = 8  # to find the distance that gives the number
_FILL_WEIGHT = 1e-3  # of a guessed point beside confirmed ones in the same cell


@dataclass(frozen=True, slots=True, eq=False)
class StartPoints:
    """What to place the first Gaussians on."""

    means: Float[np.ndarray, "n 3"]
    """float32, in the capture's frame."""
    rgb: Float[np.ndarray, "n 3"]
    """float32 sRGB in 0..1."""
    normals: Float[np.ndarray, "n 3"]
    """float32, unit towards the cameras, or zero where unknown."""
    spacing: Float[np.ndarray, " n"]
    """float32 root mean square distance to the three nearest others."""

    def __len__(self) -> int:
        return len(self.means)


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """Places with what is known of them; one row each."""

    means: np.ndarray
    rgb: np.ndarray
    normals: np.ndarray
    footprint: np.ndarray
    """Size of a pixel there."""
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.means)

    def __getitem__(self, rows: np.ndarray) -> _Samples:
        return _Samples(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def joined(parts: Sequence[_Samples]) -> _Samples:
        return _Samples(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(_Samples)))


def start_points(capture: Capture, depth_maps: Sequence[DepthMap], count: int, seed: int) -> StartPoints:
    """At most ``count`` points on the surfaces that the maps and the capture's own points show.

    The distance they keep from each other follows the size of a pixel there, so that near things get more points and every part
    of every picture about as many, and each is the mean of the pixels around it; holes in the maps are filled from around them.
    Points of the capture seen by fewer than two of the maps' views are not used.
    """
    everything = _Samples.joined([*_dense(capture, depth_maps), *_holes(capture, depth_maps), _sparse(capture, depth_maps)])
    everything = everything[np.flatnonzero(np.isfinite(everything.means).all(axis=1))]
    if not len(everything):
        none = np.zeros((0, 3), F)
        return StartPoints(none, none, none, np.zeros(0, F))
    chosen = _thinned(everything, count, np.random.default_rng(seed))
    return StartPoints(chosen.means.astype(F), chosen.rgb.astype(F), chosen.normals.astype(F), _spacing(chosen.means))


def _dense(capture: Capture, maps: Sequence[DepthMap]) -> list[_Samples]:
    stride = max(1, round(sum(int((m.depth > 0).sum()) for m in maps) / _MOST_PIXELS))
    out: list[_Samples] = []
    for m in maps:
        rows = np.flatnonzero(m.depth > 0)[::stride]
        normals = np.zeros((len(rows), 3)) if m.normals is None else m.normals.reshape(-1, 3)[rows]
        depth = m.depth.ravel()[rows]
        rgb = working_rgb(capture.views[m.view], m.camera).reshape(-1, 3)[rows]
        out.append(_Samples(m.points().reshape(-1, 3)[rows], rgb, normals, depth / m.camera.fx, m.confidence.ravel()[rows]))
    return out


def _holes(capture: Capture, maps: Sequence[DepthMap]) -> list[_Samples]:
    parts = hole_points(maps, [working_rgb(capture.views[m.view], m.camera) for m in maps])
    return [
        _Samples(means, rgb, np.zeros_like(means), depth / m.camera.fx, np.full(len(means), _FILL_WEIGHT))
        for m, (means, rgb, depth) in zip(maps, parts, strict=True)
    ]


def _sparse(capture: Capture, maps: Sequence[DepthMap]) -> _Samples:
    views = [m.view for m in maps]
    kept = Seen.of(capture.points, views)
    footprint = np.full(len(kept.means), np.inf)
    for row, m in enumerate(maps):
        z = project(m.camera, kept.means)[1]
        footprint = np.where(kept.by_view[row] & (z > 0), np.minimum(footprint, z / m.camera.fx), footprint)
    rgb = capture.points.rgb[kept.rows] / F(255)
    whole = _Samples(kept.means, rgb, np.zeros_like(kept.means), footprint, np.ones(len(kept.means)))
    return whole[np.isfinite(footprint)]


def _thinned(samples: _Samples, count: int, rng: np.random.Generator) -> _Samples:
    """At most ``count`` of them, evenly spread as seen: the distance they keep is as many pixels as it takes."""
    fine = _fused(samples)
    if len(fine) <= count:
        return fine
    level = _level(fine.footprint)
    order = np.lexsort((rng.random(len(fine)), fine.weight < 0.01))  # guessed points choose last
    fewest, most, pixels = 0.5, np.inf, (len(fine) / count) ** 0.5
    kept, best = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for _ in range(_TRIES):
        kept = spread(fine.means, pixels * fine.footprint, level, order)
        if len(kept) <= count:
            most, best = pixels, kept if len(kept) > len(best) else best
            if len(kept) > 0.97 * count:
                break
        else:
            fewest = pixels
        # The number falls with the square of the distance where all is surface; should that leave the bracket, halve it.
        guess = pixels * (len(kept) / (0.985 * count)) ** 0.5
        pixels = guess if fewest < guess < most else (fewest * min(most, 2 * guess)) ** 0.5
    if not len(best):
        best = kept[:count]
    return _gathered(fine, best, most if np.isfinite(most) else pixels)


def _gathered(fine: _Samples, kept: np.ndarray, pixels: float) -> _Samples:
    """The kept samples, each the mean of those that are nearer to it than to any other and not beyond its distance."""
    distance, nearest = (np.asarray(a) for a in KDTree(fine.means[kept]).query(fine.means, workers=machine_threads()))
    own = distance < pixels * fine.footprint
    own[kept] = True
    return _averaged(fine[np.flatnonzero(own)], nearest[own], len(kept))


def _fused(samples: _Samples) -> _Samples:
    """One mean per cell of a pixel's size; cells double in size from level to level."""
    level = _level(samples.footprint)
    cell = np.unique(_cells(samples.means, level, float(np.median(samples.footprint))), return_inverse=True)[1]
    return _averaged(samples, cell, int(cell.max()) + 1)


def _averaged(samples: _Samples, group: np.ndarray, number: int) -> _Samples:
    """The weighted mean of every group, numbered from 0; normals that cancel out are unknown."""
    weight = np.bincount(group, samples.weight, number)

    def mean(values: np.ndarray) -> np.ndarray:
        columns = values.reshape(len(values), -1).T
        return np.stack([np.bincount(group, samples.weight * c, number) / weight for c in columns], 1)

    normals = mean(samples.normals)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 0.5, normals / np.maximum(length, 1e-9), 0)
    return _Samples(mean(samples.means), mean(samples.rgb), normals, mean(samples.footprint)[:, 0], weight)


def _level(footprint: np.ndarray) -> np.ndarray:
    """Powers of two from the middle one."""
    return np.clip(np.round(np.log2(footprint / np.median(footprint))), -10, 20).astype(np.int64)


def _cells(means: np.ndarray, level: np.ndarray, unit: float) -> np.ndarray:
    """One number per cell: 19 bits an axis, 6 for the level."""
    place = np.floor(means / (unit * 2.0**level)[:, None])
    x, y, z = (np.clip(place, -(2**18), 2**18 - 1).astype(np.int64) + 2**18).T
    return (level + 16) << 57 | x << 38 | y << 19 | z


def _spacing(means: np.ndarray) -> np.ndarray:
    """Root mean square distance to three neighbours; outliers are held at twice the 98th percentile."""
    k = min(4, len(means))
    if k < 2:
        return np.ones(len(means), F)
    distance = KDTree(means).query(means, k=k)[0][:, 1:]
    spacing = np.sqrt((distance**2).mean(1))
    return np.clip(spacing, 1e-9, 2 * np.percentile(spacing, 98)).astype(F)
