"""World and file frames: proper rotations, exact both ways, and the same appearance on either side."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.formats.frames import RDF, RUB, FileFrame
from spatialwm.formats.splat_file import assemble
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.geometry.sh import sh_basis

FRAMES = pytest.mark.parametrize("frame", [RDF, RUB], ids=lambda f: f.name)


def test_up_is_up_and_forward_is_plus_y():
    right, down, forward = np.eye(3, dtype=np.float32)
    assert RDF.vectors_to_world(np.stack([right, -down, forward])).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    right, up, back = np.eye(3, dtype=np.float32)
    assert RUB.vectors_to_world(np.stack([right, up, -back])).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


@FRAMES
def test_the_change_is_a_rotation_not_a_mirror(frame: FileFrame):
    assert np.linalg.det(frame.rotation()) == 1
    vectors = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    np.testing.assert_array_equal(frame.vectors_to_world(vectors), vectors @ frame.rotation().T.astype(np.float32))


@FRAMES
def test_vectors_and_scales_return_bit_for_bit(frame: FileFrame):
    v = np.random.default_rng(1).normal(size=(1000, 3)).astype(np.float32)
    assert frame.vectors_from_world(frame.vectors_to_world(v)).tobytes() == v.tobytes()
    assert frame.scales_to_world(frame.scales_to_world(v)).tobytes() == v.tobytes()


@FRAMES
def test_covariances_turn_with_the_frame(frame: FileFrame):
    random = np.random.default_rng(2)
    quats, scales = random.normal(size=(40, 4)), np.exp(random.normal(size=(40, 3)))
    world = assemble(frame, "test", np.zeros((40, 3)), quats, scales, np.ones(40), np.zeros((40, 1, 3), np.float32)).gaussians

    def covariance(q, s):
        axes = quat_to_matrix(torch.as_tensor(q, dtype=torch.float64)) * torch.as_tensor(s, dtype=torch.float64)[:, None, :]
        return (axes @ axes.transpose(1, 2)).numpy()

    turn = frame.rotation()
    expected = turn @ covariance(quats, scales) @ turn.T
    np.testing.assert_allclose(covariance(world.quats, world.scales), expected, rtol=1e-5, atol=1e-6)


@FRAMES
@pytest.mark.parametrize("degree", [1, 2, 3])
def test_colors_look_the_same_from_the_same_place(frame: FileFrame, degree: int):
    random = np.random.default_rng(3)
    sh = random.uniform(-1, 1, (30, (degree + 1) ** 2, 3)).astype(np.float32)
    directions = random.normal(size=(30, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)

    def seen(coefficients, along):
        return np.einsum("nk,nkc->nc", sh_basis(torch.from_numpy(along), degree).numpy(), coefficients)

    np.testing.assert_allclose(seen(frame.sh_to_world(sh), directions @ frame.rotation().T), seen(sh, directions), atol=2e-5)


@FRAMES
def test_sh_of_a_file_survives_there_and_back_to_the_bit(frame: FileFrame):
    sh = np.random.default_rng(4).normal(size=(70_000, 16, 3)).clip(-2, 2).astype(np.float32)
    sh[:100] *= 1e-5
    sh[100:200, 1:3] *= 1e-15  # beside large ones: an almost-zero in the matrix would drown them
    world = frame.sh_to_world(sh)
    again = frame.sh_to_world(frame.sh_from_world(world))
    assert world.tobytes() == again.tobytes()
    assert np.abs(frame.sh_from_world(world) - sh).max() < 3e-6
    assert frame.sh_from_world(world)[:, :4].tobytes() == sh[:, :4].tobytes()  # degrees 0 and 1 are only relabelled
