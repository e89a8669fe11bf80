"""Trains the Gaussian world model on tables that are pushed about: ``python benchmarks/train_gwm.py --out build/gwm-tiny``.

The same command goes on where it was interrupted or killed. The shipped tiny weights, on one core of a processor::

    OMP_NUM_THREADS=1 python benchmarks/train_gwm.py --size tiny --episodes 400 --steps 9000 --out build/gwm-tiny

The published size on a GPU, here in calls of nine minutes each, as often as it takes; every call prints how far it has come::

    timeout -s INT 540 python benchmarks/train_gwm.py --size released --episodes 4000 --seconds 1500 --out build/gwm-released

On several GPUs, ``torchrun --nproc-per-node N`` in front of the script. Losses are in ``OUT/*.jsonl``, and in ``OUT/tensorboard``
where TensorBoard is installed; the weights, with their card, in ``OUT/gwm-SIZE.safetensors``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from spatialwm.dynamics.episode import Episode
from spatialwm.dynamics.gwm import CONFIGS, config_named, train
from spatialwm.dynamics.motion import points_at
from spatialwm.dynamics.table import make_episode
from spatialwm.errors import SpatialwmError

REWARD = "mean distance in centimetres that the surface points of all objects come in the step"
REPORT_EVERY_S = 10.0


def main() -> int:
    """Make the episodes, train, and print what the weights can do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="tiny", choices=list(CONFIGS))
    parser.add_argument("--variant", default="push")
    parser.add_argument("--episodes", type=int, default=400)
    parser.add_argument("--first", type=int, default=0, help="seed of the first episode; the others follow it")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that simulate")
    parser.add_argument("--steps", type=int, help="of training, the autoencoder's and the dynamics' together")
    parser.add_argument("--seconds", type=float, help="instead of steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.steps is None and options.seconds is None:
        options.steps = 9000
    seeds = range(options.first, options.first + options.episodes)
    with ProcessPoolExecutor(options.workers) as pool:
        episodes = list(pool.map(partial(rewarded_episode, options.variant), seeds, chunksize=8))
    facts = {
        "command": " ".join(["python", *sys.argv]), "reward": REWARD,
        "made_from": f"make_episode({options.variant!r}, {seeds.start}..{seeds.stop - 1}); the last tenth is measured on",
    }  # fmt: skip
    try:
        trained = train(
            config_named(options.size), episodes, options.out, steps=options.steps, seconds=options.seconds, seed=options.seed,
            device=options.device, progress=Printed(), facts=facts,
        )  # fmt: skip
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130
    except SpatialwmError as e:
        print(e, file=sys.stderr)
        return 1
    if int(os.environ.get("RANK", 0)) == 0:
        print(f"{trained.weights}: {trained.weights.stat().st_size / 1e6:.1f} MB")
        print(json.dumps(trained.measured.to_dict() if trained.measured else None, indent=1))
    return 0


def rewarded_episode(variant: str, seed: int) -> Episode:
    """An episode with the reward of a hand whose task it is to move things; tables themselves know no task."""
    import torch

    episode = make_episode(variant, seed)
    points = points_at(torch.from_numpy(episode.cast.points), torch.from_numpy(episode.track.poses))
    come = 100 * points.diff(dim=0).norm(dim=-1).mean((1, 2)).numpy()
    return replace(episode, cast=replace(episode.cast, maker=None), truth=None, rewards=come.astype(np.float32))


class Printed:
    """A line now and then."""

    def __init__(self) -> None:
        self._shown = -REPORT_EVERY_S

    def __call__(self, stage: str, fraction: float, /) -> None:
        if time.monotonic() - self._shown >= REPORT_EVERY_S or fraction == 1.0:
            print(f"{100 * fraction:5.1f} %  {stage}", flush=True)
            self._shown = time.monotonic()


if __name__ == "__main__":
    sys.exit(main())
