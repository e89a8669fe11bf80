"""A picture as the goal: where objects must be for a camera to see what the picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from scipy import ndimage

from spatialwm.dynamics.episode import Cast, Forecast, Situation
from spatialwm.dynamics.planning.goals import PoseGoal, index_of, pose_costs
from spatialwm.dynamics.planning.search import Cem, Space
from spatialwm.errors import ActionError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, quat_multiply, quat_to_matrix
from spatialwm.geometry.sh import rgb_to_dc
from spatialwm.render.renderer import choose

WIDTH = 80
"""Pixels across at which pictures are compared: a table of 0.8 m is then 1 cm a pixel."""
BLURS_PX = (1.0, 3.0, 10.0)
"""The widest lets an object that is nowhere near feel where it belongs; the narrowest fixes its angle."""
WHERE, WHICH_WAY = Cem(samples=64, iterations=4, elites=8, shrink=0.5), Cem(samples=48, iterations=6, elites=10, shrink=0.65)
"""First the place, then the angle: outlines are much alike every quarter turn, and a search settles for the first it meets."""
TURNS = 40
"""Angles from which the second search starts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageGoal:
    """The objects named are to look as they do in a picture taken by a known camera.

    Objects are drawn as their surface samples, over the picture's own median colour. The pose behind the picture is found once by
    search, in the plane on which an object lies, and then steers; what a forecast costs is how its drawing differs.
    """

    objects: tuple[str, ...]
    camera: Camera
    image: Float[np.ndarray, "h w 3"]
    """sRGB in 0..1."""
    folds: int = 1
    half_m: float = 0.3
    """Objects are looked for within this of the middle of the table, each way."""
    _found: WeakKeyDictionary[Cast, tuple[PoseGoal, ...]] = field(default_factory=WeakKeyDictionary, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.image.shape[:2] != (self.camera.height, self.camera.width):
            raise ActionError(
                f"the picture must be as large as its camera's, {self.camera.width} x {self.camera.height}; "
                f"got {self.image.shape[1]} x {self.image.shape[0]}"
            )
        if not self.objects:
            raise ActionError("a picture as a goal needs the ids of the objects that it is about; got none")
        if not np.isfinite(self.image).all():
            raise ActionError("the goal picture has values that are not finite")

    def targets(self, situation: Situation) -> tuple[PoseGoal, ...]:
        """The poses that explain the picture best; found once per cast and remembered."""
        cast = situation.cast
        if cast not in self._found:
            poses = situation.past.poses[-1].astype(np.float64)
            found = []
            for name in self.objects:
                # Those found before stand where they belong already, so that they hide what they should.
                pose = self._locate(cast, poses, index_of(situation, name), np.random.default_rng(0))
                poses[index_of(situation, name)] = pose
                found.append(PoseGoal(object=name, target=Pose.from_list(pose), folds=self.folds))
            self._found[cast] = tuple(found)
        return self._found[cast]

    def costs(self, situation: Situation, forecasts: Sequence[Forecast]) -> Float[np.ndarray, " n"]:
        """Difference between drawings of the last poses and the picture, in per cent, on top of the pose that the picture shows.

        The difference alone says nothing where an object's drawing does not overlap the picture of it.
        """
        ends = np.stack([f.poses[-1] for f in forecasts])
        return pose_costs(self.targets(situation), situation, ends) + self.differences(situation.cast, ends)

    def differences(self, cast: Cast, poses: Float[np.ndarray, "n k 7"]) -> Float[np.ndarray, " n"]:
        """Mean absolute difference of hue and brightness over all blurs, in per cent of the full range."""
        wanted, camera, ground = self._small()
        drawer = _Drawer(cast, camera, ground)
        return np.array([_difference(drawer.draw(p), wanted) for p in poses])

    def _small(self) -> tuple[list[np.ndarray], Camera, np.ndarray]:
        camera = self.camera.resized(WIDTH, max(1, round(WIDTH * self.camera.height / self.camera.width)))
        factors = (camera.height / self.camera.height, camera.width / self.camera.width, 1)
        smooth = ndimage.gaussian_filter(self.image.astype(np.float32), (0.5 / factors[0], 0.5 / factors[1], 0))
        small = np.asarray(ndimage.zoom(smooth, factors, order=1, grid_mode=True, mode="nearest"))
        ground = np.median(small, (0, 1))
        return _blurred(small), camera, ground

    def _locate(self, cast: Cast, poses: np.ndarray, index: int, rng: np.random.Generator) -> np.ndarray:
        wanted, camera, ground = self._small()
        drawer = _Drawer(cast, camera, ground)
        middle = cast.points[index].astype(np.float64).mean(0)
        quat = torch.from_numpy(poses[index, 3:])
        height = poses[index, 2]

        def posed(at: np.ndarray) -> np.ndarray:
            # About the middle of the samples: a turn about the origin would also shift what is seen.
            turned = quat_multiply(torch.tensor([np.cos(at[2] / 2), 0.0, 0.0, np.sin(at[2] / 2)]), quat)
            offset = quat_to_matrix(turned).numpy() @ middle
            return np.array([at[0] - offset[0], at[1] - offset[1], height, *turned.tolist()])

        def objective(tried: np.ndarray) -> np.ndarray:
            scenes = np.repeat(poses[None], len(tried), 0)
            scenes[:, index] = [posed(at) for at in tried]
            return np.array([_difference(drawer.draw(scene), wanted) for scene in scenes])

        half, around = self.half_m, np.array([False, False, True])
        low, high = np.array([-half, -half, -np.pi]), np.array([half, half, np.pi])
        anywhere = Space(low, high, np.zeros(3), np.array([0.1, 0.1, 1.5]), around)
        place = WHERE.minimize(objective, anywhere, rng, anywhere.uniform(WHERE.samples, rng)).parameters
        turns = np.repeat(place[None], TURNS, 0)
        turns[:, 2] = np.linspace(-np.pi, np.pi, TURNS, endpoint=False)
        nearby = Space(low, high, place, np.array([0.015, 0.015, 0.3]), around)
        return posed(WHICH_WAY.minimize(objective, nearby, rng, turns).parameters)


def _dense(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Surface samples filled up with points on the triangles between neighbours, whose colour each takes, and the size of a dot.

    Without, a drawing of 64 samples is full of holes, and a wrong angle that avoids the holes fits best.
    """
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    near = np.argsort(apart, axis=1)[:, : _NEIGHBORS + 1]
    spacing = float(apart[np.arange(len(points)), near[:, min(4, near.shape[1] - 1)]].mean())
    a, b = np.triu_indices(near.shape[1] - 1, 1)
    i = np.repeat(np.arange(len(points)), len(a))
    j, k = near[:, 1:][:, a].reshape(-1), near[:, 1:][:, b].reshape(-1)
    small = np.maximum(np.maximum(apart[i, j], apart[i, k]), apart[j, k]) < 2 * spacing
    i, j, k = i[small], j[small], k[small]
    filled = [points] + [x * points[i] + y * points[j] + z * points[k] for x, y, z in _BARYCENTRIC]
    return np.concatenate(filled), np.concatenate([np.arange(len(points)), *[i] * len(_BARYCENTRIC)]), DOT * spacing


class _Drawer:
    """Surface samples of a cast as round Gaussians, drawn again and again."""

    def __init__(self, cast: Cast, camera: Camera, ground: np.ndarray) -> None:
        owners, means, colors, sizes, opacities = [], [], [], [], []
        for k, (points, paint) in enumerate(zip(cast.points, cast.colors, strict=True)):
            dense, source, size = _dense(points.astype(np.float64))
            owners.append(np.full(len(dense), k))
            means.append(dense)
            colors.append(paint[source])
            sizes.append(np.full((len(dense), 3), size))
            # Dots lie in many layers, and together they should hide what is behind them but not swell beyond the outline: a
            # body's shadow is on average a quarter of its surface (Cauchy), which the samples tell.
            shadow_m2 = len(points) * (size / DOT) ** 2 / 4
            opacities.append(np.full(len(dense), min(0.95, DEPTH * shadow_m2 / (len(dense) * 2 * np.pi * size**2))))
        n = sum(map(len, means))
        self._owners = torch.from_numpy(np.concatenate(owners))
        self._points, self._scales, rgb = (torch.from_numpy(np.concatenate(x).astype(np.float32)) for x in (means, sizes, colors))
        self._sh = rgb_to_dc(rgb)[:, None]
        self._quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(n, 1)
        self._opacities = torch.from_numpy(np.concatenate(opacities).astype(np.float32))
        self._camera, self._ground = camera, torch.from_numpy(ground.astype(np.float32))
        self._rasterization = choose("cpu")[1]

    def draw(self, poses: Float[np.ndarray, "k 7"]) -> Float[np.ndarray, "h w 3"]:
        at = torch.from_numpy(np.asarray(poses, np.float32))
        turns = quat_to_matrix(at[:, 3:])[self._owners]
        means = (turns @ self._points[..., None])[..., 0] + at[self._owners, :3]
        c = self._camera
        with torch.no_grad():
            image, _, _ = self._rasterization(
                means, self._quats, self._scales, self._opacities, self._sh, c.viewmat()[None], c.K()[None],
                c.width, c.height, sh_degree=0, backgrounds=self._ground[None], rasterize_mode="antialiased",
            )  # fmt: skip
        return image[0, ..., :3].numpy().clip(0, 1)


DOT, DEPTH = 0.3, 4.0
"""Standard deviation of a dot in units of the distance between samples, and the optical depth of all dots together."""
_NEIGHBORS = 6
_BARYCENTRIC = ((0.34, 0.33, 0.33), (0.6, 0.4, 0.0), (0.2, 0.4, 0.4))
LUMINANCE_SHARE = 0.25
"""Of brightness beside hue: samples carry the paint and not the light, and the shaded side of a thing is still the thing."""


def _blurred(image: np.ndarray) -> list[np.ndarray]:
    light = image.sum(-1, keepdims=True)
    told = np.concatenate([image / (light + 0.15), LUMINANCE_SHARE * light / 3], -1)
    return [ndimage.gaussian_filter(told, (s, s, 0)) for s in BLURS_PX]


def _difference(image: np.ndarray, wanted: list[np.ndarray]) -> float:
    return float(np.mean([100 * np.abs(a - b).mean() for a, b in zip(_blurred(image), wanted, strict=True)]))
