"""PlayCanvas SOG, versions 1 and 2, read: splat attributes as lossless WebP textures under a meta.json; frame RDF.

Version 2 looks scales, colours and SH up in codebooks of 256; version 1 scales bytes between minima and maxima. Both store
positions as 16 bits of ``sign(x) log(1 + |x|)`` and quaternions as the smallest three with the largest's index in alpha.

Source: the format as splat-transform reads it; the encoder is sog_encode.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

from spatialwm.errors import FormatError
from spatialwm.formats import smallest_three
from spatialwm.formats.activation import opacities_from_logit, scales_from_log
from spatialwm.formats.bounded import check_count
from spatialwm.formats.frames import RDF
from spatialwm.formats.sog_archive import Archive, Bundle, parse_json, texels
from spatialwm.formats.splat_file import SplatFile, assemble

PALETTE_COLUMNS = 64
_COEFFICIENTS = {1: 3, 2: 8, 3: 15}
_MAX_PALETTE = 1 << 16


class Stored(NamedTuple):
    """Physical values in the file's frame."""

    means: np.ndarray
    quats: np.ndarray
    scales: np.ndarray
    opacities: np.ndarray
    sh: np.ndarray


def decode(data: bytes) -> SplatFile:
    """Gaussians of a ``.sog`` bundle.

    Raises:
        FormatError: not a SOG bundle, or parts are missing, too small or too large.
    """
    if not data.startswith(b"PK"):
        raise FormatError("not a SOG bundle: expected a zip file")
    stored, notes = load(Bundle(data))
    return assemble(RDF, "sog", *stored, notes=notes)


def load(archive: Archive) -> tuple[Stored, tuple[str, ...]]:
    """The splats of an archive, in file order and with invalid ones still in place, and notes."""
    meta = parse_json(archive.read("meta.json"))
    version = meta.get("version", 1)
    if version not in (1, 2):
        raise FormatError(f"SOG version {version!r} is not supported: expected 1 or 2")
    count = _count(meta["count"]) if version == 2 else _count(_field(meta, "means", "shape")[0])
    check_count(count, archive.size())

    def texture(section: str, index: int = 0) -> np.ndarray:
        name = _field(meta, section, "files")[index]
        pixels = texels(archive.read(name), name, 4 * count + (1 << 16)).reshape(-1, 4)
        if len(pixels) < count:
            raise FormatError(f"SOG texture {name!r} has {len(pixels)} texels for {count} splats: the file is truncated")
        return pixels[:count]

    fine, coarse = texture("means", 0), texture("means", 1)
    low, high = (_numbers(meta, "means", key, 3) for key in ("mins", "maxs"))
    unit = (fine[:, :3].astype(np.uint16) | coarse[:, :3].astype(np.uint16) << 8) / 65535
    logs = low + (high - low) * unit
    means = np.copysign(np.expm1(np.abs(logs)), logs).astype(np.float32)

    values = _values_1 if version == 1 else _values_2
    color = texture("sh0")
    sh0 = values(meta, "sh0", color)
    opacities = opacities_from_logit(sh0[:, 3]) if version == 1 else color[:, 3].astype(np.float32) / 255
    scales = scales_from_log(values(meta, "scales", texture("scales")))
    sh, notes = sh0[:, None, :3].astype(np.float32), (f"SOG version {version}",)
    if meta.get("shN"):
        palette = _palette(meta, version, archive)
        sh = np.concatenate([sh, _look_up(palette, texture("shN", 1))], axis=1)
        notes += (f"SH degree {[3, 8, 15].index(palette.shape[1]) + 1} from a palette of {len(palette)}",)
    return Stored(means, _quats(texture("quats")), scales, opacities, sh), notes


def _values_2(meta: dict[str, Any], section: str, codes: np.ndarray) -> np.ndarray:
    return _codebook(meta, section)[codes[:, :3]]


def _values_1(meta: dict[str, Any], section: str, codes: np.ndarray) -> np.ndarray:
    n = 4 if section == "sh0" else 3
    low, high = (_numbers(meta, section, key, n) for key in ("mins", "maxs"))
    return low + (high - low) * (codes[:, :n] / 255.0)


def _quats(codes: np.ndarray) -> np.ndarray:
    tags = codes[:, 3].astype(np.int64) - 252
    quats = smallest_three.expand((codes[:, :3] / 127.5 - 1) * np.sqrt(0.5), np.maximum(tags, 0))
    quats[tags < 0] = (1, 0, 0, 0)
    return quats


def _palette(meta: dict[str, Any], version: int, archive: Archive) -> Float32[np.ndarray, "p k 3"]:
    """SH above degree 0 that splats share: 64 entries a row, one texel a coefficient."""
    name = _field(meta, "shN", "files")[0]
    pixels = texels(archive.read(name), name, PALETTE_COLUMNS * 15 * (_MAX_PALETTE // PALETTE_COLUMNS))
    k, spare = divmod(pixels.shape[1], PALETTE_COLUMNS)
    if spare or k not in _COEFFICIENTS.values():
        raise FormatError(f"SOG palette {name!r} is {pixels.shape[1]} wide: expected 64 entries of 3, 8 or 15 coefficients")
    if version == 2 and _COEFFICIENTS.get(_field(meta, "shN", "bands")) != k:
        raise FormatError(f"SOG palette {name!r} holds {k} coefficients, not those of {_field(meta, 'shN', 'bands')!r} bands")
    codes = pixels.reshape(-1, k, 4)[..., :3]
    if version == 2:
        return _codebook(meta, "shN").astype(np.float32)[codes]
    low, high = (_number(_field(meta, "shN", key)) for key in ("mins", "maxs"))
    return (low + (high - low) * (codes / 255.0)).astype(np.float32)


def _look_up(palette: Float32[np.ndarray, "p k 3"], labels: UInt8[np.ndarray, "n 4"]) -> Float32[np.ndarray, "n k 3"]:
    rows = labels[:, 0].astype(np.int64) | labels[:, 1].astype(np.int64) << 8
    if len(rows) and rows.max() >= len(palette):
        raise FormatError(f"SOG label {rows.max()} points past its palette of {len(palette)}: the file is damaged")
    return palette[rows]


def _codebook(meta: dict[str, Any], section: str) -> np.ndarray:
    book = _field(meta, section, "codebook")
    if not isinstance(book, list) or not 2 <= len(book) <= 256:
        raise FormatError(f"SOG {section}.codebook must be a list of up to 256 numbers")
    if book[0] is None:  # an early encoder wrote its lowest entry as null; viewers continue the line of the others
        book = [_number(book[1]) + (_number(book[1]) - _number(book[-1])) / 255, *book[1:]]
    values = np.array([_number(v) for v in book])
    return np.pad(values, (0, 256 - len(values)), constant_values=np.nan)


def _numbers(meta: dict[str, Any], section: str, key: str, n: int) -> np.ndarray:
    values = _field(meta, section, key)
    if not isinstance(values, list) or len(values) != n:
        raise FormatError(f"SOG {section}.{key} must be a list of {n} numbers")
    return np.array([_number(v) for v in values])


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e30:
        raise FormatError(f"SOG description has {str(value)[:40]!r} where a number was expected")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**40:
        raise FormatError(f"SOG description has a count of {str(value)[:40]!r}")
    return value


def _field(meta: dict[str, Any], section: str, key: str) -> Any:
    part = meta.get(section)
    if not isinstance(part, dict) or key not in part:
        raise FormatError(f"SOG description has no {section}.{key}")
    return part[key]
