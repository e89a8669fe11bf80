"""What forecasts are asked about: many moments of many episodes, and what truly moved after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spatialwm.dynamics.episode import Episode, Situation
from spatialwm.dynamics.motion import points_at
from spatialwm.errors import ActionError

MOVED_M = 0.005
"""An object counts as moved at a horizon when its points are then, on average, farther than this from where they were."""
STILL_M = 0.001
"""An object counts as still when, over the whole window, its points never were farther than this from where they were."""
RULE = (
    f"An object counts at a horizon when its points have truly moved by more than {1e3 * MOVED_M:g} mm on average since the "
    f"window began, and as still when they stay within {1e3 * STILL_M:g} mm throughout; only the truth decides, never a forecast."
)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A moment of an episode and what came after it."""

    episode: int
    """Its place among the episodes."""
    step: int
    situation: Situation
    commands: Float[np.ndarray, "h a"]
    truth: Float[np.ndarray, "h1 k 7"]
    """World from object; the first instant is now."""

    def true_points(self) -> Float[Tensor, "h1 k p 3"]:
        """float64, metres."""
        return world_points(self.situation.cast.points, self.truth)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One row per object of each window: n rows over H steps."""

    window: Int[np.ndarray, " n"]
    episode: Int[np.ndarray, " n"]
    moved: Bool[np.ndarray, "n h"]
    still: Bool[np.ndarray, " n"]


def cut(episodes: Sequence[Episode], starts: Sequence[int], horizon: int) -> tuple[Window, ...]:
    """The windows of ``horizon`` steps that begin after ``starts`` steps; those that do not fit in their episode are left out.

    Raises:
        ActionError: no window fits, or a horizon or start that no episode can have.
    """
    if horizon < 1 or not starts or min(starts) < 0:
        raise ActionError(f"windows need a horizon of at least 1 step and starts of at least 0; got {horizon} and {list(starts)}")
    found = [
        Window(i, s, e.situation(s), e.track.commands[s : s + horizon], e.track.poses[s : s + horizon + 1])
        for i, e in enumerate(episodes)
        for s in dict.fromkeys(starts)
        if s + horizon <= len(e.track)
    ]
    if not found:
        longest = max((len(e.track) for e in episodes), default=0)
        raise ActionError(
            f"no window of {horizon} steps after {min(starts)} fits in {len(episodes)} episodes of at most {longest} steps; "
            "ask for shorter horizons or earlier starts"
        )
    return tuple(found)


def rows_of(windows: Sequence[Window]) -> Rows:
    """Whose row is whose, and what truly moved."""
    counts = [w.truth.shape[1] for w in windows]
    moved, still = [], []
    for window in windows:
        points = window.true_points()
        distance = point_distance(points[1:], points[:1]).numpy().T
        moved.append(distance > MOVED_M)
        still.append((distance <= STILL_M).all(1))
    return Rows(
        np.repeat(np.arange(len(windows)), counts), np.repeat([w.episode for w in windows], counts),
        np.concatenate(moved), np.concatenate(still),
    )  # fmt: skip


def batches(windows: Sequence[Window], size: int) -> Iterator[list[int]]:
    """Places of windows that can be asked together: their commands have one width and one horizon."""
    kinds: dict[tuple[int, ...], list[int]] = {}
    for i, window in enumerate(windows):
        kinds.setdefault(window.commands.shape, []).append(i)
    for places in kinds.values():
        for first in range(0, len(places), size):
            yield places[first : first + size]


def world_points(points: Float[np.ndarray, "k p 3"], poses: Float[np.ndarray, "h k 7"]) -> Float[Tensor, "h k p 3"]:
    """float64 points of bodies at each instant."""
    return points_at(torch.from_numpy(np.asarray(points, np.float64)), torch.from_numpy(np.asarray(poses, np.float64)))


def point_distance(a: Float[Tensor, "*#n p 3"], b: Float[Tensor, "*#n p 3"]) -> Float[Tensor, "*n"]:
    """Mean distance between corresponding points, metres."""
    return (a - b).norm(dim=-1).mean(-1)


@dataclass(frozen=True, slots=True, eq=False)
class Twin:
    """Two episodes that are the same up to a moment, and then see different actions."""

    first: Episode
    second: Episode
    step: int

    def __post_init__(self) -> None:
        a, b = self.first.track.until(self.step), self.second.track.until(self.step)
        if a.poses.shape != b.poses.shape or not np.allclose(a.poses, b.poses, atol=1e-6):
            raise ActionError(f"twins must be the same up to step {self.step}; these differ before it")
