"""Plain values by key in one safetensors file: what is equal is stored once, and nothing that is read can run code."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from spatialwm.atomic import write_bytes
from spatialwm.errors import DataError, FormatError

_KIND, _OF, _TEXT = "$", "of", "json/"
_HOME = "spatialwm."
"""Records name their class; only dataclasses of this package are ever made of what a file says."""


def write_shelf(path: Path, values: Mapping[str, Any]) -> None:
    """Write values made of numbers, texts, None, tuples, lists, dicts, arrays and this package's dataclasses.

    Raises:
        DataError: a value of another type.
        FormatError: the file cannot be written; what was there stays.
    """
    arrays: dict[str, np.ndarray] = {}
    for key, value in values.items():
        # A tensor and not the file's own metadata, whose order differs from run to run.
        text = json.dumps(_plain(value, arrays, key)).encode()
        arrays[_TEXT + key] = np.frombuffer(text, np.uint8)
    write_bytes(path, save(arrays), FormatError)


def read_shelf(path: Path, key: str) -> Any:
    """One value of what :func:`write_shelf` wrote; arrays come back bit for bit.

    Raises:
        FormatError: missing, truncated, or holding no such key.
    """
    try:
        with safe_open(path, "np") as file:
            if _TEXT + key not in file.keys():  # noqa: SIM118, it is no dict
                raise FormatError(f"{path} holds nothing called {key}; it belongs to another data set or was cut short")
            return _value(json.loads(file.get_tensor(_TEXT + key).tobytes()), file)
    except FormatError:
        raise
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror or error}") from error
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
        raise FormatError(f"{path} is damaged or of a newer spatialwm: {error}") from error


def _plain(value: Any, arrays: dict[str, np.ndarray], where: str) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return _number(value)
    if isinstance(value, np.generic):
        return _number(value.item())
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        kept = np.ascontiguousarray(value)
        name = hashlib.sha256(f"{kept.dtype.str}{kept.shape}".encode() + kept.tobytes()).hexdigest()[:24]
        arrays[name] = kept
        return {_KIND: "array", _OF: name}
    if isinstance(value, tuple):
        return [_plain(v, arrays, where) for v in value]
    if isinstance(value, list):
        return {_KIND: "list", _OF: [_plain(v, arrays, where) for v in value]}
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return {_KIND: "dict", _OF: {k: _plain(v, arrays, where) for k, v in value.items()}}
    if dataclasses.is_dataclass(value) and type(value).__module__.startswith(_HOME):
        fields = {f.name: _plain(getattr(value, f.name), arrays, where) for f in dataclasses.fields(value) if f.init}
        return {_KIND: f"{type(value).__module__}:{type(value).__qualname__}", _OF: fields}
    raise DataError(
        f"{where} holds a {type(value).__module__}.{type(value).__qualname__}, which cannot be kept: use numbers, texts, arrays, "
        "tuples, lists, dicts and dataclasses of this package"
    )


def _number(value: Any) -> Any:
    # JSON has no infinities, and readers in other languages stop at Python's NaN.
    return {_KIND: "float", _OF: str(value)} if isinstance(value, float) and not math.isfinite(value) else value


def _value(tree: Any, file: Any) -> Any:
    if isinstance(tree, list):
        return tuple(_value(t, file) for t in tree)
    if not isinstance(tree, dict):
        return tree
    kind, of = tree[_KIND], tree[_OF]
    if kind == "array":
        return file.get_tensor(of)
    if kind == "float":
        return float(of)
    if kind == "list":
        return [_value(t, file) for t in of]
    if kind == "dict":
        return {k: _value(t, file) for k, t in of.items()}
    return _record(kind)(**{k: _value(t, file) for k, t in of.items()})


def _record(kind: str) -> type[Any]:
    module, _, name = kind.partition(":")
    if not module.startswith(_HOME):
        raise ValueError(f"it wants to make a {kind}, which is not of this package")
    found = getattr(importlib.import_module(module), name)
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ValueError(f"{kind} is no record")
    return found
