"""The one call that every rasteriser answers, and the choice among them."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from jaxtyping import Float
from torch import Tensor

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
        colors: Float[Tensor, "..."],
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
    ) -> tuple[Float[Tensor, "c h w d"], Float[Tensor, "c h w 1"], dict[str, Any]]:
        """``(render, alpha, info)``.

        Args:
            colors: (n, k, 3) SH coefficients with ``sh_degree``; else (n, d) or (c, n, d) channels of any meaning.
            eps2d: variance in px^2 added to every projected Gaussian.
            backgrounds: colour channels seen where nothing covers.
        """
        ...
