"""One stage of a training: draw, differentiate, step; stopped at any moment it goes on as if nothing had been."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spatialwm.dynamics.gwm.config import TrainingConfig
from spatialwm.dynamics.gwm.logs import Log
from spatialwm.dynamics.gwm.weights import read_tensors, write_tensors
from spatialwm.errors import FormatError, SpatialwmError
from spatialwm.progress import Progress
from spatialwm.ranks import Ranks

CHECKPOINT_EVERY_S = 20.0
REPORT_EVERY = 10
"""Steps."""
END_RATE = 0.01
"""Of the learning rate, at the end of the cosine."""

Losses = Callable[[torch.Generator], dict[str, Tensor]]
"""Draws a batch, alike in all processes, and returns what this one found in its share; ``loss`` is what is minimised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long a stage runs: a number of steps, repeatable to the bit, or seconds."""

    steps: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        given = [v for v in (self.steps, self.seconds) if v is not None]
        if len(given) != 1 or not 0 < given[0] < math.inf:
            raise SpatialwmError(f"a training takes either steps or seconds, above 0; got {self.steps} and {self.seconds}")

    def part(self, share: float) -> Budget:
        """A share of it."""
        if self.steps is not None:
            return Budget(steps=max(1, round(share * self.steps)))
        return Budget(seconds=share * (self.seconds or 0.0))

    def done(self, steps: int, seconds: float) -> float:
        """How much of it is used, 0 to 1."""
        return min(steps / self.steps if self.steps is not None else seconds / (self.seconds or 1.0), 1.0)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a stage took."""

    steps: int
    seconds: float


class Loop:
    """A stage by name; its checkpoint and its log lie in ``folder``."""

    def __init__(
        self, name: str, model: nn.Module, trained: nn.Module | nn.ModuleList, rate: float, training: TrainingConfig,
        budget: Budget, folder: Path, *, seed: int, facts: Mapping[str, Any], ranks: Ranks,
    ) -> None:  # fmt: skip
        """
        Args:
            model: what checkpoints hold.
            trained: the part of it that learns.
            facts: what must be alike for a checkpoint to be gone on from.
        """
        self.name, self.model, self.rate, self.training, self.budget = name, model, rate, training, budget
        self.checkpoint, self._folder, self._ranks = folder / f"{name}.checkpoint.safetensors", folder, ranks
        self.parameters = [p for p in trained.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, rate, weight_decay=training.weight_decay)
        self.generator = torch.Generator().manual_seed(seed)
        self.steps, self.elapsed_s = 0, 0.0
        self.facts = {**facts, "stage": name, "seed": seed, "steps": budget.steps, "seconds": budget.seconds}
        if ranks.from_first(self.checkpoint.exists):
            self._resume()

    def run(self, losses: Losses, progress: Progress) -> Ended:
        """Train to the end of the budget, reporting the share done.

        Interrupted, even in the middle of a step, the last checkpoint stays.

        Raises:
            SpatialwmError: the loss is not finite.
        """
        log = Log(self._folder, self.name, self.steps) if self._ranks.first else None
        saved = time.perf_counter()
        try:
            while self.budget.done(self.steps, self.elapsed_s) < 1.0:
                started = time.perf_counter()
                found = self._step(losses)
                now = time.perf_counter()
                self.elapsed_s = self._ranks.agreed(self.elapsed_s + now - started)
                if self.steps % REPORT_EVERY == 0 or self.steps == 1:
                    self._report(log, found, progress)
                if log is not None and now - saved > CHECKPOINT_EVERY_S:
                    self.save()
                    saved = now
            if log is not None:
                self.save()
        finally:
            if log is not None:
                log.close()
        return Ended(self.steps, self.elapsed_s)

    def save(self) -> None:
        """Everything that :meth:`run` needs to go on: weights, optimiser, random numbers and where it was."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{i}.{name}": value for name, value in state.items()}
        tensors["generator"] = self.generator.get_state()
        write_tensors(self.checkpoint, tensors, {"facts": self.facts, "steps": self.steps, "elapsed_s": self.elapsed_s})

    def _resume(self) -> None:
        tensors, header = read_tensors(self.checkpoint, "a checkpoint of a training")
        differing = [name for name, value in self.facts.items() if header.get("facts", {}).get(name) != value]
        if differing:
            raise FormatError(
                f"{self.checkpoint} is of a training with another {differing[0]}; give another folder or delete it to start anew"
            )
        prefix = "model."
        self.model.load_state_dict({n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)})
        states: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("adam."):
                _, i, field = name.split(".")
                states.setdefault(int(i), {})[field] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": states})
        self.generator.set_state(tensors["generator"])
        self.steps, self.elapsed_s = header["steps"], header["elapsed_s"]

    def _report(self, log: Log | None, found: Mapping[str, Tensor], progress: Progress) -> None:
        values = {name: float(value) for name, value in found.items()}
        if not math.isfinite(values["loss"]):
            raise SpatialwmError(f"{self.name}: the loss is {values['loss']} after {self.steps} steps; lower the learning rate")
        if log is not None:
            log.write(self.steps, values)
            progress(f"{self.name}, loss {values['loss']:.4g}", self.budget.done(self.steps, self.elapsed_s))

    def _step(self, losses: Losses) -> dict[str, Tensor]:
        share = self.budget.done(self.steps, self.elapsed_s)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * _schedule(share, self.training.warmup)
        self.optimizer.zero_grad()
        found = losses(self.generator)
        found["loss"].backward()
        self._ranks.average(self.parameters)
        nn.utils.clip_grad_norm_(self.parameters, self.training.max_gradient)
        self.optimizer.step()
        self.steps += 1
        return {name: self._ranks.summed(value.detach().clone()) / self._ranks.count for name, value in found.items()}


def _schedule(share: float, warmup: float) -> float:
    """Of the learning rate: up a line, then down a cosine."""
    if share < warmup:
        return max(share / warmup, 0.05)
    return END_RATE + (1 - END_RATE) * 0.5 * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup)))
