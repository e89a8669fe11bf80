"""Autograd of the three stages: projecting, shading, blending.

Values are computed before; the first two stages only tie them to their inputs. They are separate so that ``means2d`` is a tensor
of the graph between them, whose gradient callers can retain.
"""

# torch means backward to be overridden with the arguments that it will get.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from spatialwm.render.cuda.channels import Channels, gathered_gradient, sh_gradients
from spatialwm.render.cuda.device import kernels
from spatialwm.render.cuda.view import View
from spatialwm.render.cuda.visible import Tiles, Visible

# Functions keep nothing that holds their own outputs but through save_for_backward: such a cycle would never be freed.


class Project(Function):
    """means, quats, scales, opacities, viewmats -> means2d, shapes, depths."""

    @staticmethod
    def forward(
        ctx: Any, means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, viewmats: Tensor, seen: Visible, view: View
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.view, ctx.rows, ctx.viewmats = view, len(seen.depths), viewmats.device
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(means, quats, scales, opacities, seen.ranks)
        return seen.means2d, seen.shapes, seen.depths

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, v_means2d: Tensor | None, v_shapes: Tensor | None, v_depths: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        means, quats, scales, opacities, ranks = ctx.saved_tensors
        view: View = ctx.view
        n, device = len(means), means.device
        v_means2d = torch.zeros(ctx.rows, 2, device=device) if v_means2d is None else v_means2d.contiguous()
        v_shapes = torch.zeros(ctx.rows, 4, device=device) if v_shapes is None else v_shapes.contiguous()
        out = [torch.empty_like(t) for t in (means, quats, scales, opacities)]
        blocks = -(-n // 256)
        v_views = torch.empty(blocks, view.count, 12, device=device) if ctx.needs_input_grad[4] else None
        if n:
            kernels("project.cu", device).launch(
                "project_backward", blocks, 256, means, quats, scales, opacities, view.records, view.count, n, *view.lens, ranks,
                v_means2d, v_shapes, None if v_depths is None else v_depths.contiguous(), *out, v_views,
            )  # fmt: skip
        if v_views is None:
            return *out, None, None, None
        v_viewmats = torch.nn.functional.pad(v_views.sum(0, dtype=torch.float64).view(-1, 3, 4), (0, 0, 0, 1))
        return *out, v_viewmats.to(ctx.viewmats), None, None


class Shade(Function):
    """means, colours or coefficients, features, depths, viewmats -> rows of channels."""

    @staticmethod
    def forward(
        ctx: Any, means: Tensor, colors: Tensor | None, features: Tensor | None, depths: Tensor, viewmats: Tensor,
        seen: Visible, channels: Channels, view: View,
    ) -> Tensor:  # fmt: skip
        ctx.view, ctx.total, ctx.depth, ctx.color_count = view, channels.total, channels.depth, channels.color_count
        ctx.degree, ctx.viewmats = channels.degree if channels.sh is not None else None, viewmats.device
        ctx.save_for_backward(means, colors, features, seen.ranks, seen.channels)
        return seen.channels

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, v_rows: Tensor) -> tuple[Tensor | None, ...]:
        means, colors, features, ranks, rows = ctx.saved_tensors
        needs, v_rows = ctx.needs_input_grad, v_rows.contiguous()
        v_means = v_colors = v_features = v_depths = v_viewmats = None
        if colors is not None and ctx.degree is not None and (needs[0] or needs[1] or needs[4]):
            v_colors, v_means, v_viewmats = sh_gradients(means, colors, ctx.degree, ctx.view, ranks, rows, v_rows, needs[4])
        elif colors is not None and ctx.degree is None and needs[1]:
            v_colors = gathered_gradient(colors, v_rows, ranks, 0)
        if features is not None and needs[2]:
            v_features = gathered_gradient(features, v_rows, ranks, ctx.color_count)
        if ctx.depth and needs[3]:
            v_depths = v_rows[:, ctx.total - 1]
        v_viewmats = None if v_viewmats is None else v_viewmats.to(ctx.viewmats)
        return v_means, v_colors, v_features, v_depths, v_viewmats, None, None, None


class Blend(Function):
    """means2d, shapes, channels, backgrounds -> image, alpha, ids.

    ``shown`` is the tensor that callers know as ``means2d``, which receives ``.absgrad``; None without.
    """

    @staticmethod
    def forward(
        ctx: Any, means2d: Tensor, shapes: Tensor, rows: Tensor, backgrounds: Tensor | None, seen: Visible, tiles: Tiles,
        channels: Channels, view: View, expected_depth: bool, with_ids: bool, differentiable: bool, shown: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor | None]:  # fmt: skip
        device, total, size = rows.device, channels.total, (view.count, view.height, view.width)
        image = torch.empty(*size, total, device=device)
        alphas = torch.empty(*size, 1, device=device)
        ids = torch.empty(size, dtype=torch.int32, device=device) if with_ids else None
        transmittance = lasts = None
        if differentiable:
            transmittance, lasts = torch.empty(size, device=device), torch.empty(size, dtype=torch.int32, device=device)
        behind = None
        if backgrounds is not None:
            behind = torch.nn.functional.pad(backgrounds, (0, total - backgrounds.shape[1])).contiguous()
        run = kernels("blend.cu", device)
        for first, count, kernel in channels.groups():
            run.launch(
                f"blend_{kernel}", view.tile_count, 256, tiles.starts, tiles.splats, seen.splats, rows, rows.shape[1], first,
                count, total, view.width, view.height, behind, int(expected_depth), seen.gaussian_ids, image, transmittance,
                alphas, lasts, ids,
            )  # fmt: skip
        ctx.view, ctx.groups, ctx.total, ctx.expected_depth, ctx.shown = view, channels.groups(), total, expected_depth, shown
        ctx.background_count = 0 if backgrounds is None else backgrounds.shape[1]
        ctx.save_for_backward(seen.splats, rows, tiles.starts, tiles.splats, transmittance, lasts, image, alphas)
        if ids is not None:
            ctx.mark_non_differentiable(ids)
        return image, alphas, ids

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, v_image: Tensor, v_alphas: Tensor, _: Tensor | None) -> tuple[Tensor | None, ...]:
        splats, rows, starts, listed, transmittance, lasts, image, alphas = ctx.saved_tensors
        view: View = ctx.view
        m, device = len(splats), splats.device
        v_image, v_alphas = v_image.contiguous(), v_alphas.contiguous()
        v_means2d, v_shapes = torch.zeros(m, 2, device=device), torch.zeros(m, 4, device=device)
        v_rows = torch.zeros_like(rows)
        shown: Any = ctx.shown
        absolute = None if shown is None else torch.zeros(m, 2, device=device)
        run = kernels("blend_backward.cu", device)
        for first, count, kernel in ctx.groups:
            run.launch(
                f"blend_backward_{kernel}", view.tile_count, 256, starts, listed, splats, rows, rows.shape[1], first, count,
                ctx.total, view.width, view.height, int(ctx.expected_depth), lasts, image, transmittance, alphas, v_image,
                v_alphas, v_means2d, v_shapes, v_rows, absolute,
            )  # fmt: skip
        if absolute is not None and shown is not None:
            shown.absgrad = absolute.to(shown.device)
        v_backgrounds = None
        if ctx.background_count and ctx.needs_input_grad[3]:
            v_backgrounds = torch.einsum("chwd,chw->cd", v_image[..., : ctx.background_count], transmittance)
        return v_means2d, v_shapes, v_rows, v_backgrounds, *[None] * 8
