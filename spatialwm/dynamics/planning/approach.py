"""The pusher's way round the objects, without touching any: found on a grid, for no model is needed where nothing moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from spatialwm.dynamics.planning.quasistatic import Slider, clearance

CELL_M = 0.012
MARGIN_M = 0.008
"""Wanted between pusher and objects: outlines are known through samples, and pushers cut corners."""
_NEAR, _TOUCHING = 8.0, 400.0
"""What a metre costs within the margin, and through an object; the way begins at the object that was pushed last."""
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))


@dataclass(frozen=True)
class FreeSpace:
    """Where a pusher can go between objects that stay where they are."""

    low: Float[np.ndarray, " 2"]
    high: Float[np.ndarray, " 2"]
    """Of the pusher's middle."""
    radius_m: float
    sliders: Sequence[Slider]
    start: Float[np.ndarray, " 2"]
    """Where the pusher is."""
    out: Float[np.ndarray, "m 2"] | None = None
    """Corners that lead to the start from where the pusher really is."""

    def retreated(self, back: Float[np.ndarray, "m 2"]) -> FreeSpace:
        """From farther back on the way the pusher came, where it touches nothing: the one direction that is surely free.

        Outlines are convex, so a pusher in the hollow of an object seems to be inside it.
        """
        if float(self.gap(self.start[None])[0]) > MARGIN_M:
            return self
        clear = np.flatnonzero(self.gap(back) > MARGIN_M)
        if not len(clear):
            return self
        first = int(clear[0])
        return replace(self, start=back[first].astype(np.float64), out=np.concatenate([self.start[None], back[: first + 1]]))

    def gap(self, points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
        """Metres between a pusher at these points and the nearest object; negative where they overlap."""
        least = np.full(len(points), np.inf)
        for s in self.sliders:
            least = np.minimum(least, clearance(s, np.array([*s.center, 0.0]), points))
        return least - self.radius_m

    def reachable(self, points: Float[np.ndarray, "n 2"]) -> np.ndarray:
        """Which points the pusher can stand on and come to without moving anything."""
        inside = ((points >= self.low) & (points <= self.high)).all(1)
        out = np.zeros(len(points), bool)
        out[inside] = self._open[self._cells(points[inside])] & (self.gap(points[inside]) > 0.4 * MARGIN_M)
        return out

    def way_to(self, point: Float[np.ndarray, " 2"]) -> Float[np.ndarray, "m 2"]:
        """Corners of a way from the start to a point; straight where that is free."""
        cell = int(self._cells(point[None])[0])
        cells = [cell]
        while (cell := int(self._before[cell])) >= 0:
            cells.append(cell)
        corners = np.concatenate([self.start[None], self._centers[cells[::-1]][1:-1], point[None]])
        way = self._shortened(corners)
        return way if self.out is None else np.concatenate([self.out, way[1:]])

    @cached_property
    def _shape(self) -> tuple[int, int]:
        nx, ny = (int(n) for n in np.ceil((self.high - self.low) / CELL_M) + 1)
        return nx, ny

    @cached_property
    def _centers(self) -> np.ndarray:
        nx, ny = self._shape
        x, y = np.meshgrid(np.linspace(self.low[0], self.high[0], nx), np.linspace(self.low[1], self.high[1], ny), indexing="ij")
        return np.stack([x.reshape(-1), y.reshape(-1)], 1)

    def _cells(self, points: np.ndarray) -> np.ndarray:
        shape = np.array(self._shape)
        index = np.rint((points - self.low) / (self.high - self.low) * (shape - 1)).astype(int)
        index = np.clip(index, 0, shape - 1)
        return index[:, 0] * shape[1] + index[:, 1]

    @cached_property
    def _price(self) -> np.ndarray:
        gap = self.gap(self._centers)
        return np.where(gap < 0, _TOUCHING, np.where(gap < MARGIN_M, _NEAR, 1.0))

    @cached_property
    def _search(self) -> tuple[np.ndarray, np.ndarray]:
        nx, ny = self._shape
        index = np.arange(nx * ny).reshape(nx, ny)
        rows, cols, prices = [], [], []
        for dx, dy in _STEPS:
            a = index[: nx - dx, max(0, -dy) : ny - max(0, dy)].reshape(-1)
            b = index[dx:, max(0, dy) : ny - max(0, -dy)].reshape(-1)
            rows.append(a)
            cols.append(b)
            prices.append(np.hypot(dx, dy) * CELL_M * (self._price[a] + self._price[b]) / 2)
        graph = csr_matrix((np.concatenate(prices), (np.concatenate(rows), np.concatenate(cols))), shape=(nx * ny, nx * ny))
        price, before = dijkstra(graph, directed=False, indices=self._cells(self.start[None])[0], return_predecessors=True)
        return price, before

    @property
    def _before(self) -> np.ndarray:
        return self._search[1]

    @cached_property
    def _open(self) -> np.ndarray:
        """Cells that a way arrives at which leaves the object that the start touches, if any, and then enters none."""
        before, touching = self._before, self._price >= _TOUCHING
        order = np.argsort(self._search[0])
        left = np.zeros(len(order), bool)
        out = np.zeros(len(order), bool)
        for cell in order:
            last = before[cell]
            if last < 0:
                left[cell], out[cell] = not touching[cell], True
            else:
                out[cell] = out[last] and not (left[last] and touching[cell])
                left[cell] = left[last] or not touching[cell]
        return out & ~touching

    def _shortened(self, corners: np.ndarray) -> np.ndarray:
        kept, at = [corners[0]], 0
        while at < len(corners) - 1:
            ahead = len(corners) - 1
            while ahead > at + 1 and not self._clear(corners[at], corners[ahead]):
                ahead -= 1
            kept.append(corners[ahead])
            at = ahead
        return np.array(kept)

    def _clear(self, a: np.ndarray, b: np.ndarray) -> bool:
        count = max(2, int(np.linalg.norm(b - a) / 0.005))
        line = a + (b - a) * np.linspace(0, 1, count)[:, None]
        gap = self.gap(line)
        # At its ends a way may be nearer to an object than it would pass one.
        return bool((gap[1:] >= min(MARGIN_M, gap[0], gap[-1]) - 1e-6).all())


def paced(corners: Float[np.ndarray, "m 2"], step_m: float) -> Float[np.ndarray, "t 2"]:
    """Points along a way, at most ``step_m`` apart, that end at its end; none for a way of no length."""
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    whole = float(lengths.sum())
    if whole < 1e-9:
        return np.zeros((0, 2))
    count = int(np.ceil(whole / step_m))
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    way = np.linspace(0, whole, count + 1)[1:]
    return np.stack([np.interp(way, ends, corners[:, i]) for i in (0, 1)], 1)
