"""The Gaussians in training: raw parameters, and what Adam remembers of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from spatialwm.gaussians import RawGaussians
from spatialwm.geometry.sh import rgb_to_dc
from spatialwm.lift.capture.fusion import StartPoints
from spatialwm.render.adam import Adam
from spatialwm.render.relocation import Moved

FIELDS = ("means", "quats", "log_scales", "logit_opacities", "sh0", "sh1")
START_OPACITY = 0.3
FLATNESS = 0.3
"""Thickness of a start Gaussian against its width, where the surface's normal is known."""
WIDEST_QUANTILE = 0.98
"""Points that lie alone would start as huge blobs: sizes are held below twice this quantile."""


class Splats:
    """Leaf tensors by name, and their optimiser."""

    def __init__(self, fields: Mapping[str, Tensor]) -> None:
        """Take raw parameters as they are, ``FIELDS`` each with a row per Gaussian."""
        self.fields = {name: fields[name].detach().clone().requires_grad_() for name in FIELDS}
        # Betas and eps of 3D Gaussian Splatting: gradients of a mean over all pixels are tiny.
        self.optimizer = Adam([{"params": [t], "name": name} for name, t in self.fields.items()], lr=0.0, eps=1e-15)

    @staticmethod
    def from_points(points: StartPoints, unit: float, device: torch.device) -> Splats:
        """Gaussians as wide as their neighbours are far, flat along known normals; lengths divided by ``unit``."""
        spacing = np.clip(points.spacing / unit, 1e-4, 2 * np.quantile(points.spacing / unit, WIDEST_QUANTILE))
        log_scales = np.repeat(np.log(spacing)[:, None], 3, axis=1)
        length = np.linalg.norm(points.normals, axis=1)
        log_scales[length > 0.5, 2] += np.log(FLATNESS)
        n = len(points.means)
        fields = {
            "means": points.means / unit,
            "quats": _facing(points.normals),
            "log_scales": log_scales,
            "logit_opacities": np.full(n, np.log(START_OPACITY / (1 - START_OPACITY))),
            "sh0": rgb_to_dc(torch.from_numpy(points.rgb)).numpy()[:, None],
            "sh1": np.zeros((n, 3, 3)),
        }
        return Splats({name: torch.from_numpy(np.asarray(value, np.float32)).to(device) for name, value in fields.items()})

    def __len__(self) -> int:
        return len(self.fields["means"])

    def arguments(self, with_sh1: bool) -> dict[str, Any]:
        """What a rasterizer takes, differentiable."""
        f = self.fields
        sh = torch.cat([f["sh0"], f["sh1"]], dim=1) if with_sh1 else f["sh0"]
        return {
            "means": f["means"], "quats": f["quats"], "scales": torch.exp(f["log_scales"]),
            "opacities": torch.sigmoid(f["logit_opacities"]), "colors": sh, "sh_degree": int(with_sh1),
        }  # fmt: skip

    def raw(self) -> RawGaussians:
        """The parameters, detached."""
        f = {name: tensor.detach() for name, tensor in self.fields.items()}
        return RawGaussians(
            f["means"], f["quats"], f["log_scales"], f["logit_opacities"], torch.cat([f["sh0"], f["sh1"]], dim=1)
        )

    def step(self, rates: Mapping[str, float], visible: Bool[Tensor, " n"]) -> None:
        """Adam on what the picture showed."""
        for group in self.optimizer.param_groups:
            group["lr"] = rates[group["name"]]
        self.optimizer.step(visible=visible)
        self.optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def shift(self, means: Tensor) -> None:
        """Put the means elsewhere; what Adam knows stays."""
        self.fields["means"].copy_(means)

    @torch.no_grad()
    def move(self, moved: Moved) -> None:
        """Continue with the rows of ``moved``; Adam forgets those that are new."""
        after = {
            "means": moved.raw.means, "quats": moved.raw.quats, "log_scales": moved.raw.log_scales,
            "logit_opacities": moved.raw.logit_opacities, "sh0": moved.raw.sh[:, :1], "sh1": moved.raw.sh[:, 1:],
        }  # fmt: skip
        self._continue(after, moved.origin, moved.fresh)

    @torch.no_grad()
    def keep(self, rows: Bool[Tensor, " n"]) -> None:
        """Drop the others."""
        origin = rows.nonzero()[:, 0]
        self._continue({n: t[origin] for n, t in self.fields.items()}, origin, torch.zeros_like(origin, dtype=torch.bool))

    def _continue(self, after: Mapping[str, Tensor], origin: Tensor, fresh: Tensor) -> None:
        for group in self.optimizer.param_groups:
            name, old = group["name"], group["params"][0]
            new = after[name].detach().clone().contiguous().requires_grad_()
            state = self.optimizer.state.pop(old, {})
            if state:
                for moment in ("exp_avg", "exp_avg_sq"):
                    state[moment] = state[moment][origin]
                    state[moment][fresh] = 0
                self.optimizer.state[new] = state
            group["params"][0] = self.fields[name] = new


def _facing(normals: np.ndarray) -> np.ndarray:
    """Quaternions (n, 4) that turn +Z to unit normals; no turn where a normal is zero."""
    quats = np.stack([1 + normals[:, 2], -normals[:, 1], normals[:, 0], np.zeros(len(normals))], axis=1)
    quats[quats[:, 0] < 1e-3] = (0.0, 1.0, 0.0, 0.0)  # straight down: half a turn about x
    return quats / np.linalg.norm(quats, axis=1, keepdims=True)
