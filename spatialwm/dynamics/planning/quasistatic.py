"""The coarse mechanics of planar pushing: thousands of pushes of one object in milliseconds, to know which are worth simulating.

Inertia, other objects and tipping are left out; what a push does to the pushed object is right to about a quarter of its motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial import ConvexHull, QhullError

from spatialwm.dynamics.episode import Forecast, Situation, check_commands
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose

SUBSTEP_M = 0.004
"""Motion of the pusher per substep; halving it changes the outcome of a 15 cm push by less than 1 mm."""
CONTACT_FRICTION = 0.5
"""Between pusher and object, where nobody says."""


@dataclass(frozen=True, slots=True, eq=False)
class Slider:
    """The outline of an object seen from above, about the middle of its support."""

    corners: Float[np.ndarray, "e 2"]
    """Convex, counter-clockwise, metres, relative to ``center`` along world axes at yaw 0 (as the object stands now)."""
    center: Float[np.ndarray, " 2"]
    """World position of the middle of the outline now."""
    reach_m: float
    """Mean distance of the support from its middle: how much a turn resists, compared with a shift."""

    @property
    def lengths(self) -> Float[np.ndarray, " e"]:
        """Of the edges; edge i leads from corner i to the next."""
        return np.linalg.norm(np.roll(self.corners, -1, 0) - self.corners, axis=1)

    @property
    def inward(self) -> Float[np.ndarray, "e 2"]:
        """Unit normals of the edges."""
        along = np.roll(self.corners, -1, 0) - self.corners
        return np.stack([-along[:, 1], along[:, 0]], 1) / np.linalg.norm(along, axis=1, keepdims=True)

    def at(self, around: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 2"]]:
        """Points of the outline and inward normals there; ``around`` counts the whole way round as 1."""
        lengths = self.lengths
        ends = np.cumsum(lengths)
        way = np.mod(around, 1.0) * ends[-1]
        edge = np.minimum(np.searchsorted(ends, way, side="right"), len(ends) - 1)
        along = np.roll(self.corners, -1, 0) - self.corners
        share = (way - (ends[edge] - lengths[edge])) / lengths[edge]
        return self.corners[edge] + along[edge] * share[:, None], self.inward[edge]

    def around(self, offset: Float[np.ndarray, " 2"]) -> float:
        """Where on the outline a point lies nearest; the inverse of :meth:`at`."""
        along = np.roll(self.corners, -1, 0) - self.corners
        share = np.clip(((offset - self.corners) * along).sum(1) / (along**2).sum(1), 0, 1)
        edge = int(np.argmin(np.linalg.norm(self.corners + along * share[:, None] - offset, axis=1)))
        lengths = self.lengths
        return float((lengths[:edge].sum() + share[edge] * lengths[edge]) / lengths.sum())


def slider_of(points: Float[np.ndarray, "p 3"], pose: Float[np.ndarray, " 7"]) -> Slider:
    """The convex outline of an object as it stands.

    Raises:
        ActionError: its surface points have no extent seen from above.
    """
    flat = Pose.from_list(pose).apply(points)[:, :2]
    try:
        hull = ConvexHull(flat)
    except QhullError:
        raise ActionError("the object has no extent seen from above; its surface points lie on a line") from None
    corners = _thinned(flat[hull.vertices])
    x, y = corners.T
    x1, y1 = np.roll(corners, -1, 0).T
    cross = x * y1 - x1 * y
    center = np.array([((x + x1) * cross).sum(), ((y + y1) * cross).sum()]) / (3 * cross.sum())
    corners = corners - center
    return Slider(corners, center, _mean_reach(corners))


def _thinned(corners: np.ndarray, least_m: float = 0.004) -> np.ndarray:
    """Without edges so short that only the sampling made them."""
    keep = [0]
    for i in range(1, len(corners)):
        if np.linalg.norm(corners[i] - corners[keep[-1]]) > least_m:
            keep.append(i)
    return corners[keep] if len(keep) >= 3 else corners


def _mean_reach(corners: np.ndarray) -> float:
    """Mean distance from the origin over the area: each triangle of the fan by its edge midpoints and its centroid."""
    a, b = corners, np.roll(corners, -1, 0)
    area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
    # The centroid of a fan triangle lies at two thirds of the way to the edge; this is exact for a disc.
    distance = np.mean([np.linalg.norm((a * s + b * (1 - s)) * 2 / 3, axis=1) for s in (0.1, 0.5, 0.9)], axis=0)
    return float((area * distance).sum() / area.sum())


def push(
    slider: Slider,
    states: Float[np.ndarray, "n 3"],
    starts: Float[np.ndarray, "n 2"],
    ends: Float[np.ndarray, "n 2"],
    radius_m: float,
    friction: float = CONTACT_FRICTION,
) -> Float[np.ndarray, "n 3"]:
    """Where the object comes to rest when a disc is led straight from start to end.

    Args:
        states: x, y of the slider's middle and yaw, the turn since :func:`slider_of`.

    Source: ellipsoidal limit surface and motion cone (Goyal, Ruina, Papadopoulos 1991; Lynch, Maekawa, Tanie 1992).
    """
    states = states.astype(np.float64)
    way = ends - starts
    count = max(1, int(np.ceil(np.linalg.norm(way, axis=1).max(initial=0.0) / SUBSTEP_M)))
    step = way / count
    pushers = starts.astype(np.float64)
    for _ in range(count):
        pushers = pushers + step
        states = _yield(slider, states, pushers, step, radius_m, friction)
    return states


def _yield(
    slider: Slider, states: np.ndarray, pushers: np.ndarray, step: np.ndarray, radius_m: float, friction: float
) -> np.ndarray:
    """The states after the object has given way to the pusher where they overlap."""
    near = np.linalg.norm(pushers - states[:, :2], axis=1) < radius_m + np.linalg.norm(slider.corners, axis=1).max()
    if not near.any():
        return states
    index = np.flatnonzero(near)
    x, yaw = states[index, :2], states[index, 2]
    cos, sin = np.cos(yaw), np.sin(yaw)
    offset = pushers[index] - x
    local = np.stack([cos * offset[:, 0] + sin * offset[:, 1], -sin * offset[:, 0] + cos * offset[:, 1]], 1)
    contact, normal, gap = _nearest(slider, local)
    deep = radius_m - gap
    touching = deep > 0
    if not touching.any():
        return states
    index, contact, normal, deep = index[touching], contact[touching], normal[touching], deep[touching]
    cos, sin = cos[touching], sin[touching]
    moved = step[index]
    local_step = np.stack([cos * moved[:, 0] + sin * moved[:, 1], -sin * moved[:, 0] + cos * moved[:, 1]], 1)
    tangent = np.stack([-normal[:, 1], normal[:, 0]], 1)
    sideways = (local_step * tangent).sum(1)
    wanted = normal * deep[:, None] + tangent * sideways[:, None]
    lever = np.stack([-contact[:, 1], contact[:, 0]], 1)
    force = _force_that_moves(lever, wanted, slider.reach_m)
    along, across = (force * normal).sum(1), (force * tangent).sum(1)
    slips = np.abs(across) > friction * np.maximum(along, 0)
    edge_of_cone = normal + friction * np.sign(across)[:, None] * tangent
    gives = ((edge_of_cone + lever * ((lever * edge_of_cone).sum(1) / slider.reach_m**2)[:, None]) * normal).sum(1)
    force = np.where(slips[:, None], edge_of_cone * (deep / np.maximum(gives, 1e-9))[:, None], force)
    turn = (lever * force).sum(1) / slider.reach_m**2
    out = states.copy()
    out[index, 0] += cos * force[:, 0] - sin * force[:, 1]
    out[index, 1] += sin * force[:, 0] + cos * force[:, 1]
    out[index, 2] += turn
    return out


def _force_that_moves(lever: np.ndarray, wanted: np.ndarray, reach_m: float) -> np.ndarray:
    """Force, in units of the motion it causes, under which the contact point moves as wanted: (I + l l^T / c^2)^-1 w."""
    return wanted - lever * ((lever * wanted).sum(1) / (reach_m**2 + (lever**2).sum(1)))[:, None]


def _nearest(slider: Slider, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest point of the outline, inward direction there, and signed distance (negative inside)."""
    corners = slider.corners
    along = np.roll(corners, -1, 0) - corners
    to = points[:, None] - corners
    share = np.clip((to * along).sum(-1) / (along**2).sum(-1), 0, 1)
    gaps = to - along * share[..., None]
    squared = (gaps**2).sum(-1)
    edge = squared.argmin(1)
    rows = np.arange(len(points))
    gap, inward = gaps[rows, edge], slider.inward[edge]
    distance = np.sqrt(squared[rows, edge])
    outside = (to * slider.inward).sum(-1).min(1) < 0
    normal = np.where((outside & (distance > 1e-9))[:, None], -gap / np.maximum(distance, 1e-9)[:, None], inward)
    return points - gap, normal, np.where(outside, distance, -distance)


def clearance(slider: Slider, state: Float[np.ndarray, " 3"], points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    """Signed distance in metres from world points to the outline."""
    cos, sin = np.cos(state[2]), np.sin(state[2])
    offset = points - state[:2]
    local = np.stack([cos * offset[:, 0] + sin * offset[:, 1], -sin * offset[:, 0] + cos * offset[:, 1]], 1)
    return _nearest(slider, local)[2]


def pusher_of(situation: Situation) -> tuple[Float[np.ndarray, " 2"], float]:
    """Where the pusher, the actor's first part, stands and its radius seen from above.

    Raises:
        ActionError: the actor has no parts.
    """
    cast = situation.cast
    if not cast.part_ids:
        raise ActionError("planning pushes needs an actor with at least one part, the pusher; this one has none")
    radius = float(np.linalg.norm(cast.part_points[0, :, :2], axis=1).max(initial=0.0))
    return situation.past.part_poses[-1, 0, :2].astype(np.float64), radius



def poses_after(
    now: Float[np.ndarray, " 7"], before: Float[np.ndarray, " 3"], after: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 7"]:
    """Poses of an object when its slider has gone from one state to others."""
    turn = after[:, 2] - before[2]
    cos, sin = np.cos(turn), np.sin(turn)
    x, y = now[:2] - before[:2]
    out = np.repeat(now[None].astype(np.float64), len(after), 0)
    out[:, 0] = after[:, 0] + cos * x - sin * y
    out[:, 1] = after[:, 1] + sin * x + cos * y
    half_cos, half_sin = np.cos(turn / 2), np.sin(turn / 2)
    w, a, b, c = now[3:]
    out[:, 3:] = np.stack(
        [half_cos * w - half_sin * c, half_cos * a - half_sin * b, half_cos * b + half_sin * a, half_cos * c + half_sin * w], 1
    )
    return out


@dataclass(frozen=True, slots=True)
class QuasiStatic:
    """The same mechanics as a world model of its own: every object alone, the pusher exactly where it is commanded.

    Crude, but it needs no simulator and answers hundreds of times faster.
    """

    friction: float = CONTACT_FRICTION
    sigma_share: float = 0.3
    """Expected error as a share of how far an object has moved."""
    name: str = "quasi-static"

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """See :class:`spatialwm.dynamics.episode.Forecaster`; situations of one cast and one present pose are moved together."""
        check_commands(situations, commands, 2)
        b, h = commands.shape[:2]
        at, radii = zip(*map(pusher_of, situations), strict=True)
        path = np.concatenate([np.array(at)[:, None], commands], 1)
        kinds: dict[tuple[int, bytes], list[int]] = {}
        for i, s in enumerate(situations):
            kinds.setdefault((id(s.cast), s.past.poses[-1].tobytes()), []).append(i)
        poses = np.stack([np.repeat(s.past.poses[-1:].astype(np.float64), h, 0) for s in situations])
        for rows in kinds.values():
            first = situations[rows[0]]
            for k, (points, pose) in enumerate(zip(first.cast.points, first.past.poses[-1], strict=True)):
                slider = slider_of(points, pose)
                here = np.array([*slider.center, 0.0])
                states = np.repeat(here[None], len(rows), 0)
                for t in range(h):
                    states = push(slider, states, path[rows, t], path[rows, t + 1], radii[rows[0]], self.friction)
                    poses[rows, t, k] = poses_after(pose, here, states)
        begun = np.stack([s.past.poses[-1, :, :3] for s in situations])
        sigma = self.sigma_share * np.linalg.norm(poses[..., :3] - begun[:, None], axis=-1) + 1e-3
        return [Forecast(poses[i], sigma[i]) for i in range(b)]
