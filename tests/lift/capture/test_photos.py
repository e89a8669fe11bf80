"""From files to a capture: what is left out and why, and failures that say what to shoot."""

from __future__ import annotations

import ast
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from spatialwm.errors import LiftError, MissingDependencyError
from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture import sfm, sfm_worker
from spatialwm.lift.capture.capture import Capture, Points, View
from spatialwm.lift.capture.photos import _in_order, capture_from_photos, capture_from_video, find_photos, read_photos
from spatialwm.lift.capture.register import _straighten
from spatialwm.lift.pictures.picture import read_picture
from spatialwm.progress import silent


def _texture(seed: int, size: tuple[int, int] = (240, 320)) -> np.ndarray:
    noise = gaussian_filter(np.random.default_rng(seed).random((*size, 3)), (2, 2, 0))
    return ((noise - noise.min()) / np.ptp(noise) * 255).astype(np.uint8)


def _save(folder: Path, **pictures: np.ndarray) -> Path:
    for name, rgb in pictures.items():
        Image.fromarray(rgb).save(folder / f"{name}.png")
    return folder


def test_photos_come_in_natural_order_from_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("b10.jpg", "b9.JPG", "notes.txt", ".hidden.jpg", "more/b1.png"):
        (tmp_path / name).touch()
    assert [p.name for p in find_photos([tmp_path / "more", tmp_path])] == ["b1.png", "b9.JPG", "b10.jpg"]


def test_a_folder_named_images_inside_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").touch()
    assert [p.name for p in find_photos(tmp_path)] == ["a.jpg"]


def test_no_pictures_or_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(LiftError, match=r"holds no pictures; expected files ending in \.avif"):
        find_photos(tmp_path)
    with pytest.raises(LiftError, match="no such file or folder"):
        find_photos(tmp_path / "none")
    with pytest.raises(LiftError, match="no such video"):
        capture_from_video(tmp_path / "none.mp4")


def test_broken_blank_and_doubled_photos_are_left_out_with_a_note(tmp_path: Path) -> None:
    one = _texture(1)
    _save(tmp_path, a=one, b=_texture(2), c=one, d=np.zeros_like(one))
    (tmp_path / "e.jpg").write_bytes(b"broken")
    photos = read_photos(tmp_path)
    assert [p.name for p in photos.pictures] == ["a.png", "b.png"]
    assert photos.given == 5
    assert [n.split(":")[0] for n in photos.notes] == ["c.png was left out", "d.png was left out", "left out"]


def test_all_alike_all_black_and_all_broken_are_refused(tmp_path: Path) -> None:
    black = np.zeros((9, 9, 3), np.uint8)
    for name, rgb, says in (("alike", _texture(1), "all 3 pictures show the same"), ("black", black, "none of 3 files")):
        (tmp_path / name).mkdir()
        with pytest.raises(LiftError, match=says):
            read_photos(_save(tmp_path / name, a=rgb, b=rgb, c=rgb))
    (tmp_path / "x.jpg").write_bytes(b"")
    with pytest.raises(LiftError, match=r"none of 1 files can be used; left out: x\.jpg is not a picture"):
        read_photos(tmp_path / "x.jpg")


def test_two_photos_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(LiftError, match=r"2 pictures cannot be placed in space: give at least 3"):
        capture_from_photos(_save(tmp_path, a=_texture(1), b=_texture(2)))


def test_without_pycolmap_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'spatialwm\[capture\]'"):
        capture_from_photos(_save(tmp_path, a=_texture(1), b=_texture(2), c=_texture(3)))


def test_pictures_of_different_places_are_refused_with_what_to_shoot(tmp_path: Path) -> None:
    with pytest.raises(LiftError, match="only 0 of 4 pictures could be placed in space: most show nothing in common; move less"):
        capture_from_photos(_save(tmp_path, **{f"p{i}": _texture(i) for i in range(4)}))


def test_cancelling_stops_the_worker_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    started = []
    popen = sfm.subprocess.Popen
    monkeypatch.setattr(sfm.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])

    def stop(stage: str, fraction: float) -> None:
        if stage == "matching":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        capture_from_photos(_save(tmp_path, **{f"p{i}": _texture(i) for i in range(4)}), progress=stop)
    assert started[0].returncode not in (None, 0)  # ended before its time
    assert not list((tmp_path / "scratch").iterdir())


def test_a_worker_that_breaks_off_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{")
    with pytest.raises(LiftError, match=r"broke off while finding features \(exit 1: .*\); try other or fewer"):
        sfm._run(tmp_path / "job.json", lambda stage, fraction: None)


def test_only_sift_is_ever_asked_for() -> None:
    """The library's learned features and matchers abort the process; none may be reachable, not even by a name at run time."""
    tree = ast.parse(Path(sfm_worker.__file__).read_text())
    asked = {
        node.attr for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)
        and node.value.attr in ("FeatureExtractorType", "FeatureMatcherType")
    }  # fmt: skip
    assert asked == {"SIFT", "SIFT_BRUTEFORCE"}
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "getattr" not in calls


def test_beyond_forty_pictures_alike_ones_and_neighbours_are_matched() -> None:
    rng = np.random.default_rng(0)
    places = [rng.standard_normal((50, 16)).astype(np.float32) for _ in range(48)]
    places[47] = places[0] + 0.05 * rng.standard_normal((50, 16)).astype(np.float32)  # the walk ends where it began
    glances = [p / np.linalg.norm(p, axis=1, keepdims=True) for p in places]
    names = [f"{i:02d}" for i in range(48)]
    pairs = sfm_worker.choose_pairs(names, glances, ordered=True)
    assert ("00", "47") in pairs
    assert all((f"{i:02d}", f"{i + 1:02d}") in pairs for i in range(47))
    assert len(pairs) < 48 * 47 / 2
    assert len(sfm_worker.choose_pairs(names[:40], [], ordered=False)) == 40 * 39 / 2


def test_a_camera_that_turned_is_told_from_one_that_walked_along_a_wall() -> None:
    k = np.diag([0.8, 0.8, 1.0])
    rng = np.random.default_rng(0)

    def seen(step: np.ndarray, yaw: float) -> np.ndarray:
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        between = turn + np.outer(step, (0.0, 0.0, 1.0))  # of a wall straight ahead, one unit away
        return rng.uniform(0.5, 2) * k @ between @ np.linalg.inv(k) + rng.normal(0, 1e-3, (3, 3))

    turned = np.array([seen(np.zeros(3), yaw) for yaw in np.linspace(0.05, 0.5, 12)])
    walked = np.array([seen(np.array([x, 0.0, 0.0]), 0.0) for x in np.linspace(0.1, 0.6, 12)])
    assert sfm_worker.only_turned(turned, 13)
    assert not sfm_worker.only_turned(walked, 13)
    assert not sfm_worker.only_turned(turned, 20)  # most pairs show parallax
    assert not sfm_worker.only_turned(turned[:0], 0)


def test_a_lens_that_ran_away_in_the_last_refinement_is_not_taken() -> None:
    def lens(focal: float, cx: float, cy: float) -> object:
        camera = pycolmap.Camera.create_from_model_name(1, "RADIAL", focal, 1280, 720)
        camera.params = [focal, cx, cy, 0.0, 0.0]
        return camera

    before = lens(1000.0, 640.0, 360.0)
    assert sfm_worker.plausible(lens(1010.0, 655.0, 350.0), before)
    assert not sfm_worker.plausible(lens(1100.0, 640.0, 360.0), before)
    assert not sfm_worker.plausible(lens(1000.0, 655.0, 240.0), before)


def test_views_are_put_into_the_order_of_names_with_their_tracks() -> None:
    camera = Camera.look_at((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 4, 3)
    views = tuple(View(name, camera, np.zeros((3, 4, 3), np.uint8)) for name in ("c", "a", "b"))
    points = Points(np.zeros((2, 3)), np.zeros((2, 3), np.uint8), np.array([[0, 0], [0, 1], [1, 0], [1, 2]]))
    sorted_ = _in_order(Capture(views, points, given=3), ["a", "b", "c"])
    assert [v.name for v in sorted_.views] == ["a", "b", "c"]
    assert sorted_.points.tracks.tolist() == [[0, 0], [0, 2], [1, 1], [1, 2]]


# Real captures: seconds of two free cores each.


def _check(capture: Capture, given: int, error_px: float) -> None:
    assert capture.given == len(capture.views) == given
    said = next(n for n in capture.notes if "reprojection error" in n)
    assert float(said.split("reprojection error ")[1].split(" px")[0]) < error_px
    tracks = capture.points.tracks
    assert (np.diff(tracks[:, 0]) >= 0).all()
    for i in (0, given - 1):  # points project where the views show their color
        view = capture.views[i]
        seen = tracks[tracks[:, 1] == i, 0]
        p = view.camera.world_from_cam.inverse().apply(capture.points.means[seen])
        x, y = (view.camera.fx * p[:, 0] / p[:, 2] + view.camera.cx, view.camera.fy * p[:, 1] / p[:, 2] + view.camera.cy)
        shown = view.rgb[y.astype(int), x.astype(int)].astype(float)
        assert np.abs(shown - capture.points.rgb[seen]).mean() < 25


@pytest.mark.slow
def test_sceaux_all_eleven_find_their_place_and_the_known_focal_length(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "mv_sceaux_castle"
    capture = capture_from_photos(folder, "draft")
    _check(capture, 11, 0.8)
    camera = capture.views[0].camera
    known = float((folder / "K.txt").read_text().split()[0])
    assert camera.fx * 2832 / camera.width == pytest.approx(known, rel=0.02)


@pytest.mark.slow
def test_lund_walk_straight_ahead_is_placed_by_the_global_mapper_and_again_alike(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "mv_opensfm_lund" / "images"
    first, second = (capture_from_photos(folder, "draft") for _ in range(2))
    _check(first, 29, 1.0)
    assert any("global mapper" in n for n in first.notes)
    assert [v.camera for v in first.views] == [v.camera for v in second.views]
    np.testing.assert_array_equal(first.points.means, second.points.means)


@pytest.mark.slow
def test_fox_all_twenty_five_find_their_place_and_the_calibrated_focal_length(shared_dir: Path) -> None:
    capture = capture_from_photos(shared_dir / "data" / "mv_instantngp_fox", "draft")
    _check(capture, 25, 1.0)
    camera = capture.views[0].camera
    assert camera.fx * 1080 / camera.width == pytest.approx(1375.5, rel=0.02)


@pytest.mark.slow
def test_a_clip_of_seventeen_frames_becomes_a_capture(shared_dir: Path) -> None:
    capture = capture_from_video(shared_dir / "data" / "videos" / "anysplat_vrnerf_kitchen.mp4", "draft")
    _check(capture, 17, 1.0)
    assert [v.time_s for v in capture.views] == sorted(v.time_s or 0 for v in capture.views)


def test_no_features_are_sought_where_a_mask_or_transparency_says_not_to(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / "masks").mkdir(parents=True)
    whole = _texture(1)
    clear = np.dstack([_texture(2), np.full((240, 320), 255, np.uint8)])
    clear[:, :160, 3] = 0
    _save(photos, a=whole, b=clear, c=_texture(3))
    left = np.zeros((120, 160), np.uint8)
    left[:, :80] = 255
    Image.fromarray(left).save(photos / "masks" / "a.png.png")
    read = read_photos(photos)
    assert "the masks of 1 pictures were used" in read.notes
    (tmp_path / "work").mkdir()
    found = sfm.solve(read.pictures, sfm.FAST, tmp_path / "work").features
    unmasked = sfm.solve([replace(p, mask=None) for p in read.pictures], sfm.FAST, _made(tmp_path / "other")).features
    assert found[0] < 0.6 * unmasked[0]
    assert found[1] < 0.6 * found[2]
    assert found[2] == unmasked[2]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_views_of_photos_carry_what_masks_and_transparency_exclude(tmp_path: Path) -> None:
    rgba = np.dstack([_texture(1), np.full((240, 320), 255, np.uint8)])
    rgba[:100, :, 3] = 0
    _save(tmp_path, a=rgba)
    mask = np.full((24, 32), 255, np.uint8)
    mask[:, 20:] = 0
    Image.fromarray(mask).save(tmp_path / "m.png")
    picture = replace(read_picture(tmp_path / "a.png"), mask=tmp_path / "m.png")
    none = np.zeros(0)
    structure = sfm.Structure(
        np.eye(4)[None, :3], np.array([[300.0, 160, 120, 0, 0]]), np.zeros((0, 3)), none, np.zeros((0, 2), np.int64), "global",
        (1,), np.array([9]), np.zeros((1, 1), np.int64), 0,
    )  # fmt: skip
    (view,) = _straighten([picture], structure, 320, silent)
    assert view.usable is not None
    zoom = 300 / view.camera.fx
    rows, columns = 120 + (np.arange(240) + 0.5 - 120) * zoom, 160 + (np.arange(320) + 0.5 - 160) * zoom
    expected = (rows > 100)[:, None] & (columns < 200)
    assert (view.usable != expected).mean() < 0.01
