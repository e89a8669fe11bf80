"""PlayCanvas compressed PLY: bounds of chunks, the optional SH element, counts that disagree."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.errors import FormatError
from spatialwm.formats import ply


def compressed(n: int, sh: int = 0, colors: bool = True, chunks: int | None = None) -> bytes:
    """Chunks spanning -1..3 in space, -4..-2 in log scale and 0.25..0.75 in colour; all codes zero but the listed ones."""
    chunks = -(-n // 256) if chunks is None else chunks
    low = {"x": -1, "y": -1, "z": -1, "scale_x": -4, "scale_y": -4, "scale_z": -4, "r": 0.25, "g": 0.25, "b": 0.25}
    high = {"x": 3, "y": 3, "z": 3, "scale_x": -2, "scale_y": -2, "scale_z": -2, "r": 0.75, "g": 0.75, "b": 0.75}
    names = [k for k in low if colors or len(k) > 1 or k in "xyz"]
    header = f"ply\nformat binary_little_endian 1.0\nelement chunk {chunks}\n"
    header += "".join(f"property float min_{k}\nproperty float max_{k}\n" for k in names)
    header += f"element vertex {n}\n" + "".join(
        f"property uint packed_{k}\n" for k in ("position", "rotation", "scale", "color")
    )
    header += f"element sh {n}\n" * bool(sh) + "".join(f"property uchar f_rest_{i}\n" for i in range(sh)) + "end_header\n"
    bounds = np.tile(np.array([[low[k], high[k]] for k in names], "<f4").ravel(), (chunks, 1))
    half = 511
    vertex = np.zeros((n, 4), "<u4")
    vertex[:, 1] = half << 20 | half << 10 | half  # the largest is w: nearly no rotation
    vertex[:, 3] = 255
    vertex[0] = (2047 << 21 | 1023 << 11 | 2047, 3 << 30 | half << 20 | half << 10 | half, 0xFFFFFFFF, 0xFF8000FF)
    return header.encode() + bounds.tobytes() + vertex.tobytes() + np.full((n, sh), 255, np.uint8).tobytes()


def test_codes_span_the_bounds_of_their_chunk():
    g = ply.decode(compressed(300)).gaussians
    assert g.means[0].tolist() == [3, 3, -3]  # file (3, 3, 3), +Y down
    assert g.means[299].tolist() == [-1, -1, 1]
    assert torch.allclose(g.scales[0].log(), torch.tensor(-2.0))
    assert torch.allclose(g.scales[1].log(), torch.tensor(-4.0))
    assert torch.allclose(g.rgb[0], torch.tensor([0.75, 0.25 + 0.5 * 128 / 255, 0.25]), atol=1e-6)
    assert g.quats[1, 0] > 0.999
    assert g.quats[0, 2].abs() > 0.999  # file z is our y
    assert g.opacities.tolist() == [1.0] * 300


def test_without_color_bounds_codes_are_colors():
    assert torch.allclose(ply.decode(compressed(3, colors=False)).gaussians.rgb[0], torch.tensor([1.0, 128 / 255, 0]), atol=1e-6)


@pytest.mark.parametrize(("columns", "degree"), [(9, 1), (24, 2), (45, 3)])
def test_sh_element_is_read(columns: int, degree: int):
    g = ply.decode(compressed(10, columns)).gaussians
    assert g.sh_degree == degree
    assert g.sh[:, 1].abs().eq(4).all()  # code 255 is the end of -4..4


@pytest.mark.parametrize(("data", "message"), [
    (compressed(300, chunks=1), "1 chunks for 300 splats: expected 2"),
    (compressed(300)[:-1], "truncated"),
    (compressed(300, 9)[:-1], "truncated"),
    (compressed(300, 10), "10 SH columns"),
    (compressed(300).replace(b"vertex 300", b"vertex 2147483648"), "declares 2147483648"),
    (compressed(300).replace(b"element chunk 2", b"element chunk 2147483648"), "are left"),
    (compressed(300, 9).replace(b"element sh 300", b"element sh 200"), "SH for 200 of 300"),
    (compressed(300).replace(b"element chunk", b"element lumps"), "no 'chunk'"),
])  # fmt: skip
def test_disagreeing_counts_are_refused(data: bytes, message: str):
    with pytest.raises(FormatError, match=message):
        ply.decode(data)
