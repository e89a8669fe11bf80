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


def _colors(means: Tensor, colors: Tensor, viewmat: Tensor, camera: int, sh_degree: int | None) -> Float[Tensor, "n d"]:
    if sh_degree is None:
        return colors if colors.ndim == 2 else colors[camera]
    eye = torch.linalg.inv(viewmat)[:3, 3]
    directions = torch.nn.functional.normalize(means - eye, dim=-1)
    return sh_to_rgb(colors[:, : num_bases(sh_degree)], directions)


def _project(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, viewmat: Tensor, K: Tensor, width: int, height: int,
    near: float, far: float, eps2d: float, antialiased: bool,
) -> _Projected:  # fmt: skip
    """Zwicker et al. 2001, with the clamped Jacobian of 3D Gaussian Splatting."""
    p_cam = means @ viewmat[:3, :3].T + viewmat[:3, 3]
    # Invisible ones leave before any division, so that they cannot put NaN into gradients.
    index = ((p_cam[:, 2] >= near) & (p_cam[:, 2] <= far) & (opacities >= MIN_ALPHA)).detach().nonzero()[:, 0]
    x, y, z = p_cam[index].unbind(-1)
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    margin_x, margin_y = 0.3 * 0.5 * width / fx, 0.3 * 0.5 * height / fy
    tx = (x / z).clamp(-cx / fx - margin_x, (width - cx) / fx + margin_x)
    ty = (y / z).clamp(-cy / fy - margin_y, (height - cy) / fy + margin_y)
    zero = torch.zeros_like(z)
    J = torch.stack([fx / z, zero, -fx * tx / z, zero, fy / z, -fy * ty / z], dim=-1).reshape(-1, 2, 3)
    M = J @ viewmat[:3, :3] @ (quat_to_matrix(quats[index]) * scales[index][:, None, :])
    cov = M @ M.transpose(1, 2)
    # |m x n|^2 = det(M M^T) without cancellation.
    det_sharp = torch.linalg.cross(M[:, 0], M[:, 1]).square().sum(-1)
    xx, xy, yy = cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]
    det = det_sharp + eps2d * (xx + yy + eps2d)
    xx, yy = xx + eps2d, yy + eps2d
    alpha = opacities[index].clamp(max=1.0)
    if antialiased:
        alpha = alpha * torch.sqrt((det_sharp / det).clamp(min=1e-20))
    means2d = torch.stack([fx * x / z + cx, fy * y / z + cy], dim=-1)
    with torch.no_grad():
        reach = 2 * torch.log((alpha / MIN_ALPHA).clamp(min=1.0))
        extents = torch.sqrt(reach[:, None] * torch.stack([xx, yy], dim=-1))
        size = means2d.new_tensor([width, height])
        inside = ((means2d + extents > 0) & (means2d - extents < size)).all(-1) & (alpha >= MIN_ALPHA) & torch.isfinite(det)
        # Depth order is that of float32 depths with ties in input order, as every other backend sorts.
        near_first = torch.sort(torch.where(inside, z, torch.inf).float(), stable=True).indices[: int(inside.sum())]
    conics = torch.stack([yy / det, -xy / det, xx / det], dim=-1)
    return _Projected(
        index[near_first], means2d[near_first], conics[near_first], z[near_first], alpha[near_first], extents[near_first]
    )


def _blend(seen: _Projected, channels: Float[Tensor, "m d"], width: int, height: int) -> tuple[Tensor, Tensor, Tensor]:
    """Image (h, w, d), alpha (h, w, 1), and ids (h, w) of the Gaussian of greatest weight."""
    rows = []
    low, high = (seen.means2d - seen.extents).detach(), (seen.means2d + seen.extents).detach()
    for top in range(0, height, _BLOCK):
        band = ((high[:, 1] > top) & (low[:, 1] < top + _BLOCK)).nonzero()[:, 0]
        blocks = []
        for left in range(0, width, _BLOCK):
            here = band[(high[band, 0] > left) & (low[band, 0] < left + _BLOCK)]
            blocks.append(_blend_block(seen, channels, here, left, top, min(_BLOCK, width - left), min(_BLOCK, height - top)))
        rows.append([torch.cat(part, dim=1) for part in zip(*blocks, strict=True)])
    image, alpha, ids = (torch.cat(part, dim=0) for part in zip(*rows, strict=True))
    return image, alpha, ids


def _blend_block(
    seen: _Projected, channels: Tensor, here: Tensor, left: int, top: int, columns: int, rows: int
) -> tuple[Tensor, Tensor, Tensor]:
    like = seen.means2d
    y, x = torch.meshgrid(
        torch.arange(rows, dtype=like.dtype, device=like.device) + top + 0.5,
        torch.arange(columns, dtype=like.dtype, device=like.device) + left + 0.5,
        indexing="ij",
    )
    pixels = torch.stack([x.reshape(-1), y.reshape(-1)], dim=-1)
    # Products with nothing: zeros that hang on the graph, so that where nothing is seen gradients are zero, not refused.
    nothing = like.new_zeros(len(pixels), 0)
    image = nothing @ channels[:0]
    T = 1 - nothing @ seen.opacities[:0]
    is_open = torch.ones(len(pixels), dtype=torch.bool, device=like.device)
    best_weight, best = torch.zeros_like(T), torch.full((len(pixels),), -1, dtype=torch.int32, device=like.device)
    for part in here.split(_CHUNK) if len(here) else ():
        d = pixels[:, None, :] - seen.means2d[part]
        if seen.absgrad is not None and d.requires_grad:
            d.register_hook(partial(_add_absolute, seen.absgrad, part))
        a, b, c = seen.conics[part].unbind(-1)
        sigma = 0.5 * (a * d[..., 0] ** 2 + c * d[..., 1] ** 2) + b * d[..., 0] * d[..., 1]
        alpha = (seen.opacities[part] * torch.exp(-sigma)).clamp(max=MAX_ALPHA)
        alpha = torch.where((alpha >= MIN_ALPHA) & (sigma >= 0), alpha, 0.0)
        after = T[:, None] * torch.cumprod(1 - alpha, dim=1)
        # T only falls, so the first Gaussian that would pass the limit closes the pixel to itself and all behind it.
        blends = is_open[:, None] & (after.detach() > MIN_TRANSMITTANCE)
        before = torch.cat([T[:, None], after[:, :-1]], dim=1)
        weight = torch.where(blends, alpha * before, 0.0)
        image = image + weight @ channels[part]
        T = T * torch.prod(torch.where(blends, 1 - alpha, 1.0), dim=1)
        is_open = blends[:, -1]
        heaviest, at = weight.detach().max(dim=1)
        heavier = heaviest > best_weight
        best_weight = torch.where(heavier, heaviest, best_weight)
        best = torch.where(heavier, seen.index[part][at].to(torch.int32), best)
        if not bool(is_open.any()):
            break
    shape = (rows, columns)
    return image.reshape(*shape, -1), (1 - T).reshape(*shape, 1), best.reshape(shape)


def _add_absolute(total: Float[Tensor, "m 2"], part: Tensor, gradient: Float[Tensor, "pixels p 2"]) -> None:
    total[part] += gradient.abs().sum(0)
