"""Lifts judged from end to end, and the baselines beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatialwm.bench.lift import DepthTruth, draw_sheet, evaluate
from spatialwm.bench.lift.baselines import copied, mean_color, nearest, warped
from spatialwm.bench.lift.report import LiftReport, SourceReport
from spatialwm.cli import main
from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.lift import LiftOptions
from spatialwm.lift.capture.capture import View
from spatialwm.lift.capture.posed import seven_scenes


@pytest.fixture(scope="module")
def report(corner: Path) -> LiftReport:
    return evaluate([str(corner)], LiftOptions(quality="draft"), steps=60)


def test_ours_stands_beside_what_it_must_beat(report: LiftReport) -> None:
    (source,) = report.sources
    assert (source.refused, source.given, source.used, source.held_out) == (None, 8, 8, ("frame-000003",))
    rows = {row.method: row for row in source.rows}
    assert next(iter(rows)) == "ours"
    ours, start = rows["ours"], rows["start points without training"]
    assert ours.psnr > start.psnr > rows["mean colour"].psnr
    assert rows["nearest training view, warped by its depth"].psnr > rows["nearest training view, copied"].psnr
    assert rows["mean colour"].psnr_fitted == pytest.approx(rows["mean colour"].psnr, abs=2)
    assert ours.depth.cover == 1.0
    assert ours.depth.median_m < 0.03
    assert abs(ours.depth.bias) < 0.01
    assert rows["nearest training view, warped by its depth"].depth.cover < 1
    assert rows["mean colour"].depth is None


def test_the_scene_as_it_is_kept_has_a_row_of_its_own(report: LiftReport) -> None:
    ours, kept, start = report.sources[0].rows[:3]
    assert start.psnr < kept.psnr <= ours.psnr + 0.5  # drawn without the filter that training uses
    assert kept.depth.median_m == pytest.approx(ours.depth.median_m, abs=0.005)


def test_every_stage_has_its_time_and_memory(report: LiftReport) -> None:
    (source,) = report.sources
    stages = {stage.name: stage for stage in source.stages}
    assert {"reading pictures", "training"} <= set(stages)  # not "training, 4,000 Gaussians"
    assert source.seconds == pytest.approx(sum(s.seconds for s in source.stages))
    assert all(50 < s.peak_mb <= source.peak_mb for s in source.stages)
    assert stages["training"].processor_s > 0.05


def test_the_page_the_json_and_the_sheet_say_the_same(report: LiftReport, tmp_path: Path) -> None:
    page, told = report.markdown("x.png"), json.loads(json.dumps(report.to_dict(), allow_nan=False))
    ours = told["sources"][0]["rows"][0]
    assert f"| ours | {ours['psnr']:.2f} | {ours['psnr_fitted']:.2f} | {ours['ssim']:.3f} |" in page
    assert "![held-out views: truth, ours, error](x.png)" in page
    assert told["sources"][0]["registered_share"] == 1.0
    sheet = draw_sheet(report, tmp_path / "x.png")
    assert sheet is not None
    pixels = np.asarray(Image.open(sheet))
    assert pixels.shape[1] > 1500
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 1000


def test_what_cannot_be_lifted_is_a_line_of_the_report(corner: Path, tmp_path: Path) -> None:
    broken = tmp_path / "two"
    broken.mkdir()
    for file in sorted(corner.glob("frame-00000[01]*")):
        (broken / file.name).write_bytes(file.read_bytes())
    refused = evaluate([str(broken)], LiftOptions(quality="draft"), steps=1)
    assert "2 usable views; at least 3" in refused.sources[0].refused
    assert "No world: " in refused.markdown()
    assert draw_sheet(refused, tmp_path / "none.png") is None
    with pytest.raises(LiftError, match="is not made of pictures"):
        evaluate(["a mug on a table"])


def test_a_single_picture_is_shown_again_and_its_depth_aligned(corner: Path) -> None:
    photo, depth = corner / "frame-000004.color.png", corner / "frame-000004.depth.png"
    (source,) = evaluate([str(photo)], LiftOptions(quality="draft"), truths=[DepthTruth(depth)]).sources
    assert (source.refused, source.kind) == (None, "photo")
    ours, plane = source.rows
    assert ours.psnr > 20
    assert 0 < ours.relative.abs_rel < 1
    assert plane.relative.factor == pytest.approx(np.median(DepthTruth(depth).read(96, 72)))
    assert any("holes" in note for note in source.notes)
    with pytest.raises(LiftError, match="2 depth truths for 1"):
        evaluate([str(photo)], truths=[DepthTruth(depth), DepthTruth(depth)])


def test_a_truth_of_another_shape_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.ones((50, 50)))
    with pytest.raises(LiftError, match="same field of view"):
        DepthTruth(tmp_path / "d.npy").read(96, 72)
    assert DepthTruth(tmp_path / "d.npy", 2.0).read(25, 25) == pytest.approx(2.0)
    (tmp_path / "d.png").write_bytes(b"no")
    with pytest.raises(LiftError, match="not a depth map"):
        DepthTruth(tmp_path / "d.png").read(2, 2)


def test_a_warped_view_lands_where_it_belongs(corner: Path) -> None:
    views = seven_scenes.read(corner).views
    target, behind = views[3], np.zeros(3)
    source = nearest(target.camera, [v for v in views if v is not target], 2.0)
    assert source.name in ("frame-000002", "frame-000004")
    moved = warped(target.camera, source, behind)
    assert moved is not None
    seen = moved.depth_m > 0
    assert 0.5 < seen.mean() < 1
    assert np.median(np.abs(moved.depth_m - target.depth)[seen]) < 0.01
    off = np.abs(moved.rgb - target.rgb / 255)[seen].mean()
    assert off < 0.5 * np.abs(copied(target.camera, source).rgb - target.rgb / 255)[seen].mean()
    assert warped(target.camera, View("bare", source.camera, source.rgb), behind) is None


def test_guesses_have_the_size_of_the_view_they_stand_for() -> None:
    camera = Camera.look_at((0.0, -1.0, 1.0), (0.0, 0.0, 1.0), 40, 30, 60.0)
    other = View("other", Camera.look_at((0.0, -1.0, 1.0), (0.0, 0.0, 1.0), 80, 50, 60.0), np.full((50, 80, 3), 51, np.uint8))
    assert copied(camera, other).rgb.shape == (30, 40, 3)
    assert mean_color(camera, [other]).rgb == pytest.approx(0.2)


def test_the_verb_writes_a_page_and_says_json_alone(corner: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.md"
    words = ["evaluate", "lift", str(corner), "--quality", "draft", "--steps", "3", "-o", str(out), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "spatialwm.evaluate.lift/1"
    assert out.read_text("utf-8").startswith("# How good the lifts are")
    assert out.with_suffix(".png").is_file()
    assert main(["evaluate", "lift", str(corner), "-o", "x.html"]) == 1
    assert main(["evaluate", "lift", "a mug on a table"]) == 1
    assert "not made of pictures" in capsys.readouterr().err


def test_a_report_of_nothing_but_refusals_fails(corner: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"not a video")
    assert main(["evaluate", "lift", str(tmp_path / "clip.mp4")]) == 1
    assert "No world: " in capsys.readouterr().out


def test_numbers_that_are_none_are_null() -> None:
    told = SourceReport(source="x", kind="capture", refused="because").to_dict()
    assert (told["registered_share"], told["peak_mb"], told["rows"]) == (None, None, [])
