"""The ``cuda`` rasteriser: kernels of our own, tied together."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal

import torch
from torch import Tensor

from spatialwm.errors import SpatialwmError
from spatialwm.geometry.sh import MAX_DEGREE, num_bases
from spatialwm.render.cuda.channels import Channels
from spatialwm.render.cuda.device import runs_on
from spatialwm.render.cuda.gradients import Blend, Project, Shade
from spatialwm.render.cuda.view import view_of
from spatialwm.render.cuda.visible import Gaussians, find_visible, list_tiles
from spatialwm.render.inputs import COLOR_MODES, DEPTH_MODES, check_inputs, check_values
from spatialwm.render.renderer import RenderMode


def missing() -> str | None:
    """Why our kernels cannot run here and how to mend it; None where they can. Compiles nothing."""
    if not torch.cuda.is_available():
        return "torch finds no CUDA GPU; choose cpu"
    # Each name's parent first: looking for a part of what is not there raises.
    if any(find_spec(name) is None for name in ("cuda", "cuda.core", "cuda.bindings", "cuda.bindings.nvrtc")):
        return "cuda-core, which compiles the kernels, is not installed: pip install 'spatialwm[cuda]'"
    return None


def rasterization(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, *, near_plane: float = 0.01, far_plane: float = 1e10, eps2d: float = 0.3,
    sh_degree: int | None = None, backgrounds: Tensor | None = None, render_mode: RenderMode = "RGB",
    rasterize_mode: Literal["classic", "antialiased"] = "classic", absgrad: bool = False, features: Tensor | None = None,
    with_ids: bool = False,
) -> tuple[Tensor, Tensor, dict[str, Any]]:  # fmt: skip
    """See :class:`spatialwm.render.renderer.Rasterizer`; float32. Tensors in main memory travel to the GPU, and the results back.

    Fastest with the Gaussians on the GPU and the cameras in main memory, where they are checked. Pictures are bitwise repeatable;
    gradients add up in the order in which tiles finish, and agree to rounding.

    Raises:
        ShapeError: see the protocol.
        SpatialwmError: no GPU, or more splats than 32-bit numbers can count.
    """
    views, intrinsics = viewmats.detach().cpu(), Ks.detach().cpu()
    check_inputs(means, quats, scales, opacities, colors, views, intrinsics, width, height, near_plane, far_plane, eps2d,
                 sh_degree, backgrounds, render_mode, rasterize_mode, features)  # fmt: skip
    home = means.device
    if not runs_on(home) and (lacking := missing()) is not None:
        raise SpatialwmError(f"the cuda render backend cannot run here: {lacking}")
    device = home if runs_on(home) else torch.device("cuda")

    def ready(tensor: Tensor) -> Tensor:
        # Copies from pageable memory are safe without waiting: the driver has taken the data when the call returns.
        tensor = tensor.to(device, torch.float32, non_blocking=True).contiguous()
        # Kernels load 16 bytes at a time; a slice of a larger tensor may start between.
        return tensor if tensor.data_ptr() % 16 == 0 else tensor.clone()

    has_color = render_mode in COLOR_MODES
    given = [ready(t) for t in (means, quats, scales, opacities)]
    is_sh = has_color and sh_degree is not None
    shown_colors = ready(colors[:, : num_bases(MAX_DEGREE)] if is_sh else colors) if has_color else None
    shown_features = None if features is None else ready(features)
    behind = ready(backgrounds) if backgrounds is not None and has_color else None
    view = view_of(views, intrinsics, width, height, near_plane, far_plane, eps2d, rasterize_mode == "antialiased", device)
    differentiable = torch.is_grad_enabled() and any(
        t is not None and t.requires_grad for t in (*given, shown_colors, shown_features, behind, viewmats)
    )
    with torch.no_grad():
        channels = Channels(
            shown_colors if is_sh else None, sh_degree or 0, None if is_sh else shown_colors, shown_features,
            render_mode in DEPTH_MODES,
        )  # fmt: skip
        seen = find_visible(Gaussians(*given), channels, view)
        if seen.broken:
            check_values(means, quats, scales, opacities, colors if has_color else None, features)
        tiles = list_tiles(seen, view)
    means2d, shapes, depths = Project.apply(*given, viewmats, seen, view)
    rows = Shade.apply(given[0], shown_colors, shown_features, depths, viewmats, seen, channels, view)
    # By way of the caller's device, so that a retained gradient is found where the caller looks.
    shown = means2d.to(home)
    image, alpha, ids = Blend.apply(
        shown.to(device), shapes, rows, behind, seen, tiles, channels, view, render_mode in ("ED", "RGB+ED"), with_ids,
        differentiable, shown if absgrad else None,
    )  # fmt: skip
    info: dict[str, Any] = {
        "camera_ids": seen.camera_ids, "gaussian_ids": seen.gaussian_ids, "means2d": shown, "radii": seen.radii, "depths": depths,
        "conics": shapes[:, :3], "opacities": shapes[:, 3],
    }  # fmt: skip
    if with_ids:
        info["ids"] = ids
    info = {key: value.to(home) for key, value in info.items()}
    info.update(width=width, height=height, n_cameras=view.count, backend="cuda")
    return image.to(home), alpha.to(home), info
