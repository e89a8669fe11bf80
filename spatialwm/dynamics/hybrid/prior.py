"""What is corrected: anything that takes B scenes one control step further."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from spatialwm.dynamics.episode import Cast, Situation
from spatialwm.dynamics.hybrid.config import PROPERTIES, HybridConfig
from spatialwm.dynamics.table import Drive, Filling, TableBatch

_MASS_SIGMA, _FRICTION_SIGMA, _CENTER_SHARE = 0.57, 0.33, 0.16
_DAMPING, _DAMPING_SIGMA = 0.5, 0.3
"""How things differ from what is believed of them: logarithms of mass and friction, centres as a share of the smaller half
extent, damping in N s/m. Units of the net; nothing depends on their being exact."""


@runtime_checkable
class Prior(Protocol):
    """B scenes in motion, padded to K things; see :class:`spatialwm.dynamics.table.TableBatch`."""

    poses: Float[np.ndarray, "b k 7"]
    velocities: Float[np.ndarray, "b k 6"]
    rods: Float[np.ndarray, "b 2"]
    present: Bool[np.ndarray, "b k"]

    def __enter__(self) -> Prior: ...

    def __exit__(self, *_: object) -> None: ...

    def act(self, commands: Float[np.ndarray, "b 2"]) -> None:
        """One control step under commands."""
        ...

    def lead(self, paths: Float[np.ndarray, "b c 2"], which: np.ndarray | None = None) -> None:
        """One control step of the scenes in ``which``, or all, the actor led along ``paths``."""
        ...

    def put(
        self,
        poses: Float[np.ndarray, "b k 7"],
        velocities: Float[np.ndarray, "b k 6"],
        which: np.ndarray | None = None,
        rods: Float[np.ndarray, "b 2"] | None = None,
    ) -> None:
        """Set where the things are and how they move."""
        ...


class Hold:
    """The prior of a model that has no physics: things stay as they are, and nothing holds up the actor."""

    def __init__(self, situations: Sequence[Situation]) -> None:
        self._path, self._steps = None, 0
        self.rods = np.stack([s.past.part_poses[-1, 0, :2] for s in situations]).astype(float)
        counts = [len(s.cast.object_ids) for s in situations]
        b, k = len(situations), max(counts)
        self.present = np.arange(k)[None] < np.array(counts)[:, None]
        self.poses = np.tile([0.0, 0, -9, 1, 0, 0, 0], (b, k, 1))
        self.velocities = np.zeros((b, k, 6))
        for i, (n, situation) in enumerate(zip(counts, situations, strict=True)):
            self.poses[i, :n], self.velocities[i, :n] = situation.past.poses[-1], situation.past.velocities[-1]

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def follow(self, path: Float[np.ndarray, "b h1 2"]) -> None:
        """Where the actor will go, now the first."""
        self._path = path

    def act(self, commands: Float[np.ndarray, "b 2"]) -> None:
        """The actor goes on."""
        if self._path is not None:
            self._steps += 1
            self.rods = self._path[:, self._steps]

    def lead(self, paths: Float[np.ndarray, "b c 2"], which: np.ndarray | None = None) -> None:
        """Nothing happens."""

    def put(
        self,
        poses: Float[np.ndarray, "b k 7"],
        velocities: Float[np.ndarray, "b k 6"],
        which: np.ndarray | None = None,
        rods: Float[np.ndarray, "b 2"] | None = None,
    ) -> None:
        """See :class:`Prior`."""
        self.poses, self.velocities = poses.copy(), velocities.copy()


def prior_of(
    config: HybridConfig, situations: Sequence[Situation], properties: Float[Tensor, "b k p"], drive: Drive | None = None
) -> Prior:
    """The configured prior at the present of some situations.

    Args:
        properties: what is thought of the things, in units of their spread.
        drive: what is thought of the rods; None where they are only to be led.
    """
    if config.prior == "hold":
        return Hold(situations)
    return TableBatch(situations, filling_of([s.cast for s in situations], properties), drive=drive)


def filling_of(casts: Sequence[Cast], properties: Float[Tensor, "b k p"]) -> Filling:
    """What a simulator is told of the things."""
    values = properties.detach().cpu().double().numpy()
    b, k, _ = values.shape
    mass, friction, foot = np.ones((b, k)), np.ones((b, k)), np.zeros((b, k))
    for i, cast in enumerate(casts):
        n = len(cast.object_ids)
        mass[i, :n], friction[i, :n], foot[i, :n] = cast.masses_kg, cast.frictions, foot_m(cast)
    x, y, m, f, d = np.moveaxis(values[..., :PROPERTIES], -1, 0)
    centers = np.stack([x, y, 0 * x], -1) * (_CENTER_SHARE * foot)[..., None]
    limit = 0.9 * foot[..., None]
    return Filling(
        mass * np.exp(_MASS_SIGMA * np.clip(m, -4, 4)), friction * np.exp(_FRICTION_SIGMA * np.clip(f, -4, 4)),
        np.clip(centers, -limit, limit), np.clip(_DAMPING + _DAMPING_SIGMA * d, 0, 3),
    )  # fmt: skip


def properties_of(cast: Cast, filling: Filling) -> Float[Tensor, "k n"]:
    """The inverse of :func:`filling_of`, for one scene whose truth is known."""
    unit = _CENTER_SHARE * foot_m(cast)
    return torch.from_numpy(
        np.stack(
            [
                filling.centers_m[0, :, 0] / unit, filling.centers_m[0, :, 1] / unit,
                np.log(filling.masses_kg[0] / cast.masses_kg) / _MASS_SIGMA,
                np.log(filling.frictions[0] / cast.frictions) / _FRICTION_SIGMA,
                (filling.dampings[0] - _DAMPING) / _DAMPING_SIGMA,
            ], -1,
        )
    ).float()  # fmt: skip


def foot_m(cast: Cast) -> Float[np.ndarray, " k"]:
    """Smaller half extent of what is seen of each thing, along its own x and y."""
    return np.abs(cast.points[..., :2]).max(1).min(-1).astype(float)
