"""The CUDA kernel of Adam, run in the emulator, against torch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spatialwm.errors import SpatialwmError
from spatialwm.render.cuda.adam import adam_step

BETAS, LR, EPS = (0.9, 0.999), 1e-2, 1e-8


def state(*shape: int) -> tuple[Tensor, Tensor, Tensor]:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1)), torch.zeros(shape), torch.zeros(shape)


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("shape", [(1,), (257, 3), (40, 15, 3), ()])
def test_twenty_steps_equal_torchs_in_float64(shape: tuple[int, ...]) -> None:
    values, mean, square = state(*shape)
    exact = values.double().requires_grad_()
    optimizer = torch.optim.Adam([exact], LR, BETAS, EPS)
    for step in range(1, 21):
        gradient = torch.randn(shape, generator=torch.Generator().manual_seed(step)) * 10.0 ** (step % 5 - 2)
        adam_step(values, gradient, mean, square, step, LR, BETAS, EPS, None)
        exact.grad = gradient.double()
        optimizer.step()
    assert (values - exact).abs().max() < 1e-6


@pytest.mark.usefixtures("emulated")
def test_rows_out_of_sight_stay_to_the_bit() -> None:
    masked, dense, before = state(50, 4), state(50, 4), state(50, 4)
    visible = torch.arange(50) % 3 == 0
    gradient = torch.randn(50, 4)
    for (values, mean, square), mask in ((masked, visible), (dense, None)):
        adam_step(values, gradient, mean, square, 7, LR, BETAS, EPS, mask)
    for changed, expected, old in zip(masked, dense, before, strict=True):
        assert torch.equal(changed[visible], expected[visible])
        assert torch.equal(changed[~visible], old[~visible])


@pytest.mark.usefixtures("emulated")
def test_nothing_to_update_is_no_launch() -> None:
    nothing = torch.zeros(0, 3)
    adam_step(nothing, nothing, nothing, nothing, 1, LR, BETAS, EPS, None)


def test_a_tensor_too_long_for_the_kernel_is_refused() -> None:
    endless = torch.zeros(1).expand(2**32)
    with pytest.raises(SpatialwmError, match="4294967296 values is too long"):
        adam_step(endless, endless, endless, endless, 1, LR, BETAS, EPS, None)
