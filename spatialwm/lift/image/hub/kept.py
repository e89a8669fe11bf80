"""A network that stays in memory between calls, and moves when it does not fit any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from spatialwm.lift.image.hub.fit import Device, Plan, climb, devices_here, free_bytes, ladder
from spatialwm.lift.image.hub.models import HubModel

Network = TypeVar("Network")
Made = TypeVar("Made")


class Kept(Generic[Network]):
    """Opens a model by the best plan that fits, and again by another one when that runs out of memory."""

    def __init__(
        self,
        model: HubModel,
        open_by: Callable[[Plan], Network],
        devices: Sequence[Device] | None = None,
        free: Callable[[Device], int | None] = free_bytes,
    ) -> None:
        """
        Args:
            devices: in order of preference; None: all that torch can use.
            free: memory that can be had on a device.
        """
        self._model, self._open_by, self._free_outside = model, open_by, free
        self._plans = ladder(model, tuple(devices or devices_here()))
        self._open: tuple[Plan, Network] | None = None

    def run(self, use: Callable[[Network, Plan], Made]) -> tuple[Made, Plan, tuple[str, ...]]:
        """What ``use`` makes of the network, the plan by which it ran, and a phrase for each better plan that did not fit.

        Raises:
            LiftError: none of them fits.
        """
        return climb(self._model, self._plans, lambda plan: self._by(plan, use), self._free)

    def _by(self, plan: Plan, use: Callable[[Network, Plan], Made]) -> Made:
        try:
            if self._open is None or self._open[0] != plan:
                self._open = None  # the old weights go before the new ones come
                self._open = plan, self._open_by(plan)
            return use(self._open[1], plan)
        except (MemoryError, RuntimeError):
            self._open = None  # else the next plan would find its device full
            raise

    def _free(self, device: Device) -> int | None:
        """What the open network already holds can be had too."""
        there = self._free_outside(device)
        if there is None or self._open is None or self._open[0].device != device:
            return there
        return there + self._open[0].weights_bytes(self._model)
