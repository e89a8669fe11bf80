"""Every script of benchmarks/ runs from end to end on something tiny, and writes what it promises."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("growth.py", *words)`` -> what it wrote as JSON."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def call(script: str, *words: str) -> dict[str, Any]:
        out = tmp_path / "told.json"
        main = runpy.run_path(str(BENCHMARKS / script))["main"]
        assert main([*words, "-o", str(out)]) == 0
        return json.loads(out.read_text())

    return call


def is_a_picture(path: Path) -> bool:
    pixels = np.asarray(Image.open(path).convert("RGB"))
    return pixels.shape[1] > 800 and len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100


def test_growth_measures_a_cell_in_its_own_process_and_draws(run: Run, tmp_path: Path) -> None:
    told = run("growth.py", "--scenes", "synth200k", "--sizes", "640x360", "--repeats", "1")
    assert told["complete"] is True
    assert told["machine"]["cpu"]
    (cell,) = told["cells"]
    assert (cell["gaussians"], cell["width"], cell["height"]) == (200_000, 640, 360)
    # The Gaussians alone take 56 bytes each.
    assert 10 < cell["forward"]["memory_mb"] <= cell["forward_backward"]["memory_mb"] < cell["forward_backward"]["process_mb"]
    assert cell["forward"]["wall_ms"] > 0
    assert set(told["memory"]) == {"forward", "forward_backward"}
    assert is_a_picture(tmp_path / "told.png")


def test_the_fit_of_memory_finds_what_went_in() -> None:
    fit = runpy.run_path(str(BENCHMARKS / "growth.py"))["fit"]
    cells = [
        {"gaussians": n, "width": w, "height": 100, "forward": {"memory_mb": (300 * n + 50 * w * 100) / 2**20 + 7}}
        for n in (1000, 10_000, 100_000)
        for w in (100, 1000)
    ]
    found = fit(cells, "forward")
    assert (found["bytes_per_gaussian"], found["bytes_per_pixel"], found["constant_mb"]) == (300, 50, 7)
    assert found["worst_error_mb"] == 0


def test_growth_keeps_what_ctrl_c_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = runpy.run_path(str(BENCHMARKS / "growth.py"))
    measure = script["measure"]
    calls = []

    def started(words: list[str], **options: Any) -> Any:
        calls.append(words)
        if len(calls) == 2:
            raise KeyboardInterrupt
        timing = {"wall_ms": 1.0, "processor_ms": 1.0, "memory_mb": 1.0, "process_mb": 2.0}
        cell = {"gaussians": 100, "width": 8, "height": 8, "forward": timing, "forward_backward": timing}
        return type("Done", (), {"stdout": json.dumps(cell)})

    monkeypatch.setattr(measure.__globals__["subprocess"], "run", started)
    cells, complete = measure(["synth100"], [(8, 8), (16, 16), (32, 32)], 1)
    assert (len(cells), complete) == (1, False)


def test_training_step_splits_into_stages_and_learns(run: Run, tmp_path: Path) -> None:
    told = run("training_step.py", "--scene", "synth500", "--size", "64x48", "--steps", "24", "--warm-up", "1", "--no-plain")
    assert set(told["variants"]) == {"SH degree 0", "SH degree 3", "degree 0, SSIM by torch"}
    for row in told["variants"].values():
        assert row["steps"] == 24
        assert row["it_per_s"] > 0
        assert row["loss"][1] < row["loss"][0]
        parts = [row["wall_ms"][stage] for stage in ("render", "loss", "gradient", "optimizer")]
        assert min(parts) > 0
    assert is_a_picture(tmp_path / "told.png")
    # One loss, two implementations: the same descent.
    ours, torchs = (told["variants"][name]["loss"] for name in ("SH degree 0", "degree 0, SSIM by torch"))
    assert ours == pytest.approx(torchs, abs=2e-3)


@pytest.mark.slow  # compiles every kernel anew
def test_cold_start_compiles_once(run: Run) -> None:
    told = run("render_cpu.py", "--scene", "synth500", "--size", "64x48", "--repeats", "1")
    first, later = (told["cold_start"][label] for label in ("first process", "later process"))
    assert later["first_picture_s"] < first["first_picture_s"]
    assert later["first_gradient_s"] < first["first_gradient_s"]
    assert all(v["wall_ms"] > 0 for v in told["variants"].values())


@pytest.fixture
def experiment(shared_dir: Path) -> Path:
    folder = shared_dir / "spikes" / "rasteriser"
    if not (folder / "splat_cpu.cpp").is_file():
        pytest.skip(f"no {folder / 'splat_cpu.cpp'}")
    if sys.platform != "linux" or shutil.which("g++") is None:
        pytest.skip("needs Linux and g++")
    return folder


def test_the_cpp_experiment_renders_what_we_render(tmp_path: Path, experiment: Path, shared_dir: Path) -> None:
    # In a process of its own: a library linked with -ffast-math flushes denormals to zero for the whole process, in which
    # scipy's k-d tree then recurses without end.
    out = tmp_path / "told.json"
    words = (
        "--experiment", experiment, "--data", shared_dir / "data", "--scenes", "garden,synth2k", "--sizes", "96x64",
        "--repeats", "1", "--accuracy", "synth2k", "--accuracy-size", "64x48", "-o", out,
    )  # fmt: skip
    done = subprocess.run([sys.executable, str(BENCHMARKS / "against_cpp.py"), *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(out.read_text())
    assert told["complete"] is True
    for cell in told["cells"]:
        # Not equal, because alpha is clamped at 0.99 there and at 0.999 here.
        assert cell["images_agree_db"] > 60
        assert cell["gradients_differ"] < 0.02
        assert cell["ratio forward"]["processor"] > 0
        assert cell["lanes_million"] > 0.01
    assert [a["scene"] for a in told["accuracy"]] == ["synth2k"]
    assert told["accuracy"][0]["psnr_db"] > 80


def test_the_experiments_folder_must_hold_it(run: Run, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"splat_cpu\.cpp"):
        run("against_cpp.py", "--experiment", str(tmp_path))


def test_nanoseconds_per_lane_are_those_of_this_decade(monkeypatch: pytest.MonkeyPatch) -> None:
    ns_per_lane = runpy.run_path(str(BENCHMARKS / "inner_loop.py"))["ns_per_lane"]
    assert 0.05 < ns_per_lane(repeats=2, runs=3) < 100
