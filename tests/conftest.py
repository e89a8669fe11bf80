"""Shared fixtures: where the real data lies, and run-time shape checking of the typed core."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Shapes in annotations are checked at run time here and cost nothing in production. Numba kernels cannot be wrapped, so only the
# rooms that hold plain Python are hooked. Must run before the first import of those rooms.
install_import_hook(
    ["spatialwm.geometry", "spatialwm.gaussians", "spatialwm.scene", "spatialwm.world", "spatialwm.dynamics"], "beartype.beartype"
)


# A busy machine makes single examples slow; the whole run has its own time limit.
settings.register_profile("spatialwm", deadline=None)
settings.load_profile("spatialwm")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real data and prompts beside the checkout; skips where it is absent."""
    root = Path(os.environ.get("SPATIALWM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (root / "data").is_dir():
        pytest.skip(f"no real data at {root}: set SPATIALWM_SHARED to a folder that holds data/ and prompts/")
    return root
