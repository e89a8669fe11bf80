"""How sure the model may be: its own doubts, put to what they turned out to be worth on episodes kept for that."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

FACTOR_90 = math.sqrt(-2 * math.log(0.1)) / math.sqrt(math.pi / 2)
"""Times the expected distance: what holds nine of ten, for errors that are even in all directions of a plane."""
_FEATURES = 6
_KNOTS = (1, 3, 10, 30, 100)
"""Horizons at which the scale is set; between them it runs straight over their logarithms."""


class Calibration(nn.Module):
    """Expected distances from doubts: a line through logarithms, scaled per horizon so that nine of ten errors lie inside.

    Beyond ``abstain_m`` at its last step a forecast says that it is not to be acted upon: what three in ten of the forecasts
    of moving things kept for calibration exceed.
    """

    slope: Tensor
    scale: Tensor
    abstain_m: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("slope", torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64))
        self.register_buffer("scale", torch.zeros(len(_KNOTS), dtype=torch.float64))
        self.register_buffer("abstain_m", torch.tensor(float("inf"), dtype=torch.float64))

    def forward(
        self, spread_m: Float[Tensor, "*b h k"], own_m: Float[Tensor, "*b h k"], gone_m: Float[Tensor, "*b h k"]
    ) -> Float[Tensor, "*b h k"]:
        """Expected distance between predicted and true points, metres.

        Args:
            spread_m: of the members' places.
            own_m: what the members say of themselves.
            gone_m: how far the thing is predicted to have moved.
        """
        return torch.exp(_features(spread_m, own_m, gone_m) @ self.slope + self._scale(spread_m.shape[-2])[:, None])

    def _scale(self, horizon: int) -> Tensor:
        steps = np.log(np.arange(1, horizon + 1))
        return torch.from_numpy(np.interp(steps, np.log(_KNOTS), self.scale.numpy()))

    def fit(self, spread_m: Tensor, own_m: Tensor, gone_m: Tensor, error_m: Tensor, moved: Tensor) -> None:
        """Learn from ``(n, h, k)`` forecasts and their errors where things really ``moved``."""
        features = _features(spread_m, own_m, gone_m)
        chosen = moved & (error_m > 0)
        wanted = error_m.clamp_min(1e-4).log()[chosen]
        within = features[chosen]
        ridge = 1e-2 * len(within) * torch.eye(_FEATURES, dtype=torch.float64)
        self.slope.copy_(torch.linalg.solve(within.T @ within + ridge, within.T @ wanted))
        self.scale.zero_()
        ratio = error_m / self(spread_m, own_m, gone_m)
        horizon = error_m.shape[1]
        for i, knot in enumerate(_KNOTS):
            near = [h for h in range(horizon) if abs(math.log((h + 1) / min(knot, horizon))) < 0.35]
            some = ratio[:, near][moved[:, near]]
            if len(some) > 20:
                self.scale[i] = (torch.quantile(some, 0.9) / FACTOR_90).log()
        last = self(spread_m, own_m, gone_m)[:, -1].amax(-1)
        self.abstain_m.fill_(float(torch.quantile(last[moved[:, -1].any(-1)], 0.7)))


def _features(spread_m: Tensor, own_m: Tensor, gone_m: Tensor) -> Tensor:
    horizon = spread_m.shape[-2]
    steps = torch.arange(1, horizon + 1, dtype=torch.float64)[:, None].expand(spread_m.shape[-2:]).expand(spread_m.shape)
    columns: Sequence[Tensor] = (
        torch.ones_like(spread_m), torch.log(torch.sqrt(spread_m**2 + own_m**2) + 2e-4), torch.log(spread_m + 2e-4),
        torch.log(own_m + 2e-4), torch.log(gone_m + 1e-3), steps.log(),
    )  # fmt: skip
    return torch.stack([c.double() for c in columns], -1)
