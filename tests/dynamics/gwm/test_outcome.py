"""Rewards and terminations: read off latent tokens, remembered along time, in any order of tokens."""

from __future__ import annotations

import torch

from spatialwm.dynamics.gwm.outcome import outcome_loss, symexp, symlog


def test_symlog_and_symexp_are_inverse_and_odd():
    x = torch.tensor([-1e3, -1.0, -1e-4, 0.0, 0.3, 50.0])
    assert torch.allclose(symexp(symlog(x)), x, rtol=1e-4)
    assert torch.allclose(symlog(-x), -symlog(x))


def test_step_by_step_with_memory_is_the_same_as_all_at_once(toy):
    heads = toy.shaken().outcome
    before, after, chunks = torch.randn(2, 5, 9, 8), torch.randn(2, 5, 9, 8), torch.randn(2, 5, 6)
    whole, _ = heads(before, after, chunks)
    memory, rewards = None, []
    for t in range(5):
        step, memory = heads(before[:, t : t + 1], after[:, t : t + 1], chunks[:, t : t + 1], memory)
        rewards.append(step.rewards)
    assert torch.allclose(torch.cat(rewards, 1), whole.rewards, atol=1e-5)


def test_the_past_matters_and_the_order_of_tokens_does_not(toy):
    heads = toy.shaken().outcome
    before, after, chunks = torch.randn(1, 4, 9, 8), torch.randn(1, 4, 9, 8), torch.randn(1, 4, 6)
    out, _ = heads(before, after, chunks)
    order = torch.randperm(9)
    assert torch.allclose(heads(before[:, :, order], after[:, :, order], chunks)[0].rewards, out.rewards, atol=1e-5)
    other = before.clone()
    other[:, 0] += 1
    assert not torch.allclose(heads(other, after, chunks)[0].symlog_rewards[:, -1], out.symlog_rewards[:, -1], atol=1e-6)


def test_unknown_rewards_teach_nothing_and_known_ones_do(toy):
    heads = toy.shaken().outcome
    out, _ = heads(torch.randn(1, 3, 9, 8), torch.randn(1, 3, 9, 8), torch.randn(1, 3, 6))
    nothing, _ = outcome_loss(out, torch.full((1, 3), torch.nan), torch.zeros(1, 3))
    assert not nothing.any()
    one, _ = outcome_loss(out, torch.tensor([[torch.nan, 4.0, torch.nan]]), torch.zeros(1, 3))
    assert torch.allclose(one, (out.symlog_rewards[0, 1] - symlog(torch.tensor(4.0))) ** 2)
