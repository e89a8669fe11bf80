"""The autoencoder: its KL is on and is not its latent, and its decoder has no way to see what it must draw."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from spatialwm.dynamics.gwm.template import XYZ, Template
from spatialwm.dynamics.gwm.vae import Posterior, chamfer, reconstruction_loss


def posed(toy, seed: int, objects: int = 2):
    """A template, poses and the Gaussians there."""
    episode = toy.episode(seed, objects=objects)
    template = Template.of(episode.cast, toy.NANO.vae.gaussians, toy.NANO.vae.tokens)
    poses = np.concatenate([episode.track.poses[3], episode.track.part_poses[3]], 0)[None]
    poses = torch.from_numpy(poses.astype(np.float32))
    return template, poses, template.posed(poses)


def test_the_kl_is_zero_only_for_the_standard_normal_and_follows_its_formula():
    zero = torch.zeros(1, 2, 3)
    assert float(Posterior(zero, zero).kl()) == 0.0
    mean, log_variance = torch.randn(4, 5, 6), torch.randn(4, 5, 6)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (log_variance / 2).exp()), torch.distributions.Normal(0.0, 1.0)
    ).mean()
    assert torch.allclose(Posterior(mean, log_variance).kl(), expected)


def test_the_kl_is_a_number_with_a_gradient_and_the_latent_is_something_else(toy):
    model = toy.shaken()
    template, _, state = posed(toy, 0)
    posterior = model.vae.encode(state, template)
    latent, kl = posterior.sample(torch.zeros_like(posterior.mean)), posterior.kl()
    assert kl.shape == ()
    assert latent.shape == (1, toy.NANO.vae.tokens, toy.NANO.vae.latent_channels)
    assert torch.equal(latent, posterior.mean)
    kl.backward()
    assert float(model.vae.to_posterior.weight.grad.abs().max()) > 0


def test_the_decoder_takes_no_targets_and_what_it_draws_follows_the_latent_alone(toy):
    model = toy.shaken()
    template, poses, state = posed(toy, 1)
    assert list(inspect.signature(model.vae.decode).parameters) == ["latents", "template"]
    # The target can act through the latent only: cut there, nothing of it is left.
    moving = state.clone().requires_grad_()
    latent = model.vae.encode(moving, template).mean
    (through,) = torch.autograd.grad(model.vae.decode(latent, template)[..., XYZ].sum(), moving)
    assert float(through.abs().max()) > 0
    assert model.vae.decode(latent.detach(), template.take(torch.tensor([0]))).grad_fn is not None  # weights still learn
    cut = torch.autograd.grad(
        model.vae.decode(latent.detach(), template)[..., XYZ].sum(), moving, allow_unused=True
    )[0]
    assert cut is None
    # A latent of another frame draws that other frame, whatever the template was posed at before.
    elsewhere = model.vae.encode(template.posed(poses + torch.tensor([0.3, 0, 0, 0, 0, 0, 0])), template).mean
    assert not torch.allclose(model.vae.decode(elsewhere, template), model.vae.decode(latent, template), atol=1e-4)


def test_an_untrained_decoder_draws_every_body_whole_and_knows_no_place(toy):
    model = toy.model(toy.NANO, 2)
    template, _, _ = posed(toy, 2)
    drawn = model.vae.decode(torch.randn(1, 9, 8), template)
    assert torch.allclose(drawn, model.vae.decode(torch.randn(1, 9, 8), template))
    assert torch.allclose(drawn[..., XYZ], template.gaussians[..., XYZ], atol=1e-6)


def test_a_body_is_encoded_and_decoded_alike_whatever_else_moves(toy):
    model = toy.shaken()
    template, poses, state = posed(toy, 3)
    moved = poses.clone()
    moved[:, 1, :3] += 0.1
    there = model.vae.encode(template.posed(moved), template).mean
    here = model.vae.encode(state, template).mean
    first = template.token_body[0] == 0
    assert torch.allclose(here[0, first], there[0, first], atol=1e-6)
    assert not torch.allclose(here[0, ~first], there[0, ~first], atol=1e-3)
    own = template.body[0] == 0
    assert torch.allclose(model.vae.decode(here, template)[0, own], model.vae.decode(there, template)[0, own], atol=1e-6)


def test_the_order_of_the_gaussians_means_nothing(toy):
    model = toy.shaken()
    template, poses, _ = posed(toy, 4)
    order = torch.randperm(36, generator=torch.Generator().manual_seed(0))
    where = order.argsort()
    shuffled = Template(
        template.gaussians[:, order], template.body[:, order], where[template.anchors], template.is_actor[:, order]
    )
    before = model.vae.encode(template.posed(poses), template).mean
    after = model.vae.encode(shuffled.posed(poses), shuffled).mean
    assert torch.allclose(before, after, atol=1e-5)
    assert torch.allclose(model.vae.decode(before, template)[:, order], model.vae.decode(before, shuffled), atol=1e-5)


def test_the_loss_is_zero_for_the_same_gaussians_only(toy):
    _, _, state = posed(toy, 5)
    assert float(reconstruction_loss(state, state)) == pytest.approx(0.0, abs=1e-5)
    for column in range(14):
        off = state.clone()
        off[..., column] += 0.3
        assert float(reconstruction_loss(off, state)) > 1e-4, column


def test_the_chamfer_distance_of_a_shifted_pair_is_the_shift_in_any_order():
    a = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])
    b = a + torch.tensor([0.0, 0.0, 0.1])
    assert float(chamfer(a, b)[0]) == pytest.approx(0.1)
    assert float(chamfer(a, b[:, [2, 0, 1]])[0]) == pytest.approx(0.1)
    assert float(chamfer(a[:, :2], b)[0]) == pytest.approx((0.1 + (0.2 + np.hypot(1, 0.1)) / 3) / 2, rel=1e-5)
