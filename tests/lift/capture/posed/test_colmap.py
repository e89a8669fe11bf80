"""COLMAP models are read bit for bit as COLMAP reads them, wherever users keep the pictures."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.lift.capture.posed import PosedOptions, colmap, posed_reader

NAMES = ("a b.png", "IMG_9.png", "IMG_10.png", "sub/c.png")


@pytest.fixture
def project(tmp_path: Path, room: Any) -> Path:
    """A project of four pictures (one name with a blank, one in a subfolder) and 50 points, written by hand as text."""
    folder = tmp_path / "project"
    (folder / "sparse" / "0").mkdir(parents=True)
    (folder / "images" / "sub").mkdir(parents=True)
    cameras = room.walk(4)
    c = cameras[0]
    lines = ["# a comment"]
    for i, (name, camera) in enumerate(zip(NAMES, cameras, strict=True)):
        Image.fromarray(room.look(camera)[0]).save(folder / "images" / name)
        p = camera.world_from_cam.inverse()
        lines.append(" ".join(map(repr, (i + 5, *p.quat, *p.position, 1))) + f" {name}")
        lines.append("1.5 2.5 7 3.5 4.5 -1" if i % 2 else "")  # pictures without any 2D point have an empty line
    model = folder / "sparse" / "0"
    (model / "cameras.txt").write_text(f"# a comment\n1 PINHOLE 160 120 {c.fx!r} {c.fy!r} {c.cx!r} {c.cy!r}\n")
    (model / "images.txt").write_text("\n".join(lines) + "\n")
    points = room.surface_points(300)[:50]
    rows = [f"{i * 3} {x!r} {y!r} {z!r} {i} 20 30 0.5 5 0 6 1 5 2" for i, (x, y, z) in enumerate(points.tolist())]
    rows[0] = rows[0].replace("5 0 6 1 5 2", "8 0")  # seen by one picture only
    (model / "points3D.txt").write_text("\n".join(rows) + "\n")
    return folder


def as_binary(project: Path) -> Path:
    """The same model in COLMAP's binary form."""
    model = project / "sparse" / "0"
    camera = (model / "cameras.txt").read_text().splitlines()[1].split()
    out = struct.pack("<QIiQQ4d", 1, 1, 1, 160, 120, *map(float, camera[4:]))
    (model / "cameras.bin").write_bytes(out)
    rows = (model / "images.txt").read_text().splitlines()[1:]
    out = struct.pack("<Q", len(NAMES))
    for pose, seen in zip(rows[::2], rows[1::2], strict=True):
        number, *values, camera_number, name = pose.split(maxsplit=9)
        out += struct.pack("<I7dI", int(number), *map(float, values), int(camera_number)) + name.encode() + b"\0"
        points = [(float(x), float(y), int(p) % 2**64) for x, y, p in zip(*(seen.split()[k::3] for k in range(3)), strict=True)]
        out += struct.pack("<Q", len(points)) + b"".join(struct.pack("<2dQ", *p) for p in points)
    (model / "images.bin").write_bytes(out)
    rows = (model / "points3D.txt").read_text().splitlines()
    out = struct.pack("<Q", len(rows))
    for number, x, y, z, r, g, b, error, *track in map(str.split, rows):
        out += struct.pack("<Q3d3Bd", int(number), float(x), float(y), float(z), int(r), int(g), int(b), float(error))
        out += struct.pack(f"<Q{len(track)}I", len(track) // 2, *map(int, track))
    (model / "points3D.bin").write_bytes(out)
    for file in model.glob("*.txt"):
        file.unlink()
    return project


@pytest.mark.parametrize("binary", [False, True])
def test_cameras_pictures_and_points_come_back(project: Path, room: Any, binary: bool) -> None:
    capture = colmap.read(as_binary(project) if binary else project)
    assert [view.name for view in capture.views] == ["IMG_9.png", "IMG_10.png", "a b.png", "sub/c.png"]
    truth = dict(zip(NAMES, room.walk(4), strict=True))
    for view in capture.views:
        camera = truth[view.name]
        np.testing.assert_allclose(view.camera.world_from_cam.matrix(), camera.world_from_cam.matrix(), atol=1e-9)
        assert (view.camera.fx, view.camera.cy) == (camera.fx, camera.cy)
        np.testing.assert_array_equal(view.rgb, room.look(camera)[0])
    assert capture.given == 4
    assert capture.scale.method == "unknown"
    points = capture.points
    assert len(points) == 49, "a point that one picture saw is left out"
    np.testing.assert_array_equal(points.means, room.surface_points(300)[1:50])
    assert points.rgb[0].tolist() == [1, 20, 30]
    assert points.tracks[:4].tolist() == [[0, 0], [0, 2], [1, 0], [1, 2]]


def test_binary_points_and_tracks_are_what_colmap_wrote(tmp_path: Path) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    options = pycolmap.SyntheticDatasetOptions()
    options.num_points3D = 80
    options.num_frames_per_rig = 6
    made = pycolmap.synthesize_dataset(options)
    for kind in ("binary", "text"):
        (tmp_path / kind).mkdir()
        getattr(made, f"write_{kind}")(str(tmp_path / kind))
    a, b = (colmap.read_model(tmp_path / kind) for kind in ("binary", "text"))
    assert len(a.means) == len(made.points3D)
    np.testing.assert_allclose(a.means, b.means, rtol=1e-12)
    np.testing.assert_array_equal(a.rgb, b.rgb)
    assert {tuple(t) for t in a.tracks.tolist()} == {tuple(t) for t in b.tracks.tolist()}
    assert len(a.tracks) == sum(p.track.length() for p in made.points3D.values())
    for image in a.images:
        theirs = made.images[image.number]
        np.testing.assert_allclose(image.world_from_cam.inverse().matrix()[:3], theirs.cam_from_world().matrix(), atol=1e-12)
        ours = a.cameras[image.camera]
        xyz = np.array([0.1, -0.2, 1.0])
        px = ours.lens.distort(xyz[None, :2])[0] * (ours.fx, ours.fy) + (ours.cx, ours.cy)
        np.testing.assert_allclose(px, np.ravel(theirs.camera.img_from_cam(xyz)), atol=1e-9)


@pytest.mark.parametrize("layout", ["project", "sparse", "model", "model beside pictures", "dense", "pictures above"])
def test_pictures_are_found_where_users_keep_them(project: Path, layout: str) -> None:
    model = project / "sparse" / "0"
    start = {"project": project, "sparse": project / "sparse", "model": model}.get(layout, project)
    if layout == "model beside pictures":
        for file in model.iterdir():
            shutil.move(file, project / "images" / file.name)
        start = project / "images"
    elif layout == "dense":
        (project / "dense").mkdir()
        shutil.move(project / "images", project / "dense" / "images")
        shutil.move(project / "sparse", project / "dense" / "sparse")
    elif layout == "pictures above":
        (project / "colmap").mkdir()
        shutil.move(project / "sparse", project / "colmap" / "sparse")
    if layout == "dense":
        shutil.move(project / "dense" / "images", project / "input")
    assert posed_reader(start) is colmap.read
    assert len(colmap.read(start).views) == 4


def test_the_larger_of_two_models_is_taken(project: Path) -> None:
    shutil.copytree(project / "sparse" / "0", project / "sparse" / "1")
    small = project / "sparse" / "0" / "images.txt"
    small.write_text("\n".join(small.read_text().splitlines()[:3]) + "\n")
    assert len(colmap.read(project).views) == 4


def test_missing_pictures_are_named(project: Path) -> None:
    (project / "images" / "sub" / "c.png").unlink()
    capture = colmap.read(project)
    assert len(capture.views) == 3
    assert capture.given == 4
    assert capture.notes == ("1 of 4 pictures of the model are missing: sub/c.png",)
    assert capture.points.tracks[:, 1].max() <= 2
    shutil.rmtree(project / "images")
    with pytest.raises(LiftError, match=r"the pictures of the COLMAP model in .* are not there .*; put them into .*images"):
        colmap.read(project)


def test_masks_beside_the_pictures_are_used(project: Path) -> None:
    (project / "masks").mkdir()
    mask = np.full((120, 160), 255, np.uint8)
    mask[:, :80] = 0
    Image.fromarray(mask).save(project / "masks" / "IMG_9.png.png")
    first, second, *_ = colmap.read(project).views
    assert first.usable is not None
    assert not first.usable[:, :80].any()
    assert first.usable[:, 80:].all()
    assert second.usable is None


@pytest.mark.parametrize("name", ["cameras.bin", "images.bin", "points3D.bin"])
def test_binary_models_cut_anywhere_are_errors_that_name_the_file(project: Path, name: str) -> None:
    file = as_binary(project) / "sparse" / "0" / name
    whole = file.read_bytes()
    cuts = range(0, len(whole), max(1, len(whole) // 60))
    for cut in cuts:
        file.write_bytes(whole[:cut])
        with pytest.raises(LiftError, match=name.replace(".", r"\.")):
            colmap.read(project, PosedOptions(max_views=1, longest_px=8))
    file.write_bytes((2**63).to_bytes(8, "little") + whole[8:])
    with pytest.raises(LiftError, match="claims 9223372036854775808 entries"):
        colmap.read(project)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("cameras.txt", "1 PINHOLE 160 120 100", "PINHOLE has 4 parameters; got 1"),
        ("cameras.txt", "1 EQUIRECTANGULAR 160 120 100", "EQUIRECTANGULAR is not known"),
        ("cameras.txt", "1 PINHOLE wide 120 1 1 1 1", "cameras.txt is damaged"),
        ("cameras.txt", "2 PINHOLE 160 120 1 1 1 1", "names camera 1, which the model lacks"),
        ("images.txt", "", "lists no registered picture"),
        ("images.txt", "1 0 0 0 0 0 0 0 1 a.png\n\n", "images.txt is damaged"),
        ("images.txt", "1 2 3", "images.txt is damaged"),
        ("points3D.txt", "1 2 3", "points3D.txt is damaged"),
        ("points3D.txt", "1 2 3 4 5 6 x 8", "points3D.txt is damaged"),
    ],
)
def test_wrong_text_gets_one_sentence(project: Path, name: str, text: str, said: str) -> None:
    (project / "sparse" / "0" / name).write_text(text)
    with pytest.raises(LiftError, match=said):
        colmap.read(project)
