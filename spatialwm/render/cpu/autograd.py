"""The three differentiable steps of the cpu rasteriser.

Kernels and arrays live in ``frame.py``. The tensors that pass between the steps are views of a frame's arrays: they carry the
graph, so that ``info["means2d"]`` lies on the way from the Gaussians to the image and its gradient can be retained.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from spatialwm.render.cpu.frame import Frame, Source

MIN_DIVISOR = np.float32(1e-10)
"""Expected depth divides by at least this much alpha."""


def array(tensor: Tensor) -> np.ndarray:
    """Contiguous float32, without a copy where it is that already."""
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), np.float32)


@dataclass(slots=True)
class Shot:
    """The frames of one call, and what was asked for."""

    frames: list[Frame]
    bases: int
    """SH coefficients used, 0 for plain colours."""
    color_channels: int
    feature_channels: int
    with_depth: bool
    expected_depth: bool
    absgrad: bool
    with_ids: bool
    with_gradients: bool
    not_finite: int = 0
    source: Source | None = None
    means2d: weakref.ref[Tensor] | None = None
    """The tensor that callers see, which gets ``absgrad``; weak, because its graph holds this value."""

    def joined(self, field: Callable[[Frame], np.ndarray]) -> Tensor:
        """A per-row field of all frames, without a copy for one."""
        # Not torch.cat: its thread pool costs 2 ms a call beside ours.
        arrays = [field(f) for f in self.frames]
        return torch.from_numpy(arrays[0] if len(arrays) == 1 else np.concatenate(arrays))

    def per_frame(self, gradient: Tensor) -> list[np.ndarray]:
        """A gradient of joined rows in pieces."""
        rows = np.cumsum([0, *(len(f) for f in self.frames)])
        whole = gradient.detach().numpy()
        return [_strided(whole[a:b]) for a, b in pairwise(rows)]


def _strided(rows: np.ndarray) -> np.ndarray:
    """Rows that are not contiguous: one layout for the kernels, so that they are compiled once."""
    if not rows.flags.c_contiguous:
        return rows
    wide = np.empty((len(rows), (rows.shape[1] if rows.ndim == 2 else 1) + 1), np.float32)
    view = wide[:, :-1] if rows.ndim == 2 else wide[:, 0]
    view[...] = rows
    return view


class Project(Function):
    """Gaussians and cameras to 2D splats."""

    @staticmethod
    def forward(ctx: Any, shot: Shot, means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, viewmats: Tensor) -> Any:
        """Returns means2d (m, 2), conics (m, 3), opacities (m,) and depths (m,) of all frames."""
        ctx.shot, ctx.like = shot, (means, quats, scales, opacities, viewmats)
        shot.source = Source(*(array(t) for t in (means, quats, scales, opacities)))
        channels = shot.color_channels + shot.feature_channels + shot.with_depth
        for frame in shot.frames:
            shot.not_finite += frame.project(shot.source, channels)
        return (
            shot.joined(lambda f: f.means2d), shot.joined(lambda f: f.conics), shot.joined(lambda f: f.opacities),
            shot.joined(lambda f: f.depths),
        )  # fmt: skip

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Adds up over the frames."""
        shot: Shot = ctx.shot
        assert shot.source is not None
        totals = Source(*(np.zeros_like(field) for field in shot.source))
        pieces = [shot.per_frame(g) for g in gradients]
        views = [frame.project_vjp(shot.source, totals, *parts) for frame, *parts in zip(shot.frames, *pieces, strict=True)]
        return None, *_like([*totals, np.stack(views)], ctx.like)


class Shade(Function):
    """What each splat carries into the picture: colour, features, depth."""

    @staticmethod
    def forward(
        ctx: Any, shot: Shot, means: Tensor, colors: Tensor | None, features: Tensor | None, depths: Tensor, viewmats: Tensor
    ) -> Tensor:
        """Returns (m, d) channels of all frames."""
        ctx.shot, ctx.like = shot, (means, colors, features, viewmats)
        ctx.arrays = (None if colors is None else array(colors), None if features is None else array(features))
        color_values, feature_values = ctx.arrays
        assert shot.source is not None
        for camera, frame in enumerate(shot.frames):
            plain = [] if color_values is None or shot.bases else [_of_camera(color_values, camera)]
            plain += [] if feature_values is None else [feature_values]
            sh = color_values if shot.bases else None
            shot.not_finite += frame.shade(shot.source.means, sh, shot.bases, plain, shot.with_depth)
        return shot.joined(lambda f: f.channels)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Adds up over the frames."""
        shot: Shot = ctx.shot
        assert shot.source is not None
        colors, _ = ctx.arrays
        means = shot.source.means
        inputs = (means if shot.bases else None, *ctx.arrays)
        v_means, v_colors, v_features = (None if a is None else np.zeros_like(a) for a in inputs)
        v_views = []
        for camera, (frame, v) in enumerate(zip(shot.frames, shot.per_frame(gradients[0]), strict=True)):
            if v_colors is not None and v_means is not None:
                v_views.append(frame.shade_vjp(means, colors, shot.bases, v, v_colors, v_means))
            elif v_colors is not None:
                frame.copy_out(v, 0, _of_camera(v_colors, camera))
            if v_features is not None:
                frame.copy_out(v, shot.color_channels, v_features)
        v_depths = gradients[0][:, -1] if shot.with_depth else None
        found = (v_means, v_colors, v_features, np.stack(v_views) if v_views else None)
        v_means, v_colors, v_features, v_views = _like(found, ctx.like)
        return None, v_means, v_colors, v_features, v_depths, v_views


class Blend(Function):
    """Splats to pixels."""

    @staticmethod
    def forward(
        ctx: Any, shot: Shot, means2d: Tensor, conics: Tensor, opacities: Tensor, channels: Tensor, backgrounds: Tensor | None
    ) -> Any:
        """Returns the image (c, h, w, d) and alpha (c, h, w, 1). Reads the frames; the tensors carry the graph."""
        ctx.shot, ctx.backgrounds = shot, backgrounds
        behind = None if backgrounds is None else array(backgrounds)
        for camera, frame in enumerate(shot.frames):
            background = np.zeros(frame.channels.shape[1], np.float32)
            if behind is not None:
                background[: behind.shape[1]] = behind[camera]
            frame.bin(with_slots=shot.with_gradients)
            frame.blend(background, with_ids=shot.with_ids)
            if shot.expected_depth:
                frame.image[..., -1] /= np.maximum(frame.alpha, MIN_DIVISOR)
        return shot.joined(lambda f: f.image[None]), shot.joined(lambda f: f.alpha[None, ..., None])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gradients of the splats; absolute ones go to ``info["means2d"].absgrad``."""
        shot: Shot = ctx.shot
        v_images, v_alphas = array(gradients[0]), array(gradients[1])
        geometry, v_channels, absolute, v_backgrounds = [], [], [], []
        for frame, v_image, v_alpha in zip(shot.frames, v_images, v_alphas[..., 0], strict=True):
            if shot.expected_depth:
                v_image = _expected_depth_vjp(frame, v_image)
            if ctx.needs_input_grad[5]:
                v_backgrounds.append(np.einsum("hw,hwd->d", 1 - frame.alpha, v_image[..., : ctx.backgrounds.shape[1]]))
            g, c, a = frame.blend_vjp(np.ascontiguousarray(v_image), np.ascontiguousarray(v_alpha), absgrad=shot.absgrad)
            geometry.append(g)
            v_channels.append(c)
            absolute.append(a)
        v = torch.from_numpy(geometry[0] if len(geometry) == 1 else np.concatenate(geometry))
        means2d = shot.means2d() if shot.absgrad and shot.means2d is not None else None
        if means2d is not None:
            means2d.absgrad = torch.from_numpy(np.concatenate(absolute))  # pyright: ignore[reportAttributeAccessIssue]
        v_channels = torch.from_numpy(v_channels[0] if len(v_channels) == 1 else np.concatenate(v_channels))
        v_behind = _like([np.stack(v_backgrounds)], [ctx.backgrounds])[0] if v_backgrounds else None
        return None, v[:, :2], v[:, 2:5], v[:, 5], v_channels, v_behind


def _of_camera(values: np.ndarray, camera: int) -> np.ndarray:
    """Plain colours (n, d) of all cameras, or of one of (c, n, d)."""
    return values if values.ndim == 2 else values[camera]


def _expected_depth_vjp(frame: Frame, v_image: np.ndarray) -> np.ndarray:
    """Through ED = depth / alpha.

    The gradient by way of alpha needs no term. Of alpha the kernel only forms ``rest = -(1 - alpha) v_alpha + sum_c v_c
    image_c``; true would be ``-(1 - alpha) (v_alpha - v ED / alpha) + v / alpha * depth``, which is the same with v / alpha for
    the depth's gradient and the quotient ED, as the image keeps it, for the depth.
    """
    v_image = v_image.copy()
    v_image[..., -1] /= np.maximum(frame.alpha, MIN_DIVISOR)
    return v_image


def _like(gradients: Any, tensors: Any) -> list[Tensor | None]:
    """Arrays as tensors of the type and place of what they are gradients of."""
    return [None if g is None else torch.from_numpy(g).to(t) for g, t in zip(gradients, tensors, strict=True)]
