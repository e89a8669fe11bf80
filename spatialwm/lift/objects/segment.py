"""Which Gaussians are the thing in a window of a picture: one cut in space, from everything that pictures and geometry say.

The cut is made among patches of surface and not among pixels, so that it is the same thing from every side, backs and
undersides included; its mask in any picture is its projection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.lift.objects.min_cut import min_cut
from spatialwm.lift.objects.patches import Patches, gather
from spatialwm.lift.objects.shell import Plane, nearby, through_centers
from spatialwm.lift.objects.sight import LONGEST_PX, Sight, look

Box = tuple[float, float, float, float]
"""``x0, y0, x1, y1`` in pixels."""

CELLS_ACROSS = 40
"""Patches along the longer side of what is segmented."""
_CONTEXT = 0.35
"""Of the window's longer side, that is looked at around it."""
_GAINS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28)
"""What a seen patch within the window may be worth, in bonds. A thin thing with soft edges needs much, a large one that stands
against others little; which it is shows when the result is compared with the window."""
_FIT_SLACK = 0.04
_FLAT_SHARE = 0.85
"""Of a window, that a bound of the place fills where something flat on it is meant."""
_SHELL_BOND = 0.1
"""Share that is left of a bond between a patch of the shell and one that is none."""
_STRAY_SHARE = 0.02
"""Of the largest connected part, that a lesser one must have to stay."""
_MASK_GAIN = 1.0
"""What a patch gains or loses by lying on a mask or beside it, in bonds."""
_PART_BOND = 0.5
"""Patches bound more weakly than this belong to different parts."""
_PART_SHARE = 0.2
"""Of what is seen of a thing, that a part may have to be taken for something that merely stands on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of a picture, looked at closely, as a graph of patches."""

    sight: Sight
    box: Box
    """The window in the pixels of ``sight``."""
    rows: Int[np.ndarray, " m"]
    """The Gaussians that were gathered."""
    patches: Patches
    patch_at: Int[np.ndarray, "h w"]
    """The patch that each pixel shows; -1 for others."""
    barred: Bool[np.ndarray, " p"]
    """Patches of the shell or outside the window."""
    shell: Bool[np.ndarray, " p"]

    @property
    def within(self) -> Bool[np.ndarray, "h w"]:
        """Pixels of the window."""
        v, u = np.mgrid[0.5 : self.sight.camera.height, 0.5 : self.sight.camera.width]
        x0, y0, x1, y1 = self.box
        return (u > x0) & (u < x1) & (v > y0) & (v < y1)

    def shown(self, chosen: Bool[np.ndarray, " p"]) -> Bool[np.ndarray, "h w"]:
        """Pixels of the window where chosen patches are seen."""
        return (self.patch_at >= 0) & chosen[self.patch_at] & self.within

    def patches_of(self, gaussians: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " p"]:
        """Patches that hold any of these Gaussians."""
        out = np.zeros(len(self.patches.means), bool)
        held = self.patches.of[gaussians[self.rows]]
        out[held[held >= 0]] = True
        return out

    def gaussians(self, chosen: Bool[np.ndarray, " p"], count: int) -> Bool[np.ndarray, " n"]:
        """The Gaussians of chosen patches, of ``count`` in all."""
        out = np.zeros(count, bool)
        out[self.rows] = chosen[self.patches.of] & (self.patches.of >= 0)
        return out


def open_window(gaussians: Gaussians, camera: Camera, box: Box, planes: Sequence[Plane]) -> Window | None:
    """Look closely at a box of a picture; None where nothing but the shell is seen.

    Args:
        gaussians: in the world frame.
        box: in the camera's pixels.
        planes: the bounds of the place, see :func:`spatialwm.lift.objects.shell.shell_of`.
    """
    close = cropped(camera, box, _CONTEXT)
    sight = look(gaussians, close)
    x0, y0, x1, y1 = inner = to_pixels(camera, close, box)
    v, u = np.mgrid[0.5 : close.height, 0.5 : close.width]
    seen = (u > x0) & (u < x1) & (v > y0) & (v < y1) & (sight.depth_m > 0)
    planes = [near for plane in planes if (near := nearby(plane, sight)) is not None]
    places = sight.places().reshape(-1, 3)
    on = [plane.holds(places).reshape(seen.shape) & seen for plane in planes]
    # A rug or a picture lies on its plane, and the box says that it is meant.
    planes = [plane for plane, held in zip(planes, on, strict=True) if held.sum() < _FLAT_SHARE * seen.sum()]
    for plane in planes:
        seen &= ~plane.holds(places).reshape(seen.shape)
    if not seen.any():
        return None
    near, middle, far = np.quantile(sight.depth_m[seen], [0.02, 0.35, 0.98])
    size = max(x1 - x0, y1 - y0) * middle / close.fx
    margin = _CONTEXT * max(x1 - x0, y1 - y0)
    means = gaussians.means.double().numpy()
    pixels, depth = sight.project(means)
    around = (pixels > (x0 - margin, y0 - margin)).all(1) & (pixels < (x1 + margin, y1 + margin)).all(1)
    rows = np.flatnonzero(around & (depth > near - 0.2 * size) & (depth < far + size))
    if not len(rows):
        return None
    gathered = gaussians.select(torch.from_numpy(rows))
    patches = gather(gathered, size / CELLS_ACROSS, [sight])
    known = np.full(len(means) + 1, -1)
    known[rows] = patches.of
    at, _ = sight.project(patches.means)
    slack = 0.02 * max(x1 - x0, y1 - y0)
    outside = (at < (x0 - slack, y0 - slack)).any(1) | (at > (x1 + slack, y1 + slack)).any(1)
    shell = np.zeros(len(patches.means), bool)
    for plane in planes:
        exact = through_centers(plane, gathered, np.asarray(close.eye))
        shell |= exact.holds(patches.means, patches.normals, 0.25 * patches.cell_m)
    loose = shell[patches.pairs[:, 0]] != shell[patches.pairs[:, 1]]
    patches = replace(patches, bonds=np.where(loose, _SHELL_BOND * patches.bonds, patches.bonds))
    return Window(sight, inner, rows, patches, known[sight.row], shell | outside, shell)


def fill_window(window: Window, known: Float[np.ndarray, " p"]) -> Bool[np.ndarray, " p"]:
    """The patches of the thing that fills the window from edge to edge.

    Args:
        known: gains of patches that clicks or masks tell something of, 0 where nothing is known.
    """
    forced = np.where(window.barred, -np.inf, known)
    tried: list[tuple[float, np.ndarray]] = []
    for gain in _GAINS:
        chosen = _cut(window, gain, forced)
        tried.append((_fit(window, chosen), chosen))
    best = max(fit for fit, _ in tried)
    chosen = next(chosen for fit, chosen in tried if fit >= best - _FIT_SLACK)
    return _without_strays(window, _without_riders(window, chosen, known > 0))


def follow_mask(window: Window, mask: Bool[np.ndarray, "h w"], known: Float[np.ndarray, " p"]) -> Bool[np.ndarray, " p"]:
    """The patches of the thing that a mask of the window's picture shows, unseen sides included."""
    patches = window.patches
    on = window.sight.at(mask, patches.means)
    told = np.where(patches.seen, np.where(on, _MASK_GAIN, -_MASK_GAIN), 0.0) + known
    # The mask knows better than the shell what is a thing: rugs, pictures on walls.
    hopeless = window.barred & ~(window.shell & on & patches.seen)
    return _without_strays(window, _cut(window, 0.0, np.where(hopeless, -np.inf, told)))


def _cut(window: Window, gain: float, forced: Float[np.ndarray, " p"]) -> Bool[np.ndarray, " p"]:
    patches = window.patches
    return min_cut(patches.pairs, patches.bonds, np.where(patches.seen, gain, 0.0) + forced)


def _fit(window: Window, chosen: Bool[np.ndarray, " p"]) -> float:
    """The share of the window that the box around what is chosen covers."""
    box = box_around(window.shown(chosen))
    if box is None:
        return 0.0
    x0, y0, x1, y1 = window.box
    return (box[2] - box[0]) * (box[3] - box[1]) / ((x1 - x0) * (y1 - y0))


def _without_riders(window: Window, chosen: Bool[np.ndarray, " p"], wanted: Bool[np.ndarray, " p"]) -> Bool[np.ndarray, " p"]:
    """Without small parts that the window does not need: it was drawn around a table, not around the mug on it."""
    patches, n = window.patches, len(chosen)
    i, j = patches.pairs[(patches.bonds > _PART_BOND) & chosen[patches.pairs].all(1)].T
    _, part = connected_components(coo_matrix((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)
    pixels = np.bincount(window.patch_at[window.patch_at >= 0], minlength=n) * chosen
    seen = np.bincount(part, pixels)
    for p in np.argsort(seen, kind="stable"):
        if seen[p] > _PART_SHARE * seen.sum():
            break
        members = chosen & (part == p)
        if members.sum() < 4 or (members & wanted).any():
            continue
        rest = chosen & ~members
        if _fit(window, rest) >= _fit(window, chosen) - 0.01:
            chosen = rest
    return chosen


def _without_strays(window: Window, chosen: Bool[np.ndarray, " p"]) -> Bool[np.ndarray, " p"]:
    """Without specks that hang in the air beside the thing: one of them would double its bounds."""
    patches, n = window.patches, len(chosen)
    i, j = patches.pairs[(patches.bonds > 1e-3) & chosen[patches.pairs].all(1)].T
    _, part = connected_components(coo_matrix((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)
    count = np.bincount(part, chosen)
    return chosen & (count[part] >= _STRAY_SHARE * count.max())


def box_around(mask: Bool[np.ndarray, "h w"]) -> Box | None:
    """The tightest box, None around nothing."""
    if not mask.any():
        return None
    v, u = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return float(u[0]), float(v[0]), float(u[-1] + 1), float(v[-1] + 1)


def cropped(camera: Camera, box: Box, margin: float) -> Camera:
    """The part of a picture around a box, at the resolution that things are looked at."""
    x0, y0, x1, y1 = box
    grow = margin * max(x1 - x0, y1 - y0)
    x0, y0, x1, y1 = x0 - grow, y0 - grow, x1 + grow, y1 + grow
    k = LONGEST_PX / max(x1 - x0, y1 - y0)
    width, height = max(1, round((x1 - x0) * k)), max(1, round((y1 - y0) * k))
    return replace(
        camera, width=width, height=height, fx=camera.fx * k, fy=camera.fy * k,
        cx=(camera.cx - x0) * k, cy=(camera.cy - y0) * k,
    )  # fmt: skip


def to_pixels(camera: Camera, other: Camera, box: Box) -> Box:
    """A box in the pixels of another camera at the same place that looks the same way."""
    k = other.fx / camera.fx
    x0, x1 = ((x - camera.cx) * k + other.cx for x in box[::2])
    y0, y1 = ((y - camera.cy) * k + other.cy for y in box[1::2])
    return x0, y0, x1, y1
