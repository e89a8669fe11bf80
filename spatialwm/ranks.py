"""Several processes train one model: each sees its part of a step's data, all take the same step. ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from jaxtyping import Bool
from torch import Tensor

T = TypeVar("T")


class Ranks:
    """The processes of one training; alone, everything here costs nothing.

    Random numbers are drawn alike by all and gradients are summed in the same order for all, so that every process holds the
    same parameters without ever sending them.
    """

    def __init__(self) -> None:
        """Join the others when started by ``torchrun``."""
        self.count, self.rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        if self.count > 1 and not dist.is_initialized():
            on_gpu = torch.cuda.is_available() and torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", 1))
            if on_gpu:
                torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
            dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")

    @property
    def first(self) -> bool:
        """Whether this process does what must happen once: reports, checkpoints, the world on disk."""
        return self.rank == 0

    def mine(self, shares: Sequence[T]) -> T:
        """Of the shares of one step, one for each process, that of this one."""
        return shares[self.rank]

    def from_first(self, make: Callable[[], T]) -> T:
        """What ``make`` returns in the first process, made there only."""
        if self.count == 1:
            return make()
        box: list[Any] = [None]
        if self.first:
            try:
                box = [make()]
            except Exception as e:  # the others wait: they must hear of it and fail alike
                box = [e]
        dist.broadcast_object_list(box, src=0)
        if isinstance(box[0], Exception):
            raise box[0]
        return box[0]

    def agreed(self, value: float) -> float:
        """The first process's value, for all: clocks differ."""
        if self.count == 1:
            return value
        box = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(box, src=0)
        return float(box)

    @torch.no_grad()
    def average(self, parameters: Iterable[Tensor]) -> None:
        """Give all the mean of their gradients."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        together = self.summed(torch.cat([g.reshape(-1) for g in gradients])) / self.count  # one message instead of many
        for gradient, part in zip(gradients, together.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def summed(self, values: Tensor) -> Tensor:
        """Over all processes."""
        if self.count > 1:
            dist.all_reduce(values)
        return values

    def seen_by_any(self, visible: Bool[Tensor, " n"]) -> Bool[Tensor, " n"]:
        """Which Gaussians any of the processes has rendered."""
        if self.count == 1:
            return visible
        seen = visible.to(torch.uint8)
        dist.all_reduce(seen, op=dist.ReduceOp.MAX)
        return seen.bool()
