"""The diffusion follows the paper's numbers, and no output is clamped or rounded."""

from __future__ import annotations

import pytest
import torch

from spatialwm.dynamics.gwm.config import EdmConfig
from spatialwm.dynamics.gwm.edm import denoised, loss_weight, sample, sigmas, training_sigmas

EDM = EdmConfig()


def test_the_schedule_has_the_values_of_equation_5():
    # (20^(1/7) + i/4 (0.002^(1/7) - 20^(1/7)))^7 for i = 0..4, then 0; worked out by hand
    a, b = 20 ** (1 / 7), 0.002 ** (1 / 7)
    expected = [20.0, (a + (b - a) / 4) ** 7, ((a + b) / 2) ** 7, (a + 3 * (b - a) / 4) ** 7, 0.002, 0.0]
    assert sigmas(EDM).tolist() == pytest.approx(expected, rel=1e-5)
    assert sigmas(EDM).tolist() == pytest.approx([20.0, 4.862, 0.8247, 0.0761, 0.002, 0.0], rel=1e-3)


def test_training_noise_is_log_normal():
    drawn = training_sigmas(EDM, torch.randn(20000, generator=torch.Generator().manual_seed(0))).log()
    assert float(drawn.mean()) == pytest.approx(-1.2, abs=0.03)
    assert float(drawn.std()) == pytest.approx(1.2, abs=0.03)


@pytest.mark.parametrize("sigma", [0.002, 0.3, 20.0])
def test_preconditioning_follows_table_1(sigma):
    total = sigma**2 + 0.25
    seen = {}

    def network(x, level):
        seen["x"], seen["level"] = x, level
        return torch.full_like(x, 2.0)

    noisy = torch.tensor([[[0.7, -3.0]]])
    out = denoised(network, noisy, torch.tensor([sigma]), EDM)
    assert torch.allclose(seen["x"], noisy / total**0.5)
    assert float(seen["level"][0]) == pytest.approx(float(torch.tensor(sigma).log()) / 4, rel=1e-5)
    assert torch.allclose(out, 0.25 / total * noisy + sigma * 0.5 / total**0.5 * 2.0, rtol=1e-5)
    assert float(loss_weight(torch.tensor([sigma]), EDM)[0]) == pytest.approx(total / (sigma * 0.5) ** 2, rel=1e-5)


@pytest.mark.parametrize("truth", [0.3, 7.5, -120.0])
def test_a_perfect_network_is_sampled_to_the_truth_however_large(truth):
    def network(x, level):  # inverts the preconditioning for data that is one value
        sigma = (4 * level).exp()[:, None, None]
        total = (sigma**2 + 0.25).sqrt()
        return (truth - 0.25 / total * x) * total / (sigma * 0.5)

    noise = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(sample(network, noise, EDM), torch.full((3, 4, 5), truth), rtol=1e-3)


def test_samples_take_more_than_256_values_and_leave_the_unit_interval():
    drawn = sample(lambda x, _: 3 * x, torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0)), EDM)
    assert len(drawn.unique()) > 4000
    assert float(drawn.abs().max()) > 1.0
    noisy = torch.linspace(-50, 50, 4096).view(1, 64, 64).requires_grad_()
    out = denoised(lambda x, _: torch.zeros_like(x), noisy, torch.tensor([0.1]), EDM)
    assert len(out.unique()) == 4096
    out.sum().backward()
    assert float(noisy.grad.min()) > 0.9  # a clamp or a rounding would have none
