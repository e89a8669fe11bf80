"""Cameras change their exposure from picture to picture: a gain and an offset per colour and view."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

REDUCTION = 16
"""Exposures are read off pictures averaged over so many pixels: a scene in training is blurred, and at full size pictures of less
contrast would match it best."""
TRUST = 0.2
"""How far an exposure moves each time its view is shown towards what that showing tells."""
STIFFNESS = 0.002
"""Of the pull to gain 1, against the variance of colours (about 0.06)."""
OUTLIER = 3.0
"""Median errors of a first fit beyond which a place does not count: there the scene is wrong, not the exposure."""
CENTER_EVERY = 50
"""Steps between returns of the average view to the identity: else the scene could drift darker and all gains brighter."""


class Exposures:
    """Affine colour changes of all views, learnt for those that are trained on."""

    def __init__(self, count: int, trained: Sequence[int], device: torch.device) -> None:
        self.trained = list(trained)
        self.values = torch.cat([torch.ones(count, 3), torch.zeros(count, 3)], dim=1).to(device)
        """Gains, then offsets."""
        self.steps = 0

    def apply(self, image: Float[Tensor, "h w 3"], view: int) -> Float[Tensor, "h w 3"]:
        """The image as this view's camera would have exposed it."""
        return image * self.values[view, :3] + self.values[view, 3:]

    @torch.no_grad()
    def told(self, image: Float[Tensor, "h w 3"], target: Float[Tensor, "h w 3"], view: int) -> Float[Tensor, "views 6"]:
        """By how much a rendered view and its photograph want to change the exposures."""
        change = torch.zeros_like(self.values)
        change[view] = TRUST * (_fitted(_reduced(image), _reduced(target)) - self.values[view])
        return change

    @torch.no_grad()
    def step(self, change: Float[Tensor, "views 6"]) -> None:
        """Change the exposures."""
        self.values += change
        self.steps += 1
        if self.steps % CENTER_EVERY == 0:
            drift = self.values[self.trained].mean(0)
            drift[:3] -= 1
            self.values[self.trained] -= drift

    def neighbours(self, view: int) -> Float[Tensor, " 6"]:
        """For a view that was held out: the mean of its nearest trained neighbours, never fitted on the view itself."""
        if view in self.trained:
            return self.values[view]
        near = sorted(self.trained, key=lambda j: abs(j - view))[:2]
        close = [j for j in near if abs(j - view) == 1] or near
        return self.values[close].mean(0)


def _reduced(image: Float[Tensor, "h w 3"]) -> Float[Tensor, "n 3"]:
    size = min(REDUCTION, image.shape[0], image.shape[1])
    return avg_pool2d(image.permute(2, 0, 1), size).flatten(1).T


def _fitted(shown: Float[Tensor, "n 3"], wanted: Float[Tensor, "n 3"]) -> Float[Tensor, " 6"]:
    """Gain and offset of each colour by least squares, once more without the outliers of the first time."""
    first = _regressed(shown, wanted)
    error = (shown * first[:3] + first[3:] - wanted).abs().sum(1)
    inside = error <= OUTLIER * error.median()
    return _regressed(shown[inside], wanted[inside])


def _regressed(shown: Float[Tensor, "n 3"], wanted: Float[Tensor, "n 3"]) -> Float[Tensor, " 6"]:
    middle, goal = shown.mean(0), wanted.mean(0)
    spread, shared = ((shown - middle) ** 2).mean(0), ((shown - middle) * (wanted - goal)).mean(0)
    gain = (shared + STIFFNESS) / (spread + STIFFNESS)
    return torch.cat([gain, goal - gain * middle])
