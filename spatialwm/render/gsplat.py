"""The kernels of gsplat (1.5.3) behind our call: a second opinion on NVIDIA GPUs, and the way to its training code."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Int
from torch import Tensor

from spatialwm.geometry.sh import num_bases, sh_to_rgb
from spatialwm.render.inputs import COLOR_MODES, check_inputs, check_values
from spatialwm.render.reference import MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE
from spatialwm.render.renderer import RenderMode

_SPLIT_CHANNELS = 32  # gsplat blends further channels in further passes
_TILES, _DEPTH = 1024, 32  # tiles and list entries weighed at once for ids: bounds memory to some 400 MB at tiles of 16 px

_ENTRIES = ("camera_ids", "gaussian_ids", "means2d", "radii", "depths", "conics", "opacities")


def missing() -> str | None:
    """Why gsplat cannot run here and how to mend it; None where it can. Never imports gsplat, which may compile for minutes."""
    if not torch.cuda.is_available():
        return "it needs an NVIDIA GPU that torch can see; use the cpu backend, or install a build of torch with CUDA"
    found = find_spec("gsplat")
    if found is None or found.origin is None:
        return "gsplat is not installed: pip install 'spatialwm[cuda]'"
    if find_spec("packaging") is None:  # gsplat needs it and does not say so
        return "gsplat needs packaging, which is not installed: pip install 'spatialwm[cuda]'"
    if not any(Path(found.origin).parent.glob("csrc*")):  # no compiled wheel: gsplat will compile itself
        from torch.utils.cpp_extension import CUDA_HOME

        if CUDA_HOME is None:
            return "gsplat compiles itself on first use and finds no CUDA toolkit (nvcc): install one, or set CUDA_HOME"
    return None


def rasterization(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, *, near_plane: float = 0.01, far_plane: float = 1e10, eps2d: float = 0.3,
    sh_degree: int | None = None, backgrounds: Tensor | None = None, render_mode: RenderMode = "RGB",
    rasterize_mode: Literal["classic", "antialiased"] = "classic", absgrad: bool = False, features: Tensor | None = None,
    with_ids: bool = False,
) -> tuple[Tensor, Tensor, dict[str, Any]]:  # fmt: skip
    """See :class:`spatialwm.render.renderer.Rasterizer`; float32 on the GPU.

    Tensors on the CPU travel to the GPU and their results back, except ``info["means2d"]`` when it takes part in a graph: a copy
    would receive no gradient. The entries of ``info`` come in gsplat's order, by camera and then by index, not nearest first.
    """
    # Cameras are looked at number by number, each of which would wait for the GPU.
    check_inputs(means, quats, scales, opacities, colors, viewmats.detach().cpu(), Ks.detach().cpu(), width, height, near_plane,
                 far_plane, eps2d, sh_degree, backgrounds, render_mode, rasterize_mode, features)  # fmt: skip
    check_values(means, quats, scales, opacities, colors if render_mode in COLOR_MODES else None, features)
    render: Any = import_module("gsplat").rasterization
    asked, device = means.device, _gpu(means)

    def on_gpu(tensor: Tensor) -> Tensor:
        return tensor.to(device, torch.float32)

    means, scales, viewmats = on_gpu(means), on_gpu(scales), on_gpu(viewmats)
    # gsplat would divide by the length of a zero quaternion, and takes an opacity above 1 as it stands.
    quats, opacities = _rotations(on_gpu(quats)), on_gpu(opacities).clamp(max=1.0)
    channels, backgrounds, degree, mode = _channels(
        means, on_gpu(colors), viewmats, sh_degree, None if features is None else on_gpu(features),
        None if backgrounds is None else on_gpu(backgrounds), render_mode,
    )  # fmt: skip
    if len(means) == 0:  # gsplat divides by their number: one that is never drawn stands in
        shape = channels.shape[-1:] if degree is None else channels.shape[1:]
        means, quats, scales, opacities, channels = (means.new_zeros(1, *s) for s in ((3,), (4,), (3,), (), shape))
    image, alpha, meta = render(
        means, quats, scales, opacities, channels, viewmats, on_gpu(Ks), width, height, near_plane=near_plane,
        far_plane=far_plane, eps2d=eps2d, sh_degree=degree, packed=True, backgrounds=backgrounds, render_mode=mode,
        rasterize_mode=rasterize_mode, absgrad=absgrad,
        # Each pass over the pixels overwrites absgrad, so it needs a single one.
        channel_chunk=max(_SPLIT_CHANNELS, channels.shape[-1] + 1) if absgrad else _SPLIT_CHANNELS,
    )  # fmt: skip
    info: dict[str, Any] = {k: meta[k] if meta[k].requires_grad and k == "means2d" else meta[k].to(asked) for k in _ENTRIES}
    info.update(width=width, height=height, n_cameras=len(viewmats), backend="gsplat")
    if with_ids:
        info["ids"] = heaviest(meta, width, height).to(asked)
    return image.to(asked), alpha.to(asked), info


def _gpu(means: Tensor) -> torch.device:
    return means.device if means.is_cuda else torch.device("cuda")


def _rotations(quats: Tensor) -> Tensor:
    none = quats.new_tensor([1.0, 0.0, 0.0, 0.0])
    return torch.where(quats.detach().abs().amax(-1, keepdim=True) > 0, quats, none)


def _channels(
    means: Tensor, colors: Tensor, viewmats: Tensor, sh_degree: int | None, features: Tensor | None,
    backgrounds: Tensor | None, mode: str,
) -> tuple[Tensor, Tensor | None, int | None, str]:  # fmt: skip
    """What gsplat shall blend as colours, over what, of which SH degree, in which of its modes."""
    if mode not in COLOR_MODES:
        # Features without colours are what gsplat calls colours; it wants some even for depth alone.
        return (means, None, None, mode) if features is None else (features, None, None, f"RGB+{mode}")
    if features is None:
        return colors, backgrounds, sh_degree, mode
    if sh_degree is not None:  # gsplat takes either SH or channels
        eyes = torch.linalg.inv(viewmats)[:, None, :3, 3]
        towards = torch.nn.functional.normalize(means - eyes, dim=-1)
        colors = torch.stack([sh_to_rgb(colors[:, : num_bases(sh_degree)], d) for d in towards])
    behind = None if backgrounds is None else torch.nn.functional.pad(backgrounds, (0, features.shape[-1]))
    return torch.cat([colors, features.expand(*colors.shape[:-1], -1)], dim=-1), behind, None, mode


@torch.no_grad()
def heaviest(meta: dict[str, Any], width: int, height: int) -> Int[Tensor, "c h w"]:
    """Per pixel, the Gaussian of greatest weight; -1 where nothing covers.

    gsplat has no such output. Its tile lists are blended once more in plain torch, by the rules of its kernel, a bounded number
    of tiles and entries at a time. Of equal weights the nearer wins.

    Args:
        meta: what gsplat returns beside the image, packed.
    """
    size, offsets, listed = meta["tile_size"], meta["isect_offsets"], meta["flatten_ids"].long()
    cameras, rows, columns = offsets.shape
    starts = offsets.flatten().long()
    stops = torch.cat([starts[1:], starts.new_tensor([len(listed)])])
    within = torch.arange(size * size, device=starts.device)
    best = starts.new_full((len(starts), size * size), -1)
    busy = (stops > starts).nonzero()[:, 0]
    for tiles in busy.split(_TILES) if len(busy) else ():
        x = (tiles % columns)[:, None] * size + within % size + 0.5
        y = (tiles // columns % rows)[:, None] * size + within // size + 0.5
        best[tiles] = _heaviest_of_tiles(meta, listed, starts[tiles], stops[tiles], x, y)
    best = best.reshape(cameras, rows, columns, size, size).transpose(2, 3).reshape(cameras, rows * size, columns * size)
    return best[:, :height, :width].to(torch.int32)


def _heaviest_of_tiles(
    meta: dict[str, Any], listed: Tensor, start: Tensor, stop: Tensor, x: Tensor, y: Tensor
) -> Int[Tensor, "tiles pixels"]:
    T = torch.ones_like(x)
    weight, best = torch.zeros_like(x), torch.full_like(x, -1, dtype=torch.int64)
    for first in range(0, int((stop - start).max()), _DEPTH):
        at = start[:, None] + first + torch.arange(_DEPTH, device=start.device)
        exists = at < stop[:, None]
        splats = listed[torch.where(exists, at, start[:, None])]
        a, b, c = meta["conics"][splats][:, None].unbind(-1)
        u, v = meta["means2d"][splats].unbind(-1)
        dx, dy = u[:, None] - x[..., None], v[:, None] - y[..., None]
        sigma = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
        alpha = (meta["opacities"][splats][:, None] * torch.exp(-sigma)).clamp(max=MAX_ALPHA)
        alpha = torch.where(exists[:, None] & (sigma >= 0) & (alpha >= MIN_ALPHA), alpha, 0.0)
        after = T[..., None] * torch.cumprod(1 - alpha, dim=-1)
        # T only falls, so what would pass the limit closes the pixel to itself and to all behind it.
        weights = torch.where(after > MIN_TRANSMITTANCE, alpha * torch.cat([T[..., None], after[..., :-1]], dim=-1), 0.0)
        heavy, place = weights.max(dim=-1)
        heavier = heavy > weight
        weight = torch.where(heavier, heavy, weight)
        best = torch.where(heavier, meta["gaussian_ids"][splats].gather(1, place), best)
        T = after[..., -1]
        if not bool((T > MIN_TRANSMITTANCE).any()):
            break
    return best
