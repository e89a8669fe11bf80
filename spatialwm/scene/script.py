"""Edits written by people: one-line commands and JSON scripts become edit values."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable
from dataclasses import fields
from typing import Any, cast

import torch

from spatialwm.errors import EditError, SpatialwmError
from spatialwm.geometry.se3 import Pose, Vec3, vec3
from spatialwm.scene import edits
from spatialwm.scene.articulation import joint_of
from spatialwm.scene.scene import Scene
from spatialwm.scene.selection import inside_box

USAGE: dict[str, str] = {
    "move": "move ID DX DY DZ",
    "rotate": "rotate ID DEGREES [AX AY AZ]",
    "scale": "scale ID FACTOR",
    "duplicate": "duplicate ID [DX DY DZ]",
    "delete": "delete ID",
    "recolor": "recolor ID COLOR",
    "rename": "rename ID NAME",
    "mass": "mass ID KG",
    "friction": "friction ID COEFFICIENT",
    "mobility": "mobility ID static|rigid|articulated|deformable",
    "group": "group NAME ID [ID ...]",
    "ungroup": "ungroup ID [ID ...]",
    "environment": "environment kind|time|weather=VALUE ...",
    "erase": "erase ID X0 Y0 Z0 X1 Y1 Z1",
    "extract": "extract ID NEW_ID X0 Y0 Z0 X1 Y1 Z1",
    "slide": "slide ID PARENT|place AX AY AZ METRES",
    "hinge": "hinge ID PARENT|place AX AY AZ X Y Z DEGREES",
    "joint": "joint ID DEGREES|METRES",
    "fix_scale": "fix_scale X0 Y0 Z0 X1 Y1 Z1 METRES [SIGMA]",
}
"""One line of grammar for each command."""


def parse_command(text: str, scene: Scene) -> edits.Edit:
    """The edit of one command such as ``move mug-1 0.1 0 0``.

    Args:
        text: see :data:`USAGE`; quotes protect blanks.
        scene: what the command refers to; ``erase`` and ``extract`` select the Gaussians inside a world box.

    Raises:
        EditError: unknown command or arguments that do not fit; the message shows the grammar.
    """
    try:
        words = shlex.split(text)
    except ValueError as e:
        raise EditError(f"cannot read the command {text!r}: {e}") from None
    if not words or words[0] not in USAGE:
        raise EditError(f"unknown command {words[0] if words else ''!r}; commands are: {'; '.join(USAGE.values())}")
    verb, *args = words
    try:
        return _COMMANDS[verb](args, scene)
    except SpatialwmError:
        raise
    except (ValueError, IndexError, TypeError):
        raise EditError(f"cannot read {text!r}; expected: {USAGE[verb]}") from None


def parse_script(text: str, scene: Scene) -> list[edits.Edit]:
    """The edits of a JSON script: a list of commands, or of objects ``{"op": "move", "object": "mug-1", "by": [0.1, 0, 0]}``.

    Every entry is read against the scene that the entries before it lead to.

    Raises:
        EditError: not JSON, an unknown op, or fields that do not fit; names the entry.
    """
    try:
        entries = json.loads(text)
    except ValueError as e:
        raise EditError(f"the script is not JSON: {e}") from None
    if not isinstance(entries, list):
        raise EditError(f"a script is a JSON list of edits; got {type(entries).__name__}")
    out: list[edits.Edit] = []
    for i, entry in enumerate(cast("list[Any]", entries)):
        try:
            edit = parse_command(entry, scene) if isinstance(entry, str) else edit_from_dict(entry)
            scene = scene.apply(edit)
        except SpatialwmError as e:
            raise EditError(f"entry {i + 1} of the script: {e}") from None
        out.append(edit)
    return out


def edit_from_dict(entry: Any) -> edits.Edit:
    """The edit of ``{"op": NAME, FIELD: VALUE, ...}``, fields as in :mod:`spatialwm.scene.edits`.

    Raises:
        EditError: unknown op, unknown or missing field, or a value of the wrong type.
    """
    if not isinstance(entry, dict) or "op" not in entry:
        raise EditError('an edit is a command string or an object with an "op"; got ' + repr(cast(Any, entry))[:80])
    given = dict(cast("dict[str, Any]", entry))
    op = given.pop("op")
    if op not in _FROM_JSON:
        raise EditError(f"unknown op {op!r}; a script may use: {', '.join(_FROM_JSON)}")
    kind = edits.EDITS[op]
    names = {f.name for f in fields(cast(Any, kind))}
    unknown = set(given) - names
    if unknown:
        raise EditError(f"{op} has no field {', '.join(sorted(unknown))}; its fields are: {', '.join(sorted(names))}")
    try:
        return kind(**{k: _value(k, v) for k, v in given.items()})
    except SpatialwmError:
        raise
    except (TypeError, ValueError) as e:
        raise EditError(f"{op} does not fit its fields ({', '.join(sorted(names))}): {e}") from None


_FROM_JSON = tuple(op for op in edits.EDITS if op not in ("insert", "insert_all", "delete_gaussians", "make_object"))


def _value(name: str, value: Any) -> Any:
    if name == "poses":
        return tuple((str(i), Pose.from_list(p)) for i, p in value)
    if name in ("by", "axis", "background", "a", "b"):
        return vec3(value)
    if name == "through":
        return None if value is None else vec3(value)
    if name == "range":
        low, high = (float(v) for v in cast("list[Any]", value))
        return (low, high)
    if name == "positions":
        return tuple((str(i), float(p)) for i, p in cast("list[Any]", value))
    if name == "objects":
        return tuple(str(v) for v in value)
    if name in ("angle_deg", "factor", "mass_kg", "friction", "length_m", "click_sigma") and value is not None:
        return float(value)
    if name == "carry":
        if not isinstance(value, bool):
            raise EditError(f"carry must be true or false; got {value!r}")
        return value
    if value is not None and not isinstance(value, str):
        raise EditError(f"{name} must be text; got {value!r}")
    return value


def _optional_vector(args: list[str], default: Vec3) -> Vec3:
    return vec3(args) if args else default


def _selected(scene: Scene, object_id: str, corners: list[str]) -> torch.Tensor:
    return inside_box(scene[object_id], vec3(corners[:3]), vec3(corners[3:]))


def _environment(args: list[str], scene: Scene) -> edits.Edit:
    pairs = dict(a.split("=", 1) for a in args)
    if not pairs or set(pairs) - {"kind", "time", "weather"}:
        raise ValueError
    return edits.SetEnvironment(kind=pairs.get("kind"), time=pairs.get("time"), weather=pairs.get("weather"))


def _span(far: float) -> tuple[float, float]:
    return (min(far, 0.0), max(far, 0.0))


def _parent(word: str) -> str | None:
    return None if word == "place" else word


def _angle_or_length(object_id: str, value: float, scene: Scene) -> float:
    """Degrees of a hinge as radians; metres of a slide."""
    return math.radians(value) if joint_of(scene, object_id).kind == "hinge" else value


def _single(args: list[str]) -> str:
    (value,) = args
    return value


_COMMANDS: dict[str, Callable[[list[str], Scene], edits.Edit]] = {
    "move": lambda a, s: edits.Move(a[0], vec3(a[1:])),
    "rotate": lambda a, s: edits.Rotate(a[0], float(a[1]), _optional_vector(a[2:], (0.0, 0.0, 1.0))),
    "scale": lambda a, s: edits.Scale(a[0], float(_single(a[1:]))),
    "duplicate": lambda a, s: edits.Duplicate(a[0], _optional_vector(a[1:], (0.5, 0.0, 0.0))),
    "delete": lambda a, s: edits.Delete(_single(a)),
    "recolor": lambda a, s: edits.Recolor(a[0], " ".join([a[1], *a[2:]])),
    "rename": lambda a, s: edits.Rename(a[0], " ".join([a[1], *a[2:]])),
    "mass": lambda a, s: edits.SetPhysics(a[0], mass_kg=float(_single(a[1:]))),
    "friction": lambda a, s: edits.SetPhysics(a[0], friction=float(_single(a[1:]))),
    "mobility": lambda a, s: edits.SetPhysics(a[0], mobility=cast(Any, _single(a[1:]))),
    "group": lambda a, s: edits.Group(tuple([a[1], *a[2:]]), a[0]),
    "ungroup": lambda a, s: edits.Group(tuple([a[0], *a[1:]]), ""),
    "environment": _environment,
    "erase": lambda a, s: edits.DeleteGaussians(a[0], _selected(s, a[0], a[1:])),
    "extract": lambda a, s: edits.MakeObject(a[0], _selected(s, a[0], a[2:]), a[1]),
    "slide": lambda a, s: edits.Articulate(a[0], "slide", vec3(a[2:5]), _span(float(_single(a[5:]))), None, _parent(a[1])),
    "hinge": lambda a, s: edits.Articulate(
        a[0], "hinge", vec3(a[2:5]), _span(math.radians(float(_single(a[8:])))), vec3(a[5:8]), _parent(a[1])
    ),
    "joint": lambda a, s: edits.SetJoints(((a[0], _angle_or_length(a[0], float(_single(a[1:])), s)),)),
    "fix_scale": lambda a, s: edits.FixScale(vec3(a[:3]), vec3(a[3:6]), *map(float, [a[6], *a[7:]])),
}
