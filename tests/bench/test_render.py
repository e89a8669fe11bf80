"""`spatialwm bench render`: what it writes, what it refuses, and that Ctrl-C keeps what was measured."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from spatialwm.bench import interleaved, load_scene, measure
from spatialwm.bench.picture import draw
from spatialwm.bench.render import SCHEMA, default_backends, psnr
from spatialwm.bench.table import print_table
from spatialwm.cli import main
from spatialwm.errors import SpatialwmError
from spatialwm.formats import write_splats
from spatialwm.gaussians import Gaussians
from spatialwm.render.renderer import BACKENDS, Backend
from spatialwm.scene import Scene, SceneObject
from spatialwm.world import World

TINY = ["--scenes", "synth300", "--sizes", "40x30,64x48", "--repeats", "2"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable:
    """``run(*words)`` -> exit code, stdout, stderr of ``spatialwm bench render`` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        try:
            code = main(["bench", "render", *words])
        except SystemExit as e:
            code = int(e.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def some_gaussians(n: int = 50) -> Gaussians:
    rng = np.random.default_rng(0)
    quats = np.tile([1.0, 0, 0, 0], (n, 1))
    return Gaussians.from_numpy(rng.normal(size=(n, 3)), quats, np.full((n, 3), 0.1), np.full(n, 0.9), rgb=rng.random((n, 3)))


def test_report_and_picture_are_written(run: Callable, tmp_path: Path) -> None:
    code, out, err = run(*TINY, "--backends", "cpu,reference", "--backward", "--against", "reference", "-o", "speed.json")
    assert code == 0, err
    assert "fwd + bwd" in out
    told = json.loads((tmp_path / "speed.json").read_text())
    assert told["schema"] == SCHEMA
    assert told["complete"] is True
    assert {"cpu", "cores", "vector_lanes", "memory_gb", "gpu", "versions", "commit", "measured_at"} <= set(told["machine"])
    cells = told["cells"]
    assert [(c["width"], c["backend"], c["passes"]) for c in cells] == [
        (w, b, p) for w in (40, 64) for b in ("cpu", "reference") for p in ("forward", "forward+backward")
    ]
    assert all(c["runs"] == 2 and c["wall_ms"] > 0 and c["processor_ms"] >= c["processor_ms_min"] > 0 for c in cells)
    # float32 against float64: close, and not the same.
    assert all(80 < c["psnr_db"] < 200 for c in cells if c["passes"] == "forward")
    picture = np.asarray(Image.open(tmp_path / "speed.png").convert("RGB"))
    assert picture.shape[1] > 800
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100


def test_json_is_all_that_stands_on_stdout(run: Callable) -> None:
    code, out, err = run(*TINY, "--backends", "reference", "--json")
    assert (code, err) == (0, "")
    assert len(json.loads(out)["cells"]) == 2


def test_default_backends_are_all_but_the_oracle() -> None:
    assert "cpu" in default_backends()
    assert "reference" not in default_backends()


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["--scenes", "nowhere"], ["'nowhere'", "synth100k"]),
        (["--scenes", "missing.world"], ["'missing.world'"]),
        (["--scenes", "synth999M"], ["999,000,000"]),
        (["--backends", "pencil"], ["'pencil'", "reference"]),
        (["--against", "pencil"], ["'pencil'"]),
        (["--sizes", "640"], ["1280x720", "'640'"]),
        (["--sizes", ","], ["commas"]),
        (["--repeats", "0"], ["above 0", "'0'"]),
        (["-o", "speed.txt"], [".json", "speed.txt"]),
        (["-o", "no/such/folder/speed.json"], ["no/such/folder"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run: Callable, tmp_path: Path, words: list[str], fragments: list[str]) -> None:
    code, out, err = run("--scenes", "synth100", "--sizes", "8x6", "--repeats", "1", "--backends", "reference", *words)
    assert code in (1, 2)
    assert out == ""
    assert len(err.strip().splitlines()) == 1, err
    for fragment in fragments:
        assert fragment in err
    assert not list(tmp_path.iterdir())


def test_a_world_and_a_splat_file_are_scenes(tmp_path: Path) -> None:
    write_splats(some_gaussians(), tmp_path / "cloud.ply")
    World.create(tmp_path / "room.world", Scene((SceneObject("a-1", "a", some_gaussians(70)),))).close()
    scenes = [load_scene(str(tmp_path / name)) for name in ("cloud.ply", "room.world")]
    report = measure(scenes, [(32, 24)], ["reference"], repeats=1)
    assert [(c.scene, c.gaussians) for c in report.cells] == [("cloud.ply", 50), ("room.world", 70)]
    assert all(picture.max() > 0 for picture in report.pictures.values())


def test_synthetic_names_mean_their_number() -> None:
    assert [len(load_scene(name)) for name in ("synth20", "synth2k")] == [20, 2000]


def _backend(rasterization: Callable) -> Backend:
    return Backend(lambda: rasterization, lambda: None)


def reference(*args, **more):
    return BACKENDS["reference"].load()(*args, **more)


def without_gradients(*args, **more):
    if args[0].requires_grad:
        raise SpatialwmError("this one cannot do gradients")
    return reference(*args, **more)


def test_a_backend_without_gradients_says_so_and_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "forwards", _backend(without_gradients))
    report = measure([load_scene("synth100")], [(16, 12)], ["forwards", "reference"], backward=True, repeats=1)
    cells = {(c.backend, c.passes): c for c in report.cells}
    assert cells["forwards", "forward"].wall_ms
    assert cells["forwards", "forward+backward"].wall_ms is None
    assert cells["forwards", "forward+backward"].note == "this one cannot do gradients"
    assert cells["reference", "forward+backward"].wall_ms
    told = io.StringIO()
    print_table(report, told)
    assert "this one cannot do gradients" in told.getvalue()


def test_ctrl_c_keeps_what_was_measured(run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def interrupted_later(*args, **more):
        calls.append(args[7])
        if len(calls) == 7:  # each size: a warm-up, a picture, two runs; so in the first run of the second size
            raise KeyboardInterrupt
        return reference(*args, **more)

    monkeypatch.setitem(BACKENDS, "weary", _backend(interrupted_later))
    code, out, err = run(*TINY, "--backends", "reference,weary", "-o", "speed.json")
    assert code == 130
    assert "interrupted; 3 cells measured" in err
    assert "weary" in out
    told = json.loads((tmp_path / "speed.json").read_text())
    assert told["complete"] is False
    assert [(c["width"], c["backend"], c["runs"]) for c in told["cells"]] == [
        (40, "reference", 2), (40, "weary", 2), (64, "reference", 1),
    ]  # fmt: skip
    assert (tmp_path / "speed.png").stat().st_size > 10_000


def test_ctrl_c_before_the_first_run_leaves_nothing(run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(*args, **more):
        raise KeyboardInterrupt

    monkeypatch.setitem(BACKENDS, "weary", _backend(at_once))
    code, out, err = run(*TINY, "--backends", "weary", "-o", "speed.json")
    assert (code, out) == (130, "")
    assert "interrupted" in err
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_extra_is_named_before_anything_is_measured(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, err = run("--scenes", "nowhere", "-o", "speed.json")
    assert code == 1
    assert "pip install 'spatialwm[bench]'" in err
    assert not list(tmp_path.iterdir())


def test_a_picture_of_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args, **more):
        raise SpatialwmError("out of paint")

    monkeypatch.setitem(BACKENDS, "broken", _backend(broken))
    report = measure([load_scene("synth10")], [(8, 6)], ["broken"], repeats=1)
    assert [c.note for c in report.cells] == ["out of paint"]
    with pytest.raises(SpatialwmError, match="nothing to draw"):
        draw(report, tmp_path / "x.png")


def test_progress_climbs_to_one_and_names_the_stage() -> None:
    told = []
    scene = load_scene("synth50")
    report = measure([scene], [(8, 6), (16, 12), (4, 3)], ["reference"], repeats=2, progress=lambda *t: told.append(t))
    assert report.pictures["synth50"].shape == (12, 16, 3)  # of the largest size
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[0] == ("synth50 8x6", 0.0)
    assert told[-1][1] == 1.0


def test_runs_take_turns_and_warm_up_first() -> None:
    order: list[str] = []
    timings = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=3)
    assert "".join(order) == "ab" * 4
    assert [len(t.wall) for t in timings.values()] == [3, 3]


def test_slow_jobs_are_repeated_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spatialwm.bench.timing.SLOW_JOB_S", 1e-9)
    assert len(interleaved({"a": lambda: None}, repeats=5)["a"].wall) == 1


def test_psnr_of_a_known_difference() -> None:
    assert psnr(np.full((4, 4, 3), 0.6), np.full((4, 4, 3), 0.5)) == 20.0
    assert psnr(torch.zeros(2).numpy(), torch.zeros(2).numpy()) == 300.0
