"""What is blended: colours, then features, then depth, a row per visible splat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from spatialwm.render.cuda.device import kernels
from spatialwm.render.cuda.view import View

SOURCE = "channels.cu"
_GROUPS = (1, 3, 4, 8, 16)
"""Channel counts with a compiled blending kernel; more are blended 16 at a time."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Where the values come from; tensors are float32, contiguous and on the device."""

    sh: Float[Tensor, "n k 3"] | None
    degree: int
    colors: Float[Tensor, "*shape"] | None
    """(n, d) or (cameras, n, d)."""
    features: Float[Tensor, "n f"] | None
    depth: bool

    @property
    def color_count(self) -> int:
        return 3 if self.sh is not None else 0 if self.colors is None else self.colors.shape[-1]

    @property
    def feature_count(self) -> int:
        return 0 if self.features is None else self.features.shape[-1]

    @property
    def total(self) -> int:
        return self.color_count + self.feature_count + self.depth

    @property
    def per_camera(self) -> bool:
        return self.colors is not None and self.colors.ndim == 3

    @property
    def stride(self) -> int:
        """Floats of a row: whole 16-byte pieces, as many as the kernels load."""
        first, _, size = self.groups()[-1]
        return first + 4 * -(-size // 4)

    def empty_rows(self, m: int, device: torch.device) -> Float[Tensor, "m stride"]:
        """Rows to be filled; columns that kernels read beyond the last channel are 0."""
        _, count, size = self.groups()[-1]
        return (torch.empty if count == size else torch.zeros)(m, self.stride, device=device)

    def groups(self) -> list[tuple[int, int, int]]:
        """``(first, count, channels of the kernel)`` of each blending pass."""
        firsts = range(0, self.total, _GROUPS[-1])
        counts = [min(self.total - first, _GROUPS[-1]) for first in firsts]
        return [(first, count, next(g for g in _GROUPS if g >= count)) for first, count in zip(firsts, counts, strict=True)]


def gather(channels: Channels, order: Int[Tensor, " m"], n: int, rows: Float[Tensor, "m stride"]) -> None:
    """Fill the columns of colours that are not spherical harmonics, and of features, in depth order."""
    m = len(order)
    parts = ((channels.colors, channels.per_camera, 0), (channels.features, False, channels.color_count))
    for values, per_camera, first in parts:
        if values is not None and m * values.shape[-1]:
            count = values.shape[-1]
            kernels(SOURCE, order.device).launch(
                "gather_channels", -(-m * count // 256), 256, values, count, int(per_camera), order, m, n, rows.shape[1], first,
                rows,
            )  # fmt: skip


def gathered_gradient(like: Tensor, v_rows: Float[Tensor, "m stride"], ranks: Int[Tensor, "c n"], first: int) -> Tensor:
    """Gradient of colours or features (``like``) from that of the rows they were gathered into."""
    v_values = torch.empty_like(like)
    if not like.numel():
        return v_values
    cameras, rows = (1, ranks.numel()) if like.ndim == 3 else ranks.shape
    kernels(SOURCE, like.device).launch(
        "gather_channels_backward", -(-like.numel() // 256), 256, v_rows, like.shape[-1], cameras, np.int64(rows), ranks,
        v_rows.shape[1], first, v_values,
    )  # fmt: skip
    return v_values


def sh_gradients(
    means: Tensor, sh: Tensor, degree: int, view: View, ranks: Tensor, rows: Tensor, v_rows: Tensor, pose: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Gradients of coefficients, means and, if ``pose``, view matrices (c, 4, 4), from that of the first three columns."""
    n, c = len(means), view.count
    v_sh, v_means = torch.empty_like(sh), torch.empty_like(means)
    blocks = -(-n // 256)
    v_eyes = torch.empty(blocks, c, 3, device=means.device) if pose else None
    if n:
        kernels(SOURCE, means.device).launch(
            "sh_backward", blocks, 256, means, sh, sh.shape[1] * 3, degree, view.eyes(), c, n, ranks, rows, v_rows, rows.shape[1],
            v_sh, v_means, v_eyes,
        )  # fmt: skip
    if v_eyes is None:
        return v_sh, v_means, None
    # The eye is the last column of E = inverse(V), and dE = -E dV E.
    E, v_eye = view.world_from_cam.to(means.device), v_eyes.sum(0, dtype=torch.float64)
    return v_sh, v_means, -torch.einsum("ck,cki,cj->cij", v_eye, E[:, :3], E[:, :, 3])
