"""What the prior gets wrong in one step: an object-centric transformer over Gaussian points and the actor's flow."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from spatialwm.dynamics.hybrid.config import PROPERTIES, HybridConfig
from spatialwm.dynamics.motion import points_at, twist_between
from spatialwm.geometry.se3 import quat_to_matrix

_NEAR_M, _FLOW_M = 0.05, 0.01
_TWIST = (0.01, 0.01, 0.01, 0.2, 0.2, 0.2)
_STILL_M, _WITHIN_M = 5e-4, 0.015
"""Below this motion, and farther than this from all that moves, a thing is left exactly where the prior has it."""
_AT_MOST = 0.5
"""Share of the motion that physics finds which may be corrected: what rests stays at rest, and no correction feeds on itself.
Without it, one trained on four steps at a time is off by 51 mm after five seconds, and physics alone by 15."""
_POINT_FEATURES, _PAIR_FEATURES = 24, 10


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One control step of B scenes as the prior sees it."""

    poses: Float[Tensor, "b k 7"]
    velocities: Float[Tensor, "b k 6"]
    next_poses: Float[Tensor, "b k 7"]
    next_velocities: Float[Tensor, "b k 6"]
    points: Float[Tensor, "b k p 3"]
    """In the frames of the objects."""
    actor: Float[Tensor, "b q 3"]
    next_actor: Float[Tensor, "b q 3"]
    """The actor's points in the world, before and after."""
    known: Float[Tensor, "b k n"]
    """Mean and spread of the properties of the things, and what is believed of them."""
    present: Bool[Tensor, "b k"]
    dt_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """What to add, along world axes, and how far off the points will still be."""

    twists: Float[Tensor, "b k 6"]
    velocities: Float[Tensor, "b k 6"]
    log_sigma: Float[Tensor, "b k"]
    """Of the points' distance after this step, natural logarithm of metres."""

    gate: Float[Tensor, "b k"]
    """0 where nothing may be corrected, 1 where the net has its way."""

    def size(self) -> Float[Tensor, "b k"]:
        """Largest component of the twists, in the units of the net."""
        return (self.twists / self.twists.new_tensor(_TWIST)).abs().amax(-1)

    def only(self, scenes: Bool[Tensor, " b"]) -> Correction:
        """None elsewhere."""
        kept = scenes[:, None, None]
        return Correction(self.twists * kept, self.velocities * kept, self.log_sigma, self.gate)


class Corrector(nn.Module):
    """Everything is seen from the objects' own frames, so that turning or shifting the scene turns and shifts the answer.

    Zero-initialised: before training, the answer is the prior's. ``largest`` is the largest correction that training asked for.
    """

    largest: Tensor

    def __init__(self, config: HybridConfig) -> None:
        super().__init__()
        d = config.width
        known = 2 * PROPERTIES + 2
        self.config = config
        self.point = nn.Sequential(nn.Linear(_POINT_FEATURES, d), nn.GELU(), nn.Linear(d, d), nn.GELU())
        self.thing = nn.Linear(2 * d + 12 + 3 + known, d)
        self.hand = nn.Linear(1, d)
        self.blocks = nn.ModuleList(_Block(d, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(d)
        self.heads = nn.Parameter(torch.zeros(config.members, d, 13))
        self.bias = nn.Parameter(torch.zeros(config.members, 13))
        self.register_buffer("largest", torch.tensor(float("inf")))

    def forward(self, step: Step, members: Tensor) -> Correction:
        """The correction by one member of the ensemble for each scene.

        Args:
            members: ``(b,)`` which.
        """
        k = step.poses.shape[1]
        rotation = quat_to_matrix(step.poses[..., 3:])
        world, after = points_at(step.points, step.poses), points_at(step.points, step.next_poses)
        seen, gap_m = self._points(step, rotation, world, after)
        embedded = self.point(seen)
        twist = twist_between(step.poses, step.next_poses)
        own = torch.cat([_into(rotation, twist), _into(rotation, step.velocities * step.dt_s)], -1)
        up = rotation[..., 2, :]
        tokens = self.thing(torch.cat([embedded.mean(2), embedded.amax(2), own.clamp(-10, 10), up, step.known], -1))
        flow = (step.next_actor - step.actor).mean(1)
        hand = self.hand((flow.norm(dim=-1, keepdim=True) / _FLOW_M).clamp(0, 6))
        tokens = torch.cat([tokens, hand[:, None]], 1)
        pairs = self._pairs(step, rotation, flow)
        seen_by = torch.cat([step.present, torch.ones_like(step.present[:, :1])], 1)
        for block in self.blocks:
            tokens = block(tokens, pairs, seen_by)
        heads, bias = self.heads[members], self.bias[members]
        out = self.norm(tokens[:, :k]) @ heads + bias[:, None]
        motion = (after - world).norm(dim=-1).mean(-1) + step.velocities[..., :3].norm(dim=-1) * step.dt_s
        gate = torch.maximum(motion / _STILL_M - 0.2, (_WITHIN_M - gap_m) / (_WITHIN_M / 3)).clamp(0, 1)[..., None]
        twists, rates = out[..., :6] * out.new_tensor(_TWIST), out[..., 6:12] * out.new_tensor(_TWIST) / step.dt_s
        if self.config.prior == "physics":
            moving = _sizes(twist) + _sizes(step.velocities) * step.dt_s
            twists = _AT_MOST * moving * torch.tanh(out[..., :6])
            rates = _AT_MOST * _sizes(step.next_velocities) * torch.tanh(out[..., 6:12])
        return Correction(
            _out_of(rotation, twists) * gate, _out_of(rotation, rates) * gate,
            (out[..., 12] - 6.5).clamp(-12, 1), gate[..., 0],
        )  # fmt: skip

    def _points(self, step: Step, rotation: Tensor, world: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """``(b, k, p, f)`` features and the ``(b, k)`` distance to the nearest thing that moves."""
        b, k, p, _ = world.shape
        turn = rotation[:, :, None]

        def local(vectors: Tensor) -> Tensor:
            return (vectors[..., None, :] @ turn)[..., 0, :]

        flow = step.next_actor - step.actor
        before, at = _nearest(world.reshape(b, k * p, 3), step.actor, flow)
        later, _ = _nearest(after.reshape(b, k * p, 3), step.next_actor, flow)
        others, other_flow = world.reshape(b, k * p, 3), (after - world).reshape(b, k * p, 3)
        apart = torch.cdist(others, others).reshape(b, k, p, k, p)
        same = torch.eye(k, dtype=torch.bool, device=world.device)[None, :, None, :, None] | ~step.present[:, None, None, :, None]
        apart = apart.masked_fill(same, 9.0).reshape(b, k * p, k * p)
        near, which = apart.min(-1)
        toward = torch.take_along_dim(others, which[..., None], 1) - others
        their = torch.take_along_dim(other_flow, which[..., None], 1)
        alone = (near > 1.0)[..., None]
        toward, their = toward.masked_fill(alone, 0), their.masked_fill(alone, 0)
        shape = (b, k, p, 3)
        gone = (before.norm(dim=-1), later.norm(dim=-1), near)
        nearness = torch.stack([torch.exp(-g / 0.01) for g in gone], -1).reshape(b, k, p, 3)
        moving = torch.where(their.norm(dim=-1) > _STILL_M, near, 9.0)
        reach = torch.minimum(torch.minimum(gone[0], gone[1]) - 1e-3, moving).reshape(b, k, p).amin(-1)
        features = torch.cat(
            [
                step.points / _NEAR_M, local(after - world) / _FLOW_M, local(before.reshape(shape)) / _NEAR_M,
                local(at.reshape(shape)) / _FLOW_M, local(later.reshape(shape)) / _NEAR_M, local(toward.reshape(shape)) / _NEAR_M,
                local(their.reshape(shape)) / _FLOW_M, nearness,
            ], -1,
        )  # fmt: skip
        return features.clamp(-6, 6), reach

    def _pairs(self, step: Step, rotation: Tensor, hand_flow: Tensor) -> Tensor:
        """``(b, k + 1, k + 1, f)``: where each of the others is and moves to, in the frame of the one that looks."""
        centers = torch.cat([step.poses[..., :3], step.actor.mean(1, keepdim=True)], 1)
        flows = torch.cat([step.next_poses[..., :3] - step.poses[..., :3], hand_flow[:, None]], 1)
        eye = torch.eye(3, dtype=rotation.dtype, device=rotation.device).expand(len(rotation), 1, 3, 3)
        frames = torch.cat([rotation, eye], 1)[:, :, None]
        offset = ((centers[:, None] - centers[:, :, None])[..., None, :] @ frames)[..., 0, :]
        flow = ((flows[:, None] - flows[:, :, None])[..., None, :] @ frames)[..., 0, :]
        far = offset.norm(dim=-1, keepdim=True)
        hand = torch.zeros_like(far)
        hand[:, :, -1] = 1
        near = torch.cat([torch.exp(-far / 0.05), torch.exp(-far / 0.15), hand, 1 - hand], -1)
        pairs = torch.cat([offset / 0.1, flow / _FLOW_M, near], -1).clamp(-6, 6)
        pairs[:, -1, :, :6] = 0  # the actor has no frame that would turn with the scene
        return pairs


class _Block(nn.Module):
    """Attention whose keys and values also see how each pair lies to one another, then a feed-forward net."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.count = heads
        self.before, self.between = nn.LayerNorm(d), nn.LayerNorm(d)
        self.query, self.key_value = nn.Linear(d, d), nn.Linear(d, 2 * d)
        self.pair = nn.Linear(_PAIR_FEATURES, 2 * d)
        self.out = nn.Linear(d, d)
        self.feed = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, tokens: Tensor, pairs: Tensor, present: Tensor) -> Tensor:
        b, n, d = tokens.shape
        x = self.before(tokens)
        key, value = (self.key_value(x)[:, None] + self.pair(pairs)).chunk(2, -1)
        query = self.query(x).reshape(b, n, 1, self.count, -1)
        score = (query * key.reshape(b, n, n, self.count, -1)).sum(-1) / (d // self.count) ** 0.5
        weight = score.masked_fill(~present[:, None, :, None], -1e9).softmax(2)
        mixed = (weight[..., None] * value.reshape(b, n, n, self.count, -1)).sum(2).reshape(b, n, d)
        tokens = tokens + self.out(mixed)
        return tokens + self.feed(self.between(tokens))


def _nearest(points: Tensor, actor: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """From each point to the actor's nearest one, and how that one moves."""
    which = torch.cdist(points, actor).argmin(-1)[..., None]
    return torch.take_along_dim(actor, which, 1) - points, torch.take_along_dim(flow, which, 1)


def _sizes(twists: Tensor) -> Tensor:
    """Length of the linear and of the angular half, each for its three components."""
    return twists.unflatten(-1, (2, 3)).norm(dim=-1, keepdim=True).expand(*twists.shape[:-1], 2, 3).flatten(-2)


def _into(rotation: Tensor, twists: Tensor) -> Tensor:
    """World twists in the frames of the objects, in the units of the net."""
    return (twists.unflatten(-1, (2, 3)) @ rotation).flatten(-2) / twists.new_tensor(_TWIST)


def _out_of(rotation: Tensor, twists: Tensor) -> Tensor:
    """The inverse, units apart."""
    return (twists.unflatten(-1, (2, 3)) @ rotation.transpose(-1, -2)).flatten(-2)
