"""Training on pictures of known Gaussians: small enough for seconds, large enough that every part must work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, quat_to_matrix
from spatialwm.lift.capture.capture import Capture, View
from spatialwm.lift.capture.fusion import StartPoints
from spatialwm.lift.capture.training import Plan, Trainer, held_out_views, plan_for
from spatialwm.lift.capture.training.score import mean_of
from spatialwm.render.cpu import rasterization

W, H, VIEWS = 96, 72, 10
HELD_OUT = (3, 7)
PLAN = Plan(seconds=None, steps=250, cap=1500, start_count=500, levels=((2, 0.3), (1, 1.0)))


@pytest.fixture(scope="module", autouse=True)
def one_torch_thread():
    """Small tensors: torch's threads cost more than they bring."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def truth():
    """A thousand soft Gaussians on a bumpy sheet, coloured smoothly."""
    rng = np.random.default_rng(0)
    n = 1000
    xy = rng.uniform(-1, 1, (n, 2))
    means = np.column_stack([xy, 0.2 * np.sin(3 * xy[:, 0]) * np.cos(2 * xy[:, 1])])
    colors = 0.5 + 0.4 * np.sin(np.column_stack([4 * xy[:, 0], 5 * xy[:, 1], 3 * xy.sum(1)]))
    arrays = (means, np.tile([1.0, 0, 0, 0], (n, 1)), np.full((n, 3), 0.06), np.full(n, 0.9), colors)
    return tuple(torch.from_numpy(np.asarray(a, np.float32)) for a in arrays)


def shoot(truth, gains=None, with_depth: bool = False) -> Capture:
    views = []
    for i in range(VIEWS):
        angle = 2 * np.pi * i / VIEWS
        camera = Camera.look_at((1.2 * np.cos(angle), 1.2 * np.sin(angle), 2.4), (0.0, 0.0, 0.0), W, H, 50.0, up=(0.0, 1.0, 0.2))
        image, _, _ = rasterization(*truth, camera.viewmat()[None], camera.K()[None], W, H, render_mode="RGB+ED")
        rgb = image[0, ..., :3].numpy() * (1.0 if gains is None else gains[i])
        depth = image[0, ..., 3].numpy() if with_depth else None
        views.append(View(f"view{i}", camera, (rgb.clip(0, 1) * 255 + 0.5).astype(np.uint8), depth))
    return Capture(tuple(views), given=VIEWS)


def start_of(truth, noise: float = 0.02) -> StartPoints:
    rng = np.random.default_rng(1)
    rows = rng.permutation(len(truth[0]))[: PLAN.start_count]
    means = truth[0].numpy()[rows] + rng.normal(0, noise, (len(rows), 3)).astype(np.float32)
    spacing = KDTree(means).query(means, 4)[0][:, 1:].mean(1).astype(np.float32)
    pale = (0.5 + 0.5 * (truth[4].numpy()[rows] - 0.5)).astype(np.float32)
    return StartPoints(means, pale, np.zeros_like(means), spacing)


def test_views_never_seen_come_out_of_the_fog(truth):
    trainer = Trainer(shoot(truth), start_of(truth), PLAN, held_out=HELD_OUT)
    before = mean_of(trainer.scores(), "psnr")
    trained = trainer.run()
    assert trained.psnr > before + 4
    assert trained.psnr > 19
    assert trained.ssim > 0.8
    assert len(trained.gaussians) == PLAN.cap
    assert trained.steps == PLAN.steps
    assert [s.view for s in trained.scores] == list(HELD_OUT)
    assert trained.backend in ("cpu", "cuda", "gsplat")


def test_a_seed_decides_and_a_checkpoint_goes_on_bit_for_bit(truth, tmp_path):
    capture, start = shoot(truth), start_of(truth)
    plan = replace(PLAN, steps=60, move_every=20, with_poses=True)
    whole = Trainer(capture, start, plan, held_out=HELD_OUT, seed=4).run().gaussians
    first = Trainer(capture, start, plan, held_out=HELD_OUT, seed=4)
    while first.step_count < 33:
        first._step()
    first.save(tmp_path / "half.safetensors")
    second = Trainer(capture, start, plan, held_out=HELD_OUT, seed=99)
    second.resume(tmp_path / "half.safetensors")
    resumed = second.run().gaussians
    assert all(torch.equal(getattr(whole, f), getattr(resumed, f)) for f in ("means", "quats", "scales", "opacities", "sh"))
    other = Trainer(capture, start, plan, held_out=HELD_OUT, seed=5).run().gaussians
    assert not torch.equal(whole.means, other.means)


def test_a_training_that_is_enough_ends_and_keeps_what_it_has(truth):
    trainer = Trainer(shoot(truth), start_of(truth), PLAN, held_out=HELD_OUT)
    trained = trainer.run(enough=lambda: trainer.step_count >= 12)
    assert trained.steps == 12
    assert len(trained.gaussians) >= PLAN.start_count
    assert [s.view for s in trained.scores] == list(HELD_OUT)


def test_exposures_are_told_from_the_scene(truth):
    gains = np.linspace(0.8, 1.1, VIEWS)
    plan = replace(PLAN, steps=400, with_exposure=True)
    trainer = Trainer(shoot(truth, gains), start_of(truth), plan, held_out=HELD_OUT)
    trainer.run()
    values = trainer._exposures.values.detach().numpy()
    brightness = (values[:, :3] * 0.4 + values[:, 3:]).mean(1)  # of a medium grey
    seen = trainer.trained
    assert np.corrcoef(brightness[seen], gains[seen])[0, 1] > 0.95
    for view in HELD_OUT:  # from its neighbours, never from itself
        around = trainer._exposures.neighbours(view).numpy()
        assert around == pytest.approx(values[[view - 1, view + 1]].mean(0), abs=1e-6)
        assert values[view] == pytest.approx([1, 1, 1, 0, 0, 0])


def test_cameras_that_were_disturbed_are_mended(truth):
    """The pictures are of the true cameras; what training is told of those is up to 1 degree and 1 % of the distance wrong."""
    rng, right = np.random.default_rng(0), shoot(truth)
    wrong: list[View] = []
    for i, view in enumerate(right.views):
        off = Pose.about_axis(tuple(rng.normal(size=3)), np.radians(0.7), tuple(0.015 * rng.normal(size=3)))
        placed = view.camera.world_from_cam if i in HELD_OUT else view.camera.world_from_cam @ off
        wrong.append(replace(view, camera=replace(view.camera, world_from_cam=placed)))
    capture = replace(right, views=tuple(wrong))

    def trained(with_poses: bool) -> tuple[float, float]:
        trainer = Trainer(capture, start_of(truth), replace(PLAN, with_poses=with_poses), held_out=HELD_OUT)
        psnr = trainer.run().psnr
        middle, off_px = np.array([0.2, -0.3, 0.0, 1.0]), []
        for i in trainer.trained:
            seen = [c.viewmat().double().numpy() @ middle for c in (trainer.cameras()[i], right.views[i].camera)]
            off_px.append((seen[0][:2] / seen[0][2] - seen[1][:2] / seen[1][2]) * right.views[i].camera.fx)
        # What all cameras are off together is where the world is, which nothing can tell.
        return psnr, float(np.median(np.linalg.norm(np.array(off_px) - np.mean(off_px, axis=0), axis=1)))

    (blurred, stays), (sharp, mended) = trained(False), trained(True)
    assert mended < 0.7 * stays
    assert sharp > blurred + 0.15


def test_splats_lie_flat_on_what_they_show_where_that_is_asked(truth):
    capture, start = shoot(truth, with_depth=True), start_of(truth)

    def tilt_deg(weight: float) -> float:
        trainer = Trainer(capture, start, replace(PLAN, steps=120, normal_weight=weight), held_out=HELD_OUT)
        g = trainer.run().gaussians
        axes = quat_to_matrix(g.quats)[torch.arange(len(g)), :, g.scales.argmin(1)].numpy()
        x, y = g.means[:, 0].numpy(), g.means[:, 1].numpy()  # the sheet is z = 0.2 sin 3x cos 2y
        up = np.stack([-0.6 * np.cos(3 * x) * np.cos(2 * y), 0.4 * np.sin(3 * x) * np.sin(2 * y), np.ones_like(x)], 1)
        cosine = np.abs((axes * up).sum(1)) / np.linalg.norm(up, axis=1)
        return float(np.degrees(np.arccos(np.median(np.clip(cosine, 0, 1)))))

    assert tilt_deg(1.0) < 0.7 * tilt_deg(0.0)


def test_measured_depth_brings_the_surface_nearer(truth):
    start = start_of(truth, noise=0.12)

    def error(capture, plan):
        trainer = Trainer(capture, start, plan, held_out=HELD_OUT)
        trainer.run()
        view = capture.views[HELD_OUT[0]]
        g = trainer.gaussians()
        depth = rasterization(g.means, g.quats, g.scales, g.opacities, g.sh, view.camera.viewmat()[None],
                              view.camera.K()[None], W, H, sh_degree=1, render_mode="ED")[0][0, ..., 0].numpy()  # fmt: skip
        return np.median(np.abs(depth - shoot_depth)[shoot_depth > 0])

    measured = shoot(truth, with_depth=True)
    shoot_depth = measured.views[HELD_OUT[0]].depth
    blind = Capture(tuple(replace(v, depth=None) for v in measured.views), given=VIEWS)
    assert error(measured, PLAN) < 0.6 * error(blind, PLAN)


def test_lengths_are_the_captures(truth):
    trainer = Trainer(shoot(truth), start_of(truth), replace(PLAN, steps=1), held_out=HELD_OUT)
    before = trainer.gaussians()
    assert trainer.unit != pytest.approx(1.0, abs=0.1)
    assert before.means.numpy() == pytest.approx(start_of(truth).means, abs=1e-5)


def test_a_damaged_or_foreign_checkpoint_is_refused_in_a_sentence(truth, tmp_path):
    trainer = Trainer(shoot(truth), start_of(truth), PLAN, held_out=HELD_OUT)
    path = tmp_path / "c.safetensors"
    with pytest.raises(LiftError, match="not a checkpoint"):
        trainer.resume(path)
    path.write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00nonsense")
    with pytest.raises(LiftError, match="delete it"):
        trainer.resume(path)
    trainer.save(path)
    capture = shoot(truth)
    fewer = Trainer(replace(capture, views=capture.views[:9]), start_of(truth), PLAN, held_out=HELD_OUT)
    with pytest.raises(LiftError, match="of 10 views, the capture has 9"):
        fewer.resume(path)


def test_nothing_to_train_on_or_to_start_from_is_refused(truth):
    capture, start = shoot(truth), start_of(truth)
    with pytest.raises(LiftError, match="at least one view"):
        Trainer(capture, start, PLAN, held_out=range(VIEWS))
    nothing = StartPoints(*(getattr(start, f)[:0] for f in ("means", "rgb", "normals", "spacing")))
    with pytest.raises(LiftError, match="points to start from"):
        Trainer(capture, nothing, PLAN)


@pytest.mark.parametrize(("count", "expected"), [(25, (0, 8, 16, 24)), (11, (3, 7)), (6, (3,)), (3, ())])
def test_held_out_views_are_spread_and_of_few_lie_inside(count, expected):
    assert held_out_views(count) == expected


def test_plans_follow_the_budget():
    assert plan_for("draft").seconds == 60
    assert plan_for("high", seconds=7.0).seconds == 7.0
    by_steps = plan_for("standard", steps=10)
    assert (by_steps.steps, by_steps.seconds) == (10, None)
    assert [PLAN.reduction(s) for s in (0.0, 0.29, 0.3, 1.0)] == [2, 2, 1, 1]
    with pytest.raises(LiftError, match="either seconds or steps"):
        Plan(seconds=1.0, steps=1)
