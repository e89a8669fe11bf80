"""Shared fixtures: where the real data lies, kernels without a GPU, and run-time shape checking of the typed core."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command line does, before torch is loaded

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


@pytest.fixture(scope="session")
def emulator(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs ``cuda/*.cu`` on the CPU: ``emulator("sort.cu", torch.device("cpu")).launch(name, grid, block, *arguments)``.

    Compiled kernels stay in pytest's cache between runs; SPATIALWM_EMULATOR_FLAGS adds compiler flags.
    ``emulator.backwards = True`` reverses the order of the threads, ``emulator.residents = 4`` runs four blocks in turns.
    """
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler on this machine")
    path = Path(__file__).parent / "cuda" / "emulator" / "cuda_emulator.py"
    spec = importlib.util.spec_from_file_location("cuda_emulator", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["cuda_emulator"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cache = getattr(pytestconfig, "cache", None)
    folder = cache.mkdir("cuda-emulator") if cache else tmp_path_factory.mktemp("cuda-emulator")
    return module.Emulator(compiler, folder, tuple(os.environ.get("SPATIALWM_EMULATOR_FLAGS", "").split()))


@pytest.fixture
def emulated(emulator: Any) -> Iterator[Any]:
    """Within the test, kernels asked for tensors on the CPU run in the emulator."""
    from spatialwm.render.cuda import device

    with device.running_on(emulator):
        yield emulator
    emulator.backwards, emulator.residents = False, 1
