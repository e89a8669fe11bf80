"""One camera's passage through the kernels: project, shade, bin into tiles, blend; and the gradients of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spatialwm.render.cpu.cache import kernels_cached_for
from spatialwm.render.cpu.layout import CHANNELS, FRUSTUM_MARGIN, OPACITY, TILE_H, TILE_W, A, C, X, Y
from spatialwm.render.cpu.threads import run, spans

with kernels_cached_for(Path(__file__).parent):
    from spatialwm.render.cpu import bin as binning
    from spatialwm.render.cpu import blend as blending
    from spatialwm.render.cpu import blend_vjp as blending_vjp
    from spatialwm.render.cpu import channels as shading
    from spatialwm.render.cpu import project as projection
    from spatialwm.render.cpu import project_vjp as projection_vjp

CHANNEL_GROUPS = (1, 3, 4, 8)
"""Channel counts with a compiled kernel of their own; others are padded, or split into groups of the largest."""

_CHUNK = 8192
"""Gaussians per job. Fixed, so that sums over chunks do not depend on the number of threads."""
_JOBS_PER_THREAD = 8  # more, smaller jobs than threads: tiles differ in cost, an idle thread takes the next
_SERIAL_BELOW = 4096  # Gaussians; below it handing work to threads costs more than the work


class Source(NamedTuple):
    """The Gaussians as contiguous float32 arrays."""

    means: np.ndarray
    quats: np.ndarray
    scales: np.ndarray
    opacities: np.ndarray


class Frame:
    """The splats that one camera sees, as rows in the order of the Gaussians. Call the methods in the order they are written."""

    def __init__(
        self, view: np.ndarray, axis: np.ndarray, K: np.ndarray, width: int, height: int, *, near: float, far: float,
        eps2d: float, antialiased: bool, lanes: int, threads: int,
    ) -> None:
        """``view`` is cam_from_world (4, 4), ``axis`` its third row in float64."""
        fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
        mx, my = FRUSTUM_MARGIN * 0.5 * width / fx, FRUSTUM_MARGIN * 0.5 * height / fy
        self.limits = np.array([-cx / fx - mx, (width - cx) / fx + mx, -cy / fy - my, (height - cy) / fy + my], np.float32)
        self.world_from_cam = np.linalg.inv(view.astype(np.float64))
        self.eye = self.world_from_cam[:3, 3].astype(np.float32)
        self.view, self.axis, self.K, self.width, self.height = view, axis, K, width, height
        self.near, self.far, self.eps2d, self.antialiased = np.float32(near), np.float32(far), np.float32(eps2d), antialiased
        self.lanes, self.machine_threads = lanes, threads

    def __len__(self) -> int:
        return len(self.index)

    def project(self, source: Source, channels: int) -> int:
        """Find what is visible, with room for ``channels`` per record; returns how many Gaussians are not finite."""
        n = len(source.means)
        self.threads = 1 if n < _SERIAL_BELOW and self.width * self.height < 128 * 128 else self.machine_threads
        index, depths = np.empty(n, np.int32), np.empty(n, np.float32)
        rects, radii = np.empty((n, 4), np.int16), np.empty((n, 2), np.int32)
        splats = _aligned(n, CHANNELS + max(6, min(CHANNEL_GROUPS[-1], channels)))

        def job(start: int, stop: int) -> tuple[int, int, int]:
            visible, bad = projection.project(
                start, stop, *source, self.view, self.axis, self.K, self.limits, self.width, self.height, self.near, self.far,
                self.eps2d, self.antialiased, index, splats, depths, rects, radii,
            )  # fmt: skip
            return start, visible, bad

        visible = not_finite = 0
        for start, count, bad in self._chunks(n, job):
            if start != visible and count:
                projection.close_gap(start, visible, count, index, splats, depths, rects, radii)
            visible += count
            not_finite += bad
        self.index, self.depths, self.rects, self.radii, self.splats = (
            rows[:visible] for rows in (index, depths, rects, radii, splats)
        )
        self.loaded = (0, 0, 0)
        return not_finite

    def shade(self, means: np.ndarray, sh: np.ndarray | None, bases: int, plain: list[np.ndarray], with_depth: bool) -> int:
        """Fill ``channels`` (m, d): SH colours, plain values, depth; returns how many are not finite."""
        colors = 0 if sh is None else 3
        count = colors + sum(p.shape[1] for p in plain) + with_depth
        self.channels = np.empty((len(self), count), np.float32)
        not_finite = 0
        if sh is not None:
            not_finite += sum(self._chunks(
                len(self), lambda a, b: shading.shade(a, b, self.index, means, self.eye, sh, bases, self.channels)))  # fmt: skip
        column = colors
        for values in plain:
            not_finite += sum(self._chunks(len(self), partial(self._copy_in, values, column)))
            column += values.shape[1]
        if with_depth:
            self.channels[:, column] = self.depths
        return not_finite

    def _copy_in(self, values: np.ndarray, column: int, start: int, stop: int) -> int:
        return shading.copy_in(start, stop, self.index, values, self.channels, column)

    def bin(self, *, with_slots: bool) -> None:
        """Tile lists, nearest first; with slots for gradients, one per splat and tile."""
        tiles_x, tiles_y = -(-self.width // TILE_W), -(-self.height // TILE_H)
        parts = spans(len(self), self.threads)
        counts = np.zeros((max(len(parts), 1), tiles_x * tiles_y), np.int64)
        touched = np.empty(len(self), np.int32)
        found = run([partial(binning.find_tiles, a, b, self.splats, self.rects, self.width, tiles_x, counts[p], touched)
                     for p, (a, b) in enumerate(parts)], self.threads)  # fmt: skip
        self.starts = binning.tile_starts(counts)
        entries = self.starts[-1]
        words, self.lists = np.empty(entries, np.uint64), np.empty(entries, np.int32)
        self.slots, owner = (np.empty(entries if with_slots else 0, np.int32) for _ in range(2))
        self.first_slot = np.concatenate([[0], np.cumsum(touched, dtype=np.int64)]) if with_slots else np.zeros(0, np.int64)
        run([partial(binning.scatter_tiles, a, b, found[p], touched, self.depths, counts[p], self.first_slot, owner, words)
             for p, (a, b) in enumerate(parts)], self.threads)  # fmt: skip
        self._tiles(partial(binning.sort_tiles, starts=self.starts, words=words, owner=owner, lists=self.lists, slots=self.slots))

    def blend(self, background: np.ndarray, *, with_ids: bool) -> None:
        """Fill ``image``, ``alpha`` and ``ids``."""
        self.image = np.empty((self.height, self.width, self.channels.shape[1]), np.float32)
        self.alpha = np.empty((self.height, self.width), np.float32)
        self.ids = np.empty((self.height, self.width) if with_ids else (0, 0), np.int32)
        for first, count, size in _groups(self.channels.shape[1], CHANNEL_GROUPS[-1]):
            self._load(first, count, size)
            track = (0,) if with_ids and first == 0 else ()
            self._tiles(partial(
                blending.blend, (0,) * self.lanes, (0,) * size, track, starts=self.starts, lists=self.lists, index=self.index,
                splats=self.splats, background=background, first=first, count=count, image=self.image, alpha=self.alpha,
                ids=self.ids,
            ))  # fmt: skip

    @property
    def means2d(self) -> np.ndarray:
        """Projected centres, px (m, 2)."""
        return self.splats[:, X : Y + 1]

    @property
    def conics(self) -> np.ndarray:
        """Inverse 2D covariances (m, 3)."""
        return self.splats[:, A : C + 1]

    @property
    def opacities(self) -> np.ndarray:
        """After the antialiasing compensation (m,)."""
        return self.splats[:, OPACITY]

    def blend_vjp(self, v_image: np.ndarray, v_alpha: np.ndarray, *, absgrad: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gradients per row: of centre, conic and opacity (m, 6); of the channels (m, d); absolute ones of the centre (m, 2)."""
        geometry, absolute = np.zeros((len(self), 6), np.float32), np.zeros((len(self), 2 if absgrad else 0), np.float32)
        v_channels = np.empty_like(self.channels)
        # Absolute values do not add up over groups: all channels in one, compiled on first use where there are many.
        largest = max(self.channels.shape[1], CHANNEL_GROUPS[-1]) if absgrad else CHANNEL_GROUPS[-1]
        for first, count, size in _groups(self.channels.shape[1], largest):
            self._load(first, count, size)
            by_slot = np.empty((len(self.slots), 6 + size + absolute.shape[1]), np.float32)
            self._tiles(partial(
                blending_vjp.blend_vjp, (0,) * self.lanes, (0,) * size, (0,) if absgrad else (), starts=self.starts,
                lists=self.lists, slots=self.slots, splats=self.splats, first=first, count=count, image=self.image,
                alpha=self.alpha, v_image=v_image, v_alpha=v_alpha, by_slot=by_slot,
            ))  # fmt: skip
            self._chunks(len(self), partial(self._collect, by_slot, size, first, count, geometry, v_channels, absolute))
        return geometry, v_channels, absolute

    def _collect(
        self, by_slot: np.ndarray, size: int, first: int, count: int, geometry: np.ndarray, v_channels: np.ndarray,
        absolute: np.ndarray, start: int, stop: int,
    ) -> None:  # fmt: skip
        blending_vjp.collect(start, stop, self.first_slot, by_slot, size, first, count, geometry, v_channels, absolute)

    def shade_vjp(
        self, means: np.ndarray, sh: np.ndarray, bases: int, v_channels: np.ndarray, v_sh: np.ndarray, v_means: np.ndarray
    ) -> np.ndarray:
        """Add gradients to the SH coefficients and the means; returns that of the view matrix (4, 4)."""

        def job(start: int, stop: int) -> np.ndarray:
            v_eye = np.zeros(3)
            shading.shade_vjp(start, stop, self.index, means, self.eye, sh, bases, self.channels, v_channels, v_sh, v_means,
                              v_eye)  # fmt: skip
            return v_eye

        v_inverse = np.zeros((4, 4))
        v_inverse[:3, 3] = np.sum([np.zeros(3), *self._chunks(len(self), job)], axis=0)
        return -self.world_from_cam.T @ v_inverse @ self.world_from_cam.T

    def copy_out(self, v_channels: np.ndarray, column: int, v_values: np.ndarray) -> None:
        """Add the gradient of plain values that :meth:`shade` put at ``column``."""
        self._chunks(len(self), lambda a, b: shading.copy_out(a, b, self.index, v_channels, column, v_values))

    def project_vjp(
        self, source: Source, totals: Source, v_means2d: np.ndarray, v_conics: np.ndarray, v_opacities: np.ndarray,
        v_depths: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """Add gradients to those of the Gaussians in ``totals``; returns that of the view matrix (4, 4)."""

        def job(start: int, stop: int) -> np.ndarray:
            v_view = np.zeros((3, 4))
            projection_vjp.project_vjp(
                start, stop, self.index, self.splats, *source, self.view, self.K, self.limits, self.eps2d, self.antialiased,
                v_means2d, v_conics, v_opacities, v_depths, *totals, v_view,
            )  # fmt: skip
            return v_view

        v_view = np.zeros((4, 4))
        v_view[:3] = np.sum([np.zeros((3, 4)), *self._chunks(len(self), job)], axis=0)
        return v_view

    def _load(self, first: int, count: int, size: int) -> None:
        """Put a group of channels into the records, widening them where it must be."""
        if self.loaded == (first, count, size):
            return
        self.loaded = (first, count, size)
        if self.splats.shape[1] < CHANNELS + size:
            wider = _aligned(len(self), CHANNELS + size)
            wider[:, :CHANNELS] = self.splats[:, :CHANNELS]
            self.splats = wider
        self._chunks(len(self), lambda a, b: shading.load(a, b, self.channels, first, count, self.splats))

    def _chunks(self, count: int, job: Callable[[int, int], Any]) -> list[Any]:
        """``job(start, stop)`` over ``range(count)`` in chunks of fixed size, on all threads."""
        return run([partial(job, a, min(a + _CHUNK, count)) for a in range(0, count, _CHUNK)], self.threads)

    def _tiles(self, job: Callable[..., Any]) -> None:
        parts = min(self.threads * _JOBS_PER_THREAD, len(self.starts) - 1) if self.threads > 1 else 1
        run([partial(job, part=part, parts=parts) for part in range(parts)], self.threads)


def _groups(count: int, largest: int) -> Iterator[tuple[int, int, int]]:
    """First channel, number of channels and size of the kernel for each group of at most ``largest``."""
    for first in range(0, count, largest):
        wanted = min(count - first, largest)
        yield first, wanted, next((g for g in CHANNEL_GROUPS if g >= wanted), wanted)


def _aligned(rows: int, columns: int) -> np.ndarray:
    """An uninitialised float32 array that starts on a cache line, so that a record of 16 columns is one line."""
    raw = np.empty(rows * columns + 16, np.float32)
    skip = -(raw.ctypes.data // 4) % 16
    return raw[skip : skip + rows * columns].reshape(rows, columns)
