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

F = np.float32
_MOST_PIXELS = 2_000_000  # of all maps together; more are thinned evenly before anything else
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

    Pixels with depth are averaged in cells whose size follows the size of a pixel there, so that near things get more points and
    every part of every picture about as many; holes in the maps are filled from around them; cells grow until the number
    fits. Points of the capture seen by fewer than two of the maps' views are not used.
    """
    everything = _Samples.joined([*_dense(capture, depth_maps), *_holes(capture, depth_maps), _sparse(capture, depth_maps)])
    everything = everything[np.flatnonzero(np.isfinite(everything.means).all(axis=1))]
    if not len(everything):
        none = np.zeros((0, 3), F)
        return StartPoints(none, none, none, np.zeros(0, F))
    chosen = _thinned(everything, count)
    if len(chosen) > count:
        chosen = chosen[np.sort(np.random.default_rng(seed).choice(len(chosen), count, replace=False))]
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


def _thinned(samples: _Samples, count: int) -> _Samples:
    """Fused in the smallest cells, in pixels a side, that give about ``count`` points."""
    fine = _fused(samples, 1.0)
    if len(fine) <= count:
        return fine
    low, high, best = 1.0, 2.0, fine
    while len(best := _fused(fine, high)) > count and high < 1e4:
        low, high = high, 2 * high
    for _ in range(6):
        middle = (low * high) ** 0.5
        candidate = _fused(fine, middle)
        if len(candidate) > 1.02 * count:
            low = middle
        else:
            high, best = middle, candidate
    return best


def _fused(samples: _Samples, pixels: float) -> _Samples:
    """One mean per cell of ``pixels`` footprints a side; coarse cells in which finer ones lie are left out.

    Cells double in size from level to level, so that what was seen from near and from far does not share a grid too fine or too
    coarse for it.
    """
    unit = float(np.median(samples.footprint))
    level = np.clip(np.round(np.log2(samples.footprint / unit)), -10, 20).astype(np.int64)
    keys = _cells(samples.means, level, unit * pixels)
    _, inverse = np.unique(keys, return_inverse=True)
    number = int(inverse.max()) + 1
    weight = np.bincount(inverse, samples.weight, number)

    def mean(values: np.ndarray) -> np.ndarray:
        columns = values.reshape(len(values), -1).T
        return np.stack([np.bincount(inverse, samples.weight * c, number) / weight for c in columns], 1)

    normals = mean(samples.normals)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 0.5, normals / np.maximum(length, 1e-9), 0)
    cell_level = np.zeros(number, np.int64)
    cell_level[inverse] = level
    fused = _Samples(mean(samples.means), mean(samples.rgb), normals, mean(samples.footprint)[:, 0], weight)
    keep = np.ones(number, np.bool_)
    for coarse in np.unique(cell_level)[1:].tolist():
        here, finer = cell_level == coarse, keep & (cell_level < coarse)
        taken = _cells(fused.means[finer], np.full(finer.sum(), coarse), unit * pixels)
        keep[here] = ~np.isin(_cells(fused.means[here], np.full(here.sum(), coarse), unit * pixels), taken)
    return fused[keep]


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
