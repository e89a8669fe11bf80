"""3D Gaussians in PLY as the original trainer lays them out (Kerbl et al. 2023), degrees 0 to 3; frame RDF."""

from __future__ import annotations

import numpy as np

from spatialwm.errors import FormatError
from spatialwm.formats import compressed_ply, ply_table
from spatialwm.formats.activation import log_from_scales, logit_from_opacities, opacities_from_logit, scales_from_log
from spatialwm.formats.frames import RDF
from spatialwm.formats.splat_file import SplatFile, assemble
from spatialwm.gaussians import Gaussians

_MEANS = ["x", "y", "z"]
_NORMALS = ["nx", "ny", "nz"]
_DC = ["f_dc_0", "f_dc_1", "f_dc_2"]
_SCALES = ["scale_0", "scale_1", "scale_2"]
_QUATS = ["rot_0", "rot_1", "rot_2", "rot_3"]
_DEGREE_OF_REST = {0: 0, 9: 1, 24: 2, 45: 3, 72: 4}


def decode(data: bytes) -> SplatFile:
    """Gaussians of a PLY file: binary of either byte order or text, properties in any order, others ignored.

    Raises:
        FormatError: not a PLY of Gaussians, or shorter than its header declares.
    """
    table = ply_table.parse(data)
    vertex = table.element("vertex")
    if vertex is not None and "packed_position" in vertex.names:
        return compressed_ply.decode(table)
    columns = table.columns("vertex")
    missing = [name for name in [*_MEANS, *_DC, "opacity", *_SCALES, *_QUATS] if name not in columns]
    if missing:
        raise FormatError(
            f"PLY vertices lack {', '.join(missing)}: this is a point cloud or a mesh, not 3D Gaussians; expected the columns "
            "x y z, f_dc_0..2, opacity, scale_0..2, rot_0..3"
        )

    def stack(names: list[str]) -> np.ndarray:
        out = np.empty((len(columns["x"]), len(names)), np.float32)
        for i, name in enumerate(names):
            out[:, i] = columns[name]
        return out

    sh, notes = _sh(columns, stack)
    return assemble(
        RDF,
        "ply",
        stack(_MEANS),
        stack(_QUATS),
        scales_from_log(stack(_SCALES)),
        opacities_from_logit(stack(["opacity"])[:, 0]),
        sh,
        notes,
    )


def rest_degree(count: int) -> int:
    """The SH degree that has ``count`` numbers above degree 0, all three colours together.

    Raises:
        FormatError: no degree from 0 to 4 has.
    """
    if count not in _DEGREE_OF_REST:
        raise FormatError(f"PLY has {count} f_rest columns: expected 0, 9, 24, 45 or 72 (SH degree 0 to 4)")
    return _DEGREE_OF_REST[count]


def _sh(columns, stack) -> tuple[np.ndarray, tuple[str, ...]]:
    stored = sum(name.startswith("f_rest_") for name in columns)
    degree = rest_degree(stored)
    if any(f"f_rest_{i}" not in columns for i in range(stored)):
        raise FormatError(f"PLY f_rest columns are not numbered 0 to {stored - 1}")
    per_color, kept = stored // 3, (min(degree, 3) + 1) ** 2 - 1
    sh = np.empty((len(columns["x"]), kept + 1, 3), np.float32)
    sh[:, 0] = stack(_DC)
    for color in range(3):
        for j in range(kept):
            sh[:, 1 + j, color] = columns[f"f_rest_{color * per_color + j}"]
    return sh, ("SH degree 4 reduced to 3",) if degree == 4 else ()


def encode(gaussians: Gaussians) -> bytes:
    """The canonical binary layout, zero normals included because the original viewer reads rows by position."""
    rest = 3 * (gaussians.sh.shape[1] - 1)
    names = [*_MEANS, *_NORMALS, *_DC, *(f"f_rest_{i}" for i in range(rest)), "opacity", *_SCALES, *_QUATS]
    quats = gaussians.quats.numpy()
    sh = RDF.sh_from_world(gaussians.sh.numpy())
    rows = np.zeros((len(gaussians), len(names)), "<f4")
    rows[:, 0:3] = RDF.vectors_from_world(gaussians.means.numpy())
    rows[:, 6:9] = sh[:, 0]
    rows[:, 9 : 9 + rest] = sh[:, 1:].transpose(0, 2, 1).reshape(len(rows), rest)
    rows[:, -8] = logit_from_opacities(gaussians.opacities.numpy())
    rows[:, -7:-4] = log_from_scales(RDF.scales_to_world(gaussians.scales.numpy()))
    rows[:, -4] = quats[:, 0]
    rows[:, -3:] = RDF.vectors_from_world(quats[:, 1:])
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}"]
    header += [f"property float {name}" for name in names] + ["end_header\n"]
    return "\n".join(header).encode("ascii") + rows.tobytes()
