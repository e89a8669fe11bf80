"""PlayCanvas compressed PLY, read only: 256-splat chunks with bounds, 16 bytes a splat, optional 8-bit SH; frame RDF."""

from __future__ import annotations

import numpy as np

from spatialwm.errors import FormatError
from spatialwm.formats.activation import scales_from_log
from spatialwm.formats.frames import RDF
from spatialwm.formats.ply_table import PlyTable
from spatialwm.formats.smallest_three import expand
from spatialwm.formats.splat_file import SplatFile, assemble
from spatialwm.geometry.sh import SH_C0

_CHUNK = 256
_DEGREE_OF_REST = {9: 1, 24: 2, 45: 3}


def decode(table: PlyTable) -> SplatFile:
    """Unpack the vertices by the bounds of their chunks.

    Raises:
        FormatError: an element or a column is missing, or the counts disagree.
    """
    vertex, chunk = table.columns("vertex"), table.columns("chunk")
    n = len(vertex["packed_position"])
    if len(chunk["min_x"]) != -(-n // _CHUNK):
        raise FormatError(f"compressed PLY has {len(chunk['min_x'])} chunks for {n} splats: expected {-(-n // _CHUNK)}")
    of_splat = np.arange(n) // _CHUNK

    def between(names: str, prefix: str, unit: np.ndarray) -> np.ndarray:
        low = np.stack([chunk[f"min_{prefix}{a}"] for a in names], 1).astype(np.float64)[of_splat]
        high = np.stack([chunk[f"max_{prefix}{a}"] for a in names], 1).astype(np.float64)[of_splat]
        return low * (1 - unit) + high * unit

    color = _fields(vertex["packed_color"], 8, 8, 8, 8)
    rgb = between("rgb", "", color[:, :3]) if "min_r" in chunk else color[:, :3]
    rotation = vertex["packed_rotation"].astype(np.uint32)
    small = (_fields(rotation, 2, 10, 10, 10)[:, 1:] - 0.5) * np.sqrt(2)
    return assemble(
        RDF,
        "compressed.ply",
        between("xyz", "", _fields(vertex["packed_position"], 11, 10, 11)).astype(np.float32),
        expand(small, rotation >> 30),
        scales_from_log(between("xyz", "scale_", _fields(vertex["packed_scale"], 11, 10, 11))),
        color[:, 3].astype(np.float32),
        _sh((rgb - 0.5) / SH_C0, table),
    )


def _fields(packed: np.ndarray, *bits: int) -> np.ndarray:
    """Unsigned fields of 32-bit words, most significant first, each in 0..1."""
    packed, shift, out = packed.astype(np.uint32), 32, np.empty((len(packed), len(bits)))
    for i, width in enumerate(bits):
        shift -= width
        limit = (1 << width) - 1
        out[:, i] = ((packed >> np.uint32(shift)) & np.uint32(limit)) / limit
    return out


def _sh(dc: np.ndarray, table: PlyTable) -> np.ndarray:
    if table.element("sh") is None:
        return dc[:, None].astype(np.float32)
    rest = table.columns("sh")
    if len(rest) not in _DEGREE_OF_REST or any(f"f_rest_{i}" not in rest for i in range(len(rest))):
        raise FormatError(f"compressed PLY has {len(rest)} SH columns: expected f_rest_0.. numbering 9, 24 or 45")
    per_color = len(rest) // 3
    sh = np.empty((len(dc), 1 + per_color, 3), np.float32)
    if len(rest["f_rest_0"]) != len(dc):
        raise FormatError(f"compressed PLY has SH for {len(rest['f_rest_0'])} of {len(dc)} splats")
    sh[:, 0] = dc
    for i in range(len(rest)):
        code = rest[f"f_rest_{i}"].astype(np.float32)
        unit = np.where(code == 0, 0, np.where(code == 255, 1, (code + 0.5) / 256))
        sh[:, 1 + i % per_color, i // per_color] = (unit - 0.5) * 8
    return sh
