"""L1 + SSIM: the fused kernel against plain torch in float64, and what a loss must be on images one knows the answer for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.render.cpu.ssim import l1_ssim
from spatialwm.render.photometric import RADIUS, photometric_loss, reference, ssim


def pair(*shape: int, noise: float = 0.2, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two float64 images in [0, 1] that resemble each other."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(*shape, generator=generator, dtype=torch.float64)
    return (target + noise * torch.randn(*shape, generator=generator, dtype=torch.float64)).clamp(0, 1), target


def smooth(height: int, width: int) -> Tensor:
    """Slow colour ramps, the hard case in float32: variances are small differences of large squares."""
    v, u = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([0.6 + 0.3 * u, 0.7 + 0.2 * torch.sin(2 * u + v), 0.9 - 0.3 * v], dim=-1).double()


def relative(value: Tensor, expected: Tensor) -> float:
    return ((value.double() - expected).norm() / expected.norm()).item()


def value_and_gradient(image: Tensor, target: Tensor, margin: int = 0) -> tuple[Tensor, Tensor]:
    x = image.clone().requires_grad_()
    value = reference(x, target, 0.8, 0.2, margin)
    value.backward()
    assert x.grad is not None
    return value.detach(), x.grad


@pytest.mark.parametrize("lanes", [1, 4, 8, 16])
@pytest.mark.parametrize("margin", [0, RADIUS])
def test_value_and_gradient_equal_the_reference(lanes: int, margin: int) -> None:
    image, target = pair(2, 77, 100, 3)
    expected, slope = value_and_gradient(image, target, margin)
    value, gradient = l1_ssim(image.float(), target.float(), 0.8, 0.2, margin, True, lanes=lanes)
    assert gradient is not None
    assert value.item() == pytest.approx(expected.item(), abs=1e-6)
    assert relative(gradient, slope) < 1e-6  # measured 7e-8


def test_smooth_images_keep_their_gradient_in_float32() -> None:
    target = smooth(77, 100)[None]
    image = (target + 0.01 * smooth(100, 77).transpose(0, 1)[None]).clamp(0, 1)
    _, slope = value_and_gradient(image, target)
    _, gradient = l1_ssim(image.float(), target.float(), 0.8, 0.2, 0, True)
    assert gradient is not None
    assert relative(gradient, slope) < 1e-5


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5), st.integers(1, 2), st.integers(1, 3))
def test_every_size_equals_the_reference(height: int, width: int, channels: int, images: int, threads: int) -> None:
    image, target = pair(images, height, width, channels, seed=height * width)
    expected, slope = value_and_gradient(image, target)
    value, gradient = l1_ssim(image.float(), target.float(), 0.8, 0.2, 0, True, threads=threads)
    alone, nothing = l1_ssim(image.float(), target.float(), 0.8, 0.2, 0, False, threads=threads)
    assert gradient is not None
    assert nothing is None
    assert torch.equal(alone, value)
    assert value.item() == pytest.approx(expected.item(), abs=1e-6)
    assert relative(gradient, slope) < 1e-5


def test_one_two_and_five_threads_agree_to_the_bit() -> None:
    image, target = (t.float() for t in pair(1, 203, 101, 3))
    value, gradient = l1_ssim(image, target, 0.8, 0.2, 0, True, threads=1)
    assert gradient is not None
    for threads in (2, 5):
        again, slope = l1_ssim(image, target, 0.8, 0.2, 0, True, threads=threads)
        assert slope is not None
        assert torch.equal(again, value)
        assert torch.equal(slope, gradient)


def test_many_callers_at_once_get_the_same_answer() -> None:
    image, target = (t.float() for t in pair(120, 90, 3))

    def call(_: int) -> tuple[Tensor, Tensor | None]:
        x = image.clone().requires_grad_()
        loss = photometric_loss(x, target)
        loss.backward()
        return loss.detach(), x.grad

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(call, range(100)))
    first, slope = answers[0]
    assert slope is not None
    assert all(torch.equal(v, first) and g is not None and torch.equal(g, slope) for v, g in answers)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equal_images_have_similarity_1_and_no_gradient(dtype: torch.dtype) -> None:
    image = pair(40, 30, 3)[0].to(dtype).requires_grad_()
    similarity = ssim(image, image.detach().clone())
    similarity.backward()
    assert similarity.item() == pytest.approx(1, abs=1e-15)
    assert image.grad is not None
    # The kernel's formula has no cancellation here; the textbook's leaves rounding.
    assert image.grad.abs().max() <= (0 if dtype == torch.float32 else 1e-15)


def test_the_reference_is_the_derivative_of_its_value() -> None:
    image, target = pair(1, 4, 5, 2)
    for margin, side in ((0, 4), (RADIUS, 12)):
        x, y = (image, target) if side == 4 else pair(1, 12, 11, 1)
        assert torch.autograd.gradcheck(lambda v: reference(v, y, 0.8, 0.2, margin), x.clone().requires_grad_())  # noqa: B023


def test_similarity_of_flat_images_is_the_formula_of_their_means() -> None:
    a, b = torch.full((30, 30, 3), 0.3), torch.full((30, 30, 3), 0.5)
    expected = (2 * 0.3 * 0.5 + 1e-4) / (0.3**2 + 0.5**2 + 1e-4)
    assert ssim(a, b, padding="valid").item() == pytest.approx(expected, abs=3e-5)  # rounding of squares, over C2


def test_the_loss_weighs_l1_and_similarity() -> None:
    image, target = (t.float() for t in pair(40, 30, 3))
    l1, similarity = (image - target).abs().mean(), ssim(image, target)
    for weight in (0.0, 0.2, 1.0):
        expected = (1 - weight) * l1 + weight * (1 - similarity)
        assert photometric_loss(image, target, ssim_weight=weight).item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_several_images_are_their_mean(dtype: torch.dtype) -> None:
    image, target = (t.to(dtype) for t in pair(3, 20, 25, 3))
    singles = torch.stack([photometric_loss(a, b) for a, b in zip(image, target, strict=True)])
    assert photometric_loss(image, target).item() == pytest.approx(singles.mean().item(), abs=1e-6)
    assert photometric_loss(image[None], target[None]).item() == pytest.approx(singles.mean().item(), abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pixels_outside_the_mask_cost_nothing(dtype: torch.dtype) -> None:
    image, target = (t.to(dtype) for t in pair(60, 50, 3))
    mask = torch.zeros(60, 50, dtype=torch.bool)
    mask[:, :25] = True
    spoiled = image.clone()
    spoiled[:, 25:] = 0.5
    x, y = image.clone().requires_grad_(), spoiled.clone().requires_grad_()
    a, b = photometric_loss(x, target, mask=mask), photometric_loss(y, target, mask=mask.to(dtype))
    a.backward()
    b.backward()
    assert x.grad is not None
    assert y.grad is not None
    assert torch.equal(a, b)
    assert torch.equal(x.grad, y.grad)
    assert (x.grad[:, 25:] == 0).all()
    assert (x.grad[:, :25] != 0).all()
    l1 = (image - target).abs()[mask].mean()
    assert photometric_loss(image, target, ssim_weight=0, mask=mask).item() == pytest.approx(l1.item(), abs=1e-6)


def test_a_full_mask_is_no_mask_and_an_empty_one_no_loss() -> None:
    image, target = (t.float() for t in pair(30, 20, 3))
    full, empty = torch.ones(30, 20), torch.zeros(30, 20)
    for padding in ("same", "valid"):
        assert torch.equal(ssim(image, target, padding=padding, mask=full), ssim(image, target, padding=padding))
    assert photometric_loss(image, target, mask=empty) == 0


def test_the_gradient_flows_through_strides_and_scales() -> None:
    image, target = (t.float() for t in pair(3, 30, 20))
    x = image.clone().requires_grad_()
    (7 * photometric_loss(x.permute(1, 2, 0), target.permute(1, 2, 0))).backward()
    _, slope = value_and_gradient(image.permute(1, 2, 0)[None].double(), target.permute(1, 2, 0)[None].double())
    assert x.grad is not None
    assert relative(x.grad, 7 * slope[0].permute(2, 0, 1)) < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_target_is_data(dtype: torch.dtype) -> None:
    image, target = (t.to(dtype).requires_grad_() for t in pair(12, 12, 3))
    photometric_loss(image, target).backward()
    assert image.grad is not None
    assert target.grad is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_not_a_number_reaches_the_loss(dtype: torch.dtype) -> None:
    image, target = (t.to(dtype) for t in pair(12, 12, 3))
    image[5, 5, 1] = torch.nan
    assert photometric_loss(image, target).isnan()
    assert ssim(image, target).isnan()


@pytest.mark.parametrize(
    ("image", "target", "options", "words"),
    [
        (torch.rand(4, 4, 3), torch.rand(4, 5, 3), {}, "one shape"),
        (torch.rand(4, 4), torch.rand(4, 4), {}, "one shape"),
        (torch.rand(0, 4, 3), torch.rand(0, 4, 3), {}, "none of them 0"),
        (torch.rand(4, 4, 3), torch.rand(4, 4, 3).double(), {}, "float32 on cpu and torch.float64"),
        (torch.ones(4, 4, 3, dtype=torch.uint8), torch.ones(4, 4, 3, dtype=torch.uint8), {}, "float type"),
        (torch.rand(4, 4, 3), torch.rand(4, 4, 3), {"mask": torch.ones(4, 3)}, r"mask must be \(4, 4\)"),
        (torch.rand(4, 40, 3), torch.rand(4, 40, 3), {"padding": "valid"}, "at least 11 x 11 px; got 40 x 4"),
        (torch.rand(4, 40, 3), torch.rand(4, 40, 3), {"padding": "reflect"}, "'same' or 'valid'"),
    ],
)
def test_wrong_input_is_refused_in_words(image: Tensor, target: Tensor, options: dict, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        ssim(image, target, **options)
