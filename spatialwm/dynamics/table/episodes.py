"""Episodes on the table: a hand that pokes about, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import trimesh
from jaxtyping import Float

from spatialwm.dynamics.episode import Cast, Episode, Track
from spatialwm.dynamics.table.shapes import Part, surface
from spatialwm.dynamics.table.simulator import DT_S, TableSimulator
from spatialwm.dynamics.table.table import REACH_M, VARIANTS, Table, Thing, sample_table
from spatialwm.errors import ActionError

STEPS = 100
"""Ten seconds."""
POINTS = 64
"""Per object and part of the actor."""


def make_episode(variant: str, seed: int, steps: int = STEPS) -> Episode:
    """One episode; the same arguments give the same episode anywhere.

    Raises:
        ActionError: an unknown variant.
    """
    if variant not in VARIANTS:
        raise ActionError(f"no table is called {variant!r}; there are: {', '.join(VARIANTS)}")
    rng = np.random.default_rng([list(VARIANTS).index(variant), seed])
    while True:
        table = sample_table(VARIANTS[variant], rng)
        simulator = TableSimulator(table)
        track = record(simulator, poking(simulator, rng), steps)
        if np.isfinite(track.poses).all() and np.abs(track.poses[..., :2]).max() < 1.0:
            break  # a thing caught between rod and wall may be shot away; such a table is drawn anew
    return Episode(cast_of(table, VARIANTS[variant].noise_m, rng), track, truth=table)


def make_twins(variant: str, seed: int, step: int = 30, steps: int = STEPS) -> tuple[Episode, Episode]:
    """Two episodes of one table that are equal until ``step``, after which the hand does something else."""
    first = make_episode(variant, seed, steps)
    simulator = TableSimulator(first.truth)
    rng = np.random.default_rng([len(VARIANTS), seed])
    before = iter(first.track.commands[:step])

    def commands() -> Iterator[np.ndarray]:
        yield from before
        yield from poking(simulator, rng, first.track.commands[step - 1])

    return first, replace(first, track=record(simulator, commands(), steps))


def cast_of(table: Table, noise_m: float, rng: np.random.Generator) -> Cast:
    """What a look at the table shows: surfaces and colours, and what is believed of the rest.

    Args:
        noise_m: standard deviation of the surface points; above 0, the believed solids are hulls around them.
    """
    believed = table.believed()
    points, normals = zip(*(surface(t.parts, POINTS, rng) for t in table.things), strict=True)
    if noise_m:
        points = [p + rng.normal(0, noise_m, p.shape) for p in points]
        things = tuple(replace(t, parts=(_hull(t, p),)) for t, p in zip(believed.things, points, strict=True))
        believed = replace(believed, things=things)
    rod = surface((Part("cylinder", (table.pusher.radius_m, 0.045)),), POINTS, rng)[0]
    colors = np.array([t.color for t in table.things])
    return Cast(
        tuple(t.id for t in table.things), np.array(points, np.float32), np.array(normals, np.float32),
        np.repeat(colors[:, None], POINTS, 1).astype(np.float32), ("rod",), rod[None].astype(np.float32),
        np.array([t.mass_kg for t in believed.things]), np.array([t.friction for t in believed.things]), believed,
    )  # fmt: skip


def _hull(thing: Thing, points: np.ndarray) -> Part:
    """The convex solid around what was seen, standing on the same ground: a lifter knows what carries a thing."""
    low = -thing.position[2] if thing.joint == "free" else float(points[:, 2].min())
    flat = points.copy()
    flat[points[:, 2] < low + 0.008, 2] = low
    flat[:, 2] = np.maximum(flat[:, 2], low)
    corners = trimesh.convex.convex_hull(flat).vertices
    return Part("hull", (), vertices=tuple(tuple(float(v) for v in c) for c in corners))  # pyright: ignore[reportArgumentType]


def record(simulator: TableSimulator, commands: Iterator[np.ndarray], steps: int) -> Track:
    """What happens under the commands, from where the simulator is now."""
    states, asked = [simulator.state()], []
    for _ in range(steps):
        asked.append(next(commands).astype(np.float32))  # as it is kept, so that the truth can be run again
        simulator.act(asked[-1])
        states.append(simulator.state())
    poses, velocities, rods = (np.array(s, np.float32) for s in zip(*states, strict=True))
    return Track(poses, velocities, rods, np.array(asked, np.float32), DT_S)


def poking(
    simulator: TableSimulator, rng: np.random.Generator, at: Float[np.ndarray, " 2"] | None = None
) -> Iterator[Float[np.ndarray, " 2"]]:
    """Commands that seek things out, push them at all speeds and sides, pass by and turn around.

    Args:
        at: the latest command; by default where the rod starts.
    """
    at = np.array(simulator.table.pusher.start) if at is None else np.asarray(at, float)
    target, speed, left = at, 0.1, 0
    while True:
        if left == 0 or np.linalg.norm(target - at) < 0.02:
            poses = simulator.state()[0]
            thing = poses[rng.integers(len(poses)), :2]
            target = thing + rng.normal(0, 0.03, 2) + (thing - at) * rng.uniform(0.2, 1.0)
            target = np.clip(target, -REACH_M, REACH_M)
            speed, left = rng.uniform(0.06, 0.25), 12
        way = target - at
        far = float(np.linalg.norm(way))
        at = at + way / (far + 1e-9) * min(far, speed * DT_S)
        left -= 1
        yield at
