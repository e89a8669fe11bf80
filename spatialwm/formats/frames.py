"""Splat files' frames and ours: an exact relabelling of axes, so that a capture stands upright and comes back unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64

from spatialwm.geometry.sh import MAX_DEGREE, num_bases, rotate_sh

_SH_GRID = 2.0**20
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class FileFrame:
    """A frame whose axis ``order[i]``, times ``signs[i]``, is axis i of our +Z-up world.

    The change is a quarter turn about X. Turned the plain way it would multiply quaternions by sqrt(1/2) and lose bits. But a
    Gaussian is unchanged when its own axes are relabelled together with its scales, and relabelling the own axes by the same
    quarter turn makes the quaternion's change a conjugation, ``q -> t q t*``, which only permutes x, y, z and their signs.
    Means, quaternions and scales are therefore exact to the bit both ways.
    """

    name: str
    order: tuple[int, int, int]
    signs: tuple[float, float, float]

    def rotation(self) -> Float64[np.ndarray, "3 3"]:
        """``world_from_file``."""
        matrix = np.zeros((3, 3))
        matrix[range(3), self.order] = self.signs
        return matrix

    def vectors_to_world(self, vectors: Float[np.ndarray, "n 3"]) -> Float32[np.ndarray, "n 3"]:
        """Points or the x, y, z of wxyz quaternions."""
        return np.stack([np.float32(s) * vectors[:, a] for a, s in zip(self.order, self.signs, strict=True)], axis=1)

    def vectors_from_world(self, vectors: Float[np.ndarray, "n 3"]) -> Float32[np.ndarray, "n 3"]:
        """Inverse of :meth:`vectors_to_world`."""
        out = np.empty_like(vectors, np.float32)
        for i, (a, s) in enumerate(zip(self.order, self.signs, strict=True)):
            out[:, a] = np.float32(s) * vectors[:, i]
        return out

    def scales_to_world(self, scales: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Scales (or their logarithms) in the order of the relabelled own axes; its own inverse for our frames."""
        return np.ascontiguousarray(scales[:, self.order])

    def sh_to_world(self, sh: Float32[np.ndarray, "n k 3"]) -> Float32[np.ndarray, "n k 3"]:
        """Coefficients for world directions.

        Degrees 0 and 1 are relabelled exactly. Degrees 2 and 3 mix by irrational factors; they are rounded to 2^-20, some
        thousandth of an 8-bit colour step, so that the rounding of a later :meth:`sh_from_world` cannot survive the next
        reading: file -> world -> file -> world ends at the same bits for coefficients below 2.
        """
        if sh.shape[1] == 1:
            return sh
        out = _mix(sh, _sh_matrix(self))
        if sh.shape[1] > 4:
            out[:, 4:] = np.rint(out[:, 4:].astype(np.float64) * _SH_GRID) / _SH_GRID + 0.0  # + 0.0 turns -0.0 into 0.0
        return out

    def sh_from_world(self, sh: Float32[np.ndarray, "n k 3"]) -> Float32[np.ndarray, "n k 3"]:
        """Coefficients for directions of the file's frame."""
        return sh if sh.shape[1] == 1 else _mix(sh, _sh_matrix(self).T)


RDF = FileFrame("RDF", order=(0, 2, 1), signs=(1.0, 1.0, -1.0))
"""+X right, +Y down, +Z forward: PLY, .splat and SOG as captures write them."""

RUB = FileFrame("RUB", order=(0, 2, 1), signs=(1.0, -1.0, 1.0))
"""+X right, +Y up, +Z back: SPZ by its specification."""


@cache
def _sh_matrix(frame: FileFrame) -> Float64[np.ndarray, "15 15"]:
    """``world_from_file`` for coefficients of degrees 1 to 3."""
    k = num_bases(MAX_DEGREE)
    units = torch.eye(k, dtype=torch.float64)[:, :, None].expand(k, k, 3)
    matrix = rotate_sh(units, torch.from_numpy(frame.rotation()))[1:, 1:, 0].numpy().T
    # A least-squares solution leaves 1e-16 where 0 and 1 belong; the relabelled entries must be exact.
    nearest = np.rint(matrix)
    return np.where(np.abs(matrix - nearest) < 1e-9, nearest, matrix)


def _mix(sh: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    k = sh.shape[1] - 1
    out = np.empty_like(sh)
    out[:, 0] = sh[:, 0]
    for start in range(0, len(sh), _CHUNK):  # chunks bound the float64 copy
        part = sh[start : start + _CHUNK, 1:].astype(np.float64)
        mixed = part.transpose(0, 2, 1).reshape(-1, k) @ matrix[:k, :k].T
        out[start : start + _CHUNK, 1:] = mixed.reshape(-1, 3, k).transpose(0, 2, 1)
    return out
