"""The synthetic scene of the benchmarks, so that speed and accuracy speak of the same thing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import spatialwm.bench


@pytest.fixture(scope="session")
def synthetic_scene() -> Callable:
    """``synthetic_scene(n, width, height, seed)`` -> rasterizer arguments up to ``Ks``."""
    return spatialwm.bench.synthetic_scene
