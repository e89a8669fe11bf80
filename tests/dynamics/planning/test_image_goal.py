"""A picture as the goal: the pose behind it is found, and costs fall towards it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spatialwm.dynamics.episode import Forecast
from spatialwm.dynamics.planning import Cem, ImageGoal, PoseGoal, PushPlanner, QuasiStatic, control
from spatialwm.errors import ActionError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.render.frame import render_scene
from spatialwm.scene import Scene, SceneObject

CAMERA = Camera.look_at((0.0, -0.45, 0.55), (0.0, 0.0, 0.0), 160, 120, fov_x_deg=55.0)


def picture(pose: Pose, noise: float = 0.0) -> np.ndarray:
    """A red block, finely made, on a wooden table: what a camera would see, and not how the goal draws it."""
    rng = np.random.default_rng(0)
    p = rng.uniform(-1, 1, (6000, 3))
    p[np.arange(6000), np.arange(6000) % 3] = np.where(np.arange(6000) // 3 % 2, 1.0, -1.0)
    p *= [0.05, 0.03, 0.025]
    shade = np.where(np.arange(6000) % 3 == 2, 1.0, 0.75)  # sides are darker than tops
    block = _thing("thing-1", p, np.outer(shade, [1.0, 0.05, 0.05]), pose)
    x, y = (v.reshape(-1) for v in np.meshgrid(np.linspace(-0.8, 0.8, 120), np.linspace(-0.8, 0.8, 120)))
    grain = 0.5 + 0.05 * np.sin(60 * y)
    table = _thing("table-1", np.stack([x, y, 0 * x - 0.01], 1), np.outer(grain, [1.0, 0.8, 0.55]), Pose(), 0.009)
    rgb = render_scene(Scene((table, block)), CAMERA, backend="cpu").rgb
    return np.clip(rgb + rng.normal(0, noise, rgb.shape), 0, 1).astype(np.float32)


def _thing(name: str, points: np.ndarray, rgb: np.ndarray, pose: Pose, size: float = 0.002) -> SceneObject:
    n = len(points)
    g = Gaussians.from_numpy(points, np.tile([1.0, 0, 0, 0], (n, 1)), np.full((n, 3), size), np.full(n, 0.99), rgb=rgb)
    return SceneObject(id=name, category=name[:-2], gaussians=g, world_from_object=pose)


def at(x: float, y: float, degrees: float) -> Pose:
    return Pose.about_axis((0.0, 0.0, 1.0), float(np.radians(degrees)), (x, y, 0.025))


@pytest.mark.parametrize("pose", [at(0.1, 0.08, 40.0), at(-0.15, 0.0, -70.0)])
def test_pose_behind_a_picture_is_found(toy, pose):
    start = toy.situation(toy.cast(toy.block()), (0, 0, 0))
    goal = ImageGoal(objects=("thing-1",), camera=CAMERA, image=picture(pose, noise=0.02), folds=2)
    (found,) = goal.targets(start)
    distance, angle = PoseGoal(object="thing-1", target=pose, folds=2).errors(np.array(found.target.to_list()[:7])[None])
    assert distance[0] < 0.01
    assert angle[0] < 8
    assert goal.targets(start)[0] is found  # looked for once


def test_costs_fall_towards_the_picture_even_from_where_nothing_overlaps(toy):
    start = toy.situation(toy.cast(toy.block()), (0, 0, 0))
    goal = ImageGoal(objects=("thing-1",), camera=CAMERA, image=picture(at(0.1, 0.08, 40.0)), folds=2)
    ends = [at(-0.2, 0.0, 40.0), at(-0.1, 0.08, 40.0), at(0.0, 0.08, 40.0), at(0.1, 0.08, 80.0), at(0.1, 0.08, 40.0)]
    poses = np.array([e.to_list()[:7] for e in ends])[:, None, None]
    costs = goal.costs(start, [Forecast(p, np.zeros((1, 1))) for p in poses])
    assert (np.diff(costs) < 0).all()
    assert (np.diff(goal.differences(start.cast, poses[:, 0])) < 0).all()


def test_block_is_pushed_to_where_a_picture_shows_it(toy):
    pose = at(0.12, -0.05, 50.0)
    plant = toy.SlidingPlant(toy.situation(toy.cast(toy.block()), (0, 0, 0)))
    goal = ImageGoal(objects=("thing-1",), camera=CAMERA, image=picture(pose), folds=2)
    planner = PushPlanner(forecaster=QuasiStatic(), goal=goal, search=Cem(samples=16, iterations=3, elites=4))
    control(plant, planner, goal, np.random.default_rng(0))
    distance, angle = PoseGoal(object="thing-1", target=pose, folds=2).errors(plant.observe().past.poses[-1])
    assert distance[0] < 0.025  # 2 cm, and what the picture was misread by
    assert angle[0] < 13


def test_bad_pictures_are_refused():
    fine = ImageGoal(objects=("thing-1",), camera=CAMERA, image=np.zeros((120, 160, 3), np.float32))
    with pytest.raises(ActionError, match="160 x 120"):
        replace(fine, image=np.zeros((10, 10, 3), np.float32))
    with pytest.raises(ActionError, match="finite"):
        replace(fine, image=np.full((120, 160, 3), np.nan, np.float32))
    with pytest.raises(ActionError, match="ids"):
        replace(fine, objects=())
