"""The transformer starts as nothing, listens to its action, and does not care how bodies are numbered."""

from __future__ import annotations

import numpy as np
import torch

from spatialwm.dynamics.gwm.attention import AdaptiveBlock
from spatialwm.dynamics.gwm.template import Template


def inputs(toy, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    template = Template.of(toy.cast(np.random.default_rng(seed)), 36, 9)
    context, noisy = torch.randn(1, 2, 9, 8, generator=generator), torch.randn(1, 9, 8, generator=generator)
    return template, context, noisy, torch.randn(1, 6, generator=generator)


def test_an_untrained_block_is_the_identity():
    block = AdaptiveBlock(16, 2)
    x, condition = torch.randn(2, 5, 16), torch.randn(2, 16)
    assert torch.equal(block(x, condition, torch.ones(2, 1, 5, 5)), x)


def test_an_untrained_denoiser_only_scales_the_noise(toy):
    template, context, noisy, chunk = inputs(toy)
    model = toy.model(toy.NANO, 2)
    assert not model.network(context, chunk, template)(noisy, torch.zeros(1)).any()
    out = model.denoised_next(context, chunk, template, noisy, torch.tensor([0.5]))
    assert torch.allclose(out, noisy / 2)


def test_a_trained_denoiser_listens_to_action_context_and_noise_level(toy):
    template, context, noisy, chunk = inputs(toy)
    model, sigma = toy.shaken(), torch.tensor([0.5])
    out = model.denoised_next(context, chunk, template, noisy, sigma)
    for changed in (
        model.denoised_next(context, chunk + 1, template, noisy, sigma),
        model.denoised_next(context + torch.randn(1, 1, 9, 8), chunk, template, noisy, sigma),
        model.network(context, chunk, template)(noisy, torch.tensor([0.9])),
    ):
        assert not torch.allclose(out, changed, atol=1e-4)


def test_only_which_tokens_are_of_one_body_matters_not_the_numbers(toy):
    template, context, noisy, chunk = inputs(toy, 1)
    model, sigma = toy.shaken(1), torch.tensor([0.5])
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    renumbered = Template(template.gaussians, 2 - template.body, template.anchors[:, order], template.is_actor)
    out = model.denoised_next(context, chunk, template, noisy, sigma)
    shuffled = model.denoised_next(context[:, :, order], chunk, renumbered, noisy[:, order], sigma)
    assert torch.allclose(out[:, order], shuffled, atol=1e-5)


def test_a_change_survives_its_units(toy):
    model = toy.shaken(2)
    model.change_std.copy_(torch.rand(8) + 0.1)
    before, after = torch.randn(2, 9, 8), torch.randn(2, 9, 8)
    assert torch.allclose(model.from_change(before, model.to_change(before, after)), after, atol=1e-5)
