"""Training of the learned baselines: windows drawn by step number, so that an interrupted run goes on to the same end."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from spatialwm.atomic import replacing
from spatialwm.dynamics.episode import Episode, Situation
from spatialwm.dynamics.evaluate.windows import MOVED_M
from spatialwm.dynamics.motion import moved, twist_between
from spatialwm.errors import ActionError, FormatError
from spatialwm.progress import Progress, silent

HISTORY = 2
"""Commands before now that still matter: an actor that lags by more looks like one that does not obey."""
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
MOVING_SHARE = 0.7
"""Of the drawn windows; in most windows of most episodes nothing happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How long and how a baseline is trained."""

    steps: int = 3000
    batch: int = 32
    unroll: int = 8
    """Steps that a window is predicted ahead."""
    learning_rate: float = 1e-3
    seed: int = 0
    save_every: int = 200


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """b windows of one number of objects, each with the instant before now, now, and u instants to come."""

    points: Float[Tensor, "b k p 3"]
    poses: Float[Tensor, "b u2 k 7"]
    parts: Float[Tensor, "b 2 l 7"]
    """Where the actor was and is."""
    commands: Float[Tensor, "b u3 a"]
    """:data:`HISTORY` before now, then those to come."""
    beliefs: Float[Tensor, "b k 2"]
    """Logarithm of mass, and friction."""


def as_batch(situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> Batch:
    """What is known of situations of one size; before the first instant nothing moved."""
    casts, pasts = [s.cast for s in situations], [s.past for s in situations]
    last_two = [p.poses[[max(len(p) - 1, 0), len(p)]] for p in pasts]
    parts = [p.part_poses[[max(len(p) - 1, 0), len(p)]] for p in pasts]
    told = [np.concatenate([_history(p.commands, c), c]) for p, c in zip(pasts, commands, strict=True)]
    beliefs = [np.stack([np.log(np.maximum(c.masses_kg, 1e-6)), c.frictions], 1) for c in casts]
    return Batch(*(_tensor(v) for v in ([c.points for c in casts], last_two, parts, told, beliefs)))


class Windows:
    """Training windows of episodes: a batch for every step number."""

    def __init__(self, episodes: Sequence[Episode], fit: Fit) -> None:
        """
        Raises:
            ActionError: no episode is long enough, or their actors differ.
        """
        self._episodes, self._fit = episodes, fit
        actors = {(e.track.part_poses.shape[1], e.track.commands.shape[1]) for e in episodes}
        if len(actors) != 1:
            raise ActionError(f"one model learns one actor; the episodes have these (parts, command values): {sorted(actors)}")
        kinds: dict[tuple[int, ...], list[tuple[int, int, bool]]] = {}
        for i, e in enumerate(episodes):
            for start in range(len(e.track) - fit.unroll + 1):
                ahead = e.track.poses[start : start + fit.unroll + 1, :, :3]
                moves = bool((np.linalg.norm(ahead - ahead[:1], axis=-1) > MOVED_M).any())
                kinds.setdefault(e.cast.points.shape, []).append((i, start, moves))
        if not kinds:
            raise ActionError(f"no episode has the {fit.unroll} steps that a training window takes")
        self._kinds = [([w for w in k if w[2]], [w for w in k if not w[2]]) for k in kinds.values()]
        sizes = np.array([len(a) + len(b) for a, b in self._kinds], float)
        self._shares = sizes / sizes.sum()

    def batch(self, step: int) -> Batch:
        """The same for the same step and seed, whatever was drawn before."""
        fit = self._fit
        rng = np.random.default_rng([fit.seed, step])
        moving, resting = self._kinds[rng.choice(len(self._kinds), p=self._shares)]
        chosen = []
        for _ in range(fit.batch):
            pool = moving if moving and (rng.random() < MOVING_SHARE or not resting) else resting
            chosen.append(pool[rng.integers(len(pool))][:2])
        tracks = [self._episodes[i].track for i, _ in chosen]
        commands = np.stack([t.commands[s : s + fit.unroll] for t, (_, s) in zip(tracks, chosen, strict=True)])
        known = as_batch([self._episodes[i].situation(s) for i, s in chosen], commands)
        ahead = _tensor([t.poses[s + 1 : s + fit.unroll + 1] for t, (_, s) in zip(tracks, chosen, strict=True)])
        return Batch(known.points, torch.cat([known.poses, ahead], 1), known.parts, known.commands, known.beliefs)


class Actuator(nn.Module):
    """How an actor follows its commands, as far as that is linear: solved for once, by least squares."""

    def __init__(self, parts: int, values: int) -> None:
        super().__init__()
        self._parts = parts
        width = parts * 9 + values * (HISTORY + 1) + 1
        self.register_buffer("weights", torch.zeros(width, parts * 6))

    def solve(self, episodes: Sequence[Episode]) -> None:
        """Fit to what actors did."""
        known, came = [], []
        for e in episodes:
            track = e.track
            parts = _tensor(track.part_poses)
            for t in range(1, len(track)):
                told = np.concatenate([_history(track.commands[:t], track.commands[t : t + 1]), track.commands[t : t + 1]])
                known.append(self._features(parts[t - 1][None], parts[t][None], _tensor(told)[None])[0])
                came.append(twist_between(parts[t], parts[t + 1]).flatten())
        x, y = torch.stack(known).double(), torch.stack(came).double()
        ridge = 1e-6 * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
        self.weights = torch.linalg.solve(x.T @ x + ridge, x.T @ y).float()

    def path(self, parts: Float[Tensor, "b 2 l 7"], commands: Float[Tensor, "b u a"], steps: int) -> Float[Tensor, "b h l 7"]:
        """Where the parts will be; ``commands`` begin :data:`HISTORY` before now."""
        before, now = parts.unbind(1)
        path = []
        for t in range(steps):
            twist = (self._features(before, now, commands[:, t : t + HISTORY + 1]) @ self.weights).unflatten(-1, (self._parts, 6))
            before, now = now, moved(now, twist)
            path.append(now)
        return torch.stack(path, 1)

    def _features(self, before: Tensor, now: Tensor, told: Tensor) -> Tensor:
        one = torch.ones_like(told[:, 0, :1])
        return torch.cat([now[..., :3].flatten(1), twist_between(before, now).flatten(1), told.flatten(1), one], 1)


def train(
    module: nn.Module, kind: str, loss: Callable[[Batch, int], Tensor], windows: Windows, fit: Fit,
    checkpoint: Path | None, progress: Progress = silent,
) -> None:  # fmt: skip
    """Adam with a cosine schedule on ``loss(batch, step)``; goes on from ``checkpoint`` where there is one, and renews it.

    Raises:
        FormatError: the checkpoint is damaged, or of another model or training.
    """
    optimizer = torch.optim.Adam(module.parameters(), fit.learning_rate)
    first = _restore(module, optimizer, kind, fit, checkpoint) if checkpoint is not None and checkpoint.exists() else 0
    module.train()
    for step in range(first, fit.steps):
        share = step / fit.steps
        for group in optimizer.param_groups:
            group["lr"] = fit.learning_rate * min(1.0, (step + 1) / 50) * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
        optimizer.zero_grad()
        value = loss(windows.batch(step), step)
        value.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        done = step + 1
        if checkpoint is not None and (done % fit.save_every == 0 or done == fit.steps):
            _save(module, optimizer, kind, fit, done, checkpoint)
        progress(f"training {kind}", done / fit.steps)
    module.eval()


def _save(module: nn.Module, optimizer: torch.optim.Optimizer, kind: str, fit: Fit, step: int, path: Path) -> None:
    tensors = {f"model.{k}": v.detach().contiguous() for k, v in module.state_dict().items()}
    for name, parameter in module.named_parameters():
        tensors |= {f"adam.{name}.{k}": v.contiguous() for k, v in optimizer.state[parameter].items()}
    with replacing(path, FormatError) as temporary:
        save_file(tensors, temporary, metadata={"facts": json.dumps({"kind": kind, "step": step, **asdict(fit)})})


def _restore(module: nn.Module, optimizer: torch.optim.Optimizer, kind: str, fit: Fit, path: Path) -> int:
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        step = int(facts.pop("step"))
        if facts != {"kind": kind, **asdict(fit)}:
            raise FormatError(f"{path} is of another training ({facts}); delete it, or train as it was trained")
        module.load_state_dict({k[len("model.") :]: v for k, v in tensors.items() if k.startswith("model.")})
        for name, parameter in module.named_parameters():
            optimizer.state[parameter] = {k: tensors[f"adam.{name}.{k}"] for k in _MOMENTS}
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as e:
        why = " ".join(str(e).split())[:200]
        raise FormatError(f"{path} is no checkpoint of a {kind} ({why}); delete it to start anew") from e
    return step


def _history(before: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """The last commands; where there were fewer, the earliest that is known."""
    earliest = before[:1] if len(before) else ahead[:1]
    return np.concatenate([np.repeat(earliest, HISTORY, 0), before])[-HISTORY:]


def _tensor(values: object) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
