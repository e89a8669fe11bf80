"""The oracle: the same image in plain torch, any float type, differentiable by autograd. Slow on purpose, clear first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.geometry.sh import num_bases, sh_to_rgb
from spatialwm.render.inputs import COLOR_MODES, DEPTH_MODES, check_inputs, check_values
from spatialwm.render.renderer import RenderMode

MIN_ALPHA = 1 / 255
MAX_ALPHA = 0.999
MIN_TRANSMITTANCE = 1e-4
"""Constants of gsplat 1.5.3: fainter contributions are skipped; alpha is clamped; a pixel is full before T falls below."""

_BLOCK = 32  # pixels on a side blended at once
_CHUNK = 4096  # Gaussians at once: bounds memory to a few (1024, 4096) matrices


@dataclass(frozen=True, slots=True)
class _Projected:
    """Visible Gaussians of one camera, nearest first."""

    index: Tensor
    means2d: Float[Tensor, "m 2"]
    conics: Float[Tensor, "m 3"]
    depths: Float[Tensor, " m"]
    opacities: Float[Tensor, " m"]
    extents: Float[Tensor, "m 2"]
    """Half sizes in px of the box outside which alpha < 1/255."""
    absgrad: Float[Tensor, "m 2"] | None = None
    """Where backward adds the absolute gradient of ``means2d``, pixel by pixel."""


def rasterization(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, *, near_plane: float = 0.01, far_plane: float = 1e10, eps2d: float = 0.3,
    sh_degree: int | None = None, backgrounds: Tensor | None = None, render_mode: RenderMode = "RGB",
    rasterize_mode: Literal["classic", "antialiased"] = "classic", absgrad: bool = False, features: Tensor | None = None,
    with_ids: bool = False,
) -> tuple[Tensor, Tensor, dict[str, Any]]:  # fmt: skip
    """See :class:`spatialwm.render.renderer.Rasterizer`; computes in the type and on the device of ``means``."""
    check_inputs(means, quats, scales, opacities, colors, viewmats, Ks, width, height, near_plane, far_plane, eps2d,
                 sh_degree, backgrounds, render_mode, rasterize_mode, features)  # fmt: skip
    check_values(means, quats, scales, opacities, colors if render_mode in COLOR_MODES else None, features)
    viewmats, Ks = viewmats.to(means), Ks.to(means)
    cameras = range(viewmats.shape[0])
    parts = [
        _project(means, quats, scales, opacities, viewmats[c], Ks[c], width, height, near_plane, far_plane, eps2d,
                 rasterize_mode == "antialiased")
        for c in cameras
    ]  # fmt: skip
    # Blending reads slices of the tensor that callers are given, so that its gradient can be retained.
    means2d = torch.cat([p.means2d for p in parts])
    if absgrad:
        means2d.absgrad = torch.zeros_like(means2d, requires_grad=False)  # pyright: ignore[reportAttributeAccessIssue]
    images, alphas, ids = [], [], []
    start = 0
    for c, part in zip(cameras, parts, strict=True):
        stop = start + len(part.index)
        seen = replace(part, means2d=means2d[start:stop], absgrad=means2d.absgrad[start:stop] if absgrad else None)  # pyright: ignore[reportAttributeAccessIssue]
        start = stop
        channels = []
        if render_mode in COLOR_MODES:
            channels.append(_colors(means, colors, viewmats[c], c, sh_degree)[seen.index])
        if features is not None:
            channels.append(features[seen.index])
        if render_mode in DEPTH_MODES:
            channels.append(seen.depths[:, None])
        image, alpha, nearest = _blend(seen, torch.cat(channels, dim=-1), width, height)
        if backgrounds is not None and render_mode in COLOR_MODES:
            behind = torch.nn.functional.pad(backgrounds[c].to(means), (0, image.shape[-1] - backgrounds.shape[1]))
            image = image + (1 - alpha) * behind
        if render_mode in ("ED", "RGB+ED"):
            image = torch.cat([image[..., :-1], image[..., -1:] / alpha.clamp(min=1e-10)], dim=-1)
        images.append(image)
        alphas.append(alpha)
        ids.append(nearest)
    info: dict[str, Any] = {
        "camera_ids": torch.cat([torch.full_like(p.index, c) for c, p in zip(cameras, parts, strict=True)]),
        "gaussian_ids": torch.cat([p.index for p in parts]),
        "means2d": means2d,
        "radii": torch.cat([p.extents for p in parts]).ceil().clamp(max=1e9).to(torch.int32),
        "depths": torch.cat([p.depths for p in parts]),
        "conics": torch.cat([p.conics for p in parts]),
        "opacities": torch.cat([p.opacities for p in parts]),
        "width": width, "height": height, "n_cameras": len(parts), "backend": "reference",
    }  # fmt: skip
    if with_ids:
        info["ids"] = torch.stack(ids)
    return torch.stack(images), torch.stack(alphas), info




def _add_absolute(total: Float[Tensor, "m 2"], part: Tensor, gradient: Float[Tensor, "pixels p 2"]) -> None:
    total[part] += gradient.abs().sum(0)
