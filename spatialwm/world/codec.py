"""Scenes and edits as JSON plus blobs, driven by the types of their dataclass fields, exact to the last bit.

``{"$object": hash}`` refers to an object's own record, ``{"$blob": hash}`` to arrays on disk. Floats are exact: Python writes the
shortest text that reads back to the same number.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import torch
from jaxtyping import AbstractArray
from torch import Tensor

from spatialwm.errors import EditError, SpatialwmError, WorldError
from spatialwm.scene import Scene, SceneObject
from spatialwm.scene.edits import EDITS, Edit
from spatialwm.world.blobs import BlobStore

Json = Any
"""What :mod:`json` reads and writes."""


class Draft:
    """A commit that is being prepared: what it would add, not to be relied on until it is committed."""

    def __init__(self) -> None:
        self.records: dict[str, str] = {}
        self.blobs: set[str] = set()
        self.hashes = _IdentityMap()
        self.values: list[tuple[object, str]] = []

    def add(self, value: object, digest: str) -> None:
        """Note that ``value`` is written under that hash."""
        self.hashes.put(value, digest)
        self.values.append((value, digest))


class Codec:
    """Encodes and decodes for one world, and remembers which value is which hash.

    The memory is weak: a scene's unchanged objects cost nothing to commit, revisions that are alive share what they have in
    common, and nothing is kept alive for the memory's sake. It relies on values being frozen.
    """

    def __init__(self, blobs: BlobStore, read_record: Callable[[str], str]) -> None:
        self._blobs = blobs
        self._read_record = read_record
        self._hash_of = _IdentityMap()
        self._value_of: weakref.WeakValueDictionary[tuple[object, str], Any] = weakref.WeakValueDictionary()

    def encode_scene(self, scene: Scene, draft: Draft) -> str:
        """Put a scene's new records into ``draft`` and its new arrays on disk; returns the hash of the scene's record."""
        return self._record(scene, draft)

    def decode_scene(self, digest: str) -> Scene:
        """The scene of a record."""
        return self._from_record(digest, Scene, None)

    def encode_edit(self, edit: Edit, draft: Draft) -> dict[str, Json]:
        """The command of an edit: its ``op`` and fields, arrays and objects by reference."""
        if EDITS.get(edit.op) is not type(edit):
            raise EditError(f"unknown edit {type(edit).__name__}; a world can replay only: {', '.join(EDITS)}")
        return {"op": edit.op, **self._encode_fields(edit, draft)}

    def decode_edit(self, command: dict[str, Json], draft: Draft | None = None) -> Edit:
        """Inverse of :meth:`encode_edit`; takes hand-written commands without references too.

        Args:
            draft: where to look for records that are not committed yet.

        Raises:
            EditError: the op is unknown, or a field is missing, unknown or of the wrong kind.
        """
        op = command.get("op")
        kind = EDITS.get(op) if isinstance(op, str) else None
        if kind is None:
            raise EditError(f"unknown edit {op!r}; known are: {', '.join(EDITS)}")
        try:
            return self._decode_fields({k: v for k, v in command.items() if k != "op"}, kind, draft)
        except _Mismatch as error:
            raise EditError(f"edit {op}: {error}") from None

    def remember(self, draft: Draft) -> None:
        """Trust the draft's hashes from now on: they are committed."""
        for value, digest in draft.values:
            self._hash_of.put(value, digest)
            if self._is_canonical(value):
                self._value_of.setdefault((type(value), digest), value)

    def _is_canonical(self, value: Any) -> bool:
        """Whether a value is laid out as reading it back would; only then may it stand in for the stored one.

        Strides change the order of a sum and with it the last bit, so an edit replayed on the stored value could differ.
        """
        if isinstance(value, Tensor):
            return value.device.type == "cpu" and value.is_contiguous() and not value.requires_grad
        if isinstance(value, tuple):
            return all(map(self._is_canonical, value))
        if not is_dataclass(value):
            return not isinstance(value, np.ndarray) or value.flags.c_contiguous
        known = self._hash_of.get(value)
        if known is not None and self._value_of.get((type(value), known)) is value:
            return True
        return all(self._is_canonical(getattr(value, name)) for name in _schema(type(value)))

    # ------------------------------------------------------------------------------------------------------------ encoding

    def _encode(self, value: Any, hint: Any, draft: Draft) -> Json:
        if value is None:
            return None
        hint = _without_none(hint)
        if hint is SceneObject:
            return {"$object": self._record(value, draft)}
        if _is_array(hint) or _is_bundle(hint):
            return {"$blob": self._blob(value, draft)}
        if is_dataclass(hint):
            return self._encode_fields(value, draft)
        if get_origin(hint) is tuple:
            return [self._encode(v, h, draft) for v, h in zip(value, _item_hints(hint, len(value)), strict=True)]
        return value.item() if isinstance(value, np.generic) else value

    def _encode_fields(self, value: Any, draft: Draft) -> dict[str, Json]:
        return {name: self._encode(getattr(value, name), hint, draft) for name, hint in _schema(type(value)).items()}

    def _record(self, value: SceneObject | Scene, draft: Draft) -> str:
        known = self._hash_of.get(value) or draft.hashes.get(value)
        if known is None:
            body = json.dumps(self._encode_fields(value, draft), sort_keys=True, separators=(",", ":"))
            known = hashlib.sha256(body.encode()).hexdigest()
            draft.records[known] = body
            draft.add(value, known)
        return known

    def _blob(self, value: Any, draft: Draft) -> str:
        known = self._hash_of.get(value) or draft.hashes.get(value)
        if known is None:
            known = self._blobs.put(_arrays(value))
            draft.blobs.add(known)
            draft.add(value, known)
        return known

    # ------------------------------------------------------------------------------------------------------------ decoding

    def _decode(self, data: Json, hint: Any, draft: Draft | None) -> Any:
        if data is None:
            if hint is NoneType or NoneType in get_args(hint):
                return None
            raise _Mismatch(f"expected {_say(hint)}, got null")
        hint = _without_none(hint)
        if hint is SceneObject:
            return self._from_record(_reference(data, "$object"), SceneObject, draft)
        if _is_array(hint) or _is_bundle(hint):
            return self._from_blob(_reference(data, "$blob"), hint, draft)
        if is_dataclass(hint):
            return self._decode_fields(data, hint, draft)
        if get_origin(hint) is tuple:
            if not isinstance(data, list | tuple):
                raise _Mismatch(f"expected a list, got {data!r}")
            return tuple(self._decode(d, h, draft) for d, h in zip(data, _item_hints(hint, len(data)), strict=True))
        return _scalar(data, hint)

    def _decode_fields(self, data: Json, kind: Any, draft: Draft | None) -> Any:
        hints = _schema(kind)
        if not isinstance(data, dict):
            raise _Mismatch(f"expected the fields of {kind.__name__}, got {data!r}")
        for name in data:
            if name not in hints:
                raise _Mismatch(f"unknown field {name!r}; it has {', '.join(hints)}")
        for field in fields(kind):
            if field.name not in data and field.default is MISSING and field.default_factory is MISSING:
                raise _Mismatch(f"field {field.name!r} is missing")
        values: dict[str, Any] = {}
        for name, item in data.items():
            try:
                values[name] = self._decode(item, hints[name], draft)
            except _Mismatch as error:
                raise _Mismatch(f"{name}: {error}") from None
        return kind(**values)

    def _from_record(self, digest: str, kind: Any, draft: Draft | None) -> Any:
        value = self._value_of.get((kind, digest))
        if value is None:
            body = draft.records.get(digest) if draft is not None else None
            body = self._read_record(digest) if body is None else body
            if hashlib.sha256(body.encode()).hexdigest() != digest:
                raise WorldError(f"record {digest} is damaged: its text does not match its hash; restore a copy of the world")
            try:
                value = self._decode_fields(json.loads(body), kind, draft)
            except (_Mismatch, ValueError) as error:
                raise WorldError(f"record {digest} does not describe a {kind.__name__}: {error}") from None
            self._learn(value, kind, digest, draft)
        return value

    def _from_blob(self, digest: str, hint: Any, draft: Draft | None) -> Any:
        kind = hint.array_type if _is_array(hint) else hint
        value = self._value_of.get((kind, digest))
        if value is None:
            arrays = self._blobs.get(digest)
            try:
                if _is_array(hint):
                    value = _restore(arrays["value"], hint)
                else:
                    value = kind(**{n: _restore(arrays[n], h) for n, h in _schema(kind).items() if n in arrays})
            except (KeyError, TypeError, SpatialwmError) as error:
                raise WorldError(f"blob {digest} does not hold {_say(hint)}: {error}") from None
            self._learn(value, kind, digest, draft)
        return value

    def _learn(self, value: Any, kind: object, digest: str, draft: Draft | None) -> None:
        if draft is not None:
            draft.add(value, digest)
        else:
            self._value_of[(kind, digest)] = value
            self._hash_of.put(value, digest)


class _IdentityMap:
    """Hashes of frozen values by identity, held weakly."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[Any], str]] = {}

    def get(self, value: object) -> str | None:
        entry = self._entries.get(id(value))
        return entry[1] if entry is not None and entry[0]() is value else None

    def put(self, value: object, digest: str) -> None:
        key = id(value)
        entries = self._entries
        entries[key] = (weakref.ref(value, lambda _: entries.pop(key, None)), digest)


class _Mismatch(Exception):
    """Data that does not fit its type."""


@cache
def _schema(kind: Any) -> dict[str, Any]:
    """Type of each field of a dataclass."""
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


@cache
def _is_array(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, AbstractArray)


@cache
def _is_bundle(hint: Any) -> bool:
    """A dataclass of nothing but arrays (Gaussians, a mesh) is stored as one blob."""
    return is_dataclass(hint) and all(_is_array(_without_none(h)) for h in _schema(hint).values())


@cache
def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (h for h in get_args(hint) if h is not NoneType)
    return hint


def _item_hints(hint: Any, count: int) -> tuple[Any, ...]:
    items = get_args(hint)
    if len(items) == 2 and items[1] is Ellipsis:
        return (items[0],) * count
    if len(items) != count:
        raise _Mismatch(f"expected {len(items)} values, got {count}")
    return items


def _scalar(data: Json, hint: Any) -> Any:
    if get_origin(hint) is Literal:
        fits = data in get_args(hint)
    elif hint is float:  # A whole number stays the int it was, so that it reads back exactly.
        fits = isinstance(data, int | float) and not isinstance(data, bool)
    else:
        fits = type(data) is hint
    if not fits:
        raise _Mismatch(f"expected {_say(hint)}, got {data!r}")
    return data


def _say(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    return {float: "a number", str: "a text", bool: "true or false", int: "a whole number"}.get(hint, str(hint))


def _reference(data: Json, key: str) -> str:
    if isinstance(data, dict) and set(data) == {key} and isinstance(data[key], str):
        return data[key]
    raise _Mismatch(f"expected a reference {{{key!r}: hash}}; this field cannot be written by hand")


def _arrays(value: Any) -> dict[str, np.ndarray]:
    if isinstance(value, Tensor | np.ndarray):
        return {"value": _to_numpy(value)}
    return {f.name: _to_numpy(a) for f in fields(value) if (a := getattr(value, f.name)) is not None}


def _to_numpy(array: Tensor | np.ndarray) -> np.ndarray:
    return array.detach().cpu().numpy() if isinstance(array, Tensor) else array


def _restore(array: np.ndarray, hint: Any) -> Tensor | np.ndarray:
    if _without_none(hint).array_type is Tensor:
        return torch.from_numpy(array if array.flags.writeable else array.copy())
    array.flags.writeable = False
    return array
