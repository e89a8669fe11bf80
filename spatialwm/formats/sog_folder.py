"""Unbundled SOG on disk: a folder with a meta.json, or a lod-meta.json over several of them."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spatialwm.errors import FormatError
from spatialwm.formats import sog
from spatialwm.formats.frames import RDF
from spatialwm.formats.sog_archive import Folder, inside, parse_json
from spatialwm.formats.splat_file import SplatFile, assemble
from spatialwm.gaussians import concatenate

_MAX_LEVELS = 64


def find(folder: Path) -> Path | None:
    """The description inside ``folder``, when it is a SOG."""
    return next((folder / name for name in ("lod-meta.json", "meta.json") if (folder / name).is_file()), None)


def read(path: Path) -> SplatFile:
    """Gaussians of a ``meta.json``, or the finest level of a ``lod-meta.json`` whose files are all present.

    Raises:
        FormatError: neither, or parts are missing or damaged.
    """
    meta = parse_json(path.read_bytes())
    if "lodLevels" in meta:
        return _read_lod(path.parent, meta)
    if path.name != "meta.json":
        raise FormatError("not a SOG description: expected meta.json or lod-meta.json")
    stored, notes = sog.load(Folder(path.parent))
    return assemble(RDF, "sog", *stored, notes=notes)


def _read_lod(root: Path, meta: dict[str, Any]) -> SplatFile:
    names, levels = meta.get("filenames"), meta["lodLevels"]
    if not isinstance(names, list) or not isinstance(levels, int) or not 0 < levels <= _MAX_LEVELS:
        raise FormatError("lod-meta.json must hold filenames and from 1 to 64 lodLevels")
    files = [inside(root, name) for name in names]
    leaves = list(_leaves(meta.get("tree")))
    for level in range(levels):
        runs = [run for leaf in leaves for run in _runs(leaf, level, len(files))]
        if runs and all(files[file].is_file() for file, _, _ in runs):
            missing = ", finer levels are not in the folder" if level else ""
            return _gather(files, runs, f"level {level} of {levels}, 0 the finest{missing}")
    raise FormatError(f"none of the {levels} levels has all of its files beside lod-meta.json: copy the folders it names")


def _gather(files: list[Path], runs: list[tuple[int, int, int]], note: str) -> SplatFile:
    loaded = {file: sog.load(Folder(files[file].parent)) for file in {run[0] for run in runs}}
    if sum(count for _, _, count in runs) > sum(len(stored.means) for stored, _ in loaded.values()):
        raise FormatError("lod-meta.json names more splats than its files hold")
    parts: list[SplatFile] = []
    for file, offset, count in runs:
        stored, notes = loaded[file]
        if offset + count > len(stored.means):
            raise FormatError(f"lod-meta.json names splats up to {offset + count} of {len(stored.means)} in {files[file]}")
        rows = (column[offset : offset + count] for column in stored)
        parts.append(assemble(RDF, "sog", *rows, notes=notes))
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    return SplatFile(concatenate([part.gaussians for part in parts]), "sog", (*notes, note))


def _leaves(tree: Any) -> Iterator[dict[str, Any]]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if not isinstance(node, dict):
            raise FormatError("lod-meta.json has a tree node that is not an object")
        if isinstance(node.get("lods"), dict):
            yield node["lods"]
        children = node.get("children", [])
        if not isinstance(children, list):
            raise FormatError("lod-meta.json has children that are not a list")
        pending.extend(reversed(children))


def _runs(leaf: dict[str, Any], level: int, files: int) -> Iterator[tuple[int, int, int]]:
    """``(file, first, count)`` of a leaf at ``level``; a leaf without that level has nothing to show there."""
    run = leaf.get(str(level))
    if run is None:
        return
    try:
        file, offset, count = (operator.index(run[key]) for key in ("file", "offset", "count"))
    except (TypeError, KeyError):
        file, offset, count = -1, 0, 0
    if not 0 <= file < files or offset < 0 or count < 0:
        raise FormatError(f"lod-meta.json has a run {str(run)[:80]} that names no file, offset and count")
    yield file, offset, count
