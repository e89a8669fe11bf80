"""Trainers side by side on something tiny, and on the throwaway where it lies."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "capture_training.py"


def test_it_trains_judges_and_draws(corner: Path, tmp_path: Path) -> None:
    main = runpy.run_path(str(SCRIPT))["main"]
    out = tmp_path / "told.json"
    assert main(["--captures", str(corner), "--seconds", "0.5", "--turns", "2", "-o", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told["complete"] is True
    assert [(r["capture"], r["trainer"], r["seed"]) for r in told["rows"]] == [(corner.name, "spatialwm", s) for s in (0, 1)]
    for row in told["rows"]:
        assert row["steps"] > 1
        assert 10 < row["psnr"] <= row["psnr_fitted"] + 1e-6
        assert (row["used"], row["held_out"]) == (8, [3])
    pixels = np.asarray(Image.open(out.with_suffix(".png")).convert("RGB"))
    assert pixels.shape[1] > 800


def test_captures_that_have_names_need_their_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    main = runpy.run_path(str(SCRIPT))["main"]
    with pytest.raises(SystemExit):
        main(["--captures", "fox"])
    assert "--data DIR must hold mv_instantngp_fox/images" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=r"no train\.py in"):
        main(["--captures", "fox", "--data", str(tmp_path), "--experiment", str(tmp_path)])


@pytest.mark.slow  # the throwaway compiles for a minute
def test_the_throwaway_gets_the_same_pictures_and_points(corner: Path, tmp_path: Path, shared_dir: Path) -> None:
    experiment = shared_dir / "spikes" / "capture_train"
    if not (experiment / "train.py").is_file():
        pytest.skip(f"no {experiment / 'train.py'}")
    out = tmp_path / "told.json"
    main = runpy.run_path(str(SCRIPT))["main"]
    assert main(["--captures", str(corner), "--seconds", "2", "--experiment", str(experiment), "-o", str(out)]) == 0
    ours, theirs = json.loads(out.read_text())["rows"]
    assert (ours["trainer"], theirs["trainer"]) == ("spatialwm", "throwaway")
    assert min(ours["psnr"], theirs["psnr"]) > 15
