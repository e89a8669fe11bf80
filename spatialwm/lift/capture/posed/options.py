"""What a caller may choose about reading pictures whose cameras are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from spatialwm.errors import LiftError

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class PosedOptions:
    """Which pictures to take, and how large."""

    longest_px: int | None = None
    """Larger pictures are averaged down to this longest side; None: as they are."""
    every: int = 1
    """Take every n-th picture."""
    max_views: int | None = None
    """Of these, keep at most so many, spread evenly."""

    def __post_init__(self) -> None:
        limits = (("longest_px", self.longest_px, 8), ("every", self.every, 1), ("max_views", self.max_views, 1))
        for name, value, least in limits:
            if value is not None and value < least:
                raise LiftError(f"{name} must be at least {least}; got {value}")

    def chosen(self, items: Sequence[Item]) -> list[Item]:
        """The items that these options keep, in their order."""
        kept = list(items[:: self.every])
        if self.max_views is None or len(kept) <= self.max_views:
            return kept
        if self.max_views == 1:
            return [kept[len(kept) // 2]]
        last = len(kept) - 1
        return [kept[round(i * last / (self.max_views - 1))] for i in range(self.max_views)]
