"""What moves by itself while the camera moves is masked out of a clip's views, so that it is no part of the place.

Places are followed from each view into the two before and the two after it without asking the cameras. Where no point at rest
could be seen at those places, and the pictures are clearly less alike wherever one could be, something moved: cells that say so
together, in the same direction, over a patch of some size and in a neighbouring view as well, are masked with what hangs on them.
Each of these is asked because one of them alone also speaks of static clips: reflections, edges that slide along themselves,
repeated patterns, poor cameras. Six real clips without movers (156 views: rooms, objects, a drive) get no mask at all; a box that
crosses a synthetic room is covered to more than nine tenths in every view.

What goes steadily along the camera's own path looks like something at rest at another depth and is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_closing, binary_dilation, binary_fill_holes, convolve, label

from spatialwm.lift.capture.capture import Capture, Points, View
from spatialwm.lift.capture.dense.depth_map import LONG_SIDE, working_brightness, working_camera, working_usable
from spatialwm.lift.capture.dense.overlap import Seen, depth_range
from spatialwm.lift.capture.moving.matching import CELL, pyramid
from spatialwm.lift.capture.moving.residual import Followed, Work, followed, likeness_lost, matches, off_rest
from spatialwm.progress import Progress, silent
from spatialwm.render.cpu.threads import machine_threads, run

NEIGHBOURS = 2
"""Views before and after."""
OFF_PX, OFF_MEDIANS = 1.5, 6.0
"""At 320 px: a cell moves that is off by more than this and by so many times what the view's cells are off in the median."""
LOST = 0.15
"""Of correlation, where a moving cell would lie at rest."""
TOGETHER = 3
"""Of the eight cells around one, that are off alike."""
SMALLEST = 0.004
"""Share of the picture that a moving patch covers at least."""
CONFIRMED = 0.4
"""Share of a patch's cells that move in a neighbouring view too."""
MOST = 0.5
"""Share of a view's believed cells that may move: with more its camera is wrong, not the world."""
GROWTH = 3
"""Cells by which a patch spreads over what is not known to rest."""


def without_moving(capture: Capture, progress: Progress = silent) -> Capture:
    """The capture of a clip with ``usable`` false where something moved, and without the points there; unchanged if nothing did.

    Views must be in order of time.
    """
    masks = moving_masks(capture, progress)
    found = [i for i, mask in enumerate(masks) if mask.any()]
    if not found:
        return capture
    views = tuple(_masked(view, mask) for view, mask in zip(capture.views, masks, strict=True))
    share = float(np.mean([masks[i].mean() for i in found]))
    note = f"something moves in {len(found)} of {len(views)} frames: {share:.0%} of those were left out, and what is behind shows"
    return replace(capture, views=views, points=_resting(capture.points, views), notes=(*capture.notes, note))


def moving_masks(capture: Capture, progress: Progress = silent) -> list[Bool[np.ndarray, "h w"]]:
    """Where something moves in each view, at its own size."""
    work = _prepared(capture)
    last = len(work) - 1
    near = [(i, j) for i, j in combinations(range(len(work)), 2) if j - i <= NEIGHBOURS]
    threads = machine_threads()
    pairs: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
    for i in range(0, len(near), threads):
        progress("looking for what moves", i / max(len(near), 1))
        for done in run([partial(matches, work, *pair) for pair in near[i : i + threads]], threads):
            pairs |= done
    seen = [followed(work, pairs, i) for i in range(len(work))] if last >= NEIGHBOURS else []
    moving, resting = [], []
    for m, r in run([partial(_cells, work, i, s) for i, s in enumerate(seen)], threads):
        moving.append(m)
        resting.append(r)
    progress("looking for what moves", 1.0)
    confirmed = [_confirmed(moving, i, s) for i, s in enumerate(seen)]
    if not seen:
        return [np.zeros(v.rgb.shape[:2], np.bool_) for v in capture.views]
    return [_enlarged(_grown(m, r), v) for m, r, v in zip(confirmed, resting, capture.views, strict=True)]


def _prepared(capture: Capture) -> list[Work]:
    seen = Seen.of(capture.points, range(len(capture.views)))
    work: list[Work] = []
    for i, view in enumerate(capture.views):
        camera = working_camera(view.camera, LONG_SIDE)
        limits = depth_range(seen, i, camera)
        rows, columns = camera.height // CELL, camera.width // CELL
        usable = working_usable(view, camera)[CELL // 2 :: CELL, CELL // 2 :: CELL][:rows, :columns]
        # What moves may come nearer than anything that stands still.
        limit = 0.0 if limits is None else 1.5 / limits[0]
        work.append(Work(camera, pyramid(working_brightness(view, camera)), limit, usable & (limits is not None)))
    return work


def _cells(
    work: Sequence[Work], i: int, seen: Followed
) -> tuple[Bool[np.ndarray, "rows columns"], Bool[np.ndarray, "rows columns"]]:
    """Which cells move, and which are known to rest."""
    offset, rms = off_rest(work, i, seen)
    known = np.isfinite(rms)
    if not known.any():
        return known, known
    threshold = max(OFF_PX, OFF_MEDIANS * float(np.median(rms[known])))
    off = known & (rms > threshold)
    resting = known & (rms < threshold / 2)
    if off.sum() > MOST * known.sum():
        return np.zeros_like(off), resting
    off &= likeness_lost(work, i, seen, off) > LOST
    return _alike(off, offset), resting


def _alike(
    off: Bool[np.ndarray, "rows columns"], offset: Float[np.ndarray, "rows columns 2"]
) -> Bool[np.ndarray, "rows columns"]:
    """The cells of which enough neighbours are off in the same way: matches by chance point anywhere."""
    count = np.zeros(off.shape, np.int64)
    length = np.hypot(offset[..., 0], offset[..., 1])
    for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        other, there = np.roll(offset, (dy, dx), (0, 1)), np.roll(off, (dy, dx), (0, 1))
        difference = np.hypot(*np.moveaxis(other - offset, -1, 0))
        count += there & (difference < 1.0 + 0.25 * length)
    return off & (count >= TOGETHER)


def _confirmed(moving: Sequence[Bool[np.ndarray, "rows columns"]], i: int, seen: Followed) -> Bool[np.ndarray, "rows columns"]:
    """The patches of a view that are large enough and move in a neighbouring view too."""
    here = moving[i]
    patches = np.empty(here.shape, np.int32)
    label(binary_closing(here, np.ones((3, 3))), np.ones((3, 3)), output=patches)
    out = np.zeros_like(here)
    for patch in range(1, int(patches.max()) + 1):
        cells = here & (patches == patch)
        if cells.sum() < SMALLEST * here.size:
            continue
        rows, columns = np.argwhere(cells).T
        for k, j in enumerate(seen.others):
            flow = seen.flows[k, rows, columns] / CELL
            u, v = np.rint(columns + flow[:, 0]).astype(np.int64), np.rint(rows + flow[:, 1]).astype(np.int64)
            there = binary_dilation(moving[j], np.ones((3, 3)))
            height, width = moving[j].shape
            inside = (u >= 0) & (v >= 0) & (u < width) & (v < height) & seen.believed[k, rows, columns]
            hit = np.zeros(len(u), np.bool_)
            hit[inside] = there[v[inside], u[inside]]
            if hit.sum() > CONFIRMED * len(u):
                out |= patches == patch
                break
    return out


def _grown(
    moving: Bool[np.ndarray, "rows columns"], resting: Bool[np.ndarray, "rows columns"]
) -> Bool[np.ndarray, "rows columns"]:
    """With holes filled, and spread over the cells around that cannot be told, as plain and hidden ones."""
    if not moving.any():
        return moving
    sure = convolve(resting.astype(np.int64), np.ones((3, 3), np.int64), mode="nearest") >= 6
    grown = binary_dilation(moving, np.ones((3, 3)), iterations=GROWTH, mask=moving | ~sure)
    return binary_dilation(binary_fill_holes(grown), np.ones((3, 3)))


def _enlarged(cells: Bool[np.ndarray, "rows columns"], view: View) -> Bool[np.ndarray, "h w"]:
    camera = working_camera(view.camera, LONG_SIDE)
    height, width = view.rgb.shape[:2]
    rows = np.minimum((np.arange(height) + 0.5) * camera.height / height / CELL, cells.shape[0] - 1).astype(np.int64)
    columns = np.minimum((np.arange(width) + 0.5) * camera.width / width / CELL, cells.shape[1] - 1).astype(np.int64)
    return cells[np.ix_(rows, columns)]


def _masked(view: View, moving: Bool[np.ndarray, "h w"]) -> View:
    if not moving.any():
        return view
    return replace(view, usable=~moving if view.usable is None else view.usable & ~moving)


def _resting(points: Points, views: Sequence[View]) -> Points:
    """Without the sightings that lie under masks, and without points that fewer than two views then see."""
    keep = np.ones(len(points.tracks), np.bool_)
    for i, view in enumerate(views):
        rows = np.flatnonzero(points.tracks[:, 1] == i)
        if view.usable is None or not len(rows):
            continue
        c = view.camera
        p = c.world_from_cam.inverse().apply(points.means[points.tracks[rows, 0]])
        u = np.clip(p[:, 0] / p[:, 2] * c.fx + c.cx, 0, c.width - 1).astype(np.int64)
        v = np.clip(p[:, 1] / p[:, 2] * c.fy + c.cy, 0, c.height - 1).astype(np.int64)
        keep[rows] = view.usable[v, u]
    tracks = points.tracks[keep]
    stays = np.bincount(tracks[:, 0], minlength=len(points)) >= 2
    number = np.cumsum(stays) - 1
    tracks = tracks[stays[tracks[:, 0]]]
    tracks = np.stack([number[tracks[:, 0]], tracks[:, 1]], 1)
    return Points(points.means[stays], points.rgb[stays], tracks)
