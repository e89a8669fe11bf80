"""What the past tells of things that only look alike: every step in which one moved is evidence of what it is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from spatialwm.dynamics.hybrid.config import PROPERTIES
from spatialwm.dynamics.motion import points_at, twist_between
from spatialwm.geometry.se3 import quat_to_matrix

WINDOW = 4
"""Steps that are looked at together. One by one, instants start from velocities that contacts make tremble, and that drowns what
the properties change: with the true properties the surprise of one step falls by an eighth only."""
_UNITS = (0.01, 0.01, 0.01, 0.2, 0.2, 0.2)
"""A centimetre and a fifth of a radian."""
FEATURES, SURPRISES = 37, 12


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What is thought of K things: independent normal distributions, in units of the spread among things."""

    mean: Float[Tensor, "b k p"]
    sigma: Float[Tensor, "b k p"]

    def pick(self, which: Tensor | slice) -> Belief:
        """Of some of the scenes."""
        return Belief(self.mean[which], self.sigma[which])

    @staticmethod
    def unknown(b: int, k: int) -> Belief:
        """Of things never seen to move."""
        return Belief(torch.zeros(b, k, PROPERTIES), torch.ones(b, k, PROPERTIES))


_RINGS = ((1.0, 0.0), (1.9, 0.5))
CENTERS = (
    (0.0, 0.0),
    *((r * math.cos(a), r * math.sin(a)) for r, o in _RINGS for a in (math.pi / 2 * (i + o) for i in range(4))),
)
"""Where centres of mass are tried, in units of their spread: nowhere else, and on two rings around."""
_BETWEEN = 0.4
"""Distance that the truth lies from the nearest of them, about."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What T windows of the past show of each thing."""

    features: Float[Tensor, "b t k f"]
    surprises: Float[Tensor, "b t k c r"]
    """Under each of the centres that were tried."""
    active: Bool[Tensor, "b t k"]
    """Whether the window shows anything of the thing at all."""

    def until(self, known: Bool[Tensor, "b t"]) -> Evidence:
        """Of some of the windows only."""
        return Evidence(self.features, self.surprises, self.active & known[..., None])

    def pick(self, which: Tensor) -> Evidence:
        """Of some of the scenes."""
        return Evidence(self.features[which], self.surprises[which], self.active[which])


class Identifier(nn.Module):
    """Where the centres of mass are, by simulating the past with each in several places; other properties, by a network.

    The likelihood of every place is the product over windows of what was left unexplained, each as far as a network
    trusts it. Off-centre by one unit, a thing that was pushed for 8 windows is found to .56 by this, to .66 by a network that
    sees one simulation only, and not at all better than that by linear regression on slopes, which contacts make tremble. The
    other properties add up as precisions do: a window in which nothing happened weighs nothing, no past is no knowledge.
    """

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        told = PROPERTIES - 2
        self.look = nn.Sequential(nn.Linear(FEATURES, width), nn.GELU(), nn.Linear(width, width), nn.GELU())
        self.tell = nn.Linear(width, 2 * told + SURPRISES + 1)
        nn.init.normal_(self.tell.weight, std=0.01)
        nn.init.zeros_(self.tell.bias)
        with torch.no_grad():
            self.tell.bias[told : 2 * told] = -4.0
            self.tell.bias[2 * told : -1] = -2.5
        self.register_buffer("centers", torch.tensor(CENTERS), persistent=False)

    def forward(self, evidence: Evidence) -> Belief:
        """What windows of the past say together."""
        b, _, k = evidence.active.shape
        scene, _, thing = evidence.active.nonzero(as_tuple=True)
        told = PROPERTIES - 2
        said = self.tell(self.look(evidence.features[evidence.active]))
        value, doubt, scale, trust = said.split([told, told, SURPRISES, 1], -1)
        row = scene * k + thing
        precision = nn.functional.softplus(doubt)
        total = torch.ones(b * k, told).index_add(0, row, precision)
        sums = torch.zeros(b * k, told).index_add(0, row, precision * value)
        left = evidence.surprises[evidence.active] * torch.exp(-scale.clamp(-6, 2))[:, None]
        likelihood = -nn.functional.softplus(trust) * torch.log1p(left**2 / 2).sum(-1)
        centers: Tensor = self.centers  # pyright: ignore[reportAssignmentType]
        prior = -0.5 * (centers**2).sum(-1)
        weight = prior.repeat(b * k, 1).index_add(0, row, likelihood).softmax(-1)
        mean = weight @ centers
        variance = (weight[..., None] * (centers - mean[:, None]) ** 2).sum(1) + _BETWEEN**2
        means, sigmas = torch.cat([mean, sums / total], -1), torch.cat([variance.sqrt(), total.rsqrt()], -1)
        return Belief(means.reshape(b, k, -1), sigmas.reshape(b, k, -1))


def turned(evidence: Evidence, truth: Float[Tensor, "b k p"], quarters: int, mirrored: bool) -> tuple[Evidence, Tensor]:
    """The same past and truth in frames of the things turned by quarters about z and mirrored in y: as true as the first.

    Eight times as many examples for the price of none: from 1,600 episodes without it, training went on to fit what
    others did not show after 800 of 2,000 steps.
    """
    c, s = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[quarters % 4]
    turn = torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    polar = turn @ torch.diag(torch.tensor([1.0, -1.0 if mirrored else 1.0, 1.0]))
    twist = torch.block_diag(polar, -polar if mirrored else polar)
    surprise = torch.block_diag(twist, twist)
    whole = torch.block_diag(twist, surprise, twist, polar, polar, polar[:2, :2], polar.abs(), torch.eye(2))
    known = torch.block_diag(polar[:2, :2], torch.eye(PROPERTIES - 2))
    centers = torch.tensor(CENTERS)
    came_from = torch.cdist(centers, centers @ polar[:2, :2].T).argmin(1)
    surprises = (evidence.surprises @ surprise.T)[..., came_from, :]
    return Evidence(evidence.features @ whole.T, surprises, evidence.active), truth @ known.T


def unlikelihood(belief: Belief, truth: Float[Tensor, "b k p"]) -> Float[Tensor, "b k"]:
    """Negative logarithm of the density of the true properties, a constant apart."""
    mean, sigma = belief.mean[..., : truth.shape[-1]], belief.sigma[..., : truth.shape[-1]]
    return (0.5 * ((truth - mean) / sigma) ** 2 + sigma.log()).sum(-1)


def features_of(
    poses: Float[Tensor, "*b k 7"],
    velocities: Float[Tensor, "*b k 6"],
    seen_poses: Float[Tensor, "*b k 7"],
    surprise: Float[Tensor, "*b k r"],
    actor: Float[Tensor, "*b q 3"],
    actor_after: Float[Tensor, "*b q 3"],
    points: Float[Tensor, "*b k p 3"],
    duration_s: float,
) -> Float[Tensor, "*b k f"]:
    """What there is to see of each thing in one window, in its own frame.

    Args:
        poses: before the window; ``seen_poses`` after it.
        actor: points of the actor before, ``actor_after`` the same points after the window.
    """
    world_from_object = quat_to_matrix(poses[..., 3:])
    seen = _local(world_from_object, twist_between(poses, seen_poses))
    speed = _local(world_from_object, velocities * duration_s)
    world = points_at(points, poses)
    distance = torch.cdist(world, actor[..., None, :, :].expand(*world.shape[:-2], *actor.shape[-2:]))
    nearest = distance.amin(-1)
    at, where = nearest.min(-1)
    touched = torch.take_along_dim(points, where[..., None, None], -2)[..., 0, :]
    other = torch.take_along_dim(distance, where[..., None, None], -2)[..., 0, :].argmin(-1)
    hand = torch.take_along_dim(actor, other[..., None], -2)
    flow = torch.take_along_dim(actor_after - actor, other[..., None], -2)
    hand = ((hand - poses[..., :3])[..., None, :] @ world_from_object)[..., 0, :]
    flow = (flow[..., None, :] @ world_from_object)[..., 0, :]
    size = points.abs().amax(-2)
    near = torch.stack([torch.exp(-at / 0.01), torch.exp(-at / 0.05)], -1)
    features = [seen, surprise, speed, hand / 0.05, flow / 0.02, touched[..., :2] / 0.05, size / 0.05, near]
    return torch.cat(features, -1).clamp(-10, 10)


def surprise_of(
    poses: Float[Tensor, "*b k 7"],
    seen: Float[Tensor, "*b 2 k 7"],
    expected: Float[Tensor, "*b 2 k 7"],
) -> Float[Tensor, "*b k r"]:
    """What was seen less what was expected half way through a window and at its end, as twists in the frames of the things."""
    world_from_object = quat_to_matrix(poses[..., 3:])
    half, end = (_local(world_from_object, twist_between(expected[..., i, :, :], seen[..., i, :, :])) for i in (0, 1))
    return torch.cat([half, end], -1).clamp(-10, 10)


def _local(world_from_object: Tensor, twists: Tensor) -> Tensor:
    return (twists.unflatten(-1, (2, 3)) @ world_from_object).flatten(-2) / twists.new_tensor(_UNITS)
