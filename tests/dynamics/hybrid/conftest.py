from __future__ import annotations

import pytest

from spatialwm.dynamics.table import make_episode


@pytest.fixture(scope="session")
def episodes():
    return [make_episode("push", seed, steps=40) for seed in range(8)]
