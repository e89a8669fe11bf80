"""What a thing hid is invented: the surfaces it stood on and before are continued behind it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy import ndimage

from spatialwm.gaussians import Gaussians, concatenate
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.objects.shell import Plane, through_centers
from spatialwm.lift.objects.texture import continue_picture, diffuse
from spatialwm.render import render_scene
from spatialwm.scene import Flattened, SceneObject
from spatialwm.scene.objects import OPAQUE

CONFIDENCE = 0.2
"""Of what is invented."""
_PIXELS = 112
"""Along a surface that is continued."""
_AROUND = 0.6
"""Of the hole's size, that is looked at around it."""
_COVERED = 0.6
_AWAY = 5.0
"""Distance in sizes of the region from which a surface is looked at: far enough to see it without perspective."""


def fill(
    gaussians: Gaussians, chosen: Bool[np.ndarray, " n"], camera: Camera, shell: Sequence[Plane],
    backdrops: Sequence[Plane], object_id: str,
) -> SceneObject | None:
    """Invented Gaussians where a thing leaves a hole; None where it leaves none.

    Args:
        gaussians: of the place, in the world frame.
        chosen: those that are the thing.
        camera: from where it was pointed at; what lies behind the thing from there is filled too.
        shell: the bounds of the place; nothing is invented beyond them.
        backdrops: other flat surfaces around the thing.
    """
    means = gaussians.means.double().numpy()
    thing = means[chosen & (gaussians.opacities.numpy() > OPAQUE)]
    if len(thing) < 4:
        return None
    rest = gaussians.select(torch.from_numpy(~chosen))
    eye = np.asarray(camera.eye)
    shell = [through_centers(plane, rest, eye) for plane in shell]
    backdrops = [through_centers(plane, rest, eye) for plane in backdrops]
    support = support_of(gaussians, chosen, thing)
    surfaces: list[Plane] = []
    for plane in [*shell, *backdrops, *([support] if support is not None else [])]:
        behind = (plane.height(thing) > -2 * plane.thickness_m).mean() > 0.9
        if behind and not any(_same(plane, other, thing) for other in surfaces):
            surfaces.append(plane)
    parts: list[Gaussians] = []
    for plane in surfaces:
        part = _continued(rest, thing, camera, plane, [bound for bound in shell if not _same(bound, plane, thing)])
        if part is not None:
            parts.append(part)
    if not parts:
        return None
    invented = concatenate(parts)
    return SceneObject(
        id=object_id, category="fill", gaussians=invented, name="What was hidden", role="structure", mobility="static",
        provenance="invented", confidence=torch.full((len(invented),), CONFIDENCE),
    )  # fmt: skip


def support_of(gaussians: Gaussians, chosen: Bool[np.ndarray, " n"], thing: Float[np.ndarray, "m 3"]) -> Plane | None:
    """The level surface that the thing stands on, where one shows around its foot."""
    low, high = np.quantile(thing, 0.01, axis=0), np.quantile(thing, 0.99, axis=0)
    size = float(np.linalg.norm(high - low))
    means = gaussians.means.double().numpy()
    reach = 0.4 * size
    ring = ~chosen & (gaussians.opacities.numpy() > OPAQUE)
    ring &= (means[:, :2] > low[:2] - reach).all(1) & (means[:, :2] < high[:2] + reach).all(1)
    ring &= np.abs(means[:, 2] - low[2]) < 0.08 * size
    # A wall beside the thing has level points too, on one line.
    if ring.sum() < 12 or (np.ptp(means[ring, :2], axis=0) < 0.5 * (high - low)[:2]).any():
        return None
    heights = means[ring, 2]
    level = float(np.median(heights))
    spread = 1.5 * float(np.median(np.abs(heights - level)))
    return Plane(np.array([0.0, 0.0, 1.0]), level, max(3 * spread, 0.01 * size))


def _same(a: Plane, b: Plane, thing: Float[np.ndarray, "m 3"]) -> bool:
    apart = np.abs(a.height(thing) - b.height(thing))
    return bool(a.normal @ b.normal > 0.95 and np.median(apart) < 2 * (a.thickness_m + b.thickness_m))


def _continued(
    rest: Gaussians, thing: Float[np.ndarray, "m 3"], camera: Camera, plane: Plane, others: Sequence[Plane]
) -> Gaussians | None:
    """The part of one surface that the thing hid, as thin Gaussians."""
    eye = np.asarray(camera.eye)
    size = float(np.linalg.norm(np.ptp(thing, axis=0)))
    heights = plane.height(thing)
    above = thing[heights > -plane.thickness_m]
    if not len(above):
        return None
    near = above[plane.height(above) < 0.6 * size]
    hidden = near - plane.height(near)[:, None] * plane.normal
    if plane.height(eye) > 0:
        drop = plane.height(eye) / np.maximum(plane.height(eye) - plane.height(above), 1e-9)
        cast = eye + (above - eye) * drop[:, None]
        close = (plane.height(above) < 0.95 * plane.height(eye)) & (np.linalg.norm(cast - above, axis=1) < 1.5 * size)
        hidden = np.concatenate([hidden, cast[close]])
    if len(hidden) < 4:
        return None
    right = np.cross(plane.normal, [0.0, 0.0, 1.0])
    right = np.array([1.0, 0.0, 0.0]) if np.linalg.norm(right) < 0.3 else right / np.linalg.norm(right)
    right -= plane.normal * (right @ plane.normal)
    right /= np.linalg.norm(right)
    down = np.cross(-plane.normal, right)
    flat = np.stack([hidden @ right, hidden @ down], 1)
    low, high = flat.min(0), flat.max(0)
    middle, extent = (low + high) / 2, (1 + 2 * _AROUND) * float((high - low).max())
    pitch = extent / _PIXELS
    origin = right * middle[0] + down * middle[1] + plane.normal * plane.offset_m
    axes = np.stack([right, down, -plane.normal], 1)
    pose = Pose.from_matrix(np.column_stack([axes, origin + plane.normal * _AWAY * extent]))
    focal = _AWAY * _PIXELS
    above_plane = Camera(pose, _PIXELS, _PIXELS, focal, focal, _PIXELS / 2, _PIXELS / 2)
    slack = max(2 * plane.thickness_m, pitch)
    on = np.abs(plane.height(rest.means.double().numpy())) < slack
    if on.sum() < 8:
        return None
    surface = rest.select(torch.from_numpy(on))
    frame = render_scene(Flattened(surface, torch.zeros(len(surface), dtype=torch.int32), ("",)), above_plane)
    known = frame.alpha > _COVERED
    cells = np.floor((flat - middle) / pitch + _PIXELS / 2).astype(int).clip(0, _PIXELS - 1)
    shadow = np.zeros(known.shape, bool)
    shadow[cells[:, 1], cells[:, 0]] = True
    shadow = ndimage.binary_closing(np.pad(shadow, 8), iterations=4)[8:-8, 8:-8]
    shadow = np.asarray(ndimage.binary_fill_holes(ndimage.binary_dilation(shadow, iterations=2)), bool)
    v, u = np.mgrid[0.5:_PIXELS, 0.5:_PIXELS]
    places = origin + ((u - _PIXELS / 2) * pitch)[..., None] * right + ((v - _PIXELS / 2) * pitch)[..., None] * down
    beyond = np.zeros(known.shape, bool)
    for other in others:
        beyond |= other.height(places) < -2 * pitch  # a little overlap, or light shows through the seam
    hole = shadow & ~known & ~beyond & _enclosed(known | beyond)
    if hole.sum() < 4 or not known.any():
        return None
    rgb = continue_picture(_unblended(frame.rgb, frame.alpha), known, hole)
    height = np.where(known, _AWAY * extent - frame.depth_m, 0.0)
    height = diffuse(height[..., None], ~known)[hole]
    painted = places[hole] + height * plane.normal
    count = int(hole.sum())
    return Gaussians.from_numpy(
        painted, np.tile(Pose.from_matrix(np.column_stack([axes, np.zeros(3)])).quat, (count, 1)),
        np.tile([0.75 * pitch, 0.75 * pitch, 0.05 * pitch], (count, 1)), np.full(count, 0.95), rgb=rgb[hole],
    )  # fmt: skip


def _unblended(rgb: Float[np.ndarray, "h w 3"], alpha: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w 3"]:
    """Colours as if what is half covered before black were covered whole."""
    return (rgb / np.maximum(alpha, 1e-3)[..., None]).clip(0, 1)


def _enclosed(known: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Pixels with something known on at least three of four sides: a table top is not continued past its edge."""
    sides = np.zeros(known.shape, int)
    for axis in (0, 1):
        for step in (1, -1):
            flipped = np.flip(known, axis) if step < 0 else known
            met = np.logical_or.accumulate(flipped, axis)
            sides += np.flip(met, axis) if step < 0 else met
    return sides >= 3
