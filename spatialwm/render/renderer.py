"""The one call that every rasteriser answers, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from jaxtyping import Float
from torch import Tensor

from spatialwm.errors import SpatialwmError

RenderMode = Literal["RGB", "D", "ED", "RGB+D", "RGB+ED"]
"""Channels of the result: colour; accumulated depth; expected depth; colour then depth."""


class Rasterizer(Protocol):
    """The signature of ``gsplat.rasterization`` (1.5.3), so that backends are interchangeable.

    Physical values in, never raw ones. ``viewmats`` are ``cam_from_world``; depth is metres along the optical axis.
    """

    def __call__(
        self,
        means: Float[Tensor, "n 3"],
        quats: Float[Tensor, "n 4"],
        scales: Float[Tensor, "n 3"],
        opacities: Float[Tensor, " n"],
        colors: Float[Tensor, "*shape"],
        viewmats: Float[Tensor, "c 4 4"],
        Ks: Float[Tensor, "c 3 3"],
        width: int,
        height: int,
        *,
        near_plane: float = 0.01,
        far_plane: float = 1e10,
        eps2d: float = 0.3,
        sh_degree: int | None = None,
        backgrounds: Float[Tensor, "c d"] | None = None,
        render_mode: RenderMode = "RGB",
        rasterize_mode: Literal["classic", "antialiased"] = "classic",
        with_ids: bool = False,
    ) -> tuple[Float[Tensor, "c h w d"], Float[Tensor, "c h w 1"], dict[str, Any]]:
        """``(render, alpha, info)``.

        A zero quaternion is no rotation, an opacity above 1 is 1, Gaussians fainter than 1/255 are not drawn.

        Args:
            colors: (n, k, 3) SH coefficients with ``sh_degree``; else (n, d) or (c, n, d) channels of any meaning.
            eps2d: variance in px^2 added to every projected Gaussian.
            backgrounds: colour channels seen where nothing covers.
            with_ids: also find, per pixel, the Gaussian of greatest weight (beyond gsplat).

        Returns:
            ``info`` holds gsplat's packed entries, one per visible pair of camera and Gaussian, nearest first:
            ``camera_ids``, ``gaussian_ids``, ``means2d`` (px), ``radii`` (int32 px, 2), ``depths`` (m), ``conics``,
            ``opacities``; ``width``, ``height``, ``n_cameras``, ``backend``; with ``with_ids`` also ``ids`` (c, h, w) int32,
            -1 where nothing covers.

        Raises:
            ShapeError: shapes disagree, a value is not finite, the image is empty or a camera degenerate.
        """
        ...


def _reference() -> Rasterizer:
    from spatialwm.render.reference import rasterization

    return rasterization


def _cpu() -> Rasterizer:
    from spatialwm.render.cpu import rasterization

    return rasterization


BACKENDS: dict[str, Callable[[], Rasterizer]] = {"cpu": _cpu, "reference": _reference}
"""Loaders in order of preference for ``auto``."""


def choose(backend: str = "auto") -> tuple[str, Rasterizer]:
    """The name and the function of a backend; ``auto`` takes the fastest present.

    Raises:
        SpatialwmError: no backend of that name.
    """
    name = next(iter(BACKENDS)) if backend == "auto" else backend
    if name not in BACKENDS:
        raise SpatialwmError(f"unknown render backend {backend!r}; choose auto or one of {', '.join(sorted(BACKENDS))}")
    return name, BACKENDS[name]()
