"""What a visitor bumps into: voxels filled by the extents of the Gaussians, in the world frame."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
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
_KEY_BITS = 21
_KEY_HALF = 1 << (_KEY_BITS - 1)

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
    means = world.means.numpy()
    reach = world.scales.numpy() * REACH_SIGMAS
    half_axes = quat_to_matrix(world.quats).numpy() * reach[:, None, :]
    # Gaussians are grouped by how many samples each axis needs, so a few large ones do not make every small one expensive.
    counts = np.clip(np.ceil(2 * reach / (0.7 * voxel_m)), 1, SAMPLES_PER_AXIS).astype(np.int64)
    group = (counts[:, 0] * 16 + counts[:, 1]) * 16 + counts[:, 2]
    found: list[np.ndarray] = []
    for kind in np.unique(group):
        pick = group == kind
        ticks = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in (kind // 256, kind // 16 % 16, kind % 16)]
        lattice = np.stack(np.meshgrid(*ticks, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
        if kind % 16 > 2 or kind // 16 % 16 > 2 or kind // 256 > 2:
            lattice = lattice[(lattice**2).sum(1) <= 1.01]
        for offset in lattice:
            found.append(_key(np.rint((means[pick] + half_axes[pick] @ offset) / voxel_m).astype(np.int64)))
    return _cell(np.unique(np.concatenate(found)))


def _key(cells: np.ndarray) -> np.ndarray:
    """Three indices as one integer: sorting those is some 50 times faster than sorting rows."""
    x, y, z = np.clip(cells.T, -_KEY_HALF, _KEY_HALF - 1) + _KEY_HALF
    return (x << 2 * _KEY_BITS) | (y << _KEY_BITS) | z


def _cell(keys: np.ndarray) -> np.ndarray:
    mask = (1 << _KEY_BITS) - 1
    return np.stack([keys >> 2 * _KEY_BITS, (keys >> _KEY_BITS) & mask, keys & mask], 1) - _KEY_HALF


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
