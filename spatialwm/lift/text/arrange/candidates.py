"""Where a body might go: every pose worth judging, for each way of being held."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.arrange import priors
from spatialwm.lift.text.arrange.bodies import Body, Placed
from spatialwm.lift.text.places.shell import Shell

Array = np.ndarray
Poses = Float[Array, "n 4"]
"""Columns x, y, z, yaw of a body's origin."""

WALL_GAP_M = 0.03
"""Furniture keeps off the skirting board."""
GRID_M = 0.1
MOST_POINTS = 1500
QUARTERS = np.arange(4) * (math.pi / 2)


def poses_for(body: Body, shell: Shell, placed: dict[str, Placed], rng: np.random.Generator) -> Poses:
    """Candidate poses by mount; may be empty when nothing fits."""
    if body.fixed is not None:
        return body.fixed
    if body.mount == "wall":
        return _on_walls(body, shell)
    if body.mount == "ceiling":
        return _from_ceiling(body, shell)
    if body.mount == "surface" and body.support in placed:
        return _on_surface(body, placed[body.support], rng)
    if shell.indoor:
        return np.concatenate([_along_walls(body, shell), _in_room(body, shell)])
    return _outdoors(body, shell, rng)


def _yaws(body: Body) -> Float[Array, " k"]:
    if body.facing:
        return np.arange(8) * (math.pi / 4)
    square = len(body.members) == 1 and not body.lead.model.has_front and abs(body.lead.size[0] - body.lead.size[1]) < 0.02
    return QUARTERS[:1] if square else QUARTERS


def _grid(low: tuple[float, float], high: tuple[float, float], spacing: float) -> Float[Array, "n 2"]:
    span = np.array(high) - np.array(low)
    if np.any(span < 0):
        return np.zeros((0, 2))
    spacing = max(spacing, math.sqrt(float(np.prod(span + spacing)) / MOST_POINTS))
    axes = []
    for i in range(2):
        n = int(span[i] / spacing) + 1
        axes.append((low[i] + high[i]) / 2 + (np.arange(n) - (n - 1) / 2) * spacing)
    x, y = np.meshgrid(*axes, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _stand(points: Float[Array, "n 2"], z: float, yaw: float) -> Poses:
    return np.column_stack([points, np.full(len(points), z), np.full(len(points), yaw)])


def _in_room(body: Body, shell: Shell) -> Poses:
    out = [np.zeros((0, 4))]
    margin = 0.0 if body.flat else WALL_GAP_M
    for yaw in _yaws(body):
        lo, hi = body.extent(yaw)
        low = (shell.low[0] - lo[0] + margin, shell.low[1] - lo[1] + margin)
        high = (shell.high[0] - hi[0] - margin, shell.high[1] - hi[1] - margin)
        out.append(_stand(_grid(low, high, GRID_M), _rest(body), yaw))
    return np.concatenate(out)


def _rest(body: Body) -> float:
    """Height of the origin that puts the underside on the floor."""
    return -float(body.extent()[0][2])


def _along_walls(body: Body, shell: Shell) -> Poses:
    """Backs flush with each wall, and both corners of it."""
    out = [np.zeros((0, 4))]
    for yaw in QUARTERS:
        lo, hi = body.extent(yaw)
        low = np.array(shell.low) - lo[:2] + WALL_GAP_M
        high = np.array(shell.high) - hi[:2] - WALL_GAP_M
        if np.any(low > high):
            continue
        # The back of a body at yaw 0 is +Y, the north wall; a quarter turn counter-clockwise brings it to the west wall.
        side = round(yaw / (math.pi / 2)) % 4
        axis = 0 if side % 2 == 0 else 1
        n = max(int((high[axis] - low[axis]) / GRID_M) + 1, 2)
        run = np.linspace(low[axis], high[axis], n)
        flush = {0: high[1], 1: low[0], 2: low[1], 3: high[0]}[side]
        points = np.stack([run, np.full(n, flush)] if axis == 0 else [np.full(n, flush), run], axis=1)
        out.append(_stand(points, _rest(body), yaw))
    return np.concatenate(out)


def _on_walls(body: Body, shell: Shell) -> Poses:
    assert shell.ceiling_m is not None
    out = [np.zeros((0, 4))]
    lo0, hi0 = body.extent()
    height = hi0[2] - lo0[2]
    usual = priors.WALL_HEIGHT_M.get(body.lead.name, 1.6)
    top = shell.ceiling_m - 0.08
    middles = sorted({min(max(m, height / 2 + 0.25), top - height / 2) for m in (usual, usual + 0.25, 1.3, 1.75, 2.05)})
    for yaw in QUARTERS:
        lo, hi = body.extent(yaw)
        side = round(yaw / (math.pi / 2)) % 4
        axis = 0 if side % 2 == 0 else 1
        low, high = shell.low[axis] - lo[axis] + 0.05, shell.high[axis] - hi[axis] - 0.05
        if low > high:
            continue
        n = max(int((high - low) / GRID_M) + 1, 2)
        run = np.linspace(low, high, n)
        flush = {0: shell.high[1] - hi[1], 1: shell.low[0] - lo[0], 2: shell.low[1] - lo[1], 3: shell.high[0] - hi[0]}[side]
        points = np.stack([run, np.full(n, flush)] if axis == 0 else [np.full(n, flush), run], axis=1)
        out += [_stand(points, m - height / 2 - lo0[2], yaw) for m in middles]
    return np.concatenate(out)


def _from_ceiling(body: Body, shell: Shell) -> Poses:
    assert shell.ceiling_m is not None
    lo, hi = body.extent()
    points = _grid(
        (shell.low[0] - lo[0] + 0.1, shell.low[1] - lo[1] + 0.1),
        (shell.high[0] - hi[0] - 0.1, shell.high[1] - hi[1] - 0.1),
        GRID_M,
    )
    return _stand(points, shell.ceiling_m - hi[2], 0.0)


def _on_surface(body: Body, host: Placed, rng: np.random.Generator) -> Poses:
    """A fine grid on each level of the support that is high enough, turned as the support is."""
    out = [np.zeros((0, 4))]
    lo, hi = body.extent()
    if body.within:
        levels = _inner_levels(host)
    else:
        levels = [(s.z, s.low, s.high, s.clearance_m) for s in host.thing.model.surfaces]
        if not levels:
            t = host.thing
            levels = [(float(t.hi[2]), (float(t.lo[0]), float(t.lo[1])), (float(t.hi[0]), float(t.hi[1])), 10.0)]
    c, s = math.cos(host.yaw), math.sin(host.yaw)
    for z, low, high, clearance in levels:
        if clearance < hi[2] - lo[2]:
            continue
        for turn in (0.0, math.pi / 2) if hi[0] - lo[0] > 1.3 * (hi[1] - lo[1]) and not body.lead.model.has_front else (0.0,):
            blo, bhi = body.extent(turn)
            a = np.array(low) - blo[:2]
            b = np.array(high) - bhi[:2]
            middle = (np.array(low) + np.array(high)) / 2 - (blo + bhi)[:2] / 2
            if np.any(a > b):  # larger than the surface: balance it on the middle, as a cat does
                a, b = np.where(a > b, middle, a), np.where(a > b, middle, b)
            points = _grid((float(a[0]), float(a[1])), (float(b[0]), float(b[1])), 0.03)
            world = np.stack([host.x + points[:, 0] * c - points[:, 1] * s, host.y + points[:, 0] * s + points[:, 1] * c], axis=1)
            out.append(_stand(world, host.z + z - lo[2], host.yaw + turn))
    return np.concatenate(out)


def _inner_levels(host: Placed) -> list[tuple[float, tuple[float, float], tuple[float, float], float]]:
    """The floor of a vessel: its lowest surface below the rim, else a little above its underside."""
    t = host.thing
    inner = [s for s in t.model.surfaces if s.z < t.hi[2] - 0.1 * t.size[2] - 0.005]
    if inner:
        lowest = min(inner, key=lambda s: s.z)
        return [(lowest.z, lowest.low, lowest.high, 10.0)]
    mid, half = (t.lo + t.hi) / 2, 0.42 * t.size
    low, high = (float(mid[0] - half[0]), float(mid[1] - half[1])), (float(mid[0] + half[0]), float(mid[1] + half[1]))
    return [(float(t.lo[2] + 0.35 * t.size[2]), low, high, 10.0)]


def _outdoors(body: Body, shell: Shell, rng: np.random.Generator) -> Poses:
    """Anywhere on the ground, big scenery also beyond the clearing; turned freely when it has no front."""
    lo, hi = body.extent()
    big = max(hi[0] - lo[0], hi[1] - lo[1]) > 2.0
    reach = 1.45 if body.lead.name in priors.CROWNS else 1.25 if big else 1.0
    center = np.array(shell.center)
    half = (np.array(shell.high) - np.array(shell.low)) / 2 * reach
    span = min(float(max(hi[0] - lo[0], hi[1] - lo[1])) / 2, float(half.min()) * 0.8)
    points = _grid(tuple(center - half + span), tuple(center + half - span), 0.25)
    points = points + rng.uniform(-0.1, 0.1, points.shape)
    yaws = np.arange(8) * (math.pi / 4) if len(body.members) == 1 else QUARTERS
    if len(body.members) == 1 and not body.lead.model.has_front:
        yaws = rng.uniform(0, 2 * math.pi, 2) if body.lead.name not in ("path", "bridge") else QUARTERS[:1]
    z = np.array([_ground(shell, x, y, float(span)) for x, y in points]) + _rest(body)
    return np.concatenate([np.column_stack([points, z, np.full(len(points), yaw)]) for yaw in yaws])


def _ground(shell: Shell, x: float, y: float, half: float) -> float:
    """Height on which a thing of that half width rests without a gap beneath: the lowest of its middle and four sides."""
    if half < 0.6:
        return shell.ground_height(x, y)
    return min(shell.ground_height(x + dx * half, y + dy * half) for dx, dy in ((0, 0), (0.7, 0), (-0.7, 0), (0, 0.7), (0, -0.7)))
