"""Finding the box of a room: four walls, a floor and a ceiling whose meeting lines show as edges in the panorama.

After the geometry of LayoutNet and HorizonNet, without their networks: per column the two rows where walls meet floor and
ceiling, tied together by one eye height and one ceiling, and the best box over all columns at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from spatialwm.lift.image.panorama.edges import Edges
from spatialwm.lift.image.panorama.layout import Layout

_DISTANCES_M = np.geomspace(0.5, 12.0, 96)
_CEILINGS_M = np.linspace(0.45, 2.6, 44)
"""Above the eye: rooms of 2.05 to 4.2 m."""
_AZIMUTHS = 360
_GRID_V, _GRID_U = 720, 180
"""An eighth of a degree of tilt, one of azimuth."""
_ONE_EDGE = 0.13
_SEEN, _LEAST_SEEN = 0.3, 0.15
"""Shares of the borders: rooms have 0.38 and 0.28 or more, a street 0.25 and 0.03, a churchyard 0.21 and 0.19."""
_COARSE_RAD, _FINE_RAD = math.radians(0.8), math.radians(0.3)
_CEILING_SHARE, _CORNER_SHARE = 1.6, 0.35
"""Furniture hides the floor's border, hardly ever the ceiling's; and what an upright corner is worth in radians of border."""
_TURN = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""(x, z) of the walls' outward normals: ahead, right, behind, left."""


@dataclass(frozen=True, slots=True)
class Room:
    """A box, and the shares of its borders with the floor and with the ceiling on which an edge was seen."""

    layout: Layout
    seen_floor: float
    seen_ceiling: float

    @property
    def clear(self) -> bool:
        """Whether that is more than chance puts there."""
        return min(self.seen_floor, self.seen_ceiling) > _LEAST_SEEN and self.seen_floor + self.seen_ceiling > 2 * _SEEN


def find_room(edges: Edges, eye_m: float) -> Room:
    """The box whose borders are seen best: first of all boxes, then of those near it, to a centimetre.

    Args:
        edges: straightened, in a level frame whose axes are the walls'.
        eye_m: of the viewer above the floor, which sets the scale.
    """
    uprights = _upright(edges)
    borders = _Borders(edges, +1, _COARSE_RAD), _Borders(edges, -1, _COARSE_RAD)
    walls = np.broadcast_to(_DISTANCES_M, (4, len(_DISTANCES_M)))
    found, ceiling_m = _best_box(borders, uprights, eye_m, walls, _CEILINGS_M)
    borders = _Borders(edges, +1, _FINE_RAD), _Borders(edges, -1, _FINE_RAD)
    walls, ceilings = found[:, None] * np.linspace(0.94, 1.06, 49), ceiling_m + np.linspace(-0.06, 0.06, 13)
    found, ceiling_m = _best_box(borders, uprights, eye_m, walls, ceilings)
    ahead, right, behind, left = (float(v) for v in found)
    layout = Layout.box(right, ahead, left, behind, eye_m, ceiling_m)
    return Room(layout, *_coverage(*borders, found, eye_m, ceiling_m))


def _best_box(
    borders: tuple[_Borders, _Borders],
    uprights: Float[np.ndarray, " n"],
    eye_m: float,
    walls: Float[np.ndarray, "4 n"],
    ceilings: Float[np.ndarray, " m"],
) -> tuple[Float[np.ndarray, " 4"], float]:
    """Of all combinations of distances of the walls and heights of the ceiling."""
    best, found = -1.0, (np.zeros(4), 0.0)
    for ceiling_m in ceilings:
        halves = [_half_walls(*borders, eye_m, ceiling_m, wall, walls[wall]) for wall in range(4)]
        # pairs[k][a, b]: what wall k at distance a and wall k+1 at distance b show between their middles.
        pairs = []
        for k in range(4):
            azimuth = np.arctan2(walls[(k + 1) % 4][None, :], walls[k][:, None])  # of the corner, from wall k's normal
            right = _at(halves[k][1], azimuth)
            left = _at(halves[(k + 1) % 4][0], math.pi / 2 - azimuth.T).T
            # The corner is `azimuth` clockwise of wall k's normal, which lies at k quarter turns.
            bins = ((azimuth + k * math.pi / 2) / (2 * math.pi) * _AZIMUTHS).astype(int) % _AZIMUTHS
            pairs.append(right + left + _CORNER_SHARE * uprights[bins])
        score, chosen = _best_cycle(pairs)
        if score > best:
            best, found = score, (walls[np.arange(4), chosen], float(ceiling_m))
    return found


class _Borders:
    """Evidence for the borders of the four walls with the floor (or ceiling), by distance and by azimuth along the wall."""

    def __init__(self, edges: Edges, down: int, blur_rad: float) -> None:
        self.seen = np.zeros((4, _GRID_V, _GRID_U), np.float32)
        d, n = edges.directions, edges.normals
        chosen = d[:, 1] * down > math.sin(math.radians(2))
        d, n, weights = d[chosen], n[chosen], edges.weights[chosen]
        for wall, (x, z) in enumerate(_TURN):
            out = d[:, 0] * x + d[:, 2] * z
            aside = d[:, 0] * z - d[:, 2] * x  # to the right along the wall, when facing it
            along = np.abs(n[:, 0] * z - n[:, 2] * x)  # a border is level and square to the normal
            good = (out > 0.05) & (along < math.sin(math.radians(2.5)))
            tilt = np.arctan2(np.abs(d[good, 1]), out[good])  # of the plane through the eye and the border
            azimuth = np.arctan2(aside[good], out[good])
            v = np.clip((tilt / (math.pi / 2) * _GRID_V).astype(int), 0, _GRID_V - 1)
            u = np.clip(((azimuth / math.pi + 0.5) * _GRID_U).astype(int), 0, _GRID_U - 1)
            np.add.at(self.seen[wall], (v, u), weights[good])
        self.seen = _presence(self.seen, blur_rad)


def _presence(seen: np.ndarray, blur_rad: float) -> np.ndarray:
    """0..1: whether an edge is there, within the blur; more of it does not count for more."""
    sigma_v = blur_rad / (math.pi / 2 / _GRID_V)
    soft = gaussian_filter(seen, (0, sigma_v, 1.5), mode="nearest")
    return 1 - np.exp(-soft * sigma_v / _ONE_EDGE)


def _half_walls(
    floors: _Borders, ceilings: _Borders, eye_m: float, ceiling_m: float, wall: int, distances: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative evidence (distance, azimuth from the wall's middle) to the left and to the right, radians of border."""
    rows_floor = np.clip((np.arctan2(eye_m, distances) / (math.pi / 2) * _GRID_V).astype(int), 0, _GRID_V - 1)
    rows_ceiling = np.clip((np.arctan2(ceiling_m, distances) / (math.pi / 2) * _GRID_V).astype(int), 0, _GRID_V - 1)
    both = floors.seen[wall, rows_floor] + _CEILING_SHARE * ceilings.seen[wall, rows_ceiling]
    step = math.pi / _GRID_U
    middle = _GRID_U // 2
    return np.cumsum(both[:, :middle][:, ::-1], 1) * step, np.cumsum(both[:, middle:], 1) * step


def _at(cumulative: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """Evidence of row a's wall up to ``azimuth[a, b]``."""
    index = np.clip((azimuth / math.pi * _GRID_U).astype(int), 0, cumulative.shape[1] - 1)
    return np.take_along_axis(cumulative, index, 1)


def _upright(edges: Edges) -> Float[np.ndarray, " n"]:
    """0..1 per azimuth, clockwise from ahead: whether an upright edge stands there."""
    chosen = np.abs(edges.normals[:, 1]) < math.sin(math.radians(1.5))
    azimuth = np.arctan2(edges.directions[chosen, 0], edges.directions[chosen, 2]) % (2 * math.pi)
    counts, _ = np.histogram(azimuth, _AZIMUTHS, (0, 2 * math.pi), weights=edges.weights[chosen])
    soft = counts + 0.6 * (np.roll(counts, 1) + np.roll(counts, -1))
    return 1 - np.exp(-soft / 4.0)


def _best_cycle(pairs: list[np.ndarray]) -> tuple[float, np.ndarray]:
    """The four choices that maximise ``pairs[0][a, b] + pairs[1][b, c] + pairs[2][c, d] + pairs[3][d, a]``."""
    # Joining two steps keeps the best middle for each pair of ends.
    first = pairs[0][:, :, None] + pairs[1][None]
    second = pairs[2][:, :, None] + pairs[3][None]
    via_b, via_d = first.argmax(1), second.argmax(1)
    total = np.take_along_axis(first, via_b[:, None], 1)[:, 0] + np.take_along_axis(second, via_d[:, None], 1)[:, 0].T
    a, c = np.unravel_index(int(total.argmax()), total.shape)
    return float(total[a, c]), np.array([a, via_b[a, c], c, via_d[c, a]])


def _coverage(floors: _Borders, ceilings: _Borders, walls: np.ndarray, eye_m: float, ceiling_m: float) -> tuple[float, float]:
    """Share of all azimuths at which the floor's border, and the ceiling's, is seen."""
    total, shares = 0.0, np.zeros(2)
    for wall in range(4):
        ends = -math.atan2(walls[(wall - 1) % 4], walls[wall]), math.atan2(walls[(wall + 1) % 4], walls[wall])
        u = np.arange(*(int((e / math.pi + 0.5) * _GRID_U) for e in ends))
        for k, (borders, height_m) in enumerate(((floors, eye_m), (ceilings, ceiling_m))):
            v = min(int(math.atan2(height_m, walls[wall]) / (math.pi / 2) * _GRID_V), _GRID_V - 1)
            shares[k] += float(borders.seen[wall, v, u].sum())
        total += len(u)
    return float(shares[0] / total), float(shares[1] / total)
