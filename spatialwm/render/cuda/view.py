"""The cameras, as the kernels read them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.render.cuda.device import Argument

_FRUSTUM_MARGIN = 0.3
"""Of half the image: how far outside it the projection's slope still grows, as in 3D Gaussian Splatting."""


@dataclass(frozen=True, slots=True)
class View:
    """Pinhole cameras of one size, and what they leave out."""

    records: Float[Tensor, "c 24"]
    """``struct Camera`` of cuda/projection.cuh, on the device."""
    world_from_cam: Float[Tensor, "c 4 4"]
    """float64, on the device."""
    width: int
    height: int
    near: float
    far: float
    eps2d: float
    antialiased: bool

    @property
    def count(self) -> int:
        return len(self.records)

    @property
    def tile_count(self) -> int:
        """16x16 tiles of all cameras."""
        return self.count * -(-self.width // 16) * -(-self.height // 16)

    @property
    def lens(self) -> tuple[Argument, ...]:
        """What projecting kernels take, in their order."""
        return self.near, self.far, self.eps2d, int(self.antialiased)

    def eyes(self) -> Float[Tensor, "c 3"]:
        """The cameras' positions."""
        return self.records[:, 20:23].contiguous()


def view_of(
    viewmats: Float[Tensor, "c 4 4"], Ks: Float[Tensor, "c 3 3"], width: int, height: int, near: float, far: float, eps2d: float,
    antialiased: bool, device: torch.device,
) -> View:  # fmt: skip
    """Cameras given in main memory, so that checking them and this arithmetic wait for no GPU."""
    matrices, K = viewmats.double(), Ks.double()
    world_from_cam = torch.linalg.inv(matrices)
    fx, fy, cx, cy = K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]
    margin_x, margin_y = _FRUSTUM_MARGIN * 0.5 * width / fx, _FRUSTUM_MARGIN * 0.5 * height / fy
    limits = [-cx / fx - margin_x, (width - cx) / fx + margin_x, -cy / fy - margin_y, (height - cy) / fy + margin_y]
    columns = [fx, fy, cx, cy, *limits, *world_from_cam[:, :3, 3].unbind(-1), torch.zeros_like(fx)]
    records = torch.cat([matrices[:, :3].flatten(1), torch.stack(columns, dim=-1)], dim=1)
    return View(records.float().to(device), world_from_cam.to(device), width, height, near, far, eps2d, antialiased)
