"""Importing the package is free: neither torch nor gradio, nor anything else heavy, is loaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import spatialwm

ROOT = Path(spatialwm.__file__).parent
HEAVY = ("torch", "gradio", "numpy", "numba", "mujoco", "trimesh", "scipy", "rich")


def loaded_by(statement: str, path: Path, packages: tuple[str, ...] = HEAVY) -> set[str]:
    """Which of the packages a fresh interpreter holds after ``statement``."""
    code = f"import sys; sys.path.insert(0, {str(path)!r}); {statement}; print(*[m for m in {packages!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return set(out.stdout.split())


@pytest.mark.parametrize("statement", ["import spatialwm", "import spatialwm.cli", "import spatialwm; dir(spatialwm)"])
def test_importing_loads_nothing_heavy(statement: str) -> None:
    assert loaded_by(statement, ROOT.parent) == set()


@pytest.mark.parametrize("statement", ["import spatialwm.render", "import spatialwm.render.cuda, spatialwm.render.gsplat"])
def test_a_renderer_loads_nvidias_packages_only_when_it_draws(statement: str) -> None:
    assert loaded_by(statement, ROOT.parent, ("torch", "cuda.core", "gsplat")) <= {"torch"}


def test_the_check_above_can_fail(tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "spatialwm", ignore=shutil.ignore_patterns("__pycache__"))
    init = tmp_path / "spatialwm" / "__init__.py"
    init.write_text(init.read_text("utf-8") + "\nimport torch\n", "utf-8")
    assert "torch" in loaded_by("import spatialwm", tmp_path)


def test_every_public_name_resolves() -> None:
    for name in spatialwm.__all__:
        assert getattr(spatialwm, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = spatialwm.nonsense
