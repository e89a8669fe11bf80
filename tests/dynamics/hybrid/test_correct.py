"""The correction: nothing before training, the same from every side, and never of what lies still."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from spatialwm.dynamics.hybrid.config import PROPERTIES, HybridConfig
from spatialwm.dynamics.hybrid.correct import Corrector, Step
from spatialwm.dynamics.motion import moved
from spatialwm.geometry.se3 import quat_multiply, quat_to_matrix


def corrector(trained: bool) -> Corrector:
    torch.manual_seed(0)
    made = Corrector(HybridConfig()).eval()
    if trained:
        with torch.no_grad():
            made.heads.normal_(std=0.3)
    return made


@pytest.fixture
def step() -> Step:
    made = torch.Generator().manual_seed(1)
    b, k, p = 2, 3, 24
    quats = torch.randn(b, k, 4, generator=made)
    poses = torch.cat([torch.rand(b, k, 3, generator=made) * 0.2, quats / quats.norm(dim=-1, keepdim=True)], -1)
    velocities = torch.randn(b, k, 6, generator=made) * 0.1
    actor = torch.rand(b, p, 3, generator=made) * 0.1
    known = torch.randn(b, k, 2 * PROPERTIES + 2, generator=made)
    points = (torch.rand(b, k, p, 3, generator=made) - 0.5) * 0.1
    later = moved(poses, torch.randn(b, k, 6, generator=made) * 0.02)
    present = torch.ones(b, k, dtype=torch.bool)
    return Step(poses, velocities, later, velocities * 0.9, points, actor, actor + 0.01, known, present, 0.1)


MEMBERS = torch.tensor([0, 2])


def test_before_training_there_is_no_correction(step):
    correction = corrector(False)(step, MEMBERS)
    assert not correction.twists.any()
    assert not correction.velocities.any()


def test_a_correction_of_zero_has_a_gradient(step):
    made = corrector(False)
    made(step, MEMBERS).twists.sum().backward()
    assert made.heads.grad is not None
    assert made.heads.grad[[0, 2]].abs().sum() > 0
    assert not made.heads.grad[[1, 3]].any(), "members that were not asked learn nothing"


def test_turning_and_shifting_the_scene_turns_the_answer(step):
    made = corrector(True)
    turn = torch.tensor([0.3, -0.5, 0.1, 0.8])
    turn = turn / turn.norm()
    # Gravity is part of what is seen, so only turns about the vertical leave the scene what it was.
    turn = torch.tensor([0.8, 0.0, 0.0, 0.6])
    matrix, shift = quat_to_matrix(turn), torch.tensor([0.3, -2.0, 0.0])

    def place(points: torch.Tensor) -> torch.Tensor:
        return points @ matrix.T + shift

    def pose(poses: torch.Tensor) -> torch.Tensor:
        return torch.cat([place(poses[..., :3]), quat_multiply(turn.expand_as(poses[..., 3:]), poses[..., 3:])], -1)

    def rates(values: torch.Tensor) -> torch.Tensor:
        return (values.unflatten(-1, (2, 3)) @ matrix.T).flatten(-2)

    other = replace(
        step, poses=pose(step.poses), next_poses=pose(step.next_poses), velocities=rates(step.velocities),
        next_velocities=rates(step.next_velocities), actor=place(step.actor), next_actor=place(step.next_actor),
    )  # fmt: skip
    one, two = made(step, MEMBERS), made(other, MEMBERS)
    assert one.twists.abs().max() > 1e-3
    assert torch.allclose(rates(one.twists), two.twists, atol=2e-5)
    assert torch.allclose(one.log_sigma, two.log_sigma, atol=1e-3)


def test_the_order_of_things_is_the_order_of_the_answers(step):
    made, order = corrector(True), torch.tensor([2, 0, 1])
    fields = ("poses", "velocities", "next_poses", "next_velocities", "points", "known", "present")
    other = replace(step, **{f: getattr(step, f)[:, order] for f in fields})
    assert torch.allclose(made(step, MEMBERS).twists[:, order], made(other, MEMBERS).twists, atol=1e-5)


def test_places_that_hold_nothing_do_not_matter(step):
    made = corrector(True)
    absent = replace(step, present=torch.tensor([[True, True, False]] * 2))
    moved_away = replace(
        absent, poses=absent.poses.clone(), next_poses=absent.next_poses.clone(), known=absent.known.clone()
    )
    for poses in (moved_away.poses, moved_away.next_poses):
        poses[:, 2, :3] -= 3
    moved_away.known[:, 2] += 5
    assert torch.allclose(made(absent, MEMBERS).twists[:, :2], made(moved_away, MEMBERS).twists[:, :2], atol=1e-6)


def test_what_lies_still_far_from_all_that_moves_is_left_exactly_alone(step):
    rest = torch.zeros_like(step.velocities)
    still = replace(
        step, next_poses=step.poses, velocities=rest, next_velocities=rest, actor=step.actor + 1.0,
        next_actor=step.next_actor + 1.0,
    )  # fmt: skip
    correction = corrector(True)(still, MEMBERS)
    assert not correction.twists.any()
    assert not correction.velocities.any()
