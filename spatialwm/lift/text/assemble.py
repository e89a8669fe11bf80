"""Models at their poses inside a place become a lit scene of Gaussians."""

from __future__ import annotations

import math
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Float

from spatialwm.gaussians import Gaussians, transform
from spatialwm.gaussians import concatenate as join_gaussians
from spatialwm.geometry.color import linear_to_srgb
from spatialwm.geometry.se3 import Pose, matrix_to_quat
from spatialwm.geometry.sh import SH_C0
from spatialwm.lift.lifter import Quality
from spatialwm.lift.text.graph import Item, SceneGraph
from spatialwm.lift.text.light.bake import Effort, bake
from spatialwm.lift.text.light.exposed import HIDDEN_SPACING, open_to_outside, seen_from
from spatialwm.lift.text.light.gloss import highlights
from spatialwm.lift.text.light.lights import Light, light_of
from spatialwm.lift.text.light.rays import Rays
from spatialwm.lift.text.light.smoothing import neighbours, sharpen
from spatialwm.lift.text.light.tone import auto_exposure, to_display
from spatialwm.lift.text.model import Model, Part, Strands
from spatialwm.lift.text.places.place import REFERENCE_EXPOSURE, Piece, Place, Standing
from spatialwm.lift.text.surface.cores import each
from spatialwm.lift.text.surface.exact import colored_mesh, convex_pieces
from spatialwm.lift.text.surface.sampling import expected_count, sample
from spatialwm.lift.text.surface.splats import Splats, concatenate, from_strands
from spatialwm.progress import Progress, part_of, silent
from spatialwm.scene import Scene, SceneObject
from spatialwm.scene.scene import ScaleSource

MID_ALBEDO = 0.25
"""Albedo of an ordinary room, for the light meter."""

BROAD_M = 0.025
"""Parts of coarser spacing than this are broad, plain surfaces."""


NEAR_M, HUNG_M = 0.018, 0.0095
"""Spacing of broad surfaces where something stands against them, and where something flat hangs on them."""


FEW_STRANDS = 400
"""Fewer than this are drawn as they are at every quality."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a quality stands for."""

    splats: int
    """Surface Gaussians aimed at."""
    strands: int
    """Strands beyond which leaves and grass are thinned."""
    effort: Effort
    sh_degree: int
    eyes: int
    """Views that highlights are fitted to."""


BUDGETS: dict[Quality, Budget] = {
    "draft": Budget(
        splats=70_000,
        strands=32_000,
        effort=Effort(direct=0.5, gather_rays=28, gather_share=0.25, cache_rays=10),
        sh_degree=0,
        eyes=0,
    ),
    "standard": Budget(splats=215_000, strands=92_000, effort=Effort(), sh_degree=1, eyes=14),
    "high": Budget(
        splats=480_000,
        strands=250_000,
        effort=Effort(direct=1.5, gather_rays=64, gather_share=0.3, cache_rays=32),
        sh_degree=2,
        eyes=26,
    ),
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Placed:
    """A model that has found its place."""

    item: Item
    model: Model
    world_from_object: Pose
    supported_by: str | None = "floor"


@dataclass(frozen=True, slots=True, eq=False)
class _Body:
    """One object or piece on its way to Gaussians."""

    parts: Sequence[Part]
    strands: Sequence[Strands]
    pose: Pose
    piece: Piece | None
    hung: bool = False


def _random(seed: int, name: str) -> np.random.Generator:
    """A generator of its own per object, so that adding one leaves the others as they were."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _told(jobs: Sequence[Callable[[], Splats]], costs: Sequence[float], progress: Progress) -> list[Callable[[], Splats]]:
    """The same jobs, which report as each ends, by their share of all costs."""
    lock, done, total = threading.Lock(), [0.0], sum(costs) or 1.0

    def tell(job: Callable[[], Splats], cost: float) -> Splats:
        made = job()
        with lock:
            done[0] += cost
            progress("splatting", done[0] / total)
        return made

    return [partial(tell, job, cost) for job, cost in zip(jobs, costs, strict=True)]


def assemble(
    graph: SceneGraph, placed: Sequence[Placed], place: Place, quality: Quality = "standard", seed: int = 0,
    unmet: Sequence[str] = (), progress: Progress = silent,
) -> Scene:  # fmt: skip
    """Light and splat everything; each object comes back in its own frame."""
    budget = BUDGETS[quality]
    pieces = (*place.pieces, *(place.dress(tuple(_standing(p) for p in placed)) if place.dress else ()))
    bodies = [_Body(p.model.parts, p.model.strands, p.world_from_object, None, p.supported_by == "wall") for p in placed]
    bodies += [_Body(p.parts, p.strands, Pose(), p) for p in pieces]
    names = [p.item.key for p in placed] + [p.id for p in pieces]

    progress("lighting", 0.0)
    rays, glows, owners = _rays(bodies)
    coarseness = each([partial(_coarseness, b, rays, place.eyes) for b in bodies])
    if place.shell.indoor:  # outdoors most surfaces are broad and things stand in grass: neither rule would help
        _refine_near(bodies, coarseness)
    broad_m = BROAD_M if place.shell.indoor else math.inf
    progress("splatting", 0.07)
    counts = [
        sum(expected_count(p, c) for p, c in zip(b.parts, cs, strict=True) if p.opacity > 0)
        for b, cs in zip(bodies, coarseness, strict=True)
    ]
    bodies = _thinned(bodies, budget.strands, seed)
    strands = sum(len(s.roots) for b in bodies for s in b.strands)
    # The open air adds reflections, mist and sparks at the end.
    total = budget.splats * (1.0 if place.shell.indoor else 0.88)
    density = _densities(bodies, counts, max(total - strands, 0.34 * budget.splats), place.shell.indoor)
    jobs = [
        partial(_splats, b, cs, n, density[n], _random(seed, names[n]), broad_m)
        for n, (b, cs) in enumerate(zip(bodies, coarseness, strict=True))
    ]
    # Long jobs first, so that no core ends up alone with a big one.
    costs = [sum(len(p.solid.faces) + expected_count(p) for p in b.parts) for b in bodies]
    order = sorted(range(len(jobs)), key=lambda n: -costs[n])
    made = each(_told([jobs[n] for n in order], [costs[n] for n in order], part_of(progress, 0.07, 0.48)))
    splats = concatenate([made[order.index(n)] for n in range(len(jobs))])
    splats = splats.select(~_buried(splats, rays, owners))
    progress("lighting", 0.48)
    lights = _lights(placed, place)
    colors = _shade(splats, bodies, rays, glows, lights, place, budget, _random(seed, "light"), part_of(progress, 0.48, 0.93))
    progress("splatting", 0.93)
    objects = _objects(splats, colors, placed, pieces)
    if place.finish:
        world = join_gaussians([_in_world(o) for o in objects])
        objects += [
            SceneObject(id=o.id, category=o.category, gaussians=o.gaussians, role=o.role, mobility="static")
            for o in place.finish(world)
        ]
    things = [o for o in objects if o.role == "object"]
    wanted_ids = {o.id for o in things if o.provenance == "stated"} or {o.id for o in things}
    camera = place.spawn(
        *(np.array([o.bounds() for o in things if (o.id in wanted_ids) == asked]).reshape(-1, 2, 3) for asked in (True, False))
    )
    progress("splatting", 1.0)
    return Scene(
        objects=tuple(objects),
        environment=place.environment,
        scale=ScaleSource("exact", 0.0, "built to stated or usual sizes"),
        spawn=camera,
        walkable=place.shell.walkable,
        prompt=graph.prompt,
        unrecognized=graph.unrecognized,
        unmet=tuple(unmet),
    )


def _standing(p: Placed) -> Standing:
    low, high = p.model.bounds()
    corners = np.array([[x, y, low[2]] for x in (low[0], high[0]) for y in (low[1], high[1])])
    world = p.world_from_object.apply(corners)[:, :2]
    (x0, y0), (x1, y1) = world.min(0), world.max(0)
    return Standing(
        id=p.item.key,
        kind=p.model.kind,
        low=(float(x0), float(y0)),
        high=(float(x1), float(y1)),
        extent=(float(high[0] - low[0]), float(high[1] - low[1])),
        rise_m=(p.world_from_object.position[2] + float(low[2]), p.world_from_object.position[2] + float(high[2])),
        has_front=p.model.has_front,
        world_from_object=p.world_from_object,
        material=p.model.material,
        stated=p.item.provenance == "stated",
    )


def _corners(part: Part, pose: Pose) -> Float[np.ndarray, "f 3 3"]:
    return pose.apply(part.solid.vertices)[part.solid.faces]


def _rays(bodies: Sequence[_Body]) -> tuple[Rays, np.ndarray, np.ndarray]:
    """The ray index; per solid whether it glows, and whose it is."""
    casting = [(n, b, p) for n, b in enumerate(bodies) for p in b.parts if p.casts_shadow and len(p.solid.faces)]
    rays = Rays([_corners(p, b.pose) for _, b, p in casting], [p.thin for *_, p in casting])
    return rays, np.array([p.emits for *_, p in casting], np.bool_), np.array([n for n, *_ in casting], np.int64)


def _buried(splats: Splats, rays: Rays, owners: np.ndarray) -> np.ndarray:
    """Which Gaussians lie inside their own object: rays along and beside the normal both meet its triangles from behind.

    Crossing solids leave such Gaussians; unlit and black, they would shine through as dirt along every joint.
    """
    out = np.zeros(len(splats), np.bool_)
    tested = np.nonzero((splats.thin == 0) & (splats.emission.sum(1) == 0))[0]
    for tilt in (0.0, 0.45):
        normals = splats.normals[tested]
        ways = normals + np.float32(tilt) * splats.axes[tested, :, 0]
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        hit = rays.first_hit(splats.means[tested] + normals * np.float32(0.0003), ways)
        own = (hit >= 0) & (rays.thin[hit] == 0) & (owners[rays.solid[hit]] == splats.owner[tested])
        tested = tested[own & ((rays.normals[hit] * ways).sum(1) > 0)]
    out[tested] = True
    return out


def _coarseness(body: _Body, rays: Rays, eyes: np.ndarray) -> list[np.ndarray]:
    """Spacing factor per triangle and part: infinite for what can never be seen."""
    if body.piece is not None and body.piece.role == "backdrop":
        return [np.ones(len(p.solid.faces)) for p in body.parts]
    own = Rays([_corners(p, Pose()) for p in body.parts], [p.thin for p in body.parts]) if body.piece is None else None
    out = []
    for p in body.parts:
        seen = (
            seen_from(rays, _corners(p, body.pose), eyes if own is None else eyes[::3], p.thin > 0)
            if p.casts_shadow
            else np.ones(len(p.solid.faces), np.bool_)
        )
        if own is None:  # a large triangle of which only the rim shows has all its spots hidden: neighbours of the seen count too
            shown = np.zeros(len(p.solid.vertices), np.bool_)
            shown[p.solid.faces[seen]] = True
            seen = seen | shown[p.solid.faces].any(1)
        factor = np.where(seen, 1.0, np.inf)
        if own is not None and not seen.all():
            hidden = np.nonzero(~seen)[0]
            free = np.ones(len(hidden), np.bool_) if p.thin > 0 else open_to_outside(own, _corners(p, Pose())[hidden])
            factor[hidden[free]] = HIDDEN_SPACING
        out.append(factor)
    return out


def _refine_near(bodies: Sequence[_Body], coarseness: Sequence[list[np.ndarray]]) -> None:
    """Make broad surfaces finer where an object touches them, in place.

    Gaussians are sorted by their centres: a wide one of the wall just left of a picture would be drawn over its edge.
    """
    boxes = []
    for b in bodies:
        if b.piece is None and b.parts:
            points = np.concatenate([b.pose.apply(p.solid.vertices) for p in b.parts])
            boxes.append((points.min(0) - 0.05, points.max(0) + 0.05, HUNG_M if b.hung else NEAR_M))
    for b, factors in zip(bodies, coarseness, strict=True):
        if b.piece is None or b.piece.role == "backdrop":
            continue
        for p, factor in zip(b.parts, factors, strict=True):
            if p.spacing_m <= HUNG_M:
                continue
            corners = _corners(p, b.pose)
            low, high = corners.min(1), corners.max(1)
            finest = np.full(len(corners), p.spacing_m)
            for box_low, box_high, spacing in boxes:
                near = ((low <= box_high) & (high >= box_low)).all(1)
                finest[near] = np.minimum(finest[near], spacing)
            factor *= finest / p.spacing_m


def _densities(bodies: Sequence[_Body], counts: Sequence[float], total: float, indoor: bool) -> list[float]:
    """Share of the wanted Gaussians that each body gets, so that about ``total`` come out.

    Outdoors, where wide ground takes most, objects are thinned by the square root of the ground's share: they are looked at.
    """
    wide = sum(c for b, c in zip(bodies, counts, strict=True) if indoor or b.piece is not None)
    looked_at = sum(counts) - wide
    root = (math.sqrt(looked_at**2 + 4 * wide * total) - looked_at) / (2 * wide) if wide > 0 else total / max(looked_at, 1.0)
    shared = float(np.clip(root**2, 0.12, 3.0))
    return [shared if indoor or b.piece is not None else float(np.clip(root, 0.16, 1.6)) for b in bodies]


def _thinned(bodies: Sequence[_Body], most: int, seed: int) -> list[_Body]:
    """At most about ``most`` strands; the kept ones are wider and a little longer, so that crowns and lawns stay as dense.

    Few strands (a flame, fruit) and shining ones (the sky) are left alone.
    """

    def many(s: Strands) -> bool:
        return len(s.roots) >= FEW_STRANDS and s.emission is None

    share = most / max(sum(len(s.roots) for b in bodies for s in b.strands if many(s)), 1)
    if share >= 1:
        return list(bodies)
    rng = np.random.default_rng([seed, most])
    return [replace(b, strands=tuple(sparser(s, share, rng) if many(s) else s for s in b.strands)) for b in bodies]


def sparser(strands: Strands, share: float, rng: np.random.Generator) -> Strands:
    """A share of strands, drawn so that they cover as much as all."""
    n = len(strands.roots)
    kept = np.sort(rng.permutation(n)[: max(int(n * share), FEW_STRANDS // 2)])
    roots, tips = strands.roots[kept], strands.tips[kept]
    longer = (share**-0.2 - 1) * (tips - roots)
    return replace(
        strands,
        roots=roots,
        tips=tips + longer,
        width_m=np.broadcast_to(strands.width_m, (n,))[kept] * share**-0.7,
        albedo=strands.albedo[kept],
        normals=strands.normals[kept],
    )


def _splats(
    body: _Body, coarseness: Sequence[np.ndarray], owner: int, density: float, rng: np.random.Generator, broad_m: float
) -> Splats:
    # Broad plain surfaces cost little; thinning them as much as the rest would only make walls bleed over what hangs on them.
    made = [
        sample(p, rng, density**0.4 if p.spacing_m > broad_m and density < 1 else density, c)
        for p, c in zip(body.parts, coarseness, strict=True)
        if p.opacity > 0
    ]
    made += [from_strands(s) for s in body.strands]
    return concatenate([m.placed(body.pose, owner) for m in made])


def _lights(placed: Sequence[Placed], place: Place) -> tuple[Light, ...]:
    carried = tuple(light_of(e, p.world_from_object) for p in placed for e in p.model.emitters)
    return (*place.lights, *carried, *(() if carried else place.ceiling_lamp))


def _shade(
    splats: Splats,
    bodies: Sequence[_Body],
    rays: Rays,
    glows: np.ndarray,
    lights: tuple[Light, ...],
    place: Place,
    budget: Budget,
    rng: np.random.Generator,
    progress: Progress,
) -> Float[np.ndarray, "n k 3"]:
    """SH colours of all splats."""
    near = neighbours(splats.means, 14)
    progress("lighting", 0.1)
    baked = bake(splats, rays, glows, lights, place.sky, budget.effort, rng, near)
    progress("lighting", 0.75)
    lit = splats.albedo * (baked.direct + baked.indirect) / np.float32(np.pi)
    # A lit lampshade's emission is what comes through it: the bulb behind it must not count twice and clip it to white.
    lit[(splats.thin > 0) & (splats.emission.sum(1) > 0)] *= np.float32(0.15)
    exposure, emission = place.exposure, splats.emission
    if exposure is None:
        counted = np.array([b.piece is None or b.piece.role != "backdrop" for b in bodies])[splats.owner]
        counted &= splats.emission.sum(1) == 0
        area = splats.scales[:, 0] * splats.scales[:, 1]
        # Half by what is seen, half by the light itself: dark wood should look dark and snow white, not both grey.
        grey = np.float32(MID_ALBEDO / np.pi) * (baked.direct + baked.indirect)
        metered = np.sqrt(lit * grey)
        exposure = auto_exposure(metered[counted], area[counted], place.key) if counted.any() else 1.0
        emission = emission * np.float32(REFERENCE_EXPOSURE / exposure)
    radiance = lit + emission
    if place.veil:
        radiance = place.veil(splats.means, radiance).astype(np.float32)
    display = to_display(radiance, exposure)
    sharp = sharpen(*near, splats.normals, display, np.sqrt(splats.scales[:, 0] * splats.scales[:, 1]), splats.opacity)
    k = (budget.sh_degree + 1) ** 2
    sh = np.zeros((len(splats), k, 3), np.float32)
    sh[:, 0] = (sharp - 0.5) / SH_C0
    if budget.sh_degree:
        shiny = np.nonzero((splats.gloss > 0.2) & (splats.thin == 0))[0]
        views = place.eyes[np.linspace(0, len(place.eyes) - 1, min(budget.eyes, len(place.eyes))).astype(int)]
        some = splats.select(shiny)
        sh[shiny] += highlights(
            rays,
            baked.cache,
            place.mirrored or place.sky,
            some.means,
            some.normals,
            some.shading,
            some.gloss,
            some.roughness,
            radiance[shiny],
            views,
            exposure,
            budget.sh_degree,
            rng,
        )
    progress("lighting", 1.0)
    return sh


def _objects(splats: Splats, sh: np.ndarray, placed: Sequence[Placed], pieces: Sequence[Piece]) -> list[SceneObject]:
    quats = matrix_to_quat(torch.from_numpy(np.ascontiguousarray(splats.axes)))
    albedo = torch.from_numpy(linear_to_srgb(splats.albedo).astype(np.float32))
    rows = np.split(
        np.argsort(splats.owner, kind="stable"), np.cumsum(np.bincount(splats.owner, minlength=len(placed) + len(pieces)))[:-1]
    )
    exact = each([partial(colored_mesh, p.model.parts) for p in placed] + [partial(colored_mesh, p.parts, 6000) for p in pieces])
    solid = each([partial(convex_pieces, p.model.parts) for p in placed])
    out: list[SceneObject] = []
    for n, mesh in enumerate(exact):
        r = rows[n]
        index = torch.from_numpy(r)
        world = Gaussians(
            torch.from_numpy(splats.means[r]),
            quats[index],
            torch.from_numpy(splats.scales[r]),
            torch.from_numpy(splats.opacity[r]),
            torch.from_numpy(sh[r]),
        )
        if n < len(placed):
            out.append(_thing(placed[n], _into(world, placed[n].world_from_object), albedo[index], mesh, solid[n]))
        else:
            p = pieces[n - len(placed)]
            out.append(
                SceneObject(
                    id=p.id,
                    category=p.category,
                    gaussians=world,
                    role=p.role,
                    mobility="static",
                    color=p.color,
                    material=p.material,
                    labels=p.labels,
                    friction=p.friction,
                    mesh=mesh,
                    collider=p.colliders,
                    provenance="implied",
                    albedo=albedo[index] if p.role == "structure" else None,
                )
            )
    return out


def _thing(p: Placed, local: Gaussians, albedo: torch.Tensor, mesh, collider) -> SceneObject:
    item, model = p.item, p.model
    noun = (item.noun or item.kind).lower()
    labels = tuple(dict.fromkeys(w for w in (noun, *item.labels) if w != model.kind))
    return SceneObject(
        id=item.key,
        category=model.kind,
        gaussians=local,
        world_from_object=p.world_from_object,
        labels=labels,
        mobility="rigid" if model.movable else "static",
        color=model.color,
        material=model.material,
        mass_kg=model.mass_kg,
        friction=model.friction,
        mesh=mesh,
        collider=collider,
        supported_by=p.supported_by,
        front=(0.0, -1.0) if model.has_front else None,
        provenance=item.provenance,
        albedo=albedo,
    )


def _into(world: Gaussians, world_from_object: Pose) -> Gaussians:
    """World Gaussians in the object's own frame."""
    return transform(world, world_from_object.inverse())


def _in_world(o: SceneObject) -> Gaussians:
    return transform(o.gaussians, o.world_from_object)
