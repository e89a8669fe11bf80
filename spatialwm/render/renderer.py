"""The one call that every rasteriser answers, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
        absgrad: bool = False,
        features: Float[Tensor, "n f"] | None = None,
        with_ids: bool = False,
    ) -> tuple[Float[Tensor, "c h w d"], Float[Tensor, "c h w 1"], dict[str, Any]]:
        """``(render, alpha, info)``; differentiable in every tensor but ``Ks``.

        A zero quaternion is no rotation, an opacity above 1 is 1, Gaussians fainter than 1/255 are not drawn.

        Args:
            colors: (n, k, 3) SH coefficients with ``sh_degree``; else (n, d) or (c, n, d) channels of any meaning.
            eps2d: variance in px^2 added to every projected Gaussian.
            backgrounds: colour channels seen where nothing covers.
            absgrad: after ``backward()``, ``info["means2d"].absgrad`` (m, 2) holds the sum over pixels of the absolute
                gradient (AbsGS); in ``.grad`` gradients of opposite sign cancel.
            features: further channels of any meaning, blended over nothing; they follow the colours and precede the depth.
            with_ids: also find, per pixel, the Gaussian of greatest weight (beyond gsplat).

        Returns:
            ``info`` holds gsplat's packed entries, one per visible pair of camera and Gaussian, camera by camera, so that
            gsplat's ``DefaultStrategy`` with ``packed=True`` runs on them: ``camera_ids``, ``gaussian_ids``, ``means2d`` (px; its
            gradient can be retained), ``radii`` (int32 px, 2), ``depths`` (m), ``conics``, ``opacities``; ``width``, ``height``,
            ``n_cameras``, ``backend``; with ``with_ids`` also ``ids`` (c, h, w) int32, -1 where nothing covers.

        Raises:
            ShapeError: shapes disagree, a value is not finite, the image is empty or a camera degenerate.
        """
        ...


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to rasterise, which may not be possible on every machine."""

    load: Callable[[], Rasterizer]
    missing: Callable[[], str | None]
    """Why it cannot run here and how to mend it; None where it can."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where it wants its tensors; it would carry them there itself, call after call."""


def _reference() -> Rasterizer:
    from spatialwm.render.reference import rasterization

    return rasterization


def _cpu() -> Rasterizer:
    from spatialwm.render.cpu import rasterization

    return rasterization


def _cuda() -> Rasterizer:
    from spatialwm.render.cuda import rasterization

    return rasterization


def _cuda_missing() -> str | None:
    from spatialwm.render.cuda import missing

    return missing()


def _gsplat() -> Rasterizer:
    from spatialwm.render.gsplat import rasterization

    return rasterization


def _gsplat_missing() -> str | None:
    from spatialwm.render.gsplat import missing

    return missing()


def _nothing() -> None:
    return None


BACKENDS: dict[str, Backend] = {
    "cuda": Backend(_cuda, _cuda_missing, "cuda"),
    "gsplat": Backend(_gsplat, _gsplat_missing, "cuda"),
    "cpu": Backend(_cpu, _nothing),
    "reference": Backend(_reference, _nothing),
}
"""In order of preference for ``auto``; each is imported when it is first asked for."""


def available() -> tuple[str, ...]:
    """The backends that can run here, fastest first."""
    return tuple(name for name, backend in BACKENDS.items() if backend.missing() is None)


def choose(backend: str = "auto") -> tuple[str, Rasterizer]:
    """The name and the function of a backend; ``auto`` takes the fastest that can run here.

    Raises:
        SpatialwmError: no backend of that name, or it cannot run here.
    """
    if backend == "auto":
        backend = available()[0]
    if backend not in BACKENDS:
        raise SpatialwmError(f"unknown render backend {backend!r}; choose auto or one of {', '.join(BACKENDS)}")
    missing = BACKENDS[backend].missing()
    if missing is not None:
        raise SpatialwmError(f"the {backend} render backend cannot run here: {missing}")
    return backend, BACKENDS[backend].load()
