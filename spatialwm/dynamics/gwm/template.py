"""The Gaussians of a cast, each in its body's frame: what they are never changes, only where their bodies stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from spatialwm.dynamics.episode import Cast
from spatialwm.dynamics.motion import points_at
from spatialwm.errors import ShapeError
from spatialwm.gaussians import Gaussians, RawGaussians, from_raw
from spatialwm.geometry.se3 import quat_multiply
from spatialwm.geometry.sh import rgb_to_dc
from spatialwm.render import farthest_points

STATE_WIDTH = 14
XYZ, LOG_SCALES, QUATS, DC, LOGIT = slice(0, 3), slice(3, 6), slice(6, 10), slice(10, 13), slice(13, 14)
"""Places in the 14 values of a Gaussian: metres, log metres, wxyz, degree-0 harmonics, logit of the opacity."""

NEIGHBORS = 3
"""How many a Gaussian reaches towards; with fewer, samples drawn at random leave holes."""
FLATNESS = 0.2
"""Thickness of a surface Gaussian over its radius."""
OPACITY = 0.95
ACTOR_RGB = 0.35
"""A cast says no color of the actor's parts."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """B scenes of n Gaussians each; a body is an object or, after those, a part of the actor.

    The Gaussians of a body come one after the other, each the farthest from all before it, so that the first few of every body
    are spread over it: those anchor its latent tokens. A token thus belongs to the same Gaussian in every frame.
    """

    gaussians: Float[Tensor, "b n 14"]
    """In the frames of their bodies."""
    body: Int[Tensor, "b n"]
    anchors: Int[Tensor, "b m"]
    """The Gaussian that each latent token belongs to."""
    is_actor: Float[Tensor, "b n"]
    """1 for the actor's parts, else 0."""

    @staticmethod
    def of(cast: Cast, gaussians: int, tokens: int) -> Template:
        """The template of one cast (b = 1).

        Raises:
            ShapeError: more bodies than latent tokens, a body without points, or points that are not finite.
        """
        clouds = [*cast.points, *cast.part_points]
        if not 0 < len(clouds) <= tokens:
            raise ShapeError(f"a model of {tokens} latent tokens can hold 1 to {tokens} bodies; the cast has {len(clouds)}")
        whose = _shared_out(gaussians, len(clouds))
        chosen = [_spread(cloud, int((whose == i).sum())) for i, cloud in enumerate(clouds)]
        rows = []
        for i, (cloud, order) in enumerate(zip(clouds, chosen, strict=True)):
            if i < len(cast.points):
                rows.append(_discs(cloud[order], cast.normals[i][order], cast.colors[i][order]))
            else:
                rows.append(_discs(cloud[order], None, np.full((len(order), 3), ACTOR_RGB)))
        starts = np.cumsum([0, *(len(order) for order in chosen)])[:-1]
        owners = _shared_out(tokens, len(clouds))
        anchors = np.concatenate([starts[i] + np.arange((owners == i).sum()) for i in range(len(clouds))])
        return Template(
            torch.cat(rows)[None], torch.from_numpy(whose)[None], torch.from_numpy(anchors)[None],
            torch.from_numpy((whose >= len(cast.points)).astype(np.float32))[None],
        )  # fmt: skip

    def __len__(self) -> int:
        return self.gaussians.shape[0]

    @property
    def token_body(self) -> Int[Tensor, "b m"]:
        """The body of each latent token."""
        return self.body.gather(1, self.anchors)

    def to(self, device: torch.device | str) -> Template:
        """The same elsewhere."""
        return Template(*(getattr(self, f.name).to(device) for f in fields(self)))

    def take(self, index: Int[Tensor, " c"]) -> Template:
        """Scenes by their index, as often as they are named."""
        return Template(*(getattr(self, f.name)[index] for f in fields(self)))

    def members(self) -> Int[Tensor, "b k p"]:
        """Gaussians of each body, as many as the body with fewest has; every scene must have as many bodies."""
        bodies = int(self.body.max()) + 1
        per_body = self.body.shape[1] // bodies
        numbers = torch.arange(bodies, device=self.body.device).repeat(len(self), 1)
        starts = torch.searchsorted(self.body.contiguous(), numbers)
        return starts[..., None] + torch.arange(per_body, device=self.body.device)

    def posed(self, poses: Float[Tensor, "b k 7"]) -> Float[Tensor, "b n 14"]:
        """In the world, when the bodies stand at ``poses``; scenes with fewer than k bodies ignore the rest."""
        at = poses.to(self.gaussians.dtype).gather(1, self.body[..., None].expand(-1, -1, 7))
        own = self.gaussians
        means = points_at(own[..., None, XYZ], at)[..., 0, :]
        return torch.cat([means, own[..., LOG_SCALES], quat_multiply(at[..., 3:], own[..., QUATS]), own[..., 10:]], -1)


def stack(templates: Sequence[Template]) -> Template:
    """Several scenes as one batch."""
    return Template(*(torch.cat([getattr(t, f.name) for t in templates]) for f in fields(Template)))


def to_gaussians(state: Float[Tensor, "n 14"]) -> Gaussians:
    """Physical values that any rasteriser draws."""
    return from_raw(
        RawGaussians(state[:, XYZ], state[:, QUATS], state[:, LOG_SCALES], state[:, 13], state[:, None, DC])
    )


def _shared_out(count: int, bodies: int) -> np.ndarray:
    """Whose each of ``count`` places is, as evenly as they divide, body after body."""
    return np.sort(np.arange(count) % bodies)


def _spread(cloud: np.ndarray, count: int) -> np.ndarray:
    """Farthest-point order from the point farthest from the middle; a cloud with too few points is gone through again."""
    if not len(cloud):
        raise ShapeError("a body has no points; every object and part of a cast needs some")
    points = torch.from_numpy(np.ascontiguousarray(cloud, np.float32))
    start = int((points - points.mean(0)).norm(dim=-1).argmax())
    order = farthest_points(points, min(count, len(cloud)), start).numpy()
    return np.resize(order, count)


def _discs(points: np.ndarray, normals: np.ndarray | None, colors: np.ndarray) -> Float[Tensor, "n 14"]:
    """Gaussians that cover a surface evenly sampled: flat where its normal is known, balls where not."""
    means = torch.from_numpy(np.asarray(points, np.float32))
    apart = torch.cdist(means, means)
    apart[apart < 1e-6] = torch.inf
    near = apart.sort(1).values[:, : min(NEIGHBORS, len(means))].amax(1)
    spacing = float(near[near.isfinite()].median()) if bool(near.isfinite().any()) else 0.01
    scales = torch.full((len(means), 3), 0.6 * spacing)
    quats = torch.tensor([1.0, 0, 0, 0]).expand(len(means), 4)
    if normals is not None:
        scales[:, 2] *= FLATNESS
        quats = _turn_of_z(torch.from_numpy(np.asarray(normals, np.float32)))
    dc = rgb_to_dc(torch.from_numpy(np.asarray(colors, np.float32)))
    logit = torch.logit(torch.full((len(means), 1), OPACITY))
    return torch.cat([means, scales.log(), quats, dc, logit], -1)


def _turn_of_z(normals: Float[Tensor, "n 3"]) -> Float[Tensor, "n 4"]:
    """The shortest turn of +Z onto each normal; upside down is a half turn about X."""
    n = torch.nn.functional.normalize(normals, dim=-1)
    quats = torch.stack([1 + n[:, 2], -n[:, 1], n[:, 0], torch.zeros_like(n[:, 0])], -1)
    quats[n[:, 2] < -0.9999] = torch.tensor([0.0, 1.0, 0.0, 0.0])
    return torch.nn.functional.normalize(quats, dim=-1)
