"""Copies in place look as the one did; drawing, growing and shaking do what the paper says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from spatialwm.errors import ShapeError
from spatialwm.gaussians import RawGaussians, from_raw
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.render import add_new, available, choose, inject_noise, relocate_dead, relocated

W, H = 64, 48
VIEW = torch.eye(4)[None]
K = torch.tensor([[[50.0, 0, W / 2], [0, 50.0, H / 2], [0, 0, 1]]])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The tensors are small: torch's threads would cost more than they do, on a busy machine twenty times."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blobs(n: int = 120, dead: int = 0, seed: int = 0) -> RawGaussians:
    g = seeded(seed)
    means = torch.rand(n, 3, generator=g) * torch.tensor([2.4, 1.8, 1.0]) + torch.tensor([-1.2, -0.9, 1.8])
    opacities = torch.rand(n, generator=g) * 0.9 + 0.05
    opacities[:dead] = 0.003
    sizes, quats = torch.rand(n, 3, generator=g) * 0.08 + 0.02, torch.randn(n, 4, generator=g)
    return RawGaussians(means, quats, sizes.log(), torch.logit(opacities), torch.randn(n, 1, 3, generator=g))


def fields(raw: RawGaussians) -> tuple[torch.Tensor, ...]:
    return raw.means, raw.quats, raw.log_scales, raw.logit_opacities, raw.sh


def picture(raw: RawGaussians) -> np.ndarray:
    g = from_raw(raw)
    with torch.no_grad():
        image = choose()[1](g.means, g.quats, g.scales, g.opacities, g.sh, VIEW, K, W, H, sh_degree=0)[0]
    return image.cpu().numpy()


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a.astype(np.float64) - b) ** 2) + 1e-30))


@pytest.mark.parametrize("opacity", [1e-4, 0.05, 0.5, 0.95, 0.999])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 30])
def test_equation_9_as_it_is_written(opacity, count):
    o, s = relocated(
        torch.tensor([opacity], dtype=torch.float64), torch.tensor([[1.0, 2, 3]], dtype=torch.float64), torch.tensor([count])
    )
    x = 1 - (1 - opacity) ** (1 / count)
    terms = [
        math.comb(i - 1, k) * (-1) ** k / math.sqrt(k + 1) * x ** (k + 1) for i in range(1, count + 1) for k in range(i)
    ]
    assert float(o) == pytest.approx(x, rel=1e-12)
    # Written so, x and the sum of alternating terms lose digits.
    lost = 1e-16 * (1 / x + sum(map(abs, terms)) / math.fsum(terms))
    assert s[0].numpy() == pytest.approx(opacity / math.fsum(terms) * np.array([1, 2, 3]), rel=1e-12 + 10 * lost)


@pytest.mark.parametrize("opacity", [0.3, 0.9, 0.9999999])
@pytest.mark.parametrize("count", [1, 5, 51, 1000, 100_000])
def test_along_a_line_the_copies_cover_as_much_as_the_one_did(opacity, count):
    o, s = relocated(torch.tensor([opacity], dtype=torch.float64), torch.ones(1, 3, dtype=torch.float64), torch.tensor([count]))
    t = np.linspace(-12, 12, 20001)
    together = -np.expm1(count * np.log1p(-float(o) * np.exp(-0.5 * (t / float(s[0, 0])) ** 2)))
    assert together.sum() * (t[1] - t[0]) == pytest.approx(opacity * math.sqrt(2 * math.pi), rel=1e-6)


def test_one_alone_stays_as_it_is_in_float32():
    opacities, scales = torch.rand(50, generator=seeded()), torch.rand(50, 3, generator=seeded(1))
    o, s = relocated(opacities, scales, torch.ones(50, dtype=torch.int64))
    torch.testing.assert_close(o, opacities, rtol=1e-6, atol=0)
    torch.testing.assert_close(s, scales, rtol=1e-6, atol=0)
    assert (o.dtype, s.dtype) == (torch.float32, torch.float32)


def test_the_ends_of_the_range_stay_finite():
    o, s = relocated(torch.tensor([0.0, 1.0, 1.0]), torch.ones(3, 3), torch.tensor([4, 2, 60]))
    assert torch.isfinite(o).all()
    assert torch.isfinite(s).all()
    assert (s > 0).all()
    assert [t.shape for t in relocated(torch.zeros(0), torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))] == [(0,), (0, 3)]


def test_bad_counts_and_shapes_are_refused():
    with pytest.raises(ShapeError, match="at least one; got a count of 0"):
        relocated(torch.ones(2), torch.ones(2, 3), torch.tensor([1, 0]))
    with pytest.raises(ShapeError, match=r"got \(2,\), \(3, 3\), \(2,\)"):
        relocated(torch.ones(2), torch.ones(3, 3), torch.tensor([1, 1]))


def test_the_picture_stays_where_gaussians_become_several():
    raw = blobs()
    counts = torch.randint(1, 6, (120,), generator=seeded(2))
    origin = torch.repeat_interleave(torch.arange(120), counts)
    before = picture(raw)

    def after(opacities: torch.Tensor, scales: torch.Tensor) -> float:
        parts = [t[origin] for t in (raw.means, raw.quats, scales.log(), torch.logit(opacities), raw.sh)]
        return psnr(picture(RawGaussians(*parts)), before)

    opacities, scales = torch.sigmoid(raw.logit_opacities), raw.log_scales.exp()
    shared = relocated(opacities, scales, counts)
    assert after(*shared) > 35
    assert after(*shared) > after(shared[0], scales) + 4  # with their old sizes
    assert after(*shared) > after(opacities, scales) + 15  # as they were


@pytest.mark.parametrize("seed", range(5))
def test_the_dead_move_without_being_seen(seed):
    raw = blobs(dead=30, seed=seed)
    moved = relocate_dead(raw, generator=seeded(seed))
    assert (torch.sigmoid(moved.raw.logit_opacities) >= 0.005 * (1 - 1e-5)).all()
    assert (moved.origin[30:] == torch.arange(30, 120)).all()
    assert (moved.origin[:30] >= 30).all()
    assert moved.fresh[:30].all()
    assert set(moved.origin[moved.fresh].tolist()) == set(moved.origin[:30].tolist())
    counts = torch.bincount(moved.origin)[moved.origin][moved.fresh]
    before = raw.logit_opacities[moved.origin][moved.fresh].sigmoid(), raw.log_scales[moved.origin][moved.fresh].exp()
    opacities, scales = relocated(*before, counts)
    torch.testing.assert_close(moved.raw.logit_opacities[moved.fresh].sigmoid(), opacities.clamp(min=0.005))
    torch.testing.assert_close(moved.raw.log_scales[moved.fresh].exp(), scales)
    same = ~moved.fresh
    assert torch.equal(moved.raw.log_scales[same], raw.log_scales[same])
    assert torch.equal(moved.raw.means, raw.means[moved.origin])
    assert psnr(picture(moved.raw), picture(raw)) > 33


def test_the_bright_are_chosen_in_proportion():
    raw = blobs(4000, dead=3998)
    chances = torch.sigmoid(raw.logit_opacities[-2:])
    moved = relocate_dead(raw, generator=seeded())
    share = (moved.origin[:3998] == 3999).float().mean()
    assert float(share) == pytest.approx(float(chances[1] / chances.sum()), abs=0.03)


def test_where_all_or_none_are_dead_nothing_moves():
    for raw in (blobs(20), blobs(20, dead=20), blobs(0)):
        moved = relocate_dead(raw)
        assert moved.raw is raw
        assert torch.equal(moved.origin, torch.arange(len(raw.means)))
        assert not moved.fresh.any()


def test_new_ones_are_added_up_to_the_cap():
    raw = blobs(100)
    moved = add_new(raw, cap=1000, generator=seeded())
    assert len(moved.raw.means) == len(moved.origin) == len(moved.fresh) == 105
    assert moved.fresh[100:].all()
    assert psnr(picture(moved.raw), picture(raw)) > 38
    assert len(add_new(raw, cap=102, generator=seeded()).raw.means) == 102
    for cap in (100, 7):
        unchanged = add_new(raw, cap=cap)
        assert unchanged.raw is raw
        assert not unchanged.fresh.any()


def test_the_same_generator_draws_the_same():
    raw = blobs(dead=10)
    for function in (relocate_dead, lambda raw, generator: add_new(raw, cap=500, generator=generator)):
        first, second, other = (function(raw, generator=seeded(s)) for s in (1, 1, 2))
        assert torch.equal(first.origin, second.origin)
        assert not torch.equal(first.origin, other.origin)


def test_noise_is_along_the_axes_of_each_and_spares_the_visible():
    n = 20_000
    one = blobs(1)
    many = RawGaussians(*(t.expand(n, *t.shape[1:]) for t in fields(one)))
    many = replace(many, logit_opacities=torch.full((n,), -20.0))
    shift = (inject_noise(many, 100.0, generator=seeded()).means - many.means).double()
    R = quat_to_matrix(one.quats)[0].double()
    covariance = R @ torch.diag(torch.exp(2 * one.log_scales[0].double())) @ R.T
    gate = 1 / (1 + math.exp(-0.5))
    expected = (100 * gate) ** 2 * covariance @ covariance
    torch.testing.assert_close(shift.T @ shift / n, expected, rtol=0.05, atol=0.03 * float(expected.abs().max()))
    visible = replace(many, logit_opacities=torch.zeros(n))
    assert torch.equal(inject_noise(visible, 100.0, generator=seeded()).means, visible.means)


@pytest.mark.parametrize("backend", available())
def test_training_with_them_fills_a_picture(backend):
    device = "cuda" if backend in ("cuda", "gsplat") else "cpu"
    g, w, h = seeded(), 32, 24

    def render(raw: RawGaussians) -> torch.Tensor:
        now = from_raw(raw)
        return choose(backend)[1](now.means, now.quats, now.scales, now.opacities, now.sh, VIEW.to(device),
                                  (K * torch.tensor([[0.5], [0.5], [1.0]])).to(device), w, h, sh_degree=0)[0]  # fmt: skip

    with torch.no_grad():
        target = render(RawGaussians(*(t.to(device) for t in fields(blobs(200, seed=3)))))
    raw = RawGaussians(*(t.to(device) for t in fields(blobs(30, dead=8, seed=4))))
    losses = []
    for step in range(40):
        inputs = [t.detach().clone().requires_grad_() for t in fields(raw)]
        loss = (render(RawGaussians(*inputs)) - target).abs().mean()
        gradients = torch.autograd.grad(loss, inputs)
        losses.append(float(loss.detach()))
        # Sign descent has no moments, so the test is of the moves alone.
        rates = (0.004, 0.01, 0.02, 0.05, 0.05)
        raw = RawGaussians(*(f.detach() - r * d.sign() for f, r, d in zip(inputs, rates, gradients, strict=True)))
        raw = inject_noise(raw, 1e-2, generator=g)
        if step % 8 == 7:
            raw = relocate_dead(raw, generator=g).raw
            assert torch.sigmoid(raw.logit_opacities).min() > 0.0049
            raw = add_new(raw, cap=60, growth=1.5, generator=g).raw
    assert len(raw.means) == 60
    assert losses[-1] < 0.7 * losses[0]
