"""The ``cpu`` rasteriser: torch in, numba kernels, torch out."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.geometry.sh import num_bases
from spatialwm.render.cpu.cache import kernels_cached_for
from spatialwm.render.cpu.layout import CHANNELS, DEPTH, FRUSTUM_MARGIN, HALF_H, HALF_W, OPACITY, TILE_H, TILE_W, A, C, X, Y
from spatialwm.render.cpu.threads import machine_threads, run, spans
from spatialwm.render.inputs import COLOR_MODES, DEPTH_MODES, check_inputs, check_values
from spatialwm.render.renderer import RenderMode

with kernels_cached_for(Path(__file__).parent):
    from spatialwm.render.cpu import bin as binning
    from spatialwm.render.cpu import blend as blending
    from spatialwm.render.cpu import project as projection
    from spatialwm.render.cpu.vectors import machine_lanes

CHANNEL_GROUPS = (1, 3, 4, 8)
"""Channel counts with a compiled kernel of their own; others are padded, or split into groups of the largest."""

_JOBS_PER_THREAD = 8  # more, smaller jobs than threads: tiles differ in cost, an idle thread takes the next
_SERIAL_BELOW = 4096  # Gaussians; below it handing work to threads costs more than the work

_log = logging.getLogger(__name__)


def rasterization(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, *, near_plane: float = 0.01, far_plane: float = 1e10, eps2d: float = 0.3,
    sh_degree: int | None = None, backgrounds: Tensor | None = None, render_mode: RenderMode = "RGB",
    rasterize_mode: Literal["classic", "antialiased"] = "classic", with_ids: bool = False,
    lanes: int | None = None, threads: int | None = None,
) -> tuple[Tensor, Tensor, dict[str, Any]]:  # fmt: skip
    """See :class:`spatialwm.render.renderer.Rasterizer`; float32, forward only, bitwise equal on any number of threads.

    Args:
        lanes: vector width, 1 for plain loops; None: the machine's.
        threads: None: the machine's.

    Raises:
        ShapeError: see the protocol; or an input requires a gradient.
    """
    given = (means, quats, scales, opacities, colors, viewmats, Ks)
    if torch.is_grad_enabled() and any(t.requires_grad for t in (*given, *([] if backgrounds is None else [backgrounds]))):
        raise ShapeError(
            "the cpu backend has no gradients: use backend 'reference', or call it under torch.no_grad() or on detached tensors"
        )
    check_inputs(*given, width, height, near_plane, far_plane, eps2d, sh_degree, backgrounds, render_mode, rasterize_mode, None)
    threads = threads or machine_threads()
    arrays = {k: _array(v) for k, v in zip(("means", "quats", "scales", "opacities", "colors"), given[:5], strict=True)}
    frames = []
    for camera in range(viewmats.shape[0]):
        frame = _Frame(arrays, viewmats[camera], Ks[camera], width, height, threads)
        if frame.project(near_plane, far_plane, eps2d, rasterize_mode == "antialiased"):
            check_values(means, quats, scales, opacities, None)
        channels = _Channels(arrays, camera, sh_degree, render_mode)
        background = np.zeros(channels.count, np.float32)
        if backgrounds is not None and render_mode in COLOR_MODES:
            background[: backgrounds.shape[1]] = _array(backgrounds[camera])
        not_finite = frame.blend(channels, background, lanes or machine_lanes(), with_ids)
        if not_finite:
            check_values(means, quats, scales, opacities, colors)
        if render_mode in ("ED", "RGB+ED"):
            frame.image[..., -1] /= np.maximum(frame.alpha, 1e-10)
        frames.append(frame)
    image = _joined([f.image[None] for f in frames])
    alpha = _joined([f.alpha[None, ..., None] for f in frames])
    entries = [f.info(camera) for camera, f in enumerate(frames)]
    info: dict[str, Any] = {k: _joined([e[k] for e in entries]) for k in entries[0]}
    info.update(width=width, height=height, n_cameras=len(frames), backend="cpu")
    if with_ids:
        info["ids"] = _joined([f.ids[None] for f in frames])
    return image, alpha, info


def warm_up() -> float:
    """Load, or at first compile, the kernels that pictures need; returns seconds. Later calls cost nothing."""
    started = time.perf_counter()
    one = torch.ones(1)
    kinds: tuple[tuple[RenderMode, bool], ...] = (("RGB", False), ("RGB+D", True))
    for mode, ids in kinds:
        rasterization(
            torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([[1.0, 0.0, 0.0, 0.0]]), one.expand(1, 3), one, one.expand(1, 1, 3),
            torch.eye(4)[None], torch.eye(3)[None], 1, 1, sh_degree=0, render_mode=mode, with_ids=ids,
        )  # fmt: skip
    seconds = time.perf_counter() - started
    if seconds > 2:
        _log.info("compiled the cpu kernels in %.1f s; this happens once per machine", seconds)
    return seconds


class _Channels:
    """Which values are blended: colour columns, then depth."""

    def __init__(self, arrays: dict[str, np.ndarray], camera: int, sh_degree: int | None, mode: str) -> None:
        self.means = arrays["means"]
        self.sh, self.values, self.bases, colors = None, None, 0, 0
        if mode in COLOR_MODES and sh_degree is not None:
            self.sh, self.bases, colors = arrays["colors"], num_bases(sh_degree), 3
        elif mode in COLOR_MODES:
            self.values = arrays["colors"] if arrays["colors"].ndim == 2 else arrays["colors"][camera]
            colors = self.values.shape[1]
        self.depth_at = colors if mode in DEPTH_MODES else None
        self.count = colors + (self.depth_at is not None)

    def fill(
        self, start: int, stop: int, *, order: np.ndarray, eye: np.ndarray, splats: np.ndarray, first: int, size: int
    ) -> int:
        """Write channels ``first .. first + size`` of ranks start..stop; returns how many values are not finite."""
        not_finite = 0
        if self.sh is not None and first == 0:
            not_finite = projection.gather_sh(start, stop, order, self.means, eye, self.sh, self.bases, splats, CHANNELS)
        elif self.values is not None:
            count = min(size, self.values.shape[1] - first)
            not_finite = projection.gather_channels(start, stop, order, self.values, first, max(count, 0), splats, CHANNELS)
        if self.depth_at is not None and first <= self.depth_at < first + size:
            splats[start:stop, CHANNELS + self.depth_at - first] = splats[start:stop, DEPTH]
        return not_finite


class _Frame:
    """One camera's passage through the kernels: project, sort by depth, bin into tiles, blend."""

    def __init__(self, arrays: dict[str, np.ndarray], viewmat: Tensor, K: Tensor, width: int, height: int, threads: int) -> None:
        self.arrays, self.width, self.height = arrays, width, height
        self.view, self.K = _array(viewmat), _array(K)
        self.axis = viewmat[2].detach().cpu().double().numpy()
        self.eye = np.linalg.inv(self.view.astype(np.float64))[:3, 3].astype(np.float32)
        self.n = len(arrays["means"])
        self.threads = 1 if self.n < _SERIAL_BELOW and width * height < 128 * 128 else threads

    def project(self, near: float, far: float, eps2d: float, antialiased: bool) -> int:
        """Fill records, depth order and tile lists; returns how many Gaussians are not finite."""
        geometry = np.empty((self.n, CHANNELS), np.float32)
        rects = np.empty((self.n, 4), np.int32)
        fx, fy, cx, cy = self.K[0, 0], self.K[1, 1], self.K[0, 2], self.K[1, 2]
        mx, my = FRUSTUM_MARGIN * 0.5 * self.width / fx, FRUSTUM_MARGIN * 0.5 * self.height / fy
        limits = np.array([-cx / fx - mx, (self.width - cx) / fx + mx, -cy / fy - my, (self.height - cy) / fy + my], np.float32)
        a = self.arrays

        def job(start: int, stop: int) -> int:
            return projection.project(
                start, stop, a["means"], a["quats"], a["scales"], a["opacities"], self.view, self.axis, self.K, limits,
                self.width, self.height, np.float32(near), np.float32(far), np.float32(eps2d), antialiased, geometry, rects,
            )  # fmt: skip

        bad = self._each(job, self.n)
        self.order = binning.depth_order(geometry, rects)
        # One cache line per record of up to four channels.
        self.splats = np.zeros((len(self.order), CHANNELS + 4), np.float32)
        self._each(lambda a, b: projection.gather_geometry(a, b, self.order, geometry, self.splats), len(self.order))
        self._bin(rects)
        return sum(bad)

    def _bin(self, rects: np.ndarray) -> None:
        tiles_x, tiles_y = -(-self.width // TILE_W), -(-self.height // TILE_H)
        parts = spans(len(self.order), self.threads)
        counts = np.zeros((max(len(parts), 1), tiles_x * tiles_y), np.int64)
        shape = (self.width, tiles_x)
        run([partial(binning.count_tiles, a, b, self.order, self.splats, rects, *shape, counts[p])
             for p, (a, b) in enumerate(parts)], self.threads)  # fmt: skip
        self.starts = binning.tile_starts(counts)
        self.lists = np.empty(self.starts[-1], np.int32)
        run([partial(binning.scatter_tiles, a, b, self.order, self.splats, rects, *shape, counts[p], self.lists)
             for p, (a, b) in enumerate(parts)], self.threads)  # fmt: skip

    def blend(self, channels: _Channels, background: np.ndarray, lanes: int, with_ids: bool) -> int:
        """Fill image, alpha and ids; returns how many channel values are not finite."""
        self.image = np.empty((self.height, self.width, channels.count), np.float32)
        self.alpha = np.empty((self.height, self.width), np.float32)
        self.ids = np.empty((self.height, self.width) if with_ids else (0, 0), np.int32)
        not_finite = 0
        for first in range(0, channels.count, CHANNEL_GROUPS[-1]):
            wanted = min(channels.count - first, CHANNEL_GROUPS[-1])
            size = next(g for g in CHANNEL_GROUPS if g >= wanted)
            if self.splats.shape[1] < CHANNELS + size:
                self.splats = np.pad(self.splats, ((0, 0), (0, size - 4)))
            fill = partial(channels.fill, order=self.order, eye=self.eye, splats=self.splats, first=first, size=size)
            not_finite += sum(self._each(fill, len(self.order)))
            exact = size == channels.count
            image = self.image if exact else np.empty((self.height, self.width, size), np.float32)
            behind = np.zeros(size, np.float32)
            behind[:wanted] = background[first : first + wanted]
            track = (0,) if with_ids and first == 0 else ()
            parts = min(self.threads * _JOBS_PER_THREAD, len(self.starts) - 1) if self.threads > 1 else 1
            run([partial(blending.blend, (0,) * lanes, (0,) * size, track, part, parts, self.starts, self.lists, self.order,
                         self.splats, behind, image, self.alpha, self.ids) for part in range(parts)], self.threads)  # fmt: skip
            if not exact:
                self.image[..., first : first + wanted] = image[..., :wanted]
        return not_finite

    def info(self, camera: int) -> dict[str, np.ndarray]:
        """gsplat's packed entries of this camera, as views where they can be."""
        s = self.splats
        return {
            "camera_ids": np.full(len(self.order), camera, np.int64),
            "gaussian_ids": self.order.astype(np.int64),
            "means2d": s[:, X : Y + 1],
            "radii": np.ceil(s[:, HALF_W : HALF_H + 1].clip(max=1e9)).astype(np.int32),
            "depths": s[:, DEPTH],
            "conics": s[:, A : C + 1],
            "opacities": s[:, OPACITY],
        }

    def _each(self, job: Any, count: int) -> list[Any]:
        """``job(start, stop)`` over ``range(count)`` on all threads."""
        return run([partial(job, a, b) for a, b in spans(count, self.threads)], self.threads)


def _array(tensor: Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), np.float32)


def _joined(arrays: list[np.ndarray]) -> Tensor:
    # Not torch.cat: its thread pool costs 2 ms a call beside ours.
    return torch.from_numpy(arrays[0] if len(arrays) == 1 else np.concatenate(arrays))
