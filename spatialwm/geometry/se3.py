"""Rigid poses with uniform scale, and batched quaternion algebra (wxyz, Hamilton product)."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from spatialwm.errors import ShapeError

Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]


def vec3(values: Iterable[Any]) -> Vec3:
    """Three numbers of any library as plain floats.

    Raises:
        ValueError: not three numbers.
    """
    x, y, z = (float(v) for v in values)
    return (x, y, z)


@dataclass(frozen=True, slots=True)
class Pose:
    """A similarity ``p_out = scale * R(quat) @ p_in + position``; name variables ``out_from_in``.

    Plain Python floats, so that a pose is hashable, exact in JSON and independent of any device.
    """

    position: Vec3 = (0.0, 0.0, 0.0)
    """Metres, in the outer frame."""
    quat: Quat = (1.0, 0.0, 0.0, 0.0)
    """Unit wxyz."""
    scale: float = 1.0
    """Uniform, positive. A rigid pose has scale 1."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "position", tuple(float(v) for v in self.position))
        object.__setattr__(self, "quat", tuple(float(v) for v in self.quat))
        object.__setattr__(self, "scale", float(self.scale))
        values = (*self.position, *self.quat, self.scale)
        if len(values) != 8 or not all(math.isfinite(v) for v in values):
            raise ShapeError(f"a pose is 3 + 4 + 1 finite numbers; got {self.position}, {self.quat}, {self.scale}")
        norm = math.sqrt(sum(v * v for v in self.quat))
        if norm < 1e-12:
            raise ShapeError("pose quaternion is zero: give a rotation as wxyz, (1, 0, 0, 0) for none")
        if self.scale <= 0:
            raise ShapeError(f"pose scale must be positive; got {self.scale}")
        # Normalising an already unit quaternion would change its last bits on every reload.
        if abs(norm - 1.0) > 1e-12:
            object.__setattr__(self, "quat", tuple(v / norm for v in self.quat))

    def rotation(self) -> Float64[np.ndarray, "3 3"]:
        """The rotation matrix alone."""
        w, x, y, z = self.quat
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )

    def matrix(self) -> Float64[np.ndarray, "4 4"]:
        """The homogeneous matrix, scale included."""
        out = np.eye(4)
        out[:3, :3] = self.rotation() * self.scale
        out[:3, 3] = self.position
        return out

    def apply(self, points: Float[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n 3"]:
        """Carry points from the inner to the outer frame."""
        return np.asarray(points, np.float64) @ (self.rotation() * self.scale).T + np.asarray(self.position)

    def rotate(self, directions: Float[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n 3"]:
        """Carry directions: rotation only."""
        return np.asarray(directions, np.float64) @ self.rotation().T

    def __matmul__(self, other: Pose) -> Pose:
        """``a_from_b @ b_from_c -> a_from_c``."""
        position = self.apply(np.asarray(other.position))
        return Pose(vec3(position), hamilton(self.quat, other.quat), self.scale * other.scale)

    def inverse(self) -> Pose:
        """``a_from_b -> b_from_a``."""
        w, x, y, z = self.quat
        flipped = Pose((0.0, 0.0, 0.0), (w, -x, -y, -z), 1.0 / self.scale)
        back = flipped.apply(-np.asarray(self.position))
        return Pose(vec3(back), flipped.quat, flipped.scale)

    @staticmethod
    def about_axis(axis: Vec3, angle_rad: float, position: Vec3 = (0.0, 0.0, 0.0)) -> Pose:
        """Rotation by ``angle_rad`` about ``axis`` (any length but zero), then a shift."""
        length = math.sqrt(sum(v * v for v in axis))
        if length < 1e-12:
            raise ShapeError("rotation axis is zero: give a direction such as (0, 0, 1)")
        s = math.sin(angle_rad / 2) / length
        return Pose(position, (math.cos(angle_rad / 2), axis[0] * s, axis[1] * s, axis[2] * s))

    @staticmethod
    def from_matrix(matrix: Float[np.ndarray, "r c"]) -> Pose:
        """The pose of a 3x4 or 4x4 rotation-scale-translation matrix (no shear, no mirror)."""
        m = np.asarray(matrix, np.float64)
        scale = float(np.cbrt(np.linalg.det(m[:3, :3])))
        if not scale > 0:
            raise ShapeError("matrix mirrors or collapses space: expected rotation times a positive scale")
        quat = matrix_to_quat(torch.from_numpy(m[:3, :3] / scale))
        return Pose(vec3(m[:3, 3]), tuple(quat.tolist()), scale)  # pyright: ignore[reportArgumentType]

    def to_list(self) -> list[float]:
        """``[x, y, z, qw, qx, qy, qz, scale]``; exact in JSON."""
        return [*self.position, *self.quat, self.scale]

    @staticmethod
    def from_list(values: Any) -> Pose:
        """Inverse of :meth:`to_list`; seven numbers mean scale 1."""
        v = [float(x) for x in values]
        if len(v) not in (7, 8):
            raise ShapeError(f"a pose is 7 or 8 numbers (xyz, wxyz, scale); got {len(v)}")
        return Pose((v[0], v[1], v[2]), (v[3], v[4], v[5], v[6]), v[7] if len(v) == 8 else 1.0)


def hamilton(a: Quat, b: Quat) -> Quat:
    """Quaternion product of plain tuples; see :func:`quat_multiply` for batches."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def quat_multiply(a: Float[Tensor, "*#n 4"], b: Float[Tensor, "*#n 4"]) -> Float[Tensor, "*n 4"]:
    """Hamilton product of wxyz quaternions: first rotate by ``b``, then by ``a``."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        dim=-1,
    )


def quat_to_matrix(quats: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 3 3"]:
    """Rotation matrices of wxyz quaternions of any non-zero length."""
    w, x, y, z = torch.nn.functional.normalize(quats, dim=-1).unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, dim=-1).reshape(*quats.shape[:-1], 3, 3)


def matrix_to_quat(rotations: Float[Tensor, "*n 3 3"]) -> Float[Tensor, "*n 4"]:
    """Unit wxyz quaternions (w >= 0) of rotation matrices.

    Source: Shepperd 1978; the best conditioned of the four candidate rows is used, so no branch divides by ~0.
    """
    m = rotations
    m00, m11, m22 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    squares = torch.stack([1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22], -1)
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    d, e, f = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    rows = torch.stack(
        [
            torch.stack([squares[..., 0], a, b, c], -1),
            torch.stack([a, squares[..., 1], d, e], -1),
            torch.stack([b, d, squares[..., 2], f], -1),
            torch.stack([c, e, f, squares[..., 3]], -1),
        ],
        dim=-2,
    )
    best = squares.argmax(-1)[..., None, None].expand(*rows.shape[:-2], 1, 4)
    quats = torch.nn.functional.normalize(rows.gather(-2, best).squeeze(-2), dim=-1)
    return torch.where(quats[..., :1] < 0, -quats, quats)

