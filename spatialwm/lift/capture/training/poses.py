"""Cameras a little off: each view tells, as it is shown, how its camera must move for its photograph to lie on the scene.

The move is that of direct image alignment (Lucas and Kanade 1981; Steinbrücker et al. 2011 for depth): the pixels' flow under a
small motion of the camera is linear in the motion, so the motion that explains most of what differs is a least-squares problem
of six unknowns. Gradient descent on the loss does not get there: a view is shown a hundred times in a training, Adam's steps
must then be as large as a tenth of a pixel, and the noise of single steps moves a right camera as far as it mends a wrong one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

REDUCTION = 2
"""Read off pictures averaged once more than training's: a quarter of the work, and it sees twice as far."""
TRUST = 0.3
"""How far a camera moves each time it is shown towards what that showing tells."""
LARGEST_PX = 1.0
"""Largest move at a time, at the size it is read at."""
STIFFNESS = 0.02
"""Of the pull to the given pose: a share of what the picture's gradients weigh in the mean direction."""
OUTLIER = 3.0
"""Median differences beyond which a pixel weighs less: there the scene is wrong, not the camera."""
CENTER_EVERY = 50
"""Steps between returns to the given cameras' frame: else all could wander off together, away from views that are held out."""


class Poses:
    """A twist per view, in the camera's frame: rotation, then translation over the scene's depth."""

    def __init__(self, viewmats: Float[Tensor, "views 4 4"], trained: Sequence[int], depth: float) -> None:
        """The given ``cam_from_world``, and the depth at which most of the scene lies."""
        self.trained, self.given, self.depth = list(trained), viewmats.double(), depth
        self.twists = torch.zeros(len(viewmats), 6, dtype=torch.float64, device=viewmats.device)
        self.steps = 0
        self._together = self._motions_of_all()
        self._shared = torch.linalg.pinv(self._together)

    def viewmat(self, view: int) -> Float[Tensor, "4 4"]:
        """The corrected ``cam_from_world``, float32."""
        w, t = self.twists[view, :3], self.twists[view, 3:] * self.depth
        generator = torch.zeros(4, 4, dtype=torch.float64, device=self.twists.device)
        generator[:3, :3], generator[:3, 3] = _cross(w), t
        return (torch.linalg.matrix_exp(generator) @ self.given[view]).float()

    @torch.no_grad()
    def told(
        self, image: Float[Tensor, "h w 3"], depth: Float[Tensor, "h w"], target: Float[Tensor, "h w 3"], usable: Tensor | None,
        K: Float[Tensor, "3 3"], view: int,
    ) -> Float[Tensor, "views 6"]:  # fmt: skip
        """By how much a rendered view and its photograph want to move the cameras."""
        change = torch.zeros_like(self.twists)
        shown, wanted, far = (_halved(x) for x in (image.mean(2), target.mean(2), depth))
        inner = (slice(1, -1), slice(1, -1))
        # The mean of both gradients makes the step exact to second order (Benhimane and Malis 2004).
        both = (shown + wanted) / 2
        across, down = (both[1:-1, 2:] - both[1:-1, :-2]) / 2, (both[2:, 1:-1] - both[:-2, 1:-1]) / 2
        difference = (shown - wanted)[inner]
        counts = (far > 0).float() if usable is None else (far > 0) * _halved(usable.float())
        counts = counts[inner]
        if not (counts > 0).any():
            return change
        typical = difference.abs()[counts > 0].median()
        weight = counts * (OUTLIER * typical / difference.abs().clamp(min=1e-6)).clamp(max=1.0)
        flow = _flow(far, K / REDUCTION, self.depth)[:, inner[0], inner[1]]  # (2, h, w, 6)
        rows = (across[..., None] * flow[0] + down[..., None] * flow[1]).reshape(-1, 6).double()
        weighted = rows * weight.reshape(-1, 1).double()
        normal, right = weighted.T @ rows, weighted.T @ difference.reshape(-1).double()
        pull = STIFFNESS * normal.diagonal().mean() + 1e-12
        eye = torch.eye(6, dtype=torch.float64, device=normal.device)
        move = torch.linalg.solve(normal + pull * eye, right - pull * self.twists[view])
        farthest = (flow.reshape(2, -1, 6)[:, ::97].double() @ move).norm(dim=0).median()
        change[view] = TRUST * move * min(1.0, LARGEST_PX / float(farthest.clamp(min=1e-9)))
        return change

    @torch.no_grad()
    def step(self, change: Float[Tensor, "views 6"]) -> None:
        """Move the cameras."""
        self.twists += change
        self.steps += 1
        if self.steps % CENTER_EVERY == 0:
            shared = self._shared @ self.twists[self.trained].reshape(-1)
            self.twists[self.trained] -= (self._together @ shared).view(-1, 6)

    def _motions_of_all(self) -> Float[Tensor, "rows 7"]:
        """What a small turn, shift and growth of the whole scene looks like as twists of the trained cameras."""
        columns = []
        for view in self.trained:
            turn, shift = self.given[view, :3, :3], self.given[view, :3, 3]
            block = torch.zeros(6, 7, dtype=torch.float64, device=self.given.device)
            block[:3, :3] = turn
            block[3:, :3], block[3:, 3:6], block[3:, 6] = _cross(shift) @ turn / self.depth, turn / self.depth, shift / self.depth
            columns.append(block)
        return torch.cat(columns)


def _flow(depth: Float[Tensor, "h w"], K: Float[Tensor, "3 3"], unit: float) -> Float[Tensor, "2 h w 6"]:
    """Pixels that each place moves for a unit of each part of a twist."""
    height, width = depth.shape
    fx, fy = K[0, 0], K[1, 1]
    x = ((torch.arange(width, device=depth.device) + 0.5 - K[0, 2]) / fx)[None].expand(height, width)
    y = ((torch.arange(height, device=depth.device) + 0.5 - K[1, 2]) / fy)[:, None].expand(height, width)
    near, none = unit / depth.clamp(min=1e-3), torch.zeros_like(depth)
    u = torch.stack([-x * y, 1 + x * x, -y, near, none, -x * near], dim=-1) * fx
    v = torch.stack([-1 - y * y, x * y, x, none, near, -y * near], dim=-1) * fy
    return torch.stack([u, v])


def _halved(plane: Float[Tensor, "h w"]) -> Float[Tensor, "h2 w2"]:
    return avg_pool2d(plane[None], REDUCTION)[0]


def _cross(v: Float[Tensor, " 3"]) -> Float[Tensor, "3 3"]:
    """``_cross(v) @ p = v x p``."""
    x, y, z = v
    zero = torch.zeros_like(x)
    return torch.stack([torch.stack([zero, -z, y]), torch.stack([z, zero, -x]), torch.stack([-y, x, zero])])
