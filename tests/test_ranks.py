"""Two real processes over gloo, as ``torchrun`` starts them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = '''
import hashlib, json, sys
import numpy as np, torch
from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import Capture, View
from spatialwm.lift.capture.fusion import StartPoints
from spatialwm.lift.capture.training import Plan, Trainer
from spatialwm.ranks import Ranks

torch.set_num_threads(1)
ranks = Ranks()
rng = np.random.default_rng(ranks.rank)  # differs: only what the first process made may count


def capture():
    views = []
    for i in range(6):
        a = i * np.pi / 3
        camera = Camera.look_at((float(np.cos(a)), float(np.sin(a)), 2.0), (0.0, 0.0, 0.0), 48, 32, 60.0, up=(0.0, 1.0, 0.1))
        v, u = np.mgrid[0:32, 0:48]
        rgb = np.stack([128 + 90 * np.sin(0.3 * u + i), 128 + 90 * np.cos(0.2 * v), 60 + 4 * v], -1)
        views.append(View(str(i), camera, (rgb + rng.normal(0, 5, rgb.shape)).clip(0, 255).astype(np.uint8)))
    means = rng.uniform(-0.7, 0.7, (200, 3)) * (1, 1, 0.1)
    return Capture(tuple(views)), StartPoints(means, np.full((200, 3), 0.5), np.zeros((200, 3)), np.full(200, 0.08))


captured, start = ranks.from_first(capture)
plan = Plan(seconds=None, steps=40, cap=260, start_count=200, levels=((1, 1.0),), move_every=10)
trained = Trainer(captured, start, plan, seed=1).run()
content = b"".join(t.numpy().tobytes() for t in (trained.gaussians.means, trained.gaussians.sh, trained.gaussians.opacities))
print(json.dumps([ranks.rank, len(trained.gaussians), hashlib.sha256(content).hexdigest()]))
try:
    ranks.from_first(lambda: 1 // 0)
except ZeroDivisionError:
    print("heard")
'''


def run_both(tmp_path: Path) -> list[list[str]]:
    (tmp_path / "train.py").write_text(SCRIPT)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    together = {**os.environ, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    both = [
        subprocess.Popen(
            [sys.executable, tmp_path / "train.py"], env={**together, "RANK": str(r), "LOCAL_RANK": str(r)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for r in range(2)
    ]  # fmt: skip
    outputs = [process.communicate(timeout=240) for process in both]
    assert all(process.returncode == 0 for process in both), outputs
    return [out.splitlines() for out, _ in outputs]


def test_two_processes_hold_the_same_gaussians_bit_for_bit_and_fail_together(tmp_path):
    (first, *told_first), (second, *told_second) = run_both(tmp_path)
    rank, count, content = json.loads(first)
    assert (rank, count) == (0, 260)
    assert json.loads(second) == [1, count, content]
    assert told_first == told_second == ["heard"]
