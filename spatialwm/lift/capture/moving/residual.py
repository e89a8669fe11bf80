"""How far what neighbouring pictures show of a place is from anything that stands still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.dense.depth_map import transfer
from spatialwm.lift.capture.moving.matching import CELL, Level, likeness_at_rest, match, there_and_back

F = np.float32
ALIKE = 0.8
"""Least correlation of a match that is believed."""
RETURNS_PX = 1.5
"""At most, from where it started, after going there and back."""
DEPTHS = 64
"""Tried, evenly in inverse depth from the horizon to the nearest."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A view at working size."""

    camera: Camera
    levels: list[Level]
    inverse_limit: float
    """Inverse depth of the nearest that anything is."""
    usable: Bool[np.ndarray, "rows columns"]
    """By cell."""

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = self.levels[0].brightness.shape
        return height // CELL, width // CELL


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Where the cells of one view went in others."""

    others: tuple[int, ...]
    flows: Float[np.ndarray, "others rows columns 2"]
    believed: Bool[np.ndarray, "others rows columns"]
    likeness: Float[np.ndarray, "others rows columns"]


def followed(work: Sequence[Work], pairs: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]], i: int) -> Followed:
    """What all matches of a view with others say, each believed where it holds in both directions."""
    others = tuple(sorted(b for a, b in pairs if a == i))
    flows, believed, likeness = [], [], []
    for j in others:
        flow, alike = pairs[i, j]
        flows.append(flow)
        likeness.append(alike)
        believed.append((alike > ALIKE) & there_and_back(flow, pairs[j, i][0], RETURNS_PX) & work[i].usable)
    return Followed(others, np.stack(flows), np.stack(believed), np.stack(likeness))


def matches(work: Sequence[Work], i: int, j: int) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    """Both directions of a pair."""
    return {(i, j): match(work[i].levels, work[j].levels), (j, i): match(work[j].levels, work[i].levels)}


def off_rest(
    work: Sequence[Work], i: int, seen: Followed
) -> tuple[Float[np.ndarray, "rows columns 2"], Float[np.ndarray, "rows columns"]]:
    """Pixels that a cell's matches are off the best place at rest that could explain them all.

    The depth of that place is free, so the distance is from the epipolar lines where one match is known, and also along them
    where there are more. What goes steadily along the camera's own path, as a car ahead, cannot be told from something at rest
    at another depth: no picture differs.

    Returns:
        The offset in the picture where it is largest, and the root mean square over the pictures; NaN with fewer than two.
    """
    rows, columns = work[i].cells
    y, x = np.mgrid[:rows, :columns] * CELL + CELL // 2 + 0.5
    pixels = np.stack([x, y, np.ones_like(x)], -1)
    inverse = np.linspace(0, work[i].inverse_limit, DEPTHS)
    offsets = np.empty((len(seen.others), rows, columns, DEPTHS, 2), F)
    for k, j in enumerate(seen.others):
        matrix, shift = transfer(work[j].camera, work[i].camera)
        places = (pixels @ matrix.T)[:, :, None] + inverse[:, None] * shift
        ahead = places[..., 2] > 1e-6
        uv = places[..., :2] / np.where(ahead, places[..., 2], 1.0)[..., None]
        offsets[k] = np.where(ahead[..., None], (pixels[..., :2] + seen.flows[k])[:, :, None] - uv, 1e3)
    weight = seen.believed[..., None].astype(F)
    count = seen.believed.sum(0)
    square = ((offsets**2).sum(-1) * weight).sum(0) / np.maximum(count, 1)[..., None]
    best = square.argmin(-1)
    rms = np.sqrt(np.take_along_axis(square, best[..., None], -1)[..., 0])
    there = np.take_along_axis(offsets, best[None, ..., None, None], 3)[:, :, :, 0] * weight
    largest = (there**2).sum(-1).argmax(0)
    vector = np.take_along_axis(there, largest[None, ..., None], 0)[0]
    return vector, np.where(count >= 2, rms, np.nan)


def likeness_lost(
    work: Sequence[Work], i: int, seen: Followed, asked: Bool[np.ndarray, "rows columns"]
) -> Float[np.ndarray, "rows columns"]:
    """How much less alike the pictures are where the asked cells would lie at rest than where they were matched; 0 elsewhere.

    An edge can be matched anywhere along itself, and a pattern one period on: at rest those are as alike.
    """
    out = np.zeros(asked.shape, F)
    cells = np.argwhere(asked)
    if not len(cells):
        return out
    ys, xs = (cells * CELL + CELL // 2).T
    planes = [work[j].levels[0] for j in seen.others]
    heights, widths = np.array([p.brightness.shape for p in planes]).T
    brightness = np.concatenate([p.brightness.ravel() for p in planes])
    means = np.concatenate([p.means.ravel() for p in planes])
    inverse_deviations = np.concatenate([p.inverse_deviations.ravel() for p in planes])
    starts = np.cumsum([0, *(p.brightness.size for p in planes[:-1])])
    matrices, offsets = (np.stack(x) for x in zip(*(transfer(work[j].camera, work[i].camera) for j in seen.others), strict=True))
    counted = np.ascontiguousarray(seen.believed[:, asked].T)
    at_rest = np.empty(len(cells), F)
    here = work[i].levels[0]
    likeness_at_rest(
        here.brightness, here.means, here.inverse_deviations, np.ascontiguousarray(ys), np.ascontiguousarray(xs),
        brightness, means, inverse_deviations, starts, np.ascontiguousarray(widths), np.ascontiguousarray(heights),
        matrices, offsets, np.linspace(0, work[i].inverse_limit, DEPTHS), counted, at_rest,
    )  # fmt: skip
    matched = (seen.likeness * seen.believed).sum(0)[asked] / np.maximum(counted.sum(1), 1)
    out[asked] = matched - at_rest
    return out
