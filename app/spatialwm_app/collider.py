"""What a visitor bumps into: voxels filled by the extents of the Gaussians, in the world frame."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Int

from spatialwm.gaussians import Gaussians, transform
from spatialwm.geometry.se3 import Pose, quat_to_matrix
from spatialwm.scene import Scene

VOXEL_M = 0.1
SOLID_ALPHA = 0.3
"""Fainter Gaussians are haze, not walls."""
REACH_SIGMAS = 1.5
"""A Gaussian fills its surroundings this far: centres alone leave holes in a sparse floor that swallow the walker."""
MAX_CELLS = 1 << 26
"""8 MB of bits; larger places get coarser voxels."""
SAMPLES_PER_AXIS = 9

_Filled = Int[np.ndarray, "m 3"]


class ColliderCache:
    """Voxels per object; only what moved or changed is filled again."""

    def __init__(self) -> None:
        self._filled: WeakKeyDictionary[Gaussians, tuple[Pose, float, _Filled]] = WeakKeyDictionary()

    def pack(self, scene: Scene) -> bytes:
        """Little-endian ``float32 corner[3], float32 voxel_m, uint32 dims[3]``, then one bit per voxel, z fastest."""
        solid = [o for o in scene.objects if o.role != "backdrop" and len(o.gaussians)]
        low, high = _core_bounds([(o.gaussians, o.world_from_object) for o in solid])
        voxel_m = VOXEL_M
        while np.prod(np.ceil((high - low) / voxel_m) + 2) > MAX_CELLS:
            voxel_m *= 1.25
        first = np.floor(low / voxel_m).astype(np.int64) - 1
        dims = np.ceil(high / voxel_m).astype(np.int64) - first + 2
        grid = np.zeros(tuple(dims), bool)
        for o in solid:
            cells = self._fill(o.gaussians, o.world_from_object, voxel_m) - first
            inside = ((cells >= 0) & (cells < dims)).all(1)
            grid[tuple(cells[inside].T)] = True
        header = struct.pack("<4f3I", *((first - 0.5) * voxel_m), voxel_m, *(int(d) for d in dims))
        return header + np.packbits(grid.ravel(), bitorder="little").tobytes()

    def _fill(self, gaussians: Gaussians, pose: Pose, voxel_m: float) -> _Filled:
        known = self._filled.get(gaussians)
        if known is None or known[:2] != (pose, voxel_m):
            known = (pose, voxel_m, fill_voxels(gaussians, pose, voxel_m))
            self._filled[gaussians] = known
        return known[2]


def fill_voxels(gaussians: Gaussians, world_from_object: Pose, voxel_m: float) -> _Filled:
    """Indices of every voxel within reach of an opaque Gaussian.

    Voxels are centred on multiples of their size, so that a floor at z = 0 fills one layer whose middle is the floor.
    """
    world = transform(gaussians.select(gaussians.opacities > SOLID_ALPHA), world_from_object)
    if not len(world):
        return np.zeros((0, 3), np.int64)
    reach = world.scales * REACH_SIGMAS
    axes = quat_to_matrix(world.quats)
    # Gaussians are grouped by how many samples each axis needs, so a few large ones do not make every small one expensive.
    counts = (2 * reach / (0.7 * voxel_m)).ceil().clamp(1, SAMPLES_PER_AXIS).to(torch.int64)
    kinds, which = torch.unique(counts, dim=0, return_inverse=True)
    found = []
    for k, kind in enumerate(kinds.tolist()):
        pick = which == k
        ticks = [torch.linspace(-1, 1, n) if n > 1 else torch.zeros(1) for n in kind]
        lattice = torch.cartesian_prod(*ticks)
        lattice = lattice[(lattice**2).sum(1) <= 1.01] if max(kind) > 2 else lattice
        for offset in lattice:
            points = world.means[pick] + torch.einsum("nij,nj->ni", axes[pick], reach[pick] * offset)
            found.append(torch.unique(torch.round(points / voxel_m).to(torch.int64), dim=0))
    return torch.unique(torch.cat(found), dim=0).numpy()


def _core_bounds(parts: Sequence[tuple[Gaussians, Pose]]) -> tuple[np.ndarray, np.ndarray]:
    """World bounds without the outermost half per cent of a captured scene's centres, which are floaters."""
    if not parts:
        return np.zeros(3), np.zeros(3)
    lows, highs = [], []
    for gaussians, pose in parts:
        world = pose.apply(gaussians.means[gaussians.opacities > SOLID_ALPHA].numpy())
        if not len(world):
            continue
        margin = np.quantile(gaussians.scales.amax(1).numpy(), 0.9) * REACH_SIGMAS * pose.scale
        trim = (0.005, 0.995) if len(world) > 2000 else (0.0, 1.0)
        low, high = np.quantile(world, trim, axis=0)
        lows.append(low - margin - 1.0)
        highs.append(high + margin + 1.0)
    return (np.min(lows, axis=0), np.max(highs, axis=0)) if lows else (np.zeros(3), np.zeros(3))
