"""How wide the lens sees: by the user, by the camera's own note, else by a prior that vanishing points refine."""

from __future__ import annotations

import math

from spatialwm.lift.image.photo import Photo

_FILM_DIAGONAL_MM = math.hypot(36, 24)
USUAL_MM = 30.0
"""35 mm equivalent of what most pictures without a note were taken with: phones 24 to 28, cameras 28 to 50."""
USUAL_SIGMA = 0.3


def known_focal(photo: Photo) -> tuple[float, float, str]:
    """Focal length in pixels of ``photo``, the standard deviation of its logarithm, and where it comes from."""
    diagonal = math.hypot(*photo.size)
    if photo.hints.focal_mm is not None:
        return photo.hints.focal_mm / _FILM_DIAGONAL_MM * diagonal, 0.01, f"{photo.hints.focal_mm:g} mm, as told"
    if photo.focal_px is not None:
        return photo.focal_px, 0.02, "EXIF"
    return USUAL_MM / _FILM_DIAGONAL_MM * diagonal, USUAL_SIGMA, f"{USUAL_MM:g} mm equivalent, the usual"


def equivalent_mm(focal_px: float, size: tuple[int, int]) -> float:
    """35 mm equivalent, by the diagonal."""
    return focal_px / math.hypot(*size) * _FILM_DIAGONAL_MM
