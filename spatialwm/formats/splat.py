"""The 32-byte .splat of antimatter15: float means and linear scales, 8-bit colour, opacity and quaternion; frame RDF.

Written values are within: colour and opacity 1/510 (colours outside 0..1 are clamped), quaternion components 1/128 before they
are made unit again; SH above degree 0 is not kept.
"""

from __future__ import annotations

import numpy as np

from spatialwm.errors import FormatError
from spatialwm.formats.frames import RDF
from spatialwm.formats.splat_file import SplatFile, assemble
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.sh import SH_C0

_ROW = np.dtype([("means", "<f4", 3), ("scales", "<f4", 3), ("rgba", "u1", 4), ("quats", "u1", 4)])


def decode(data: bytes) -> SplatFile:
    """Gaussians of a .splat file.

    Raises:
        FormatError: empty, or not a whole number of 32-byte rows; the format has no header to tell more.
    """
    if not data or len(data) % _ROW.itemsize:
        raise FormatError(f".splat file has {len(data)} bytes: expected a multiple of 32; it is truncated or of another format")
    rows = np.frombuffer(data, _ROW)
    dc = (rows["rgba"][:, :3] / 255.0 - 0.5) / SH_C0
    return assemble(
        RDF,
        "splat",
        rows["means"].astype(np.float32),
        (rows["quats"].astype(np.float32) - 128) / 128,
        rows["scales"].astype(np.float32),
        (rows["rgba"][:, 3] / 255.0).astype(np.float32),
        dc[:, None].astype(np.float32),
    )


def encode(gaussians: Gaussians) -> bytes:
    """Rows by falling visible size, as viewers that draw a file while it loads expect."""
    scales, opacities = gaussians.scales.numpy(), gaussians.opacities.numpy()
    order = np.argsort(-scales.astype(np.float64).prod(1) * opacities, kind="stable")
    rows = np.empty(len(gaussians), _ROW)
    rows["means"] = RDF.vectors_from_world(gaussians.means.numpy())[order]
    rows["scales"] = RDF.scales_to_world(scales)[order]
    rows["rgba"] = _byte(np.concatenate([gaussians.rgb.numpy(), opacities[:, None]], axis=1)[order] * 255)
    quats = gaussians.quats.numpy()
    quats = np.concatenate([quats[:, :1], RDF.vectors_from_world(quats[:, 1:])], axis=1)
    rows["quats"] = _byte(quats[order] * 128 + 128)
    return rows.tobytes()


def _byte(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
