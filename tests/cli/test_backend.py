"""``render --backend``: what is asked for, or one line that says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from spatialwm.render import BACKENDS

from .conftest import Run

NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


def test_help_names_every_backend(run: Run) -> None:
    text = run("render", "--help").stdout
    assert all(name in text for name in ("auto", *BACKENDS))


@NO_GPU
@pytest.mark.parametrize("name", ["cuda", "gsplat"])
def test_without_a_gpu_its_backends_are_refused_in_one_line(run: Run, room: Path, tmp_path: Path, name: str) -> None:
    for out in ("out.png", "out.mp4"):
        done = run("render", room, "--backend", name, "-o", out, *(["--orbit", "--seconds", "0.1"] if out.endswith("4") else []))
        assert done.returncode == 1
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert f"the {name} render backend cannot run here: " in line
        assert "GPU" in line
        assert not (tmp_path / out).exists()


def test_an_unknown_backend_is_refused_in_one_line(run: Run, room: Path, tmp_path: Path) -> None:
    done = run("render", room, "--backend", "vulkan", "-o", "out.png")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "cuda, gsplat, cpu, reference" in done.stderr
    assert not (tmp_path / "out.png").exists()


@NO_GPU
def test_auto_tells_that_it_took_the_processor(run: Run, room: Path) -> None:
    done = run("render", room, "-o", "out.png", "--size", "64x48", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["backend"] == "cpu"
