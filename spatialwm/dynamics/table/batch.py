"""Many tables stepped together, and the forecasters that believe in physics alone."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Bool, Float, Int

from spatialwm.dynamics.episode import Cast, Episode, Forecast, Situation, check_commands
from spatialwm.dynamics.table.simulator import TableSimulator
from spatialwm.dynamics.table.table import Table, unseen
from spatialwm.errors import ActionError

THREADS = 2
"""MuJoCo releases the interpreter while it steps. Each table owns its data, so their order changes nothing."""

_idle: WeakKeyDictionary[Cast, list[TableSimulator]] = WeakKeyDictionary()
# A planner asks hundreds of times about one table, and compiling it takes as long as three of its steps.


@dataclass(frozen=True, slots=True, eq=False)
class Filling:
    """What cannot be seen of the things of B tables, padded to K things."""

    masses_kg: Float[np.ndarray, "b k"]
    frictions: Float[np.ndarray, "b k"]
    centers_m: Float[np.ndarray, "b k 3"]
    dampings: Float[np.ndarray, "b k"]


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """What moves the rods of B tables: spring, damper, delay in quarters of a step, and how fast each rod is now."""

    stiffness: Float[np.ndarray, " b"]
    damping: Float[np.ndarray, " b"]
    late: Int[np.ndarray, " b"]
    velocities: Float[np.ndarray, "b 2"]


class TableBatch:
    """B tables, each at the present of its situation; use as a context, so that the simulators serve again.

    ``poses (b, k, 7)``, ``velocities (b, k, 6)`` and ``rods (b, 2)`` are where things are now; ``present (b, k)`` says which of
    the K places are taken, for tables hold different numbers of things.
    """

    poses: Float[np.ndarray, "b k 7"]
    velocities: Float[np.ndarray, "b k 6"]
    rods: Float[np.ndarray, "b 2"]
    present: Bool[np.ndarray, "b k"]

    def __init__(
        self,
        situations: Sequence[Situation],
        filling: Filling | None = None,
        tables: Sequence[Table] | None = None,
        drive: Drive | None = None,
    ) -> None:
        """Args:
        filling: what is thought of the things; by default what each table believes.
        tables: other tables than the believed ones, compiled anew.
        drive: what is thought of the rod, likewise.
        """
        self.situations = situations
        self._lent = tables is None
        self.simulators = [self._take(s, None if tables is None else tables[i]) for i, s in enumerate(situations)]
        self.counts = [len(s.cast.object_ids) for s in situations]
        b, k = len(situations), max(self.counts)
        self.present = np.arange(k)[None] < np.array(self.counts)[:, None]
        self.poses = np.tile([0.0, 0, -9, 1, 0, 0, 0], (b, k, 1))
        self.velocities = np.zeros((b, k, 6))
        self.rods = np.zeros((b, 2))
        self._pool = ThreadPoolExecutor(THREADS)
        for i, (simulator, situation) in enumerate(zip(self.simulators, situations, strict=True)):
            n = self.counts[i]
            if filling is not None:
                fields = (filling.masses_kg, filling.frictions, filling.centers_m, filling.dampings)
                simulator.fill(*(values[i, :n] for values in fields))
            elif tables is None:
                simulator.fill(*unseen(simulator.table))
            if drive is not None:
                simulator.drive(float(drive.stiffness[i]), float(drive.damping[i]), int(drive.late[i]))
            elif tables is None:
                pusher = simulator.table.pusher
                simulator.drive(pusher.stiffness, pusher.damping, pusher.late)
            past = situation.past
            rods = past.part_poses[-2:, 0, :2].astype(float)
            speed = (rods[-1] - rods[0]) / past.dt_s if drive is None else drive.velocities[i]
            simulator.place(past.poses[-1], past.velocities[-1], rods[-1], speed, past.commands)
        self._read()

    def __enter__(self) -> TableBatch:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        if self._lent:
            for simulator, situation in zip(self.simulators, self.situations, strict=True):
                _idle.setdefault(situation.cast, []).append(simulator)

    def act(self, commands: Float[np.ndarray, "b 2"]) -> None:
        """One control step of every table under its command."""
        self._each(lambda i: self.simulators[i].act(commands[i]))

    def lead(self, paths: Float[np.ndarray, "b c 2"], which: np.ndarray | None = None) -> None:
        """One control step of every table, or of those in ``which``, the rod led along a path that is known."""
        self._each(lambda i: self.simulators[i].lead(paths[i]), which)

    def put(
        self,
        poses: Float[np.ndarray, "b k 7"],
        velocities: Float[np.ndarray, "b k 6"],
        which: np.ndarray | None = None,
        rods: Float[np.ndarray, "b 2"] | None = None,
    ) -> None:
        """Set where the things are and how they move, and where the rods are if they are given."""
        for i in self._chosen(which):
            self.simulators[i].put(poses[i, : self.counts[i]], velocities[i, : self.counts[i]])
            if rods is not None:
                self.simulators[i].put_rod(rods[i])
        self.poses, self.velocities = poses.copy(), velocities.copy()

    def _chosen(self, which: np.ndarray | None) -> np.ndarray:
        return np.arange(len(self.simulators)) if which is None else which

    def _each(self, run: Callable[[int], None], which: np.ndarray | None = None) -> None:
        def several(indices: np.ndarray) -> None:
            for i in indices:
                run(i)

        chosen = self._chosen(which)
        list(self._pool.map(several, np.array_split(chosen, THREADS)))
        self._read(chosen)

    def _read(self, which: np.ndarray | None = None) -> None:
        self.poses, self.velocities = self.poses.copy(), self.velocities.copy()
        for i in self._chosen(which):
            poses, velocities, rod = self.simulators[i].state()
            self.poses[i, : len(poses)], self.velocities[i, : len(poses)], self.rods[i] = poses, velocities, rod[0, :2]

    def _take(self, situation: Situation, table: Table | None) -> TableSimulator:
        if table is not None:
            return TableSimulator(table)
        cast = situation.cast
        if not isinstance(cast.maker, Table):
            raise ActionError("physics of the table needs a cast that was made from a table; this one has no simulator")
        idle = _idle.setdefault(cast, [])
        if len(idle) > 1:
            return idle.pop()
        if not idle:
            idle.append(TableSimulator(cast.maker))
        return TableSimulator(cast.maker, copy.copy(idle[0].model))


@dataclass(frozen=True, slots=True)
class NominalPhysics:
    """Simulates what is believed: even fillings, usual friction, a pusher that obeys. The baseline to beat."""

    name: str = "nominal physics"

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """See :class:`spatialwm.dynamics.episode.Forecaster`."""
        check_commands(situations, commands, 2)
        with TableBatch(situations) as batch:
            return _run(batch, commands)


class TruePhysics:
    """Simulates the truth from what was seen of its state: the floor that no model of these episodes can be below for long."""

    name = "true physics"

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self._truths = {id(e.cast): e for e in episodes}

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """See :class:`spatialwm.dynamics.episode.Forecaster`."""
        check_commands(situations, commands, 2)
        with TableBatch(situations, tables=[self._truths[id(s.cast)].truth for s in situations]) as batch:
            return _run(batch, commands)


_SPREAD_M = 0.25
"""Physics alone does not know how wrong it is: this share of how far a thing has moved."""


def _run(batch: TableBatch, commands: np.ndarray) -> list[Forecast]:
    seen, start = [], batch.poses[..., :3]
    for h in range(commands.shape[1]):
        batch.act(commands[:, h])
        seen.append(batch.poses)
    poses = np.stack(seen, 1)
    sigma = 1e-3 * math.sqrt(0.5) + _SPREAD_M * np.linalg.norm(poses[..., :3] - start[:, None], axis=-1)
    return [Forecast(poses[i, :, :n], sigma[i, :, :n]) for i, n in enumerate(batch.counts)]
