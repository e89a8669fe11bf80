"""How lenses bend straight lines: one model for every camera that files or structure from motion name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from spatialwm.errors import LiftError

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Lens:
    """Distortion of normalised image coordinates (``x/z``, ``y/z``), general enough for every model that files name.

    Source: OpenCV 4 documentation "Camera Calibration and 3D Reconstruction" and "Fisheye camera model"; COLMAP's camera models.
    """

    radial: tuple[float, ...] = ()
    """Coefficients of r^2, r^4, ... of the radial factor; of theta^2, theta^4, ... for a fisheye."""
    divisor: tuple[float, ...] = ()
    """The same for the factor that divides it (OpenCV's k4, k5, k6)."""
    tangential: tuple[float, float] = (0.0, 0.0)
    """p1, p2."""
    prism: tuple[float, float] = (0.0, 0.0)
    """Thin prism: r^2 shifts x and y by these."""
    fisheye: bool = False
    """Equidistant: the radius is the angle off the axis, before the rest applies."""
    fov_rad: float = 0.0
    """Devernay and Faugeras' one-parameter field-of-view model, where not 0; nothing else applies then."""

    @property
    def straight(self) -> bool:
        """True when nothing bends."""
        bends = (*self.radial, *self.divisor, *self.tangential, *self.prism, self.fisheye, self.fov_rad)
        return not any(bends)

    def distort(self, xy: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """Where the lens puts directions given as ``(x/z, y/z)``; NaN where it does not see them.

        A polynomial turns back somewhere outside the picture it was fitted to; past that radius it would fold the far
        surroundings into the picture.
        """
        x, y = xy[..., 0].astype(np.float64), xy[..., 1].astype(np.float64)
        r = np.hypot(x, y)
        beyond = r > self._turning_radius(float(r.max(initial=0.0)))
        if self.fov_rad:
            factor = np.divide(
                np.arctan(2 * r * math.tan(self.fov_rad / 2)), r * self.fov_rad,
                out=np.full_like(r, 2 * math.tan(self.fov_rad / 2) / self.fov_rad), where=r > 1e-9,
            )  # fmt: skip
            return np.where(beyond[..., None], np.nan, np.stack([x * factor, y * factor], -1))
        if self.fisheye:
            squeeze = np.divide(np.arctan(r), r, out=np.ones_like(r), where=r > 1e-9)
            x, y = x * squeeze, y * squeeze
        rr = x * x + y * y
        factor = _series(self.radial, rr) / _series(self.divisor, rr)
        (p1, p2), (s1, s2) = self.tangential, self.prism
        bent_x = x * factor + 2 * p1 * x * y + p2 * (rr + 2 * x * x) + s1 * rr
        bent_y = y * factor + 2 * p2 * x * y + p1 * (rr + 2 * y * y) + s2 * rr
        return np.where(beyond[..., None], np.nan, np.stack([bent_x, bent_y], -1))

    def _turning_radius(self, furthest: float) -> float:
        """The first radius (of ``x/z``) at which a larger one no longer lands further out."""
        if self.fov_rad or not (any(self.radial) or any(self.divisor)):
            return math.inf
        r = np.linspace(0.0, furthest, 2048)
        u = np.arctan(r) if self.fisheye else r
        with np.errstate(divide="ignore", invalid="ignore"):
            bent = u * _series(self.radial, u * u) / _series(self.divisor, u * u)
        turned = ~(np.diff(bent) > 0)
        return float(r[int(turned.argmax())]) if turned.any() else math.inf


@dataclass(frozen=True, slots=True)
class Optics:
    """Size, focal lengths, principal point (pixel centres at half integers) and lens of a camera."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    lens: Lens = Lens()

    def __post_init__(self) -> None:
        lens = self.lens
        bends = (*lens.radial, *lens.divisor, *lens.tangential, *lens.prism, lens.fov_rad)
        numbers = (self.fx, self.fy, self.cx, self.cy, *bends)
        if not all(map(math.isfinite, numbers)) or self.fx <= 0 or self.fy <= 0:
            raise LiftError(f"focal lengths must be positive and every lens parameter finite; got {numbers}")
        if self.width < 1 or self.height < 1:
            raise LiftError(f"a camera needs a picture of at least 1x1 px; got {self.width}x{self.height}")

    def scaled(self, width: int, height: int) -> Optics:
        """The same camera after its picture was stretched to another size."""
        kx, ky = width / self.width, height / self.height
        return replace(
            self, width=width, height=height, fx=self.fx * kx, fy=self.fy * ky, cx=self.cx * kx, cy=self.cy * ky
        )  # fmt: skip


def _series(coefficients: tuple[float, ...], rr: Array) -> Array:
    total = np.zeros_like(rr)
    for k in reversed(coefficients):
        total = (total + k) * rr
    return 1 + total


Parameters = tuple[float, ...]

_COLMAP: dict[str, tuple[int, int, Callable[[Parameters], Lens]]] = {
    "SIMPLE_PINHOLE": (0, 1, lambda p: Lens()),
    "PINHOLE": (1, 2, lambda p: Lens()),
    "SIMPLE_RADIAL": (2, 1, lambda p: Lens(radial=p)),
    "RADIAL": (3, 1, lambda p: Lens(radial=p)),
    "OPENCV": (4, 2, lambda p: Lens(radial=p[:2], tangential=(p[2], p[3]))),
    "OPENCV_FISHEYE": (5, 2, lambda p: Lens(radial=p, fisheye=True)),
    "FULL_OPENCV": (6, 2, lambda p: Lens(radial=(*p[:2], p[4]), divisor=p[5:], tangential=(p[2], p[3]))),
    "FOV": (7, 2, lambda p: Lens(fov_rad=p[0])),
    "SIMPLE_RADIAL_FISHEYE": (8, 1, lambda p: Lens(radial=p, fisheye=True)),
    "RADIAL_FISHEYE": (9, 1, lambda p: Lens(radial=p, fisheye=True)),
    "THIN_PRISM_FISHEYE": (
        10, 2, lambda p: Lens(radial=(*p[:2], *p[4:6]), tangential=(p[2], p[3]), prism=(p[6], p[7]), fisheye=True),
    ),
}  # fmt: skip
"""COLMAP's number of a model, how many focal lengths it has, and the lens of the parameters after the principal point."""

PARAMETER_COUNT = {
    "SIMPLE_PINHOLE": 3, "PINHOLE": 4, "SIMPLE_RADIAL": 4, "RADIAL": 5, "OPENCV": 8, "OPENCV_FISHEYE": 8, "FULL_OPENCV": 12,
    "FOV": 5, "SIMPLE_RADIAL_FISHEYE": 4, "RADIAL_FISHEYE": 5, "THIN_PRISM_FISHEYE": 12,
}  # fmt: skip
"""How many numbers each of COLMAP's camera models has."""

COLMAP_NUMBERS = {number: name for name, (number, _, _) in _COLMAP.items()}
"""Names of the models by the number that binary files hold."""


def colmap_optics(model: str, width: int, height: int, parameters: Parameters) -> Optics:
    """The camera of a COLMAP model.

    Raises:
        LiftError: an unknown model, or not its number of parameters.
    """
    if model not in _COLMAP:
        raise LiftError(f"camera model {model} is not known; undistort the pictures first, or use one of {', '.join(_COLMAP)}")
    if len(parameters) != PARAMETER_COUNT[model]:
        raise LiftError(f"camera model {model} has {PARAMETER_COUNT[model]} parameters; got {len(parameters)}")
    _, focals, lens = _COLMAP[model]
    fx, fy = parameters[0], parameters[focals - 1]
    cx, cy = parameters[focals : focals + 2]
    return Optics(width, height, fx, fy, cx, cy, lens(parameters[focals + 2 :]))
