"""The synthetic scene of the benchmarks, so that speed and accuracy speak of the same thing."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def synthetic_scene() -> Callable:
    """``synthetic_scene(n, width, height, seed)`` -> rasterizer arguments up to ``Ks``."""
    return runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "synthetic.py"))["synthetic_scene"]
