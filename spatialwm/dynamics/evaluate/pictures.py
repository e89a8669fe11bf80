"""Episodes made visible: solids under a lamp on a table, as Gaussians, and how far predicted pictures are from true ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage
from scipy.spatial import ConvexHull, cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from spatialwm.dynamics.episode import Episode, Forecast
from spatialwm.dynamics.evaluate.contact import Piece, Solids, hulls
from spatialwm.dynamics.evaluate.windows import Window
from spatialwm.gaussians import Gaussians, concatenate
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.render import Frame, Stage, psnr, render_scene
from spatialwm.render.views import framing
from spatialwm.scene import Environment, Scene, SceneObject

CHANGED = 8 / 255
"""A pixel belongs to the dynamic region where the true picture differs by more than this from that of the present."""
MOST_DB = 60.0
"""Below the rounding of a byte; pictures that agree entirely would have no mean."""
PICTURE = (320, 240)
"""Pixels in which pictures are compared."""
_BEHIND = (0.955, 0.958, 0.965)
_ACTOR = (0.23, 0.25, 0.29)
_SPLATS = 3600
"""Per solid: 2.5 mm apart on something as large as a hand."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Scene and camera of an episode, ready to be drawn at any poses."""

    scene: Scene
    camera: Camera
    object_ids: tuple[str, ...]
    part_ids: tuple[str, ...]
    stage: Stage = field(default_factory=Stage, repr=False)

    def draw(
        self, poses: Float[np.ndarray, "k 7"], parts: Float[np.ndarray, "l 7"], size: tuple[int, int] | None = None
    ) -> Frame:
        """The picture when objects and parts are there (world from each).

        Args:
            size: width and height in pixels; None: the camera's own.
        """
        named = (*zip(self.object_ids, poses, strict=True), *zip(self.part_ids, parts, strict=True))
        placed: Mapping[str, Pose] = {name: Pose.from_list(pose) for name, pose in named}
        camera = self.camera if size is None else self.camera.resized(*size)
        return render_scene(self.stage.flatten(self.scene, placed), camera, background=_BEHIND)


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """What stands in the world and never moves."""

    pieces: Sequence[Piece]
    """In the world frame."""
    color: Vec3


def look_at_cast(
    episode: Episode, solids: Solids = hulls, size: tuple[int, int] = (560, 420), fixed: Sequence[Fixture] = ()
) -> Look:
    """The objects as their solids in the colours of their samples, the actor's parts as hulls of theirs, on a plain table."""
    cast, track = episode.cast, episode.track
    objects = [
        SceneObject(id=f"object/{name}", category="object", gaussians=_solid(pieces, points, colors))
        for name, pieces, points, colors in zip(cast.object_ids, solids(episode), cast.points, cast.colors, strict=True)
    ]
    hull_of = [[p[ConvexHull(p).vertices]] for p in cast.part_points.astype(np.float64)]
    steel = np.full((1, 3), _ACTOR)
    parts = [
        SceneObject(id=f"part/{name}", category="part", gaussians=_solid(pieces, points[:1], steel))
        for name, pieces, points in zip(cast.part_ids, hull_of, cast.part_points, strict=True)
    ]
    places = np.concatenate([track.poses[:, :, :3].reshape(-1, 3), track.part_poses[:, :, :3].reshape(-1, 3)])
    around = max((float(np.linalg.norm(p, axis=-1).max()) for p in (cast.points, cast.part_points) if p.size), default=0.05)
    corners = [places - around, places + around, *(piece for f in fixed for piece in f.pieces)]
    low, high = np.min([c.min(0) for c in corners], 0), np.max([c.max(0) for c in corners], 0)
    middle, reach = (low + high) / 2, float(np.max(high[:2] - low[:2])) / 2
    standing = [_solid(f.pieces, np.zeros((1, 3)), np.array([f.color])) for f in fixed]
    table = concatenate([_ground(middle[:2], 2.6 * reach), *standing])
    ground = SceneObject(id="ground", category="table", gaussians=table)
    box = np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (0.0, high[2])])
    camera = framing(box, (0.25, -1.0, 0.95), *size, fov_x_deg=38.0)
    scene = Scene((ground, *objects, *parts), Environment(background=_BEHIND))
    return Look(scene, camera, tuple(o.id for o in objects), tuple(p.id for p in parts))


def dynamic_region(now: Float[np.ndarray, "h w 3"], later: Float[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    """Where the picture has changed, and the pixels next to it."""
    return ndimage.binary_dilation(np.abs(later - now).max(-1) > CHANGED, iterations=2)


def render_error(
    windows: Sequence[Window], places: Sequence[int], looks: Mapping[int, Look], kept: Sequence[Mapping[int, Forecast]],
    steps: int,
) -> Float[np.ndarray, "s n"]:  # fmt: skip
    """PSNR in dB within the dynamic region of true renders after ``steps``, per seed and window; NaN where nothing changed."""
    out = np.full((len(kept), len(places)), np.nan)
    for j, i in enumerate(places):
        window, look = windows[i], looks[windows[i].episode]
        parts = window.situation.past.part_poses[-1]  # the actor is not what is predicted: it is drawn where it was
        now, true = (look.draw(window.truth[t], parts, PICTURE).rgb for t in (0, steps))
        region = dynamic_region(now, true)
        if not region.any():
            continue
        for s, answers in enumerate(kept):
            poses = answers[i].poses[steps - 1]
            poses = np.where(np.isfinite(poses).all(-1, keepdims=True), poses, window.truth[0])
            out[s, j] = min(MOST_DB, psnr(look.draw(poses, parts, PICTURE).rgb[region], true[region]))
    return out


def _solid(pieces: Sequence[Piece], points: np.ndarray, colors: np.ndarray) -> Gaussians:
    """Flat Gaussians on the outside of convex pieces, lit from above, and a soft shadow on what they stand on."""
    hulls_ = [ConvexHull(p) for p in pieces]
    area = sum(h.area for h in hulls_)
    means, normals = [], []
    for i, solid in enumerate(hulls_):
        p, n = _on_hull(solid, max(8, round(_SPLATS * solid.area / area)))
        hidden = np.zeros(len(p), bool)
        for j, other in enumerate(hulls_):
            if j != i:
                hidden |= (p @ other.equations[:, :3].T + other.equations[:, 3] < -1e-6).all(1)
        means.append(p[~hidden])
        normals.append(n[~hidden])
    at, out = np.concatenate(means), np.concatenate(normals)
    base = colors[cKDTree(points).query(at)[1]]
    light = 0.64 + 0.36 * out[:, 2].clip(0) + 0.07 * out[:, 0] - 0.05 * out[:, 1] - 0.12 * (-out[:, 2]).clip(0)
    spacing = math.sqrt(area / max(len(at), 1))
    scales = np.tile([0.68 * spacing, 0.68 * spacing, 0.1 * spacing], (len(at), 1))
    body = Gaussians.from_numpy(at, _facing(out), scales, np.full(len(at), 0.97), rgb=(base * light[:, None]).clip(0, 1))
    return concatenate([body, _shadow(at)])


def _on_hull(solid: ConvexHull, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals, evenly: a face by its share of the area, on it the R2 sequence (Roberts 2018)."""
    corners = solid.points[solid.simplices]
    size = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    face = np.searchsorted(np.cumsum(size) / size.sum(), (np.arange(count) + 0.5) / count).clip(0, len(size) - 1)
    a, b = (np.arange(1, count + 1)[:, None] * [0.7548776662, 0.5698402910] % 1).T
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
    c = corners[face]
    return c[:, 0] + a[:, None] * (c[:, 1] - c[:, 0]) + b[:, None] * (c[:, 2] - c[:, 0]), solid.equations[face, :3]


def _shadow(points: np.ndarray) -> Gaussians:
    low = points[:, 2].min()
    foot = points[points[:, 2] < low + 0.25 * np.ptp(points[:, 2]) + 1e-6]
    foot = foot[:: max(1, len(foot) // 60)] * [1.08, 1.08, 0.0] + [0.004, 0.006, low + 0.001]
    n = len(foot)
    scales = np.tile([0.014, 0.014, 0.0006], (n, 1))
    upright = np.tile([1.0, 0, 0, 0], (n, 1))
    return Gaussians.from_numpy(foot, upright, scales, np.full(n, 0.06), rgb=np.full((n, 3), 0.08))


def _ground(middle: np.ndarray, half: float) -> Gaussians:
    """A table top with a line every 10 cm, fading out."""
    per_line = max(1, round(0.1 / (half / 75)))
    pitch = 0.1 / per_line
    most = math.ceil(half / pitch)
    i, j = (v.ravel() for v in np.meshgrid(*[np.arange(-most, most + 1)] * 2))
    keep = np.hypot(i, j) * pitch < half
    i, j = i[keep], j[keep]
    x, y = i * pitch, j * pitch
    radius = np.hypot(x, y) / half
    line = (i % per_line == 0) | (j % per_line == 0)
    color = np.where(line[:, None], (0.80, 0.775, 0.735), (0.875, 0.855, 0.82))
    fade = np.clip((radius - 0.55) / 0.45, 0, 1)[:, None] ** 1.5
    color = color * (1 - fade) + np.array(_BEHIND) * fade
    n = len(x)
    means = np.stack([x + middle[0], y + middle[1], np.full(n, -0.002)], 1)
    scales = np.tile([0.62 * pitch, 0.62 * pitch, 0.0005], (n, 1))
    return Gaussians.from_numpy(means, np.tile([1.0, 0, 0, 0], (n, 1)), scales, np.full(n, 0.97), rgb=color)


def _facing(normals: np.ndarray) -> np.ndarray:
    """wxyz rotations that turn +z to each normal."""
    w = 1 + normals[:, 2]
    quats = np.stack([w, -normals[:, 1], normals[:, 0], np.zeros(len(w))], 1)
    quats[w < 1e-6] = (0, 1, 0, 0)
    return quats / np.linalg.norm(quats, axis=1, keepdims=True)
