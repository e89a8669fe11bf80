"""What every rasteriser refuses, said the same way."""

from __future__ import annotations

import torch
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.geometry.sh import MAX_DEGREE, num_bases

COLOR_MODES = ("RGB", "RGB+D", "RGB+ED")
DEPTH_MODES = ("D", "ED", "RGB+D", "RGB+ED")


def check_inputs(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, near_plane: float, far_plane: float, eps2d: float, sh_degree: int | None,
    backgrounds: Tensor | None, render_mode: str, rasterize_mode: str, features: Tensor | None,
) -> None:  # fmt: skip
    """Refuse shapes, modes and cameras that cannot be rendered; values of Gaussians are checked by :func:`check_values`.

    Raises:
        ShapeError: the first thing wrong.
    """
    n, c = means.shape[0] if means.ndim else -1, viewmats.shape[0] if viewmats.ndim else -1
    for name, value, shape in (
        ("means", means, (n, 3)), ("quats", quats, (n, 4)), ("scales", scales, (n, 3)), ("opacities", opacities, (n,)),
        ("viewmats", viewmats, (c, 4, 4)), ("Ks", Ks, (c, 3, 3)),
    ):  # fmt: skip
        if tuple(value.shape) != shape:
            raise ShapeError(f"{name} must be {shape} with n={n} Gaussians and c={c} cameras; got {tuple(value.shape)}")
    if c < 1:
        raise ShapeError("rendering needs at least one camera; viewmats is empty")
    if width < 1 or height < 1:
        raise ShapeError(f"the image must be at least 1x1 pixels; got {width}x{height}")
    if render_mode not in (*COLOR_MODES, *DEPTH_MODES):
        raise ShapeError(f"render_mode must be RGB, D, ED, RGB+D or RGB+ED; got {render_mode!r}")
    if rasterize_mode not in ("classic", "antialiased"):
        raise ShapeError(f"rasterize_mode must be classic or antialiased; got {rasterize_mode!r}")
    if not (0 < near_plane < far_plane and eps2d > 0):
        raise ShapeError(f"expected 0 < near_plane < far_plane and eps2d > 0; got {near_plane}, {far_plane}, {eps2d}")
    if render_mode in COLOR_MODES:
        _check_colors(colors, n, c, sh_degree, backgrounds)
    if features is not None and (features.ndim != 2 or features.shape[0] != n):
        raise ShapeError(f"features must be ({n}, f); got {tuple(features.shape)}")
    for i in range(c):
        K, view = Ks[i].detach(), viewmats[i].detach()
        if not (torch.isfinite(K).all() and K[0, 0] > 0 and K[1, 1] > 0):
            raise ShapeError(f"camera {i}: K needs finite values and positive focal lengths; got {K.tolist()}")
        if not (torch.isfinite(view).all() and abs(float(torch.linalg.det(view[:3, :3].double()))) > 1e-9):
            raise ShapeError(f"camera {i}: viewmat must be a finite rigid cam_from_world matrix; got {view.tolist()}")


def _check_colors(colors: Tensor, n: int, c: int, sh_degree: int | None, backgrounds: Tensor | None) -> None:
    if sh_degree is not None:
        if not 0 <= sh_degree <= MAX_DEGREE:
            raise ShapeError(f"sh_degree must be 0 to {MAX_DEGREE} or None; got {sh_degree}")
        k = num_bases(sh_degree)
        if colors.ndim != 3 or colors.shape[0] != n or colors.shape[1] < k or colors.shape[2] != 3:
            raise ShapeError(f"with sh_degree={sh_degree} colors must be ({n}, k >= {k}, 3); got {tuple(colors.shape)}")
        channels = 3
    else:
        if tuple(colors.shape[:-1]) not in ((n,), (c, n)) or colors.shape[-1] < 1:
            raise ShapeError(f"colors must be ({n}, d) or ({c}, {n}, d) without sh_degree; got {tuple(colors.shape)}")
        channels = colors.shape[-1]
    if backgrounds is not None and tuple(backgrounds.shape) != (c, channels):
        raise ShapeError(f"backgrounds must be ({c}, {channels}): one colour per camera; got {tuple(backgrounds.shape)}")


def check_values(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor | None, features: Tensor | None = None
) -> None:
    """Refuse NaN and infinities.

    Raises:
        ShapeError: names the first bad field and how many Gaussians it spoils.
    """
    fields = {"means": means, "quats": quats, "scales": scales, "opacities": opacities[:, None]}
    if colors is not None:
        fields["colors"] = colors if colors.ndim == 2 or colors.shape[0] == means.shape[0] else colors.transpose(0, 1)
    if features is not None:
        fields["features"] = features
    for name, value in fields.items():
        bad = ~torch.isfinite(value.detach()).flatten(1).all(1)
        if bool(bad.any()):
            first = int(bad.nonzero()[0, 0])
            raise ShapeError(
                f"{name} is not finite in {int(bad.sum())} of {len(bad)} Gaussians (first: index {first}); "
                "drop them with Gaussians.drop_invalid()"
            )
