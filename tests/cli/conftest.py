"""A small world made once, and the command line run as a person would run it."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from spatialwm.cli import main
from spatialwm.formats import write_splats
from spatialwm.gaussians import Gaussians

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("info", "x.world")`` in an empty folder.

    Calls ``main`` in this process, since starting one costs seconds of imports; tests about processes start their own.
    """
    monkeypatch.chdir(tmp_path)

    def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main([str(w) for w in words])
            except SystemExit as e:  # argparse
                code = int(e.code or 0)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture(scope="session")
def small_splats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 200-Gaussian PLY."""
    rng = np.random.default_rng(0)
    quats = rng.normal(size=(200, 4))
    gaussians = Gaussians.from_numpy(
        rng.normal(size=(200, 3)), quats / np.linalg.norm(quats, axis=1, keepdims=True), np.full((200, 3), 0.05),
        np.full(200, 0.9), rgb=rng.random((200, 3)),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("splats") / "small.ply"
    write_splats(gaussians, path)
    return path


@pytest.fixture(scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from spatialwm import studio
    from spatialwm.lift import LiftOptions

    path = tmp_path_factory.mktemp("made") / "room.world"
    with studio.create("a mug on a table in a room", path, options=LiftOptions(quality="draft")):
        pass
    return path


@pytest.fixture
def room(_made_once: Path, tmp_path: Path) -> Path:
    """A fresh copy of a small room with a table and a mug on it."""
    return Path(shutil.copytree(_made_once, tmp_path / "room.world"))
