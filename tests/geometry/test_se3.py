"""Poses and quaternions obey the axioms of their groups, and agree with matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spatialwm.errors import ShapeError
from spatialwm.geometry.se3 import Pose, matrix_to_quat, quat_multiply, quat_to_matrix

QUICK = settings(deadline=None, max_examples=40)

coordinate = st.floats(-50, 50)
quats = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: math.hypot(*q) > 1e-3)
poses = st.builds(Pose, st.tuples(coordinate, coordinate, coordinate), quats, st.floats(0.05, 20))
POINTS = np.random.default_rng(0).normal(size=(7, 3))


def close(a: Pose, b: Pose):
    np.testing.assert_allclose(a.matrix(), b.matrix(), atol=1e-7 * max(1.0, a.scale, np.abs(a.matrix()).max()))


@QUICK
@given(poses, poses, poses)
def test_composition_is_associative(a, b, c):
    close((a @ b) @ c, a @ (b @ c))


@QUICK
@given(poses)
def test_the_identity_is_neutral_and_the_inverse_undoes(a):
    close(a @ Pose(), a)
    close(Pose() @ a, a)
    close(a @ a.inverse(), Pose())
    np.testing.assert_allclose(a.inverse().apply(a.apply(POINTS)), POINTS, atol=1e-6)


@QUICK
@given(poses, poses)
def test_composition_agrees_with_matrices_and_with_points(a, b):
    np.testing.assert_allclose((a @ b).matrix(), a.matrix() @ b.matrix(), atol=1e-6)
    np.testing.assert_allclose((a @ b).apply(POINTS), a.apply(b.apply(POINTS)), atol=1e-6)


@QUICK
@given(poses)
def test_a_matrix_and_a_list_lead_back(a):
    close(Pose.from_matrix(a.matrix()), a)
    assert Pose.from_list(a.to_list()) == a


@QUICK
@given(poses)
def test_building_a_pose_of_its_own_values_changes_no_bit(a):
    assert Pose(a.position, a.quat, a.scale) == a


@QUICK
@given(quats, quats)
def test_quaternion_products_agree_with_matrix_products(a, b):
    ta, tb = (torch.nn.functional.normalize(torch.tensor(q, dtype=torch.float64), dim=0) for q in (a, b))
    torch.testing.assert_close(quat_to_matrix(quat_multiply(ta, tb)), quat_to_matrix(ta) @ quat_to_matrix(tb))
    rotation = quat_to_matrix(ta)
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(3, dtype=torch.float64))
    assert torch.det(rotation) == pytest.approx(1)
    back = matrix_to_quat(rotation)
    assert back[0] >= 0
    torch.testing.assert_close(quat_to_matrix(back), rotation)


@pytest.mark.parametrize("axis", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_half_turns_where_w_vanishes_convert_exactly(axis):
    pose = Pose.about_axis(axis, math.pi)
    torch.testing.assert_close(
        matrix_to_quat(torch.from_numpy(pose.rotation())).abs(), torch.tensor(pose.quat, dtype=torch.float64).abs()
    )


def test_a_quarter_turn_about_z_takes_x_to_y():
    turned = Pose.about_axis((0.0, 0.0, 2.0), math.pi / 2, (0.0, 0.0, 1.0))
    np.testing.assert_allclose(turned.apply(np.array([1.0, 0.0, 0.0])), [0, 1, 1], atol=1e-12)
    np.testing.assert_allclose(turned.rotate(np.array([1.0, 0.0, 0.0])), [0, 1, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Pose(quat=(0.0, 0.0, 0.0, 0.0)), "quaternion is zero"),
        (lambda: Pose(scale=0.0), "scale must be positive"),
        (lambda: Pose((math.nan, 0.0, 0.0)), "finite numbers"),
        (lambda: Pose.about_axis((0.0, 0.0, 0.0), 1.0), "axis is zero"),
        (lambda: Pose.from_matrix(np.diag([1.0, 1.0, -1.0, 1.0])), "mirrors or collapses"),
        (lambda: Pose.from_list([1.0, 2.0]), "7 or 8 numbers"),
    ],
)
def test_what_is_no_pose_is_refused(make, said):
    with pytest.raises(ShapeError, match=said):
        make()
