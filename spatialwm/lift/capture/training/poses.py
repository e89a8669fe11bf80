"""Small corrections of the cameras, learnt with the scene."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.render.adam import Adam

RATE = 2e-4
"""Radians, and training units (a quarter of the median depth)."""


class PoseCorrections:
    """A twist per view, applied in the camera's frame."""

    def __init__(self, count: int, device: torch.device) -> None:
        self.twists = torch.zeros(count, 6, device=device).requires_grad_()
        self.optimizer = Adam([self.twists], lr=RATE)

    def apply(self, viewmat: Float[Tensor, "4 4"], view: int) -> Float[Tensor, "4 4"]:
        """The corrected ``cam_from_world``."""
        x, y, z, *shift = self.twists[view]
        zero = torch.zeros_like(x)
        generator = torch.stack([
            torch.stack([zero, -z, y, shift[0]]), torch.stack([z, zero, -x, shift[1]]), torch.stack([-y, x, zero, shift[2]]),
            torch.stack([zero] * 4),
        ])  # fmt: skip
        return torch.linalg.matrix_exp(generator) @ viewmat

    def step(self, view: int) -> None:
        """Adam on one view's correction."""
        visible = torch.zeros(len(self.twists), dtype=torch.bool, device=self.twists.device)
        visible[view] = True
        self.optimizer.step(visible=visible)
        self.optimizer.zero_grad(set_to_none=True)
