"""Damaged files of every format: cut short, bits flipped, numbers replaced. Gaussians or one FormatError, in bounded memory."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spatialwm.errors import FormatError
from spatialwm.formats import ply, read_splats, sog_encode, splat, spz
from spatialwm.gaussians import Gaussians

MAX_BYTES = 64 << 20
"""The files are some ten kilobytes; nothing in them may claim more."""

_random = np.random.default_rng(5)
_quats = _random.normal(size=(40, 4))
SPLATS = Gaussians.from_numpy(
    _random.normal(size=(40, 3)),
    _quats / np.linalg.norm(_quats, axis=1, keepdims=True),
    np.exp(_random.uniform(-6, -1, (40, 3))),
    _random.uniform(0, 1, 40),
    sh=_random.uniform(-1, 1, (40, 4, 3)),
)


def spz_4() -> bytes:
    payload, n = gzip.decompress(spz.encode(SPLATS)), len(SPLATS)
    sizes, offset, parts = [9 * n, n, 3 * n, 3 * n, 4 * n, 9 * n], 16, []
    for size in sizes:
        parts.append((size, zstandard.compress(payload[offset : offset + size])))
        offset += size
    head = struct.pack("<4sIIBBBBI12x", b"NGSP", 4, n, 1, 12, 0, 6, 32)
    return head + b"".join(struct.pack("<QQ", len(z), size) for size, z in parts) + b"".join(z for _, z in parts)


def ascii_ply() -> bytes:
    head, body = ply.encode(SPLATS.select(torch.arange(5))).split(b"end_header\n", 1)
    rows = np.frombuffer(body, "<f4").reshape(5, -1)
    lines = "\n".join(" ".join(f"{v:.4g}" for v in row) for row in rows)
    return head.replace(b"binary_little_endian", b"ascii") + b"end_header\n" + lines.encode()


def compressed_ply() -> bytes:
    bounds = [f"{end}_{k}" for end in ("min", "max") for k in ("x", "y", "z", "scale_x", "scale_y", "scale_z")]
    lines = ["ply", "format binary_little_endian 1.0", "element chunk 1", *(f"property float {b}" for b in bounds)]
    lines += ["element vertex 40", *(f"property uint packed_{k}" for k in ("position", "rotation", "scale", "color"))]
    lines += ["element sh 40", *(f"property uchar f_rest_{i}" for i in range(9)), "end_header\n"]
    body = np.repeat([-1.0, 1.0], 6).astype("<f4").tobytes() + _random.bytes(40 * 16 + 40 * 9)
    return "\n".join(lines).encode() + body


SOG = sog_encode.encode(SPLATS)
FILES = {
    "a.ply": ply.encode(SPLATS),
    "ascii.ply": ascii_ply(),
    "a.compressed.ply": compressed_ply(),
    "a.spz": spz.encode(SPLATS),
    "raw.spz": gzip.decompress(spz.encode(SPLATS)),
    "v4.spz": spz_4(),
    "a.splat": splat.encode(SPLATS),
    "a.sog": SOG,
}
PARTS = {info.filename: zipfile.ZipFile(io.BytesIO(SOG)).read(info) for info in zipfile.ZipFile(io.BytesIO(SOG)).infolist()}


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    out = bytearray(data)
    # Headers decide the most, so half of the damage is done to the first 200 bytes.
    place = st.integers(0, len(out) - 1) | st.integers(0, min(len(out), 200) - 1)
    for _ in range(draw(st.integers(1, 5))):
        at = draw(place)
        kind = draw(st.sampled_from(["flip", "number", "digits", "cut", "double"]))
        if kind == "flip":
            out[at % len(out)] ^= 1 << draw(st.integers(0, 7))
        elif kind == "number":
            out[at : at + 4] = struct.pack("<I", draw(st.sampled_from([0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 0x7FC00000])))
        elif kind == "digits":
            out[at : at + 4] = b"9" * draw(st.integers(1, 12))
        elif kind == "cut":
            del out[max(at, 1) :]
        else:
            out[at:at] = out[at : at + 64]
    return bytes(out)


def check(path: Path) -> None:
    tracemalloc.start()
    try:
        with warnings.catch_warnings(action="error"):
            read_splats(path).gaussians.check_finite()
    except FormatError as error:
        message = str(error)
    else:
        message = str(path)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert str(path) in message
    assert "\n" not in message
    assert peak < MAX_BYTES, f"{peak >> 20} MB"


FUZZ = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("name", FILES)
def test_the_undamaged_file_is_read(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(FILES[name])
    assert len(read_splats(tmp_path / name).gaussians) in (5, 40)


@pytest.mark.parametrize("name", FILES)
@FUZZ
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, name: str, data: st.DataObject):
    path = tmp_path / name
    path.write_bytes(data.draw(damaged(FILES[name])))
    check(path)


def test_a_signalling_nan_is_left_out_without_a_warning(tmp_path: Path):
    data = bytearray(FILES["a.ply"])
    data[-4 * 60 : -4 * 59] = struct.pack("<I", 0x7FA00000)
    (tmp_path / "a.ply").write_bytes(data)
    check(tmp_path / "a.ply")


@pytest.mark.parametrize("part", PARTS)
@FUZZ
@given(data=st.data())
def test_a_folder_with_a_damaged_part_is_read_or_refused(tmp_path: Path, part: str, data: st.DataObject):
    for name, content in PARTS.items():  # a folder, because the checksums of a zip would hide the damage from the decoder
        (tmp_path / name).write_bytes(content)
    (tmp_path / part).write_bytes(data.draw(damaged(PARTS[part])))
    check(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_every_prefix_is_read_or_refused(tmp_path: Path, name: str):
    path, data = tmp_path / name, FILES[name]
    for end in [*range(min(len(data), 120)), *range(120, len(data), max(len(data) // 60, 1))]:
        path.write_bytes(data[:end])
        check(path)
