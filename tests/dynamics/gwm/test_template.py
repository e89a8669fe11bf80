"""The Gaussians of a cast: spread by farthest points, moved rigidly, the same whatever the order of the points."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.dynamics.gwm.template import LOG_SCALES, QUATS, STATE_WIDTH, XYZ, Template, stack, to_gaussians
from spatialwm.errors import ShapeError
from spatialwm.geometry.se3 import quat_to_matrix


def farthest_by_hand(points: np.ndarray, count: int) -> list[int]:
    """The definition, written out: always the point whose nearest chosen one is farthest."""
    chosen = [int(np.argmax(np.linalg.norm(points - points.mean(0), axis=1)))]
    while len(chosen) < count:
        nearest = np.min(np.linalg.norm(points[:, None] - points[chosen][None], axis=-1), axis=1)
        chosen.append(int(np.argmax(nearest)))
    return chosen


def test_gaussians_and_anchors_of_every_body_are_its_farthest_points(toy):
    cast = toy.cast(np.random.default_rng(0))
    template = Template.of(cast, 30, 9)
    clouds = [*cast.points, *cast.part_points]
    for body, cloud in enumerate(clouds):
        own = template.gaussians[0, template.body[0] == body, XYZ].numpy()
        expected = cloud.astype(np.float32)[farthest_by_hand(cloud, 10)]
        assert np.array_equal(own, expected)
        anchored = template.gaussians[0, template.anchors[0][template.token_body[0] == body], XYZ].numpy()
        assert np.array_equal(anchored, expected[:3])


def test_the_order_of_a_casts_points_means_nothing(toy):
    rng = np.random.default_rng(1)
    cast = toy.cast(rng)
    order = rng.permutation(cast.points.shape[1])
    shuffled = toy.replace(
        cast, points=cast.points[:, order], normals=cast.normals[:, order], colors=cast.colors[:, order],
        part_points=cast.part_points[:, order],
    )  # fmt: skip
    assert torch.equal(Template.of(cast, 36, 9).gaussians, Template.of(shuffled, 36, 9).gaussians)


def test_bodies_share_gaussians_and_tokens_evenly_and_a_thin_cloud_is_gone_through_again(toy):
    template = Template.of(toy.cast(np.random.default_rng(2), objects=3), 150, 10)
    assert np.bincount(template.body[0]).tolist() == [38, 38, 37, 37]
    assert np.bincount(template.token_body[0]).tolist() == [3, 3, 2, 2]
    assert template.gaussians.shape == (1, 150, STATE_WIDTH)
    assert template.members().shape == (1, 4, 37)
    assert (template.body[0][template.members()[0]] == torch.arange(4)[:, None]).all()


def test_posing_moves_bodies_rigidly_and_surface_gaussians_lie_flat_on_their_normals(toy):
    cast = toy.cast(np.random.default_rng(3))
    template = Template.of(cast, 36, 9)
    poses = torch.tensor([[[0.1, 0.2, 0.3, 0.8, 0.6, 0, 0], [0, 0, 0, 0, 0, 1.0, 0], [1, 0, 0, 1, 0, 0, 0]]])
    state = template.posed(poses)
    for body in range(3):
        own = template.body[0] == body
        before, after = (torch.pdist(s[0, own, XYZ].double()) for s in (template.gaussians, state))
        assert torch.allclose(before, after, atol=1e-6)
    first = template.body[0] == 0
    axes = quat_to_matrix(state[0, first, QUATS])[..., 2]
    chosen = farthest_by_hand(cast.points[0], int(first.sum()))
    turn = quat_to_matrix(poses[0, 0, 3:])
    assert torch.allclose(axes, torch.from_numpy(cast.normals[0][chosen]).float() @ turn.T, atol=1e-5)
    assert (state[0, first, LOG_SCALES].argmin(-1) == 2).all()


def test_gaussians_of_a_state_can_be_drawn(toy):
    template = Template.of(toy.cast(np.random.default_rng(4)), 36, 9)
    gaussians = to_gaussians(template.gaussians[0])
    gaussians.check_finite()
    assert 0.002 < float(gaussians.scales.max()) < 0.05


def test_scenes_of_different_bodies_make_one_batch(toy):
    rng = np.random.default_rng(5)
    both = stack([Template.of(toy.cast(rng, objects=k), 36, 9) for k in (1, 3)])
    assert both.posed(torch.tensor([0, 0, 0, 1.0, 0, 0, 0]).expand(2, 4, 7)).shape == (2, 36, STATE_WIDTH)


def test_more_bodies_than_tokens_are_refused(toy):
    with pytest.raises(ShapeError, match="4 latent tokens can hold 1 to 4 bodies; the cast has 6"):
        Template.of(toy.cast(np.random.default_rng(6), objects=5), 36, 4)
