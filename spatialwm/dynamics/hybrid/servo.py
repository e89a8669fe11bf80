"""The learned actuator: which spring, damper and delay stand between what a rod is told and what it does.

Fitted to what was seen of each situation, with what is usual for the robot where little was seen. A fitted servo and not a
network's path, because the rod then yields to what it pushes as the real one does: that halves the error that is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spatialwm.dynamics.table.simulator import CHUNKS, STEP_S, SUBSTEPS

LOOK_BACK = 24
"""Steps of the past that a servo is fitted to."""
_DELAYS = 8
_TOLERANCE_M = 1e-3
"""Distance that a fitted rod may be off for other reasons: what it pushes pushes back."""


@dataclass(frozen=True, slots=True, eq=False)
class Servo:
    """What moves B rods, per kilogram of them."""

    stiffness: Float[Tensor, " b"]
    damping: Float[Tensor, " b"]
    late: Int[Tensor, " b"]
    """Quarters of a control step."""
    velocities: Float[Tensor, "b 2"]
    """How fast the rods are now, m/s."""

    def pick(self, which: Tensor | slice) -> Servo:
        """Of some of the scenes."""
        return Servo(self.stiffness[which], self.damping[which], self.late[which], self.velocities[which])


class Usual(nn.Module):
    """What servos of this robot are like: normal logarithms of stiffness and damping, and how often each delay is met."""

    mean: Tensor
    sigma: Tensor
    delays: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([6.0, 4.0]))
        self.register_buffer("sigma", torch.tensor([1.0, 0.7]))
        self.register_buffer("delays", torch.zeros(_DELAYS))

    @torch.no_grad()
    def learn(self, places: Float[Tensor, "b t1 2"], commands: Float[Tensor, "b t 2"]) -> None:
        """From many pasts of one robot."""
        found = fit(self, places, commands)
        logs = torch.stack([found.stiffness.log(), found.damping.log()], -1)
        self.mean.copy_(logs.median(0).values)
        self.sigma.copy_((logs - self.mean).abs().median(0).values * 1.48 + 0.02)
        self.delays.copy_(((torch.bincount(found.late, minlength=_DELAYS) + 0.5) / (len(found.late) + 0.5 * _DELAYS)).log())


@torch.no_grad()
def fit(usual: Usual, places: Float[Tensor, "b t1 2"], commands: Float[Tensor, "b t 2"]) -> Servo:
    """The servo that explains the latest of the past best, searched from coarse to fine.

    Args:
        places: of the rod, now the last.
        commands: between them.
    """
    b = len(places)
    places, commands = places[:, -LOOK_BACK - 1 :], commands[:, -LOOK_BACK:]
    sigmas = torch.linspace(-2, 2, 7)
    grid = torch.cartesian_prod(sigmas, sigmas)
    center = usual.mean.expand(b, 1, 2)
    late = torch.arange(_DELAYS)
    spread = usual.sigma
    best = Servo(torch.ones(b), torch.ones(b), torch.zeros(b, dtype=torch.long), torch.zeros(b, 2))
    for zoom in range(4):
        logs = (center + grid * spread).repeat_interleave(len(late), 1) if zoom == 0 else center + grid * spread
        delays = late.repeat(len(grid)).expand(b, -1) if zoom == 0 else best.late[:, None].expand(-1, len(grid))
        cost, velocities = _cost(places, commands, logs, delays)
        cost = cost + 0.5 * (((logs - usual.mean) / usual.sigma) ** 2).sum(-1) - usual.delays[delays]
        which = cost.argmin(1)[:, None]
        chosen = torch.take_along_dim(logs, which[..., None], 1)
        found = torch.take_along_dim(velocities, which[..., None], 1)[:, 0]
        stiffness, damping = chosen[:, 0].exp().unbind(-1)
        best = Servo(stiffness, damping, torch.take_along_dim(delays, which, 1)[:, 0], found)
        center, spread = chosen, spread / 3
    return best


def _cost(places: Tensor, commands: Tensor, logs: Tensor, delays: Tensor) -> tuple[Tensor, Tensor]:
    """``(b, c)`` how badly each candidate explains the places, and the ``(b, c, 2)`` velocity it ends with."""
    stiffness, damping = logs.exp().unbind(-1)
    still = torch.zeros_like(places[:, 0])
    ends, velocities = _simulated(places[:, 0], still, commands, commands[:, 0], stiffness, damping, delays)
    off = (ends - places[:, None, 1:]).norm(dim=-1) / _TOLERANCE_M
    seen = torch.linspace(0, 1, off.shape[-1]).clamp_min(0.1) if off.shape[-1] > 4 else torch.ones(off.shape[-1])
    return (seen * torch.log1p(off**2 / 2)).sum(-1), velocities


@torch.no_grad()
def path(servo: Servo, places: Float[Tensor, "b t1 2"], past: Float[Tensor, "b t 2"], commands: Float[Tensor, "b h 2"]) -> Tensor:
    """``(b, h + 1, 2)``: where the rods go, now the first, if nothing is in their way."""
    keep = -(_DELAYS // CHUNKS) - 1
    before = torch.cat([past[:, keep:], commands], 1)
    first = past[:, keep - 1] if past.shape[1] > -keep else (past[:, 0] if past.shape[1] else places[:, -1])
    skipped = before.shape[1] - commands.shape[1]
    springs = (servo.stiffness[:, None], servo.damping[:, None], servo.late[:, None])
    ends, _ = _simulated(places[:, -1], servo.velocities, before, first, *springs, skipped)
    return torch.cat([places[:, -1:], ends[:, 0]], 1)


def _simulated(
    start: Tensor,
    velocity: Tensor,
    commands: Tensor,
    first: Tensor,
    stiffness: Tensor,
    damping: Tensor,
    late: Tensor,
    skipped: int = 0,
) -> tuple[Tensor, Tensor]:
    """``(b, c, t, 2)`` ends of the steps after the first ``skipped``, and ``(b, c, 2)`` last velocities, under C candidates.

    The same arithmetic as the simulator's: velocity first, damping taken implicitly, commands held for a quarter of a step.
    """
    b, t, _ = commands.shape
    begun = torch.cat([first[:, None], commands[:, :-1]], 1)
    shares = torch.arange(1, CHUNKS + 1)[:, None] / CHUNKS
    targets = (begun[:, :, None] + (commands - begun)[:, :, None] * shares).reshape(b, t * CHUNKS, 2)
    targets = torch.cat([first[:, None].expand(-1, _DELAYS, -1), targets], 1)
    shrink = 1 / (1 + STEP_S * damping)
    step = torch.stack([
        torch.stack([1 - STEP_S**2 * stiffness * shrink, STEP_S * shrink], -1),
        torch.stack([-STEP_S * stiffness * shrink, shrink], -1),
    ], -2)  # fmt: skip
    whole = torch.linalg.matrix_power(step, SUBSTEPS)
    pull = torch.tensor([1.0, 0.0]) - whole[..., 0]
    x, v = (value[:, None].expand(-1, stiffness.shape[1], -1) for value in (start, velocity))
    ends = []
    index = torch.arange(b)[:, None]
    for i in range(skipped * CHUNKS, t * CHUNKS):
        target = targets[index, i + _DELAYS - late]
        x, v = (
            whole[..., 0, :1] * x + whole[..., 0, 1:] * v + pull[..., :1] * target,
            whole[..., 1, :1] * x + whole[..., 1, 1:] * v + pull[..., 1:] * target,
        )
        if (i + 1) % CHUNKS == 0:
            ends.append(x)
    return torch.stack(ends, 2), v


def within_step(path: Float[Tensor, "b h1 a"], chunks: int = CHUNKS) -> Float[Tensor, "b h c a"]:
    """Places inside each step of a path of step ends: a cubic through them with the speeds their neighbours show."""
    steps = path[:, 1:] - path[:, :-1]
    before = torch.cat([steps[:, :1], steps[:, :-1]], 1)
    after = torch.cat([steps[:, 1:], steps[:, -1:]], 1)
    enter, leave = (before + steps) / 2, (steps + after) / 2
    s = torch.arange(1, chunks + 1, dtype=path.dtype, device=path.device)[:, None] / chunks
    start, end, enter, leave = (v[:, :, None] for v in (path[:, :-1], path[:, 1:], enter, leave))
    return (
        (2 * s**3 - 3 * s**2 + 1) * start + (s**3 - 2 * s**2 + s) * enter + (3 * s**2 - 2 * s**3) * end + (s**3 - s**2) * leave
    )
