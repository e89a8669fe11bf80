"""Adam: torch's, step for step, and rows out of sight left alone."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor

from spatialwm.errors import ShapeError, SpatialwmError
from spatialwm.render.adam import Adam

SHAPES = [(100, 3), (100, 4), (100,), (100, 16, 3)]


def parameters(dtype: torch.dtype) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(*s, generator=generator, dtype=torch.float64).to(dtype).requires_grad_() for s in SHAPES]


def give_gradients(params: list[Tensor], step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for p in params:
        p.grad = (torch.randn(*p.shape, generator=generator, dtype=torch.float64) * 10.0 ** (step % 5 - 2)).to(p.dtype)


def by_hand(p: Tensor, gradients: list[Tensor], visible: list[Tensor], lr: float, eps: float) -> Tensor:
    """Kingma and Ba 2015, algorithm 1, row by row in float64; steps counted for the tensor."""
    value, m, v = p.detach().clone(), torch.zeros_like(p), torch.zeros_like(p)
    for t, (gradient, rows) in enumerate(zip(gradients, visible, strict=True), start=1):
        for i in rows.nonzero()[:, 0]:
            m[i] = 0.9 * m[i] + 0.1 * gradient[i]
            v[i] = 0.999 * v[i] + 0.001 * gradient[i] ** 2
            value[i] -= lr * (m[i] / (1 - 0.9**t)) / (torch.sqrt(v[i] / (1 - 0.999**t)) + eps)
    return value


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_twenty_steps_equal_torch(dtype: torch.dtype) -> None:
    ours, theirs = parameters(dtype), parameters(torch.float64)
    rates = [1e-2, 1e-3, 5e-2, 2.5e-3]
    first = Adam([{"params": [p], "lr": r} for p, r in zip(ours, rates, strict=True)], eps=1e-15)
    second = torch.optim.Adam([{"params": [p], "lr": r} for p, r in zip(theirs, rates, strict=True)], eps=1e-15)
    for step in range(20):
        give_gradients(ours, step)
        for p, q in zip(ours, theirs, strict=True):
            assert p.grad is not None
            q.grad = p.grad.double()
        first.step()
        second.step()
    for p, q in zip(ours, theirs, strict=True):
        assert (p - q).abs().max() < (1e-6 if dtype == torch.float32 else 1e-13)


def test_visible_rows_follow_the_paper_and_others_stay_to_the_bit() -> None:
    params = parameters(torch.float64)
    optimizer = Adam(params, lr=1e-2)
    start = [p.detach().clone() for p in params]
    shown = [torch.rand(100, generator=torch.Generator().manual_seed(s)) < 0.3 for s in range(20)]
    never = ~torch.stack(shown).any(0)
    never[0] = True
    for rows in shown:
        rows[0] = False
    gradients: list[list[Tensor]] = [[] for _ in params]
    for step, visible in enumerate(shown):
        give_gradients(params, step)
        for kept, p in zip(gradients, params, strict=True):
            assert p.grad is not None
            kept.append(p.grad)
        optimizer.step(visible=visible)
    for p, old, given in zip(params, start, gradients, strict=True):
        assert (p - by_hand(old, given, shown, 1e-2, 1e-8)).abs().max() < 1e-12
        assert torch.equal(p[never], old[never])
        assert not optimizer.state[p]["exp_avg"][never].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_all_rows_visible_is_a_plain_step(dtype: torch.dtype) -> None:
    some, all_of_them = parameters(dtype), parameters(dtype)
    first, second = Adam(some, lr=1e-2), Adam(all_of_them, lr=1e-2)
    for step in range(5):
        give_gradients(some, step)
        give_gradients(all_of_them, step)
        first.step(visible=torch.ones(100, dtype=torch.bool))
        second.step()
    for p, q in zip(some, all_of_them, strict=True):
        assert torch.allclose(p, q, rtol=0, atol=1e-6 if dtype == torch.float32 else 1e-14)


def test_its_state_is_torchs() -> None:
    params = parameters(torch.float32)
    ours = Adam(params)
    give_gradients(params, 0)
    ours.step()
    copies = [p.detach().clone().requires_grad_() for p in params]
    theirs = torch.optim.Adam(copies)
    saved = copy.deepcopy(ours.state_dict())
    theirs.load_state_dict({"state": copy.deepcopy(saved["state"]), "param_groups": theirs.state_dict()["param_groups"]})
    give_gradients(params, 1)
    give_gradients(copies, 1)
    ours.step()
    theirs.step()
    for p, q in zip(params, copies, strict=True):
        assert set(theirs.state[q]) == set(ours.state[p]) == {"step", "exp_avg", "exp_avg_sq"}
        assert torch.allclose(p, q, rtol=0, atol=1e-7)
        assert ours.state[p]["step"] == 2
    ours.load_state_dict(saved)
    assert ours.state[params[0]]["step"] == 1


def test_a_parameter_without_gradient_stays_and_the_closure_runs() -> None:
    a, b = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    optimizer = Adam([a, b], lr=0.5)

    def closure() -> Tensor:
        loss = a.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure) == 3
    assert torch.allclose(a, torch.full((3,), 0.5))
    assert torch.equal(b, torch.ones(3))
    assert not optimizer.state[b]


@pytest.mark.parametrize("setting", [{"lr": -1.0}, {"eps": -1e-8}, {"betas": (0.9, 1.0)}, {"lr": math.nan}])
def test_a_setting_out_of_range_is_refused(setting: dict) -> None:
    with pytest.raises(SpatialwmError, match="lr >= 0, eps >= 0 and both betas"):
        Adam([torch.ones(1, requires_grad=True)], **setting)


@pytest.mark.parametrize("visible", [torch.ones(99, dtype=torch.bool), torch.ones(100), torch.ones(100, 1, dtype=torch.bool)])
def test_a_mask_of_another_shape_is_refused_before_anything_moves(visible: Tensor) -> None:
    params = parameters(torch.float32)
    give_gradients(params, 0)
    before = [p.detach().clone() for p in params]
    with pytest.raises(ShapeError, match="one value per row"):
        Adam(params).step(visible=visible)
    assert all(torch.equal(p, q) for p, q in zip(params, before, strict=True))
