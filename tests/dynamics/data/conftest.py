"""A tiny simulator, where worker processes find it too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from spatialwm.dynamics.episode import Episode

sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def worlds() -> ModuleType:
    import drift_world

    return drift_world


@pytest.fixture
def drift(worlds: ModuleType) -> Callable[..., Episode]:
    return worlds.drifting
