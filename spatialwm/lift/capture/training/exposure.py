"""Cameras change their exposure from picture to picture: a gain and an offset per colour and view."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.render.adam import Adam

RATE = 2e-3
CENTER_EVERY = 50
"""Steps between returns of the average view to the identity: else the scene could drift darker and all gains brighter."""


class Exposures:
    """Affine colour changes of all views, learnt for those that are trained on."""

    def __init__(self, count: int, trained: Sequence[int], device: torch.device) -> None:
        self.trained = list(trained)
        identity = torch.cat([torch.ones(count, 3), torch.zeros(count, 3)], dim=1)
        self.values = identity.to(device).requires_grad_()
        self.optimizer = Adam([self.values], lr=RATE)
        self.steps = 0

    def apply(self, image: Float[Tensor, "h w 3"], view: int) -> Float[Tensor, "h w 3"]:
        """The image as this view's camera would have exposed it."""
        return image * self.values[view, :3] + self.values[view, 3:]

    def step(self, view: int) -> None:
        """Adam on one view's exposure."""
        visible = torch.zeros(len(self.values), dtype=torch.bool, device=self.values.device)
        visible[view] = True
        self.optimizer.step(visible=visible)
        self.optimizer.zero_grad(set_to_none=True)
        self.steps += 1
        if self.steps % CENTER_EVERY == 0:
            with torch.no_grad():
                drift = self.values[self.trained].mean(0)
                drift[:3] -= 1
                self.values[self.trained] -= drift

    @torch.no_grad()
    def neighbours(self, view: int) -> Float[Tensor, " 6"]:
        """For a view that was held out: the mean of its nearest trained neighbours, never fitted on the view itself."""
        if view in self.trained:
            return self.values[view]
        near = sorted(self.trained, key=lambda j: abs(j - view))[:2]
        close = [j for j in near if abs(j - view) == 1] or near
        return self.values[close].mean(0)
