"""Niantic SPZ: read versions 2 to 4, write version 3; frame RUB.

Layout of versions 2 and 3: one gzip stream of a 16-byte header, then attribute by attribute. Version 4: a 32-byte header, a table
of stream sizes and one zstd stream an attribute. Attributes in order: positions as 24-bit fixed point, alphas, colours, log
scales, rotations (three 8-bit components in version 2, the smallest three in 32 bits since), then SH with the colour innermost.

Written values are within, of the Gaussians: positions 2^-13 m for worlds of 1 to 2048 m; scales 1/32 in the logarithm (3.2 %)
between 45 micrometres and 379 m; opacity 1/510; sRGB colour 1/271 between -0.44 and 1.44; the three smaller quaternion components
sqrt(1/2)/1022; SH, in the file's frame, 1/32 for degree 1 and 1/16 above it, clamped to -1..1.

Source: the format description of nianticlabs/spz; judged by splat-transform in tests/consumers.
"""

from __future__ import annotations

import itertools
import struct
import zlib

import numpy as np

from spatialwm.errors import FormatError
from spatialwm.formats import smallest_three
from spatialwm.formats.activation import scales_from_log
from spatialwm.formats.bounded import check_count, gunzip, unzstd
from spatialwm.formats.frames import RUB
from spatialwm.formats.splat_file import SplatFile, assemble
from spatialwm.gaussians import Gaussians

MAGIC = b"NGSP"
_HEADER = struct.Struct("<4sIIBBBB")
_HEADER_4_BYTES = 32
_COEFFICIENTS = (0, 3, 8, 15, 24)
_COLOR_SCALE = 0.15
_ANTIALIASED = 1
_SH_STEP = (8, 16)
"""Of 256, for degree 1 and above: the reference encoder's 5 and 4 bits."""


def decode(data: bytes) -> SplatFile:
    """Gaussians of an SPZ file.

    Raises:
        FormatError: not SPZ, of another version, or other than its header declares.
    """
    compressed = data.startswith(b"\x1f\x8b")
    header = gunzip(data, _HEADER.size) if compressed else data[: _HEADER.size]
    if len(header) < _HEADER.size or not header.startswith(MAGIC):
        raise FormatError("not an SPZ file: expected a gzip stream or a header that begins with 'NGSP'")
    _, version, n, degree, fraction_bits, flags, streams = _HEADER.unpack(header)
    if version not in (2, 3, 4):
        raise FormatError(f"SPZ version {version} is not supported: expected 2, 3 or 4; convert it with splat-transform")
    if degree > 4 or fraction_bits > 24:
        raise FormatError(f"SPZ header has SH degree {degree} and {fraction_bits} fraction bits: expected at most 4 and 24")
    check_count(n, len(data))
    sizes = [9 * n, n, 3 * n, 3 * n, (3 if version == 2 else 4) * n, 3 * n * _COEFFICIENTS[degree]]
    if version == 4:
        parts = _zstd_streams(data, sizes, streams)
    else:
        parts = _slices(gunzip(data, _HEADER.size + sum(sizes)) if compressed else data, sizes)
    positions, alphas, colors, log_scales, rotations, rest = (np.frombuffer(p, np.uint8) for p in parts)

    wide = np.zeros((n, 3, 4), np.uint8)
    wide[..., 1:] = positions.reshape(n, 3, 3)  # the high three bytes, so that the shift down carries the sign
    means = (wide.view("<i4")[..., 0] >> 8) * 2.0**-fraction_bits
    kept = (min(degree, 3) + 1) ** 2 - 1
    sh = np.empty((n, 1 + kept, 3), np.float32)
    sh[:, 0] = (colors.reshape(n, 3) / 255.0 - 0.5) / _COLOR_SCALE
    sh[:, 1:] = (rest.reshape(n, _COEFFICIENTS[degree], 3)[:, :kept].astype(np.float32) - 128) / 128
    notes = [f"SPZ version {version}"]
    notes += ["SH degree 4 reduced to 3"] if degree == 4 else []
    notes += ["trained with antialiasing"] if flags & _ANTIALIASED else []
    return assemble(
        RUB,
        "spz",
        means.astype(np.float32),
        _quats_2(rotations.reshape(n, 3)) if version == 2 else _quats_3(rotations.view("<u4")),
        scales_from_log(log_scales.reshape(n, 3) / 16.0 - 10.0),
        (alphas / 255.0).astype(np.float32),
        sh,
        tuple(notes),
    )


def _slices(payload: bytes, sizes: list[int]) -> list[bytes]:
    need = _HEADER.size + sum(sizes)
    if len(payload) < need:
        raise FormatError(f"SPZ holds {len(payload)} bytes where its header needs {need}: the file is truncated")
    ends = np.cumsum([_HEADER.size, *sizes]).tolist()
    return [payload[a:b] for a, b in itertools.pairwise(ends)]


def _zstd_streams(data: bytes, sizes: list[int], streams: int) -> list[bytes]:
    needed = 6 if sizes[5] else 5
    (table_start,) = struct.unpack_from("<I", data, _HEADER.size)
    if streams < needed or table_start < _HEADER_4_BYTES or table_start + 16 * streams > len(data):
        raise FormatError(f"SPZ has {streams} streams listed at byte {table_start} of {len(data)}: expected {needed} or more")
    offset, parts = table_start + 16 * streams, []
    for i, size in enumerate(sizes[:needed]):
        packed, unpacked = struct.unpack_from("<QQ", data, table_start + 16 * i)
        if unpacked != size or offset + packed > len(data):
            raise FormatError(f"SPZ stream {i} claims {unpacked} bytes from {packed}: expected {size} within the file")
        part = unzstd(data[offset : offset + packed], size)
        if len(part) != size:
            raise FormatError(f"SPZ stream {i} ends after {len(part)} of {size} bytes: the file is truncated")
        parts.append(part)
        offset += packed
    return parts + [b""] * (6 - needed)


def _quats_2(xyz_bytes: np.ndarray) -> np.ndarray:
    xyz = xyz_bytes / 127.5 - 1.0
    w = np.sqrt(np.maximum(0.0, 1.0 - (xyz**2).sum(1)))
    return np.concatenate([w[:, None], xyz], axis=1)


def _quats_3(words: np.ndarray) -> np.ndarray:
    fields = (words[:, None] >> np.array([20, 10, 0], np.uint32)) & 1023
    small = (fields & 511) * (np.sqrt(0.5) / 511) * np.where(fields & 512, -1.0, 1.0)
    return np.roll(smallest_three.expand(small, words >> 30), 1, axis=1)  # stored xyzw


def encode(gaussians: Gaussians, level: int = 6) -> bytes:
    """An SPZ version 3 file.

    Args:
        level: of zlib. 1 takes a third of the time of 6 for about a tenth more bytes.
    """
    n, degree = len(gaussians), gaussians.sh_degree
    means = RUB.vectors_from_world(gaussians.means.numpy())
    bits = _fraction_bits(float(np.abs(means).max(initial=0.0)))
    fixed = np.clip(np.rint(means * np.float32(2.0**bits)), 1 - (1 << 23), (1 << 23) - 1).astype("<i4")
    with np.errstate(divide="ignore"):
        log_scales = np.log(RUB.scales_to_world(gaussians.scales.numpy()))
    sh = RUB.sh_from_world(gaussians.sh.numpy())
    payload = b"".join(
        [
            _HEADER.pack(MAGIC, 3, n, degree, bits, 0, 0),
            fixed.view(np.uint8).reshape(n, 3, 4)[..., :3].tobytes(),
            _byte(gaussians.opacities.numpy() * 255),
            _byte((sh[:, 0] * _COLOR_SCALE + 0.5) * 255),
            _byte((log_scales + 10) * 16),
            _pack_quats(gaussians.quats.numpy()),
            _pack_sh(sh[:, 1:]),
        ]
    )
    stream = zlib.compressobj(level, zlib.DEFLATED, 31)
    return stream.compress(payload) + stream.flush()


def _fraction_bits(extent: float) -> int:
    """12, as the reference encoder; more for what is smaller than a metre, fewer for what would overflow 24 bits."""
    if extent == 0:
        return 12
    exponent = int(np.floor(np.log2(extent)))
    if exponent > 22:
        raise FormatError(f"SPZ cannot hold positions as far as {extent:g} m: move the scene near the origin or write a PLY")
    return int(np.clip(max(12, 11 - exponent), 0, min(24, 22 - exponent)))


def _byte(values: np.ndarray) -> bytes:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8).tobytes()


def _pack_quats(quats: np.ndarray) -> bytes:
    xyzw = np.concatenate([RUB.vectors_from_world(quats[:, 1:]), quats[:, :1]], axis=1)
    small, largest = smallest_three.reduce(xyzw)
    magnitude = np.minimum(np.rint(np.abs(small) * np.float32(511 * np.sqrt(2))), 511).astype(np.uint32)
    fields = magnitude | ((small < 0).astype(np.uint32) << 9)
    words = (largest.astype(np.uint32) << 30) | (fields[:, 0] << 20) | (fields[:, 1] << 10) | fields[:, 2]
    return words.astype("<u4").tobytes()


def _pack_sh(rest: np.ndarray) -> bytes:
    if not rest.shape[1]:
        return b""
    step = np.where(np.arange(rest.shape[1]) < 3, *_SH_STEP).astype(np.float32)[:, None]
    return _byte(np.rint(rest * 128 / step) * step + 128)
