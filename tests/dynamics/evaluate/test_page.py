"""The page says what the results say; figures and films are there and show what they should."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from spatialwm.dynamics.episode import Episode
from spatialwm.dynamics.evaluate import ConstantVelocity, CopyLast, Estimate, Protocol, Results, evaluate, look_at_cast, report
from spatialwm.dynamics.evaluate.film import still
from spatialwm.dynamics.evaluate.page import markdown
from spatialwm.dynamics.evaluate.pictures import MOST_DB, dynamic_region
from spatialwm.errors import ExportError

QUICK = Protocol(horizons=(1, 8), starts=(2,), resamples=100, films=1, rendered_windows=2, close_windows=4)


@pytest.fixture(scope="module")
def results(two_and_three: list[Episode], off_by) -> Results:
    models = [CopyLast(), ConstantVelocity(), off_by(0.004, 0.003)]
    return evaluate(models, two_and_three[:4], QUICK, reference="constant velocity")


def test_the_page_names_every_model_and_tells_what_the_values_tell(results: Results) -> None:
    page = markdown(results, "Title")
    for model in results.models:
        assert page.count(f"| {model.name} |") == 4  # two horizons, plausibility, counterfactual
    assert "4 held-out episodes of 2 to 3 objects, 4 windows." in page
    assert "## 0.8 s ahead (8 steps, 6 moved objects)" in page
    assert "| off | 4.0 [4.0, 4.0] | 4.0 [4.0, 4.0] |" in page
    assert "more than 5 mm" in page
    assert "95 % intervals" in page
    assert "nan" not in page.lower()


def test_how_much_better_or_worse_than_the_reference_is_said_so_that_it_is_read_right(results: Results) -> None:
    known = Estimate(0.004, 0.004, 0.004)
    first = results["off"].at(8)
    for below, text in (
        (Estimate(0.2, 0.1, 0.3), "**+20% [+10%, +30%]**"), (Estimate(0.2, -0.1, 0.3), "+20% [-10%, +30%]"),
        (Estimate(-2.1, -3.0, -1.5), "3.1 times it"),
    ):  # fmt: skip
        told = replace(results["off"], horizons=(results["off"].at(1), replace(first, moved_mean_m=known, below=below)))
        page = markdown(replace(results, models=(results["constant velocity"], told)), "Title")
        assert f"| off | 4.0 [4.0, 4.0] | 4.0 [4.0, 4.0] | {text} |" in page


def test_columns_that_nobody_fills_are_left_out(results: Results) -> None:
    page = markdown(results, "Title")
    assert "in the 90 % interval: moved" in page
    silent = replace(results, models=results.models[:2])
    assert "90 % interval: moved" not in markdown(silent, "Title")
    assert "error of the difference" not in page  # no twins were given


def test_a_report_is_a_page_figures_films_and_values(results: Results, tmp_path: Path) -> None:
    out = report(results, tmp_path / "push.md")
    page = out.read_text(encoding="utf-8")
    for name in re.findall(r"\]\(([^)]+)\)", page):
        assert (tmp_path / name).stat().st_size > 1000, name
    assert {p.name for p in tmp_path.iterdir()} == {
        "push.md", "push.json", "push-error.png", "push-certainty.png", "push-film-1.mp4", "push-film-1.png"
    }  # fmt: skip
    assert json.loads((tmp_path / "push.json").read_text())["reference"] == "constant velocity"
    with av.open(str(tmp_path / "push-film-1.mp4")) as film:
        frames = [f.to_ndarray(format="rgb24") for f in film.decode(video=0)]
    assert len(frames) == 8 * 2 + 24
    assert frames[0].shape[1] > 3 * 500  # the truth and two models
    assert np.abs(frames[0].astype(int) - frames[15]).max() > 60


def test_bad_names_are_refused_before_anything_is_written(results: Results, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"written as \.md"):
        report(results, tmp_path / "push.html")
    with pytest.raises(ExportError, match="'best' cannot be filmed; there are: copy last, constant velocity, off"):
        report(results, tmp_path / "push.md", filmed=["best"])
    assert not list(tmp_path.iterdir())


def test_films_show_where_things_truly_are_and_how_sure_the_model_is(results: Results) -> None:
    shown = results.shown[0]
    look = look_at_cast(shown.episode)
    width = look.camera.width
    sheet = still(shown, look, ["copy last", "off"])
    truth, copy, off = (sheet[44:-34, i * (width + 10) : i * (width + 10) + width].astype(int) for i in range(3))
    blue = [(p[..., 2] - p[..., 0] > 45) & (p[..., 1] > 120) for p in (truth, copy, off)]
    assert blue[2].sum() > 200 + max(blue[0].sum(), blue[1].sum())  # copy last does not say, so it has no field
    assert (np.abs(truth - copy).max(-1) > 60).sum() > 500


def test_pictures_of_what_is_right_agree_and_others_do_not(results: Results) -> None:
    right, copied, off = (results[n].at(8).psnr_db.value for n in ("constant velocity", "copy last", "off"))
    assert right == pytest.approx(MOST_DB, abs=5)
    assert copied < off < right
    assert copied < 22


def test_the_dynamic_region_is_where_the_picture_changed() -> None:
    now = np.full((20, 20, 3), 0.5)
    later = now.copy()
    later[5:8, 5:8, 1] = 0.6
    later[15, 15] += 0.01  # noise
    region = dynamic_region(now, later)
    assert region[5:8, 5:8].all()
    assert not region[14:, 14:].any()
    assert region.sum() < 50


def test_objects_of_a_picture_are_where_they_are_said_to_be(two_and_three: list[Episode], tmp_path: Path) -> None:
    episode = two_and_three[1]
    look = look_at_cast(episode)
    frame = look.draw(episode.track.poses[0], episode.track.part_poses[0])
    x, y, z = look.camera.world_from_cam.inverse().apply(episode.track.poses[0, :, :3]).T
    u, v = x / z * look.camera.fx + look.camera.cx, y / z * look.camera.fy + look.camera.cy
    for i in range(3):
        assert frame.object_at(int(u[i]), int(v[i])) == f"object/cube-{i}"
    assert frame.rgb[0, 0].min() > 0.8
    Image.fromarray((frame.rgb * 255).astype(np.uint8)).save(tmp_path / "look.png")
