"""Where a picture shows sky."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import (
    binary_dilation,
    binary_erosion,
    binary_fill_holes,
    gaussian_filter,
    maximum_filter,
)

from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.pieces import pieces

_THRESHOLDS = np.geomspace(1.2, 14, 14)
"""Gradients in L*a*b* per pixel at which the sky may end."""
_ISLAND = 0.02
"""Of the picture: what is smaller and hangs in the sky is cloud or bird, and there is no ground under it."""


def find_sky(look: Look, below_horizon_rad: Float[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The region under the top edge, ended by edges and colour, that is most unlike what lies below it.

    Source: after Shen and Wang, IJARS 2013, "Sky region detection in a single image for autonomous ground robot navigation":
    of the regions that edges of each strength enclose, the one that separates two tight colours best.

    Args:
        below_horizon_rad: of each pixel; the sky ends a little below at the latest.

    Returns:
        The mask; empty where the region looks more like a ceiling or a wall.
    """
    height, width = look.lab.shape[:2]
    edge = _edge_strength(look.lab)
    allowed = below_horizon_rad < np.radians(2.0)
    lab = look.lab * np.array([0.6, 1.0, 1.0], np.float32)
    best, found = -np.inf, np.zeros((height, width), bool)
    for threshold in _THRESHOLDS:
        mask = _under_top((edge < threshold) & allowed)
        share = mask.mean()
        if share < 0.01 or share > 0.92:
            continue
        inside, outside = lab[mask], lab[~mask]
        tight = np.log(np.linalg.det(np.cov(inside[:: max(1, len(inside) // 4000)].T) + np.eye(3) * 4))
        rest = np.log(np.linalg.det(np.cov(outside[:: max(1, len(outside) // 4000)].T) + np.eye(3) * 4))
        score = -(share * tight + (1 - share) * rest) / 2
        if score > best:
            best, found = score, mask
    if not found.any():
        return found
    grown = _same_colour(look, found, allowed, edge)
    return grown if _likeness(look, grown, edge) >= 0.5 else np.zeros_like(grown)


def _edge_strength(lab: np.ndarray) -> np.ndarray:
    """Largest change of colour across a pixel."""
    smooth = gaussian_filter(lab, (0.8, 0.8, 0))
    dy, dx = np.gradient(smooth, axis=0), np.gradient(smooth, axis=1)
    return np.sqrt((dx * dx + dy * dy).sum(-1))


def _under_top(free: np.ndarray) -> np.ndarray:
    """The free pixels that hang together with the top rows."""
    parts = pieces(_opened(free))
    rows = max(2, len(free) // 50)
    touching = np.bincount(parts[:rows].ravel(), minlength=int(parts.max()) + 1)
    keep = touching > 0.04 * parts[:rows].size
    keep[0] = False
    return keep[parts]


def _same_colour(look: Look, sky: np.ndarray, allowed: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """The sky with what looks the same beside or behind it: clouds, gaps between leaves; without specks."""
    height = len(sky)
    v = np.repeat(np.arange(height)[:, None] / height, sky.shape[1], 1)
    picked = look.lab[sky]
    design = np.stack([np.ones(sky.sum()), v[sky]], 1)
    trend, *_ = np.linalg.lstsq(design, picked, rcond=None)
    off = look.lab - (trend[0] + trend[1] * v[..., None])
    spread = np.cov(off[sky].T) + np.diag([16.0, 4.0, 4.0])
    distance = np.einsum("hwi,ij,hwj->hw", off, np.linalg.inv(spread), off)
    alike = (distance < 9) & allowed
    parts = pieces(alike | sky)
    joined = np.isin(parts, np.unique(parts[sky])) & (alike | sky)
    # Leaves and wires within the sky are left out only where they are solid enough to be seen.
    joined = binary_fill_holes(_closed(joined)) & allowed & ((maximum_filter(edge, 5) < 25) | alike)
    joined = _opened(joined)
    return joined | _islands(joined)


def _opened(mask: np.ndarray) -> np.ndarray:
    """Without what is thinner than three pixels; the border of the picture does not count as outside."""
    square = np.ones((3, 3))
    return binary_dilation(binary_erosion(mask, square, border_value=1), square)


def _closed(mask: np.ndarray) -> np.ndarray:
    """With what is thinner than three pixels and not in it, likewise."""
    square = np.ones((3, 3))
    return binary_erosion(binary_dilation(mask, square), square, border_value=1)


def _islands(sky: np.ndarray) -> np.ndarray:
    """Clouds and birds: small things that hang in the sky, at most by a thread."""
    out = np.zeros_like(sky)
    for rest in (_opened(~sky), ~sky):
        parts = pieces(rest & ~out)
        small = np.bincount(parts.ravel()) < _ISLAND * sky.size
        small[np.unique(parts[-1])] = False
        small[0] = False
        out |= small[parts]
    return out


def _likeness(look: Look, mask: np.ndarray, edge: np.ndarray) -> float:
    """How much a region under the top edge looks like sky rather than like a ceiling or a wall."""
    if mask.mean() < 0.01:
        return 0.0
    lab, rest = look.lab[mask], look.lab[~mask]
    light, a, b = lab.mean(0)
    contrast = light - rest[:, 0].mean()
    blue = -b - 0.3 * abs(a)
    smooth = float(np.median(edge[mask]))
    rows = mask.mean(1)
    top = float(rows[: max(1, len(rows) // 20)].mean())
    logit = -2.2 + 0.10 * np.clip(blue, -25, 25) + 0.045 * np.clip(contrast, -40, 50) + 1.6 * (top - 0.5)
    logit += 0.9 * np.clip(1.0 - smooth, -2, 1) + 0.03 * np.clip(light - 70, -40, 30)
    return float(1 / (1 + np.exp(-logit)))
