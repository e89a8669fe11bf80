"""The frozen value that the whole project passes around: n Gaussians in physical units."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.geometry.sh import dc_to_rgb, degree_of, rgb_to_dc


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Gaussians:
    """n anisotropic 3D Gaussians, compared by identity; treat the tensors as read-only."""

    means: Float[Tensor, "n 3"]
    """Centres in metres."""
    quats: Float[Tensor, "n 4"]
    """Unit wxyz orientations."""
    scales: Float[Tensor, "n 3"]
    """Standard deviations along the own axes, metres, linear (never logarithms)."""
    opacities: Float[Tensor, " n"]
    """Peak alpha in 0..1 (never logits)."""
    sh: Float[Tensor, "n k 3"]
    """Spherical-harmonic colour, k = 1, 4, 9 or 16; degree 0 first, in display (sRGB) space."""

    def __post_init__(self) -> None:
        n = self.means.shape[0] if self.means.ndim else -1
        for name, value, shape in (
            ("means", self.means, (n, 3)),
            ("quats", self.quats, (n, 4)),
            ("scales", self.scales, (n, 3)),
            ("opacities", self.opacities, (n,)),
        ):
            if tuple(value.shape) != shape:
                hint = " wxyz" if name == "quats" else ""
                raise ShapeError(f"{name} must be {shape}{hint} with n={n}; got {tuple(value.shape)}")
        if self.sh.ndim != 3 or self.sh.shape[0] != n or self.sh.shape[2] != 3:
            raise ShapeError(f"sh must be (n, k, 3) with n={n}; got {tuple(self.sh.shape)}")
        degree_of(self.sh.shape[1])

    def __len__(self) -> int:
        return self.means.shape[0]

    @property
    def sh_degree(self) -> int:
        """0 to 3."""
        return degree_of(self.sh.shape[1])

    @property
    def rgb(self) -> Float[Tensor, "n 3"]:
        """View-independent part of the colour, sRGB, not clamped."""
        return dc_to_rgb(self.sh[:, 0])

    @staticmethod
    def empty(sh_degree: int = 0) -> Gaussians:
        """No Gaussians."""
        return Gaussians.from_numpy(
            np.zeros((0, 3)), np.zeros((0, 4)), np.zeros((0, 3)), np.zeros(0), sh=np.zeros((0, (sh_degree + 1) ** 2, 3))
        )

    @staticmethod
    def from_numpy(
        means: Float[np.ndarray, "n 3"],
        quats: Float[np.ndarray, "n 4"],
        scales: Float[np.ndarray, "n 3"],
        opacities: Float[np.ndarray, " n"],
        *,
        rgb: Float[np.ndarray, "n 3"] | None = None,
        sh: Float[np.ndarray, "n k 3"] | None = None,
    ) -> Gaussians:
        """float32 CPU Gaussians with either a plain sRGB colour or SH coefficients.

        Raises:
            ShapeError: shapes disagree, or both or neither of ``rgb`` and ``sh`` were given.
        """
        if (rgb is None) == (sh is None):
            raise ShapeError("give exactly one of rgb=(n, 3) and sh=(n, k, 3)")

        def tensor(a: np.ndarray) -> Tensor:
            # A copy when torch would otherwise share a read-only buffer (memory maps, frozen meshes).
            a = np.ascontiguousarray(a, np.float32)
            return torch.from_numpy(a if a.flags.writeable else a.copy())

        coefficients = tensor(sh) if sh is not None else rgb_to_dc(tensor(np.asarray(rgb)))[:, None, :]
        return Gaussians(tensor(means), tensor(quats), tensor(scales), tensor(opacities), coefficients)

    def select(self, keep: Bool[Tensor, " n"] | Int[Tensor, " m"]) -> Gaussians:
        """Those under a boolean mask or an index."""
        return Gaussians(self.means[keep], self.quats[keep], self.scales[keep], self.opacities[keep], self.sh[keep])

    def with_sh(self, sh: Float[Tensor, "n k 3"]) -> Gaussians:
        """The same shapes with other colours."""
        return Gaussians(self.means, self.quats, self.scales, self.opacities, sh)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Gaussians:
        """A copy on another device or in another precision."""
        fields = (self.means, self.quats, self.scales, self.opacities, self.sh)
        return Gaussians(*(t.to(device=device, dtype=dtype) for t in fields))

    def bounds(self, sigmas: float = 0.0) -> Float[np.ndarray, "2 3"]:
        """Axis-aligned ``[min, max]`` of the centres, grown by ``sigmas`` exact per-axis standard deviations."""
        if not len(self):
            return np.zeros((2, 3), np.float32)
        means = self.means.detach()
        reach = torch.zeros_like(means)
        if sigmas:
            reach = sigmas * ((quat_to_matrix(self.quats.detach()) * self.scales.detach()[:, None, :]) ** 2).sum(-1).sqrt()
        return torch.stack([(means - reach).amin(0), (means + reach).amax(0)]).cpu().numpy()

    def check_finite(self, source: str = "Gaussians") -> None:
        """Refuse NaN, infinities, zero quaternions and negative scales.

        Raises:
            ShapeError: names the first bad field and how many Gaussians it spoils.
        """
        for name, bad in self.invalid().items():
            count = int(bad.sum())
            if count:
                first = int(bad.nonzero()[0, 0])
                raise ShapeError(
                    f"{source}: {name} is invalid in {count} of {len(self)} Gaussians (first: index {first}); "
                    "drop them with Gaussians.drop_invalid() or mend the file"
                )

    def invalid(self) -> dict[str, Bool[Tensor, " n"]]:
        """Per field, which Gaussians no renderer can draw."""
        return {
            "means": ~torch.isfinite(self.means).all(-1),
            "quats": ~torch.isfinite(self.quats).all(-1) | (self.quats.norm(dim=-1) < 1e-12),
            "scales": ~torch.isfinite(self.scales).all(-1) | (self.scales < 0).any(-1),
            "opacities": ~torch.isfinite(self.opacities),
            "sh": ~torch.isfinite(self.sh).all(-1).all(-1),
        }

    def drop_invalid(self) -> Gaussians:
        """Without the Gaussians that :meth:`invalid` names; itself when there are none."""
        bad = torch.stack(list(self.invalid().values())).any(0)
        return self.select(~bad) if bool(bad.any()) else self


def concatenate(parts: Sequence[Gaussians]) -> Gaussians:
    """All Gaussians in order; lower SH degrees are padded with zeros."""
    if not parts:
        return Gaussians.empty()
    if len(parts) == 1:
        return parts[0]
    k = max(p.sh.shape[1] for p in parts)
    pad = torch.nn.functional.pad
    return Gaussians(
        torch.cat([p.means for p in parts]),
        torch.cat([p.quats for p in parts]),
        torch.cat([p.scales for p in parts]),
        torch.cat([p.opacities for p in parts]),
        torch.cat([pad(p.sh, (0, 0, 0, k - p.sh.shape[1])) for p in parts]),
    )
