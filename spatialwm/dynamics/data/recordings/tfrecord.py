"""TFRecord files of tf.train.Example without TensorFlow: frames with check sums around a small part of protobuf.

Sources: tensorflow/core/lib/io/record_writer.h (framing), tensorflow/core/example/example.proto (field numbers).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spatialwm.errors import FormatError

Feature = list[bytes] | np.ndarray
"""Byte strings, or float32 or int64 numbers."""
MAX_RECORD = 2_000_000_000
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3


def read_records(path: Path) -> Iterator[dict[str, Feature]]:
    """The examples of one file, one after the other.

    The check sum of each length is verified, which finds truncation and lost framing; that of the contents is not.

    Raises:
        FormatError: truncated or no TFRecord file.
    """
    with path.open("rb") as file:
        number = 0
        while head := file.read(12):
            length, check = struct.unpack("<QI", head) if len(head) == 12 else (0, -1)
            if check != _masked_crc32c(head[:8]) or length > MAX_RECORD:
                raise FormatError(f"{path}: record {number} does not begin where it should; the file is cut or is no TFRecord")
            data = file.read(length)
            if len(data) < length or len(file.read(4)) < 4:
                raise FormatError(f"{path} ends in the middle of record {number}; copy it again")
            try:
                yield _example(data)
            except (IndexError, ValueError, struct.error) as error:
                raise FormatError(f"{path}: record {number} is not a tf.train.Example: {error}") from error
            number += 1


def _example(data: bytes) -> dict[str, Feature]:
    out: dict[str, Feature] = {}
    for _, features in _fields(data):
        for _, entry in _fields(_bytes(features)):
            pair = dict(_fields(_bytes(entry)))
            out[_bytes(pair[1]).decode()] = _feature(_bytes(pair.get(2, b"")))
    return out


def _feature(data: bytes) -> Feature:
    for kind, values in _fields(data):
        if kind == _BYTES_LIST:
            return [_bytes(v) for _, v in _fields(_bytes(values))]
        parts = [v for _, v in _fields(_bytes(values))]
        if kind == _FLOAT_LIST:
            return np.frombuffer(b"".join(_bytes(p) for p in parts), "<f4")
        if kind == _INT64_LIST:
            return np.array([n for p in parts for n in ([p] if isinstance(p, int) else _varints(p))], np.int64)
    return []


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        if at + length > len(data):
            raise ValueError(f"a field of {length} bytes passes the end")
        yield tag >> 3, data[at : at + length]
        at += length


def _varints(data: bytes) -> list[int]:
    out, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        out.append(value - (1 << 64) if value >> 63 else value)
    return out


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError(f"a number without end at byte {at}")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")
    return value


def _masked_crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
