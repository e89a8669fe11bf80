"""Run as a program: commits to a world until it is killed, reporting each revision once it is acknowledged.

Reads ``WORLD LOG SEED COUNT`` lines, forks a child for each (so that importing torch is paid once), and prints its process id,
then ``ended`` when it is gone. The child appends the id of every acknowledged revision to LOG.
"""

from __future__ import annotations

import os
import random
import sys

import numpy as np
import torch

from spatialwm.gaussians import Gaussians
from spatialwm.scene import Scene, SceneObject, edits
from spatialwm.world import World


def cloud(seed: int) -> Scene:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 3000))
    quats = np.tile([1.0, 0.0, 0.0, 0.0], (n, 1))
    gaussians = Gaussians.from_numpy(rng.random((n, 3)), quats, rng.random((n, 3)), rng.random(n), rgb=rng.random((n, 3)))
    return Scene((SceneObject("cloud-1", "cloud", gaussians), SceneObject("dot-1", "dot", Gaussians.empty())))


def work(path: str, log: str, seed: int, count: int) -> None:
    rng = random.Random(seed)
    done = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with World.open(path) as world:
        for _ in range(count):
            if rng.random() < 0.5:
                new = rng.randrange(2**31)
                revision = world.commit(cloud(new), {"op": "cloud", "seed": new})
            else:
                revision = world.apply(edits.Move("cloud-1", (rng.random(), 0.0, 0.0)))
            os.write(done, b"%d\n" % revision.id)


def main() -> None:
    torch.set_num_threads(1)
    for line in sys.stdin:
        path, log, seed, count = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            try:
                work(path, log, int(seed), int(count))
            finally:
                os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
