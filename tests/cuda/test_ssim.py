"""The CUDA kernels of L1 + SSIM, run in the emulator, against plain torch in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from spatialwm.render.cuda.ssim import l1_ssim
from spatialwm.render.photometric import RADIUS, reference

MANNERS = [(False, 1), (True, 1), (False, 3)]


@pytest.fixture(params=MANNERS, ids=["forwards", "backwards", "three blocks in turns"])
def manner(request: pytest.FixtureRequest, emulated: Any) -> None:
    emulated.backwards, emulated.residents = request.param


def pair(*shape: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(sum(shape))
    target = torch.rand(*shape, generator=generator)
    return (target + 0.2 * torch.randn(*shape, generator=generator)).clamp(0, 1), target


def check(image: Tensor, target: Tensor, margin: int) -> None:
    exact = image.double().requires_grad_()
    expected = reference(exact, target.double(), 0.8, 0.2, margin)
    expected.backward()
    assert exact.grad is not None
    value, gradient = l1_ssim(image, target, 0.8, 0.2, margin, True)
    alone, nothing = l1_ssim(image, target, 0.8, 0.2, margin, False)
    assert gradient is not None
    assert nothing is None
    assert torch.equal(alone, value)
    assert value.item() == pytest.approx(expected.item(), abs=1e-6)
    assert (gradient - exact.grad).norm() <= 1e-6 * exact.grad.norm()  # measured 1e-7


@pytest.mark.usefixtures("manner")
@pytest.mark.parametrize("margin", [0, RADIUS])
def test_value_and_gradient_equal_the_reference(margin: int) -> None:
    check(*pair(2, 45, 70, 3), margin)


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (1, 1, 40, 1), (3, 40, 1, 2), (1, 5, 7, 4), (1, 32, 32, 1), (1, 33, 33, 1)])
def test_sizes_around_the_tile_and_the_window(shape: tuple[int, ...]) -> None:
    check(*pair(*shape), 0)


@pytest.mark.usefixtures("manner")
def test_equal_images_have_no_loss_and_no_gradient() -> None:
    image, _ = pair(1, 40, 30, 3)
    value, gradient = l1_ssim(image, image.clone(), 0.8, 0.2, 0, True)
    assert gradient is not None
    assert value.item() == 0
    assert not gradient.any()
