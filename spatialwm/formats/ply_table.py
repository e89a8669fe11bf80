"""The PLY container: its header and the columns of an element, checked against the file's length before any allocation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatialwm.errors import FormatError

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_BYTE_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": ""}
_MAX_HEADER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Property:
    """One column; a list property also has the type of its length."""

    name: str
    type: str
    length_type: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """A table of the file."""

    name: str
    count: int
    properties: tuple[Property, ...]

    @property
    def names(self) -> frozenset[str]:
        """Of its columns."""
        return frozenset(p.name for p in self.properties)


@dataclass(frozen=True, slots=True)
class PlyTable:
    """A PLY file in memory with its header understood."""

    data: bytes
    body_start: int
    byte_order: str
    """``<``, ``>`` or empty for ascii."""
    elements: tuple[Element, ...]

    def element(self, name: str) -> Element | None:
        """The first element of that name."""
        return next((e for e in self.elements if e.name == name), None)

    def columns(self, name: str) -> dict[str, np.ndarray]:
        """The columns of an element, those before it skipped.

        Raises:
            FormatError: absent, made of lists, or longer than the file.
        """
        element = self.element(name)
        if element is None:
            raise FormatError(f"PLY has no {name!r} element: expected 3D Gaussians as trainers write them")
        if any(p.length_type for p in element.properties):
            raise FormatError(f"PLY element {name!r} holds lists, which splats never do")
        if len(element.names) != len(element.properties) or not element.properties:
            raise FormatError(f"PLY element {name!r} has no properties or names one twice")
        return self._ascii(element) if not self.byte_order else self._binary(element)

    def _binary(self, element: Element) -> dict[str, np.ndarray]:
        offset = self.body_start
        for before in self.elements[: self.elements.index(element)]:
            offset = self._skip(before, offset)
        row = np.dtype([(p.name, self.byte_order + p.type) for p in element.properties])
        need, have = element.count * row.itemsize, len(self.data) - offset
        if need > have:
            raise FormatError(
                f"PLY header declares {element.count} of {element.name!r}, {need} bytes, but {max(have, 0)} are left: "
                "the file is truncated or its header is wrong"
            )
        rows = np.frombuffer(self.data, row, element.count, offset)
        return {p.name: rows[p.name] for p in element.properties}

    def _skip(self, element: Element, offset: int) -> int:
        """Where ``element`` ends; rows with lists have to be walked."""
        if not any(p.length_type for p in element.properties):
            return offset + element.count * sum(int(p.type[1]) for p in element.properties)
        for _ in range(element.count):
            for p in element.properties:
                if p.length_type is None:
                    offset += int(p.type[1])
                    continue
                if offset >= len(self.data):  # ends the walk of a count that the file cannot hold
                    raise FormatError(f"PLY element {element.name!r} runs past the end of the file")
                length = int(np.frombuffer(self.data, self.byte_order + p.length_type, 1, offset)[0])
                if length < 0:
                    raise FormatError(f"PLY element {element.name!r} has a list of {length} entries")
                offset += int(p.length_type[1]) + length * int(p.type[1])
        return offset

    def _ascii(self, element: Element) -> dict[str, np.ndarray]:
        skipped = sum(e.count for e in self.elements[: self.elements.index(element)])
        width = len(element.properties)
        # A row is at least a digit and a separator per value.
        if skipped + element.count * width * 2 > len(self.data) - self.body_start + 1:
            raise FormatError(f"PLY header declares {element.count} of {element.name!r}, more than the file can hold")
        lines = self.data[self.body_start :].splitlines()[skipped : skipped + element.count]
        words = b" ".join(lines).split()
        if len(lines) != element.count or len(words) != element.count * width:
            raise FormatError(f"PLY text has {len(words)} values where {element.count} rows of {width} were expected")
        values = np.fromiter(map(float, words), np.float64, len(words)).reshape(-1, width)
        return {p.name: values[:, i] for i, p in enumerate(element.properties)}


def parse(data: bytes) -> PlyTable:
    """Understand the header of a PLY file.

    Raises:
        FormatError: not a PLY header.
    """
    if not data.startswith((b"ply\n", b"ply\r")):
        raise FormatError("not a PLY file: it does not begin with 'ply'")
    mark = data.find(b"\nend_header", 0, _MAX_HEADER_BYTES)
    end = data.find(b"\n", mark + 1, mark + 14) if mark >= 0 else -1
    if end < 0:
        raise FormatError("PLY header has no end_header line: the file is truncated")
    byte_order: str | None = None
    elements: list[Element] = []
    for line in data[:mark].decode("ascii", "replace").splitlines()[1:]:
        words = line.split()
        match words:
            case [] | ["comment", *_] | ["obj_info", *_]:
                continue
            case ["format", kind, _] if kind in _BYTE_ORDERS:
                byte_order = _BYTE_ORDERS[kind]
            case ["element", name, count] if count.isdecimal() and len(count) < 19:
                elements.append(Element(name, int(count), ()))
            case ["property", "list", length, kind, name] if elements and kind in _TYPES and length in _TYPES:
                _append(elements, Property(name, _TYPES[kind], _TYPES[length]))
            case ["property", kind, name] if elements and kind in _TYPES:
                _append(elements, Property(name, _TYPES[kind]))
            case _:
                raise FormatError(f"PLY header line is not understood: {line[:80]!r}")
    if byte_order is None:
        raise FormatError("PLY header has no format line")
    return PlyTable(data, end + 1, byte_order, tuple(elements))


def _append(elements: list[Element], column: Property) -> None:
    last = elements[-1]
    elements[-1] = Element(last.name, last.count, (*last.properties, column))
