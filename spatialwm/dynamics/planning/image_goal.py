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
from spatialwm.dynamics.planning.search import Cem, Search, Space
from spatialwm.errors import ActionError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, quat_multiply, quat_to_matrix
from spatialwm.geometry.sh import rgb_to_dc
from spatialwm.render.renderer import choose

WIDTH = 64
"""Pixels across at which pictures are compared: a table of 0.7 m is then 1 cm a pixel."""
BLURS_PX = (1.0, 3.0, 9.0)
"""The widest lets an object that is nowhere near feel where it belongs; the narrowest fixes its angle."""
SEARCH = Cem(samples=96, iterations=8, elites=12, shrink=0.65)
COVER = 1.1
"""Standard deviation of a surface sample's disc, in units of half the mean distance between samples: hardly a gap shows."""


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
                pose = self._locate(cast, poses, index_of(situation, name), SEARCH, np.random.default_rng(0))
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
        """Mean absolute difference of colour over all blurs, in per cent of the full range."""
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

    def _locate(self, cast: Cast, poses: np.ndarray, index: int, search: Search, rng: np.random.Generator) -> np.ndarray:
        wanted, camera, ground = self._small()
        drawer = _Drawer(cast, camera, ground)
        start = poses[index]

        def posed(at: np.ndarray) -> np.ndarray:
            turn = torch.tensor([np.cos(at[2] / 2), 0.0, 0.0, np.sin(at[2] / 2)])
            return np.array([at[0], at[1], start[2], *quat_multiply(turn, torch.from_numpy(start[3:])).tolist()])

        def objective(tried: np.ndarray) -> np.ndarray:
            out = []
            for at in tried:
                scene = poses.copy()
                scene[index] = posed(at)
                out.append(_difference(drawer.draw(scene), wanted))
            return np.array(out)

        half = self.half_m
        space = Space(
            np.array([-half, -half, -np.pi]), np.array([half, half, np.pi]), np.array([*np.clip(start[:2], -half, half), 0.0]),
            np.array([0.1, 0.1, 1.0]), np.array([False, False, True]),
        )  # fmt: skip
        return posed(search.minimize(objective, space, rng, space.uniform(96, rng)).parameters)


class _Drawer:
    """Surface samples of a cast as round Gaussians, drawn again and again."""

    def __init__(self, cast: Cast, camera: Camera, ground: np.ndarray) -> None:
        k, p, _ = cast.points.shape
        points = torch.from_numpy(np.ascontiguousarray(cast.points, np.float32))
        apart = torch.cdist(points, points) + 1e3 * torch.eye(p)
        self._points = points
        self._scales = (COVER * 0.5 * apart.amin(-1)).mean(-1)[:, None, None].expand(k, p, 3).reshape(-1, 3).contiguous()
        self._sh = rgb_to_dc(torch.from_numpy(np.ascontiguousarray(cast.colors, np.float32)).reshape(-1, 3))[:, None]
        self._quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(k * p, 1)
        self._opacities = torch.full((k * p,), 0.95)
        self._camera, self._ground = camera, torch.from_numpy(ground.astype(np.float32))
        self._rasterization = choose("cpu")[1]

    def draw(self, poses: Float[np.ndarray, "k 7"]) -> Float[np.ndarray, "h w 3"]:
        at = torch.from_numpy(np.asarray(poses, np.float32))
        means = self._points @ quat_to_matrix(at[:, 3:]).transpose(-1, -2) + at[:, None, :3]
        c = self._camera
        with torch.no_grad():
            image, _, _ = self._rasterization(
                means.reshape(-1, 3), self._quats, self._scales, self._opacities, self._sh, c.viewmat()[None], c.K()[None],
                c.width, c.height, sh_degree=0, backgrounds=self._ground[None],
            )  # fmt: skip
        return image[0, ..., :3].numpy().clip(0, 1)


def _blurred(image: np.ndarray) -> list[np.ndarray]:
    return [ndimage.gaussian_filter(image, (s, s, 0)) for s in BLURS_PX]


def _difference(image: np.ndarray, wanted: list[np.ndarray]) -> float:
    # A wide blur spreads the same difference thinner: its share is weighted up again.
    return float(np.mean([100 * s * np.abs(a - b).mean() for s, a, b in zip(BLURS_PX, _blurred(image), wanted, strict=True)]))
