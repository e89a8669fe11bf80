"""The cameras, as the kernels read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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
    """float64, in main memory."""
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
    """Cameras given in main memory, so that neither checking them nor this arithmetic waits for the GPU."""
    # In numpy, whose overhead on a handful of numbers is a tenth of torch's: the GPU has nothing to do meanwhile.
    matrices, K = viewmats.double().numpy(), Ks.double().numpy()
    world_from_cam = np.linalg.inv(matrices)
    focal, center = np.stack([K[:, 0, 0], K[:, 1, 1]], -1), K[:, :2, 2]
    size = np.array([width, height])
    margin = _FRUSTUM_MARGIN * 0.5 * size / focal
    limits = np.stack([-center / focal - margin, (size - center) / focal + margin], -1)
    records = np.zeros((len(K), 24), np.float32)
    records[:, :12] = matrices[:, :3].reshape(-1, 12)
    records[:, 12:14], records[:, 14:16], records[:, 16:20] = focal, center, limits.reshape(-1, 4)
    records[:, 20:23] = world_from_cam[:, :3, 3]
    on_device = torch.from_numpy(records).to(device, non_blocking=True)
    # Plain numbers: a kernel takes 4 bytes as what its signature says, whatever they were here.
    return View(
        on_device, torch.from_numpy(world_from_cam), int(width), int(height), float(near), float(far), float(eps2d), antialiased
    )
