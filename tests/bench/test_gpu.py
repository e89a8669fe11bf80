"""The script for machines with a GPU runs from end to end without one, so that nothing silly stops it there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from spatialwm.errors import SpatialwmError

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import gpu  # pyright: ignore[reportMissingImports]

    return gpu


@pytest.fixture
def run(script: Any, tmp_path: Path) -> Run:
    """``run("--backends", "cpu")`` -> exit status and what was written."""

    def call(*words: str) -> tuple[int, dict[str, Any]]:
        status = script.main(["--device", "cpu", "--sizes", "tiny", "--commit", "abc", "--out", str(tmp_path), *words])
        (file,) = tmp_path.glob("*.json")
        return status, json.loads(file.read_text())

    return call


def sound(stages: dict[str, Any]) -> bool:
    return all(s["done"] and s.get("passed", True) for s in stages.values())


@pytest.mark.usefixtures("emulated")
def test_our_kernels_go_through_every_stage_in_the_emulator(run: Run) -> None:
    status, told = run("--backends", "cuda")
    stages = told["stages"]
    assert status == 0, {name: s for name, s in stages.items() if not s["done"] or not s.get("passed", True)}
    speed = ("speed 60", "speed 60 SH3")
    assert set(stages) == {"build", "order", "parity cuda", *speed, "training", "profile cuda", "picture cuda 120"}
    assert all(stages["order"]["cases"].values())
    assert len(stages["parity cuda"]["cases"]) > 20
    for name in speed:
        assert {"cuda forward", "cuda forward+backward"} == set(stages[name]["jobs"])
        assert all(job["ms"] > 0 for job in stages[name]["jobs"].values())
    assert {"step, cuda", "L1+SSIM, ours", "L1+SSIM, torch", "Adam, ours", "Adam, torch"} == set(stages["training"]["jobs"])
    assert told["machine"]["commit"] == "abc"


def test_a_second_call_goes_on_where_the_first_stopped(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = run("--backends", "cpu", "--stages", "speed", "--seconds", "0")
    assert status == 1
    assert [s["error"] for s in told["stages"].values()] == ["no time left: call again"] * 2
    status, told = run("--backends", "cpu", "--stages", "speed")
    assert status == 0
    assert sound(told["stages"])
    capsys.readouterr()
    status, again = run("--backends", "cpu", "--stages", "speed")
    assert (status, again["stages"]) == (0, told["stages"])
    assert capsys.readouterr().out.count("done before") == 2


def test_a_stage_that_breaks_is_told_and_the_rest_still_runs(run: Run, script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "training", lambda _: 1 / 0)
    status, told = run("--backends", "cpu", "--stages", "training,profile")
    assert status == 1
    assert told["stages"]["training"]["error"].startswith("ZeroDivisionError")
    assert "1 / 0" in told["stages"]["training"]["traceback"]
    assert told["stages"]["profile cpu"]["done"]


def test_after_a_fault_on_the_gpu_the_other_stages_run_in_a_fresh_process(
    run: Run, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Replaced(Exception):
        pass

    def execv(program: str, words: list[str]) -> None:
        started.append(words[2:])
        raise Replaced

    started: list[list[str]] = []
    speed = script.speed
    monkeypatch.setattr(script.os, "execv", execv)
    monkeypatch.setattr(script, "speed", lambda sitting, n, degree: faults.append(n) or speed(sitting, n, degree))
    monkeypatch.setattr(script, "is_broken", lambda _: "illegal memory access" if len(faults) == 1 else None)
    faults: list[int] = []
    with pytest.raises(Replaced):
        run("--backends", "cpu", "--stages", "speed")
    assert started[0][-1] == "--after-a-crash"
    assert 0 < float(started[0][-2]) < 540
    status, told = run(*started[0])
    assert status == 1
    assert told["stages"]["speed 60"]["error"] == "illegal memory access"
    assert told["stages"]["speed 60 SH3"]["done"]
    faults += [0, 0]
    assert run("--backends", "cpu", "--stages", "speed")[0] == 0  # called afresh, it tries again


def test_a_backend_that_is_wrong_fails_parity(script: Any) -> None:
    agreement = sys.modules["agreement"]
    device = torch.device("cpu")

    def dim(*arguments: Any, **options: Any) -> Any:
        image, alpha, info = agreement.oracle(*arguments, **options)
        return image * 0.999, alpha, info

    verdicts = {}
    for label, scene, size, options in agreement.cases(30, 32, 24, device):
        verdicts[label] = agreement.agreement(dim, scene, size, options)["passed"]
    assert not verdicts["plain"]
    assert not verdicts["one Gaussian"]
    assert verdicts["behind"]
    assert not any(agreement.refusals(lambda *a, **k: None, device).values())


def test_gsplat_that_cannot_be_built_leaves_the_race(script: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("nvcc: no such thing")
    broken = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], text=True)
    sitting = script.Sitting(
        torch.device("cpu"), ("cuda", "gsplat"), script.SIZES["tiny"], tmp_path / "a.json", time.monotonic() + 300, {},
        building=broken, build_log=log,
    )  # fmt: skip
    with pytest.raises(SpatialwmError, match=r"did not get ready \(exit 3\)[\s\S]*nvcc: no such thing"):
        script.wait_for_gsplat(sitting)
    assert sitting.backends == ("cuda",)


def test_another_gsplat_is_timed_in_a_process_of_its_own(run: Run, tmp_path: Path) -> None:
    status, told = run("--backends", "cpu", "--stages", "build", "--gsplat-main", str(tmp_path))
    assert status == 0, told["stages"]
    assert told["stages"]["gsplat main"]["stages"]["speed 60"]["jobs"]["cpu forward"]["ms"] > 0


def test_times_are_compared_with_the_faster_manner_of_gsplat(script: Any) -> None:
    names = ("cuda forward", "gsplat packed forward", "gsplat unpacked forward", "cuda forward+backward")
    jobs = {name: {"ms": ms} for name, ms in zip(names, (2.0, 9.0, 5.0, 4.0), strict=True)}
    jobs["gsplat packed forward+backward"] = {"ms": None}
    assert script.times_faster(jobs) == {"forward times faster": 2.5}


def test_without_a_gpu_one_line_says_so(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    command = [sys.executable, BENCHMARKS / "gpu.py", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("torch sees no GPU: nothing was measured")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_nothing_to_run_and_unknown_words_are_refused(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--backends", "nonsense"], ["--backends", "cpu", "--stages", "nonsense"]):
        with pytest.raises(SystemExit) as refused:
            script.main(["--device", "cpu", *words])
        assert refused.value.code == 2
    shown = capsys.readouterr()
    assert "no such backend" in shown.out
    assert "no stage nonsense; choose from build, order" in shown.err
