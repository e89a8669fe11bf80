"""Depth of views from the other views: a plane sweep on the CPU.

For each view the four others that tell most about its depths; 96 planes evenly spaced in inverse depth between what its points
bound; normalised cross-correlation of 7x7 windows, the mean of the best two sources (a surface hidden from one is still matched
in two others); a parabola through the best plane and its neighbours; and only what two other views confirm is kept.

Where there are no points yet (posed pictures without tracks), a sweep of small pictures over a wide range finds some first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import Capture, View
from spatialwm.lift.capture.dense import sweep
from spatialwm.lift.capture.dense.consistency import count_agreeing, fit_planes
from spatialwm.lift.capture.dense.depth_map import (
    LONG_SIDE,
    DepthMap,
    transfer,
    working_brightness,
    working_camera,
    working_usable,
)
from spatialwm.lift.capture.dense.overlap import Seen, depth_range, guessed, project, ranked_sources
from spatialwm.progress import Progress, part_of, silent
from spatialwm.render.cpu.threads import machine_threads, run

F = np.float32
PLANES = 96
SOURCES = 4
WITNESSES = 10
"""Other views asked whether they confirm a depth."""
CONFIRMED_BY = 2
LIKENESS = 0.6
"""Least correlation of a match."""
TOLERANCE = 1.5
"""Planes by which a confirming view may differ."""
UNSPECKLED = 20
"""Pixels of 81 around one that must lie on its surface; of real outliers this takes a tenth away."""
_GROUP = 8  # views swept at once, enough to keep all threads busy to the end
_PROBE_SIDE = 160


def depth_maps(
    capture: Capture, *, views: Sequence[int] | None = None, progress: Progress = silent,
    long_side: int = LONG_SIDE, threads: int | None = None,
) -> list[DepthMap]:  # fmt: skip
    """Depth of ``views`` (None: all), in their order: as measured where a view has depth, else from stereo among them.

    Views left out are not looked at in any way, so they can serve to judge the result. A view without overlap, parallax or
    texture has no depth; that is not an error. The same on any number of threads.

    Args:
        long_side: pixels of the longer side of the maps.
        threads: None: the machine's.
    """
    chosen = list(range(len(capture.views)) if views is None else views)
    threads = threads or machine_threads()
    measured = {i for i in chosen if capture.views[i].depth is not None}
    matched = [i for i in chosen if i not in measured]
    maps: dict[int, DepthMap] = {}
    if matched:
        work = [_prepared(i, capture.views[i], long_side) for i in chosen]
        seen = Seen.of(capture.points, chosen)
        if not seen.by_view.any():
            seen = _probed(capture, chosen, part_of(progress, 0, 0.25), threads)
            progress = part_of(progress, 0.25, 1)
        ranges = [depth_range(seen, row, item.camera) for row, item in enumerate(work)]
        maps = {m.view: m for m in _stereo(work, seen, ranges, progress, threads)}
    for i in measured:
        maps[i] = _measured(i, capture.views[i], long_side)
    return [maps[i] for i in chosen]


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """A view at working size."""

    view: int
    camera: Camera
    brightness: Float[np.ndarray, "h w"]
    means: Float[np.ndarray, "h w"]
    inverse_deviations: Float[np.ndarray, "h w"]
    """Of the brightness in the window around each pixel."""
    usable: Bool[np.ndarray, "h w"]
    """Shows the place."""


@dataclass(frozen=True, slots=True, eq=False)
class _Guess:
    """What the sweep found for a view, not yet confirmed."""

    depth: Float[np.ndarray, "h w"]
    likeness: Float[np.ndarray, "h w"]
    step: float
    """Inverse depth between planes."""


def _prepared(index: int, view: View, long_side: int) -> _Work:
    camera = working_camera(view.camera, long_side)
    brightness = np.ascontiguousarray(working_brightness(view, camera))
    means, squares = _window_mean(brightness), _window_mean(brightness * brightness)
    variance = squares - means * means
    inverse_deviations = (1 / np.sqrt(np.maximum(variance, sweep.FLAT))).astype(F)
    return _Work(index, camera, brightness, means, inverse_deviations, working_usable(view, camera))


def _window_mean(image: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Mean of the window around each pixel; 0 where it does not fit."""
    out = np.zeros_like(image)
    if min(image.shape) >= sweep.WINDOW:
        windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), (sweep.WINDOW, sweep.WINDOW))
        inner = slice(sweep.RADIUS, -sweep.RADIUS)
        out[inner, inner] = windows.mean((2, 3))
    return out


def _stereo(work: Sequence[_Work], seen: Seen, ranges: Sequence[tuple[float, float] | None], progress: Progress, threads: int
            ) -> list[DepthMap]:  # fmt: skip
    """Confirmed depth of every view."""
    witnesses = ranked_sources(seen, [item.camera for item in work], WITNESSES)
    guesses: list[_Guess] = []
    for start in range(0, len(work), _GROUP):
        progress("depth", 0.9 * start / len(work))
        group = range(start, min(start + _GROUP, len(work)))
        guesses += _swept(work, [(i, witnesses[i][:SOURCES], ranges[i]) for i in group], threads)
    progress("confirming depth", 0.9)
    jobs = [partial(_confirmed, work, guesses, i, witnesses[i]) for i in range(len(work))]
    return run(jobs, threads)


def _swept(
    work: Sequence[_Work], asked: Sequence[tuple[int, list[int], tuple[float, float] | None]], threads: int
) -> list[_Guess]:
    """The best depth of each pixel of the asked views: (index into ``work``, its sources, its nearest and farthest depth)."""
    jobs, results = [], []
    for i, sources, limits in asked:
        item = work[i]
        shape = item.brightness.shape
        best, before, after = (np.full(shape, F(-1)) for _ in range(3))
        winner = np.full(shape, -1, np.int32)
        near, far = limits or (1.0, 1.0)
        inverse = np.linspace(1 / far, 1 / near, PLANES)
        results.append((best, before, after, winner, inverse))
        if limits is None or not sources or min(shape) < sweep.WINDOW:
            continue
        images = [work[j].brightness for j in sources]
        starts = np.cumsum([0, *(image.size for image in images[:-1])])
        heights, widths = np.array([image.shape for image in images]).T
        homographies = np.stack([_homographies(work[j].camera, item.camera, inverse) for j in sources], axis=1)
        flat = np.concatenate([image.ravel() for image in images])
        last = shape[0] - sweep.RADIUS
        jobs += [
            partial(sweep.sweep_band, top, min(top + sweep.BAND, last), item.brightness, item.means, item.inverse_deviations,
                    flat, starts, np.ascontiguousarray(widths), np.ascontiguousarray(heights), homographies, len(sources) > 1,
                    best, before, after, winner)
            for top in range(sweep.RADIUS, last, sweep.BAND)
        ]  # fmt: skip
    run(jobs, threads)
    return [_refined(work[i].usable, *result) for (i, _, _), result in zip(asked, results, strict=True)]


def _homographies(source: Camera, reference: Camera, inverse: Float[np.ndarray, " p"]) -> Float[np.ndarray, "p 3 3"]:
    """Source pixel from reference pixel, both counted from 0, for planes across the reference's axis."""
    matrix, offset = transfer(source, reference)
    out = np.repeat(matrix[None], len(inverse), axis=0)
    out[:, :, 2] += inverse[:, None] * offset
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    return np.linalg.inv(shift) @ out @ shift


def _refined(
    usable: np.ndarray, best: np.ndarray, before: np.ndarray, after: np.ndarray, winner: np.ndarray, inverse: np.ndarray
) -> _Guess:
    """Depth between planes, from the parabola through the three scores; 0 where there is no sound match."""
    step = float(inverse[1] - inverse[0])
    bend = before - 2 * best + after
    known = (before > -1) & (after > -1) & (bend < -1e-6)
    offset = np.where(known, np.clip(0.5 * (before - after) / np.where(known, bend, -1), -0.5, 0.5), 0)
    sound = usable & (best > LIKENESS) & (winner > 0) & (winner < len(inverse) - 1)
    depth = np.where(sound, 1 / (inverse[0] + (np.maximum(winner, 0) + offset) * step), 0)
    return _Guess(depth.astype(F), best, step)


def _confirmed(work: Sequence[_Work], guesses: Sequence[_Guess], i: int, witnesses: list[int]) -> DepthMap:
    """A view's depth where enough other views agree, smoothed within each surface."""
    item, guess = work[i], guesses[i]
    counts = np.zeros(guess.depth.shape, np.int32)
    if witnesses:
        depths = [guesses[j].depth for j in witnesses]
        heights, widths = np.array([depth.shape for depth in depths]).T
        matrices, offsets = (np.stack(x) for x in zip(*(transfer(work[j].camera, item.camera) for j in witnesses), strict=True))
        count_agreeing(guess.depth, guess.step, np.concatenate([depth.ravel() for depth in depths]),
                       np.cumsum([0, *(depth.size for depth in depths[:-1])]), np.ascontiguousarray(widths),
                       np.ascontiguousarray(heights), np.array([guesses[j].step for j in witnesses]), matrices, offsets,
                       TOLERANCE, counts)  # fmt: skip
    agreed = counts >= min(CONFIRMED_BY, max(len(witnesses), 1))
    confidence = np.where(agreed, np.clip(guess.likeness, 0, 1), F(0))
    return _surfaced(DepthMap(item.view, item.camera, np.where(agreed, guess.depth, F(0)), confidence), 3 * guess.step, 0.0)


def _surfaced(m: DepthMap, jump: float, relative_jump: float) -> DepthMap:
    """With normals, and depth replaced by that of the plane fitted around each pixel."""
    inverse, camera = m.inverse_depth(), m.camera
    smooth, normals = np.empty_like(inverse), np.empty((*inverse.shape, 3), F)
    fit_planes(inverse, jump, relative_jump, UNSPECKLED, camera.fx, camera.fy, camera.cx, camera.cy, smooth, normals)
    depth = np.where(smooth > 0, 1 / np.where(smooth > 0, smooth, 1), 0).astype(F)
    return replace(m, depth=depth, normals=camera.world_from_cam.rotate(normals).astype(F))


def _measured(index: int, view: View, long_side: int) -> DepthMap:
    """A depth sensor's map at working size: the nearest sample, as a mean across an edge would hang in the air."""
    assert view.depth is not None
    camera = working_camera(view.camera, long_side)
    rows = ((np.arange(camera.height) + 0.5) * view.camera.height / camera.height).astype(np.int64)
    columns = ((np.arange(camera.width) + 0.5) * view.camera.width / camera.width).astype(np.int64)
    depth = np.asarray(view.depth, F)[np.ix_(rows, columns)]
    known = np.isfinite(depth) & (depth > 0) & working_usable(view, camera)
    depth = np.where(known, depth, F(0))
    return _surfaced(DepthMap(index, camera, depth, known.astype(F)), 0.0, 0.04)


def _probed(capture: Capture, views: Sequence[int], progress: Progress, threads: int) -> Seen:
    """Points for views that have none, from a sweep of small pictures over all depths their spacing can tell apart."""
    work = [_prepared(i, capture.views[i], _PROBE_SIDE) for i in views]
    cameras = [item.camera for item in work]
    stand_in, typical = guessed(cameras)
    maps = _stereo(work, stand_in, [(0.2 * z, 20 * z) if z > 0 else None for z in typical], progress, threads)
    every = slice(2, None, 4)
    means = [m.points()[every, every][m.depth[every, every] > 0] for m in maps]
    points = np.concatenate(means)
    return Seen(points, np.stack([_shows(m, points) for m in maps]), np.zeros(0, np.int64))


def _shows(m: DepthMap, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    """Which points a view sees at the depth it knows, within 3 %."""
    uv, z, inside = project(m.camera, points)
    out = np.zeros(len(points), np.bool_)
    i, j = uv[inside].astype(np.int64).T
    out[inside] = np.abs(m.depth[j, i] / z[inside] - 1) < 0.03
    return out
