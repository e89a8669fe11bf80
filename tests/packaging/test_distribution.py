"""Wheel and sdist: what is inside, and that a clean environment can install and import them."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "app" / "spatialwm_app" / "static" / "viewer.js"


def run(*command: str | Path, **kwargs: object) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=900, **kwargs)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist of the checkout, and the wheel built from that sdist (so that a file missing from the sdist shows)."""
    if not BUNDLE.is_file():
        pytest.skip("the viewer is not built (offline install): pip install -e . builds it")
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return out


@pytest.fixture(scope="session")
def wheel_names(dist: Path) -> list[str]:
    return zipfile.ZipFile(next(dist.glob("*.whl"))).namelist()


def test_the_wheel_holds_both_packages_and_the_viewer(wheel_names: list[str]) -> None:
    for name in ("spatialwm/__init__.py", "spatialwm/cli.py", "spatialwm_app/__init__.py", "spatialwm_app/static/viewer.js"):
        assert name in wheel_names
    assert "spatialwm_app/static/viewer.licenses.txt" in wheel_names
    assert {f"spatialwm/_cuda/{p.name}" for p in (ROOT / "cuda").iterdir()} <= set(wheel_names)


def test_the_wheel_holds_nothing_else(wheel_names: list[str]) -> None:
    tops = {n.split("/")[0] for n in wheel_names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"spatialwm", "spatialwm_app"}
    assert not [n for n in wheel_names if "__pycache__" in n or "node_modules" in n or n.startswith("tests")]


def test_the_sdist_can_rebuild_everything(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as tar:
        names = {n.split("/", 1)[1] for n in tar.getnames() if "/" in n}
    assert {"pyproject.toml", "hatch_build.py", "LICENSE", "README.md", "app/viewer/package-lock.json"} <= names
    assert {"app/viewer/src/main.js", "app/spatialwm_app/static/viewer.js"} <= names
    assert not [n for n in names if "node_modules" in n or n.startswith(".ci")]


def test_cuda_holds_no_python() -> None:
    assert not [p for p in (ROOT / "cuda").rglob("*.py")], "a Python file under cuda/ would shadow NVIDIA's cuda package"


def test_no_third_party_javascript_is_tracked() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = run("git", "ls-files", cwd=ROOT).split()
    scripts = [f for f in tracked if f.endswith((".js", ".mjs", ".cjs", ".ts"))]
    assert all(f.startswith(("app/viewer/src/", "app/viewer/build.mjs", "tests/")) for f in scripts), scripts
    assert all((ROOT / f).stat().st_size < 60_000 for f in scripts)


def test_the_lock_file_names_no_host() -> None:
    lock = json.loads((ROOT / "app" / "viewer" / "package-lock.json").read_text("utf-8"))
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]


def test_a_clean_environment_imports_the_wheel_without_any_dependency(dist: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "clean", with_pip=True)
    python = tmp_path / "clean" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check", next(dist.glob("*.whl")))
    assert run(python, "-c", "import spatialwm, spatialwm.cli; print(spatialwm.__version__)", cwd=tmp_path).strip() == "0.1.0"
    assert run(tmp_path / "clean" / "bin" / "spatialwm", "--version", cwd=tmp_path).startswith("spatialwm ")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_a_clean_environment_makes_a_world_without_extras(dist: Path, tmp_path: Path, kind: str) -> None:
    venv.create(tmp_path / "clean", with_pip=True)
    python, command = tmp_path / "clean" / "bin" / "python", tmp_path / "clean" / "bin" / "spatialwm"
    archive = next(dist.glob(kind))
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", ROOT / "constraints.txt", archive)
    run(command, "create", "a red chair in a room", "-o", "r.world", "--quality", "draft", cwd=tmp_path)
    assert json.loads(run(command, "info", "r.world", "--json", cwd=tmp_path))["objects"]
    kernels = "from spatialwm.render.cuda.compile import sources; print((sources() / 'sort.cu').is_file())"
    assert run(python, "-c", kernels, cwd=tmp_path).strip() == "True"
    refused = subprocess.run([command, "app", "r.world"], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert refused.returncode != 0
    assert "pip install 'spatialwm[app]'" in refused.stderr
