"""Rooms: floor, walls, a window with a view, a door, trim and the light that comes in."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.text.graph import Item, SceneGraph
from spatialwm.lift.text.light.lights import Light, Portal, Sun
from spatialwm.lift.text.model import Model, Part, Solid
from spatialwm.lift.text.places.outlook import Outlook, outlook_of, view
from spatialwm.lift.text.places.place import Piece, Place
from spatialwm.lift.text.places.shell import Opening, Shell, Wall
from spatialwm.lift.text.places.spawn import indoor_view
from spatialwm.lift.text.places.styles import RoomStyle, finished, style_of
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import Finish, finish, known_color, stain
from spatialwm.lift.text.surface.solids import box, join, quad, sheet, slab, sphere, tube
from spatialwm.scene import Environment

WALL_M = 0.16
"""Depth of the window reveal, thickness of walls."""

LAMP_KINDS = frozenset(
    {
        "floor lamp",
        "table lamp",
        "lamp",
        "pendant lamp",
        "ceiling lamp",
        "chandelier",
        "candle",
        "fireplace",
        "lantern",
        "desk lamp",
        "wall lamp",
    }
)
"""Kinds that give light; with one of them, dusk is the hour that flatters."""

TRIM_M = 0.11
CORNICE_M = 0.06
"""Heights of skirting and cornice. Walls end where these begin, so that their Gaussians do not bleed over them."""

TUCK_M, OVERLAP_M = 0.015, 0.04
"""How far walls reach behind their trim, and surfaces past each other's corners, as Gaussians fade at the end of a sheet."""

CELL_M = 0.12
"""Size of wall triangles; the grain at which walls get finer near what hangs on them."""

DOOR_M = (0.92, 2.06)
"""Width and height of a door leaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    x: float
    y: float
    z: float
    """Half width, half depth, height."""
    style: RoomStyle
    outlook: Outlook
    window: tuple[float, float, float, float] | None
    """y from, y to, z from, z to, in the west wall."""
    door_x: float | None
    """Middle of the door in the south wall."""
    window_item: Item | None
    door_item: Item | None
    """What the sentence says of them; None where the room has them unasked."""


def room(graph: SceneGraph, size_m: tuple[float, float, float] | None = None) -> Place:
    """The room of an indoor sentence: its sort, hour and what it must lack; ``size_m`` overrides width, depth and height."""
    plan = _plan(graph, size_m)
    lit = any(i.kind in LAMP_KINDS for i in graph.items)
    shell = _shell(plan)
    reach = 0.45
    xs = np.linspace(-plan.x + reach, plan.x - reach, 4)
    ys = np.linspace(-plan.y + reach, plan.y - reach, 4)
    eyes = np.array([(x, y, z) for z in (1.55, 0.9) for x in xs for y in ys])
    environment = Environment(
        kind=graph.place,
        time=graph.time,
        weather=graph.weather,
        room=((-plan.x, -plan.y, 0.0), (plan.x, plan.y, plan.z)),
    )
    drapes = np.zeros((0, 2, 3))
    if plan.window:  # an eye right beside a curtain would see little else
        a, b, _, high = plan.window
        drapes = np.array([[(-plan.x, y, 0.0), (-plan.x + 0.25, y + 0.55, high)] for y in (a - 0.5, b - 0.05)])
    glow = np.array(plan.outlook.portal) * 0.3

    def mirrored(directions: np.ndarray) -> np.ndarray:
        return np.where(directions[:, :1] < 0, glow[None], 0).astype(np.float32)

    pieces, fitted = _fitted(plan, _pieces(plan, graph))
    return Place(
        shell=shell,
        pieces=pieces,
        fitted=fitted,
        environment=environment,
        lights=_daylight(plan),
        mirrored=mirrored,
        ceiling_lamp=() if lit else _ceiling_light(plan),
        eyes=eyes,
        key=plan.outlook.key,
        spawn=lambda bounds, others: indoor_view(shell, bounds, np.concatenate([others, drapes])),
    )


def _plan(graph: SceneGraph, size_m: tuple[float, float, float] | None) -> _Plan:
    style = finished(style_of(graph.place), graph.finishes)
    lit = any(i.kind in LAMP_KINDS for i in graph.items)
    width, depth, height = size_m or (*(graph.room_size_m or style.size_m), 0.0)
    height = max(height, style.height_m)
    x, y = max(width, 2.4) / 2, max(depth, 2.4) / 2
    window_item, door_item = (next((i for i in graph.items if i.kind == kind), None) for kind in ("window", "door"))
    window = None
    if window_item is not None or (style.window and "window" not in graph.absent):
        usual = 1.8 * {"large": 1.35, "small": 0.6, None: 1.0}[window_item.size if window_item else None]
        half = min((window_item and window_item.width_m) or usual, y * 1.2, 2 * y * 0.42 * usual / 1.8) / 2
        middle = min(0.3, y * 0.15)
        tall = (window_item and window_item.height_m) or min(1.4, 0.78 * usual)
        top = min(2.25, height - 0.35)
        window = (middle - half, middle + half, max(top - tall, 0.25), top)
    door_x = None if door_item is None and "door" in graph.absent else min(1.1, x - 0.7)
    outlook = outlook_of(graph.time, graph.weather, lit)
    return _Plan(
        x=x, y=y, z=height, style=style, outlook=outlook, window=window, door_x=door_x,
        window_item=window_item, door_item=door_item,
    )  # fmt: skip


def _shell(plan: _Plan) -> Shell:
    openings: list[Opening] = []
    if plan.window:
        a, b, low, high = plan.window
        openings.append(Opening(kind="window", wall="west", along=(a, b), z=(low, high), clear_m=0.0))
    if plan.door_x is not None:
        w = DOOR_M[0] / 2
        openings.append(
            Opening(kind="door", wall="south", along=(plan.door_x - w, plan.door_x + w), z=(0.0, DOOR_M[1]), clear_m=0.9)
        )
    margin = 0.3
    x, y = plan.x - margin, plan.y - margin
    return Shell(
        low=(-plan.x, -plan.y),
        high=(plan.x, plan.y),
        ceiling_m=plan.z,
        ground_height=lambda _x, _y: 0.0,
        openings=tuple(openings),
        walkable=((-x, -y), (x, -y), (x, y), (-x, y)),
        entry=(plan.door_x or 0.0, -plan.y + 0.5),
    )


# -- surfaces --------------------------------------------------------------------------------------------------------------


def _pieces(plan: _Plan, graph: SceneGraph) -> tuple[Piece, ...]:
    x, y, z = plan.x, plan.y, plan.z
    pieces = [_floor(plan), _ceiling(plan)]
    wall = _wall_material(plan.style)
    name = plan.style.wall_finish
    low, tall, e = TRIM_M - TUCK_M, z - TRIM_M - CORNICE_M + 2 * TUCK_M, OVERLAP_M
    runs: dict[Wall, list[Solid]] = {
        "north": [quad((x + e, y, low), (-2 * x - 2 * e, 0, 0), (0, 0, tall), CELL_M)],
        "south": [quad((-x - e, -y, low), (2 * x + 2 * e, 0, 0), (0, 0, tall), CELL_M)],
        "east": [quad((x, -y - e, low), (0, 2 * y + 2 * e, 0), (0, 0, tall), CELL_M)],
        "west": _west_wall(plan),
    }
    slabs = {
        "north": slab(2 * x, 0.2, z, bevel=0).moved(y=y + 0.1), "south": slab(2 * x, 0.2, z, bevel=0).moved(y=-y - 0.1),
        "east": slab(0.2, 2 * y, z, bevel=0).moved(x=x + 0.1), "west": slab(0.2, 2 * y, z, bevel=0).moved(x=-x - 0.1),
    }  # fmt: skip
    for side, solids in runs.items():
        flipped = [_inward(s, (0.0, 0.0, z / 2)) for s in solids]
        part = Part(name="wall", solid=join(flipped), material=wall, spacing_m=_wall_spacing(plan.style), smooth=False)
        pieces.append(
            Piece(
                id=f"wall-{side}",
                category="wall",
                parts=(part,),
                colliders=(_mesh(slabs[side]),),
                material=name,
                color=known_color(plan.style.wall),
            )
        )
    pieces.append(_trim(plan))
    if plan.window:
        pieces += _window(plan, curtains=not ({"curtain"} & ({i.kind for i in graph.items} | set(graph.absent))))
    if plan.door_x is not None:
        pieces.append(_door(plan))
    return tuple(pieces)


def _inward(solid: Solid, centre: tuple[float, float, float]) -> Solid:
    """The same sheet, facing the middle of the room."""
    a, b, c = (solid.vertices[solid.faces[0, k]] for k in range(3))
    if np.cross(b - a, c - a) @ (np.array(centre) - a) >= 0:
        return solid
    return Solid(solid.vertices, solid.faces[:, ::-1], solid.texture)


def _mesh(solid: Solid) -> Mesh:
    return Mesh(solid.vertices, solid.faces)


def _wall_material(style: RoomStyle) -> m.Material:
    c = style.wall
    match style.wall_finish:
        case "bricks":
            return m.bricks(c)
        case "planks":
            return m.planks(_tones(c), width=0.16, length=2.6, gloss=0.3, upright=True)
        case "tiles":
            return m.tiles(c, size=0.15)
        case "stone":
            return m.blocks(c)
        case _:
            return m.plaster(c)


def _tones(wood: str) -> m.Tones:
    return wood if wood in m.SPECIES else stain(wood)


def _wall_spacing(style: RoomStyle) -> float:
    return {"plaster": 0.034, "bricks": 0.017, "planks": 0.02, "tiles": 0.02, "stone": 0.024}[style.wall_finish]


def _floor(plan: _Plan) -> Piece:
    style, x, y, e = plan.style, plan.x, plan.y, OVERLAP_M
    match style.floor_finish:
        case "planks":
            made, spacing = m.planks(_tones(style.floor)), 0.0165
        case "chess":
            made, spacing = m.tiles(style.floor, size=0.33, second=m.shade(style.floor, 0.16)), 0.021
        case "tiles":
            made, spacing = m.tiles(style.floor, size=0.45), 0.024
        case "carpet":
            made, spacing = m.wool(style.floor), 0.024
        case "stone":
            made, spacing = m.blocks(style.floor, size=(0.6, 0.4), axes=(0, 1)), 0.024
        case _:
            made, spacing = m.stone(style.floor, 2.2), 0.026
    part = Part(
        name="floor",
        solid=quad((-x - e, -y - e, 0), (2 * x + 2 * e, 0, 0), (0, 2 * y + 2 * e, 0)),
        material=made,
        spacing_m=spacing,
        smooth=False,
    )
    under = slab(2 * x + 0.4, 2 * y + 0.4, 0.2, bottom=-0.2, bevel=0)
    return Piece(
        id="floor", category="floor", parts=(part,), colliders=(_mesh(under),), labels=("ground",), material=style.floor_finish
    )


def _ceiling(plan: _Plan) -> Piece:
    x, y, z = plan.x, plan.y, plan.z
    wooden = plan.style.wall_finish == "planks"
    made = m.planks(m.SPECIES["oak"], width=0.18, length=2.4, gloss=0.2) if wooden else m.plaster(plan.style.ceiling)
    e = OVERLAP_M
    body = quad((-x - e, -y - e, z), (0, 2 * y + 2 * e, 0), (2 * x + 2 * e, 0, 0))
    parts = [Part(name="ceiling", solid=body, material=made, spacing_m=0.03 if wooden else 0.07, smooth=False)]
    if wooden:
        count = max(2, round(2 * x / 1.4))
        beams = [box(0.14, 2 * y, 0.16, 0.012).moved(-x + (k + 0.5) * 2 * x / count, 0, z - 0.08) for k in range(count)]
        parts.append(Part(name="beams", solid=join(beams), material=m.wood(("#3a2413", "#7a5230"), along=1), spacing_m=0.024))
    above = slab(2 * x + 0.4, 2 * y + 0.4, 0.2, bottom=z, bevel=0)
    return Piece(id="ceiling", category="ceiling", parts=tuple(parts), colliders=(_mesh(above),), material="plaster")


def _west_wall(plan: _Plan) -> list[Solid]:
    x, y, low, high = plan.x, plan.y + OVERLAP_M, TRIM_M - TUCK_M, plan.z - CORNICE_M + TUCK_M
    if not plan.window:
        return [quad((-x, y, low), (0, -2 * y, 0), (0, 0, high - low), CELL_M)]
    a, b, sill, lintel = plan.window
    return [
        quad((-x, y, low), (0, b - y, 0), (0, 0, high - low), CELL_M),
        quad((-x, a, low), (0, -y - a, 0), (0, 0, high - low), CELL_M),
        quad((-x, b, low), (0, a - b, 0), (0, 0, sill - low), CELL_M),
        quad((-x, b, lintel), (0, a - b, 0), (0, 0, high - lintel), CELL_M),
    ]


def _trim(plan: _Plan) -> Piece:
    """Skirting, broken at the door, and a cornice."""
    x, y, z = plan.x, plan.y, plan.z
    d, h = 0.018, TRIM_M
    boards = [box(d, 2 * y, h, 0).moved(s * (x - d / 2), 0, h / 2) for s in (-1, 1)]
    boards.append(box(2 * x, d, h, 0).moved(0, y - d / 2, h / 2))
    if plan.door_x is None:
        boards.append(box(2 * x, d, h, 0).moved(0, -y + d / 2, h / 2))
    else:
        gap = DOOR_M[0] / 2 + 0.1
        for low, high in ((-x, plan.door_x - gap), (plan.door_x + gap, x)):
            if high - low > 0.02:
                boards.append(box(high - low, d, h, 0).moved((low + high) / 2, -y + d / 2, h / 2))
    c = CORNICE_M
    cornice = [box(c, 2 * y, c, 0).moved(s * (x - c / 2), 0, z - c / 2) for s in (-1, 1)]
    cornice += [box(2 * x, c, c, 0).moved(0, s * (y - c / 2), z - c / 2) for s in (-1, 1)]
    made = finish("painted wood", plan.style.trim).material
    part = Part(name="trim", solid=join([*boards, *cornice]), material=made, spacing_m=0.015, smooth=False, collides=False)
    return Piece(id="trim", category="skirting", parts=(part,), labels=("baseboard", "cornice"), material="wood")


def _window(plan: _Plan, curtains: bool) -> list[Piece]:
    assert plan.window is not None
    a, b, low, high = plan.window
    x, mid_y, mid_z, w, h = plan.x, (a + b) / 2, (low + high) / 2, b - a, high - low
    d = WALL_M
    reveal = [
        quad((-x, a, low), (-d, 0, 0), (0, w, 0), 0.1),
        quad((-x, a, high), (0, w, 0), (-d, 0, 0), 0.1),
        quad((-x, a, low), (0, 0, h), (-d, 0, 0), 0.1),
        quad((-x, b, low), (-d, 0, 0), (0, 0, h), 0.1),
    ]
    reveal = [_inward(s, (-x - d / 2, mid_y, mid_z)) for s in reveal]
    bars = [box(0.05, 0.06, h, 0).moved(-x - 0.11, s, mid_z) for s in (a + 0.03, b - 0.03)]
    bars += [box(0.05, w, 0.06, 0).moved(-x - 0.11, mid_y, s) for s in (low + 0.03, high - 0.03)]
    bars.append(box(0.045, 0.05, h, 0).moved(-x - 0.11, mid_y, mid_z))
    bars += [box(0.03, 0.025, h, 0).moved(-x - 0.11, a + w * k, mid_z) for k in (0.25, 0.75)]
    bars.append(box(0.03, w, 0.025, 0).moved(-x - 0.11, mid_y, mid_z + 0.13 * h))
    casing = [box(0.03, 0.1, h + 0.2, 0).moved(-x + 0.012, s, mid_z) for s in (a - 0.05, b + 0.05)]
    casing.append(box(0.035, w + 0.24, 0.11, 0).moved(-x + 0.015, mid_y, high + 0.05))
    casing.append(box(0.22, w + 0.26, 0.035, 0).moved(-x + 0.02, mid_y, low - 0.017))
    painted = _joinery(plan, plan.window_item)
    lining = m.plain(plan.style.trim)
    sides = Part(name="reveal", solid=join(reveal), material=lining, spacing_m=0.022, smooth=False, collides=False)
    frame = Part(
        name="frame", solid=join([*bars, *casing]), material=painted.material, spacing_m=0.0115, smooth=False, collides=False
    )
    pieces = [
        Piece(id="window-reveal", category="wall", parts=(sides,)),
        Piece(id="window", category="window", parts=(frame,), color=painted.color, material=painted.name),
    ]
    if curtains and plan.style.curtain:
        pieces.append(_curtains(plan, plan.style.curtain))
    middle = quad((-x - 7, mid_y + 7.5, -2), (0, -15, 0), (0, 0, 9), 0.5)
    wings = [
        _inward(quad((-x - 7, mid_y + s, -2), (6.8, 0, 0), (0, 0, 9), 0.5), (-x - 3, mid_y, 2.0)) for s in (-7.5, 7.5)
    ]  # who stands beside the window looks along the wall
    scenery = tuple(
        Part(
            name="view", solid=solid, material=view(plan.outlook, -x), spacing_m=spacing, smooth=False,
            casts_shadow=False, emits=True, collides=False,
        )
        for solid, spacing in ((middle, 0.055), (join(wings), 0.12))
    )  # fmt: skip
    pieces.append(Piece(id="view", category="view", parts=scenery, role="backdrop", labels=("landscape", "outside")))
    return pieces


def _curtains(plan: _Plan, color: str) -> Piece:
    assert plan.window is not None
    a, b, _, high = plan.window
    x, top = plan.x, high + 0.17

    def hanging(start: float, end: float, phase: float) -> Solid:
        def shape(u: np.ndarray, v: np.ndarray) -> tuple:
            folds = 0.045 * np.sin(u * 2 * np.pi * 7 + phase) * (0.6 + 0.4 * (1 - v)) + 0.015 * np.sin(u * 31 + v * 3)
            return (-x + 0.11 + folds, start + (end - start) * u, 0.06 + v * (top - 0.06))

        return sheet(shape, 90, 24)

    cloth = join([hanging(a - 0.5, a + 0.02, 0.0), hanging(b - 0.02, b + 0.5, 2.0)])
    bar = tube(
        [[-x + 0.11, a - 0.65, top + 0.03], [-x + 0.11, (a + b) / 2, top + 0.03], [-x + 0.11, b + 0.65, top + 0.03]], 0.014, 10
    )
    knobs = [sphere(0.03, 2).moved(-x + 0.11, e, top + 0.03) for e in (a - 0.66, b + 0.66)]
    dark = m.plain("#3a2a1a", 0.6, 0.3)
    return Piece(
        id="curtains",
        category="curtain",
        labels=("drapes",),
        color=color,
        material="fabric",
        parts=(
            Part(name="cloth", solid=cloth, material=m.drapery(color), spacing_m=0.018, thin=1.0, collides=False),
            Part(name="rod", solid=join([bar, *knobs]), material=dark, spacing_m=0.011, collides=False),
        ),
    )


def _joinery(plan: _Plan, item: Item | None) -> Finish:
    """The trim's paint, or what a sentence says of its window or door."""
    if item is None:
        return finish("painted wood", plan.style.trim)
    return finish("painted wood", item.color, item.material, default_color=plan.style.trim, along=2)


def _fitted(plan: _Plan, pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], dict[str, tuple[Model, Pose]]]:
    """A stated window or door *is* the room's: its piece becomes the model of that item, at the opening."""
    poses: dict[str, tuple[Item | None, Pose]] = {}
    up = (0.0, 0.0, 1.0)
    if plan.window:
        a, b, low, _ = plan.window
        poses["window"] = (plan.window_item, Pose.about_axis(up, math.pi / 2, (-plan.x, (a + b) / 2, low)))
    if plan.door_x is not None:
        poses["door"] = (plan.door_item, Pose.about_axis(up, math.pi, (plan.door_x, -plan.y, 0.0)))
    fitted: dict[str, tuple[Model, Pose]] = {}
    kept: list[Piece] = []
    for piece in pieces:
        item, pose = poses.get(piece.id, (None, Pose()))
        if item is None:
            kept.append(piece)
            continue
        back = pose.inverse()
        parts = tuple(replace(p, solid=replace(p.solid, vertices=back.apply(p.solid.vertices))) for p in piece.parts)
        model = Model(
            kind=piece.id, parts=parts, has_front=True, mass_kg=25.0, movable=False, color=piece.color, material=piece.material
        )
        fitted[item.key] = (model, pose)
    return tuple(kept), fitted


def _door(plan: _Plan) -> Piece:
    assert plan.door_x is not None
    w, h = DOOR_M
    y = -plan.y
    leaf = [box(w, 0.05, h, 0.006, 0.08).moved(0, 0.02, h / 2)]
    panels = [box(w * 0.33, 0.03, h * 0.36, 0.012).moved(s * w * 0.22, 0.04, z) for s in (-1, 1) for z in (h * 0.25, h * 0.71)]
    casing = [box(0.1, 0.07, h + 0.1, 0.01).moved(s * (w / 2 + 0.05), 0.02, h / 2 + 0.05) for s in (-1, 1)]
    casing.append(box(w + 0.2, 0.07, 0.1, 0.01).moved(0, 0.02, h + 0.08))
    knob = sphere(0.028, 2).moved(-w / 2 + 0.08, 0.09, 1.0)
    painted = _joinery(plan, plan.door_item)
    wood = join([s.moved(plan.door_x, y, 0) for s in (*leaf, *panels, *casing)])
    return Piece(
        id="door",
        category="door",
        color=painted.color,
        material=painted.name,
        parts=(
            Part(name="leaf", solid=wood, material=painted.material, spacing_m=0.0175),
            Part(name="knob", solid=knob.moved(plan.door_x, y, 0), material=m.metal("#a8843f"), spacing_m=0.01),
        ),
    )


# -- light -----------------------------------------------------------------------------------------------------------------


def _daylight(plan: _Plan) -> tuple[Light, ...]:
    if not plan.window:
        return ()
    a, b, low, high = plan.window
    lights: list[Light] = [
        Portal(
            origin=(-plan.x - WALL_M - 0.03, a, low),
            edge_u=(0, b - a, 0),
            edge_v=(0, 0, high - low),
            normal=(1, 0, 0),
            radiance=plan.outlook.portal,
        )
    ]
    if plan.outlook.sun:
        d = np.array([-1.0, -0.42, plan.outlook.sun_height])
        d /= np.linalg.norm(d)
        lights.append(
            Sun(direction=(float(d[0]), float(d[1]), float(d[2])), irradiance=plan.outlook.sun, angle_rad=0.02, samples=6)
        )
    return tuple(lights)


def _ceiling_light(plan: _Plan) -> tuple[Light, ...]:
    """A soft warm panel: the fixture nobody mentions, weak against the day and alone against the night."""
    strength = 2.2 if plan.window and plan.outlook.key > 0.1 else 6.0
    s = 0.35
    return (
        Portal(
            origin=(-s, -s, plan.z - 0.02),
            edge_u=(0, 2 * s, 0),
            edge_v=(2 * s, 0, 0),
            normal=(0, 0, -1),
            radiance=(strength * 1.25, strength, strength * 0.68),
        ),
    )
