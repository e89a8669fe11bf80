"""One picture file becomes a scene that looks like it from where it was taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.lift import LiftOptions, lifter_for
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.layers import hole_share, moved
from spatialwm.lift.image.lifter import ImageLifter
from spatialwm.lift.image.photo import Hints, Photo
from spatialwm.lift.image.rays import Rays
from spatialwm.lift.image.reading import is_panorama, read_photo
from spatialwm.progress import Progress, silent
from spatialwm.render import psnr, render_scene
from spatialwm.scene import ScaleSource, Scene, flatten

WIDTH, HEIGHT, FOCAL = 192, 128, 160.0
EYE_M, WALL_M, BOX_M = 1.5, 6.0, 2.5


@dataclass
class Diorama:
    """Exact depth of a floor, a back wall, sky above it and a box in front."""

    asked: Photo | None = None
    eye_height_m: float | None = None

    def estimate(self, photo: Photo, progress: Progress = silent) -> Estimate:
        self.asked = photo
        width, height = photo.size
        camera = Camera(Pose(), width, height, FOCAL * width / WIDTH, FOCAL * width / WIDTH, width / 2, height / 2)
        rays = Rays.pinhole(camera).directions
        down, ahead = rays[..., 1], rays[..., 2]
        with np.errstate(divide="ignore"):
            distance = np.minimum(np.where(down > 0, EYE_M / down, np.inf), WALL_M / ahead)
        sky = (down < -0.2) & (rays[..., 0] > 0)
        distance[box(width, height)] = (BOX_M / ahead)[box(width, height)]
        progress("exact", 1.0)
        return Estimate(
            distance_m=distance.astype(np.float32), sky=sky & ~box(width, height),
            confidence=np.full(sky.shape, 0.8, np.float32), up=(0.0, -1.0, 0.0), camera=camera,
            scale=ScaleSource("prior", 0.2, "a test says so"), backend="diorama", focal_source="a test", kind="yard",
            eye_height_m=self.eye_height_m,
        )  # fmt: skip


def box(width: int, height: int) -> np.ndarray:
    """Where the picture shows the box."""
    mask = np.zeros((height, width), bool)
    mask[int(0.3 * height) : int(0.8 * height), int(0.35 * width) : int(0.55 * width)] = True
    return mask


def painted(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A smooth picture with some grain; the box is red, nothing else is."""
    y, x = np.mgrid[:height, :width]
    grain = np.random.default_rng(0).integers(0, 14, (height, width))
    rgb = np.stack([40 + 0 * x, 90 + 80 * y / height + grain, 120 + 60 * x / width + grain], -1)
    rgb[box(width, height)] = (220, 30, 30)
    return rgb.astype(np.uint8)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "my yard.png"
    Image.fromarray(painted()).save(path)
    return path


@pytest.fixture(scope="module")
def scene(picture: Path) -> Scene:
    return ImageLifter(Diorama()).lift(str(picture))


def reach(scene: Scene) -> tuple[float, float]:
    assert scene.spawn is not None
    steps = np.asarray(scene.walkable) - scene.spawn.eye[:2]
    return float(steps[:, 0].max()), float(steps[:, 1].max())


def test_from_its_own_camera_it_is_the_picture(scene: Scene) -> None:
    assert scene.spawn is not None
    assert (scene.spawn.width, scene.spawn.height, scene.spawn.fx) == (WIDTH, HEIGHT, FOCAL)
    assert psnr(render_scene(scene, scene.spawn).rgb, painted() / 255) > 30


def test_it_stands_upright_on_the_floor_and_looks_ahead(scene: Scene) -> None:
    assert scene.spawn is not None
    assert np.allclose(scene.spawn.eye, (0, 0, EYE_M), atol=0.05)
    assert np.allclose(scene.spawn.forward, (0, 1, 0), atol=1e-6)
    seen = scene["photo-1"].world_from_object.apply(scene["photo-1"].gaussians.means.numpy())
    assert abs(float(seen[:, 2].min())) < 0.06


def test_the_floor_is_where_the_estimate_has_its_ground(picture: Path) -> None:
    level = ImageLifter(Diorama(eye_height_m=EYE_M)).lift(str(picture), LiftOptions(quality="draft"))
    assert level.spawn is not None
    assert level.spawn.eye[2] == pytest.approx(EYE_M)
    assert not any("floor" in note for note in level.notes)
    buried = ImageLifter(Diorama(eye_height_m=9.0)).lift(str(picture), LiftOptions(quality="draft"))
    assert buried.spawn is not None
    assert buried.spawn.eye[2] == pytest.approx(9.0)


def test_the_stated_motion_shows_no_holes_and_no_box_behind_the_box(scene: Scene) -> None:
    assert scene.spawn is not None
    aside, ahead = reach(scene)
    assert aside > 0.1
    assert ahead > 0.1
    whole = flatten(scene).gaussians
    steps: list[Vec3] = [(-aside, 0.0, 0.0), (aside, 0.0, 0.0), (0.0, -aside, 0.0), (0.0, 0.0, ahead)]
    for step in steps:
        camera = moved(scene.spawn, step)
        assert hole_share(whole, camera) <= 0.005
        frame = render_scene(scene, camera)
        made_up = frame.mask_of("unseen-1")
        red = (frame.rgb[..., 0] > 0.55) & (frame.rgb[..., 1] < 0.3)
        assert (red & made_up).sum() <= 0.02 * box(WIDTH, HEIGHT).sum()


def test_what_was_not_seen_is_marked_invented(scene: Scene) -> None:
    assert scene["photo-1"].provenance == "measured"
    assert scene["unseen-1"].provenance == "invented"
    assert scene["sky-1"].role == "backdrop"
    seen, unseen = scene["photo-1"].confidence, scene["unseen-1"].confidence
    assert seen is not None
    assert unseen is not None
    assert float(unseen.mean()) < 0.6 * float(seen.mean())


def test_it_says_how_far_one_may_step_and_where_metres_come_from(scene: Scene) -> None:
    told = " ".join(scene.notes)
    assert "step up to" in told
    assert "a test says so" in told
    assert "diorama" in told
    assert scene.scale.note == "a test says so"


def test_hints_reach_the_estimator(picture: Path) -> None:
    asked, hints = Diorama(), Hints(indoors=True, focal_mm=28)
    ImageLifter(asked).lift(str(picture), LiftOptions(quality="draft", hints=hints))
    assert asked.asked is not None
    assert asked.asked.hints == hints


def test_a_picture_file_finds_this_lifter(picture: Path) -> None:
    assert isinstance(lifter_for(str(picture)), ImageLifter)


def test_no_picture_and_a_speck_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(LiftError, match="not a picture"):
        ImageLifter(Diorama()).lift(str(tmp_path / "a.jpg"))
    Image.new("RGB", (9, 9)).save(tmp_path / "b.png")
    with pytest.raises(LiftError, match="9x9 pixels; give a picture of at least 16"):
        ImageLifter(Diorama()).lift(str(tmp_path / "b.png"))


def drawn() -> Image.Image:
    """A room in black lines on white paper."""
    picture = Image.new("RGB", (1200, 800), "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((432, 248, 792, 500), outline="black", width=8)
    for near, far in (((0, 0), (432, 248)), ((1199, 0), (792, 248)), ((0, 799), (432, 500)), ((1199, 799), (792, 500))):
        pen.line((*near, *far), fill="black", width=8)
    return picture.resize((300, 200))


@pytest.mark.parametrize("kind", ["line drawing", "flat painting"])
def test_drawings_and_paintings_become_places(kind: str, tmp_path: Path) -> None:
    art = drawn() if kind == "line drawing" else Image.fromarray(painted(300, 200)).quantize(8).convert("RGB")
    art.save(tmp_path / "art.png")
    scene = ImageLifter().lift(str(tmp_path / "art.png"), LiftOptions(quality="draft", depth="embedded"))
    assert scene.spawn is not None
    aside, ahead = reach(scene)
    assert min(aside, ahead) > 0.05
    own = render_scene(scene, scene.spawn)
    assert psnr(own.rgb, np.asarray(art) / 255) > 22
    assert np.median(own.alpha) > 0.95  # paper is not see-through


def test_an_unknown_backend_is_refused_with_those_there_are(picture: Path) -> None:
    with pytest.raises(LiftError, match="embedded"):
        ImageLifter().lift(str(picture), LiftOptions(depth="crystal ball"))


def test_large_pictures_shrink_and_their_focal_length_with_them(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 36  # of film
    Image.fromarray(painted(3000, 2000)).save(tmp_path / "large.jpg", exif=exif)
    photo = read_photo(tmp_path / "large.jpg")
    assert photo.size == (1280, 853)
    assert photo.focal_px == pytest.approx(36 / np.hypot(36, 24) * np.hypot(1280, 853), rel=1e-3)


def test_only_what_closes_upon_itself_is_a_panorama() -> None:
    azimuth = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    polar = np.sin((np.arange(64) + 0.5) / 64 * np.pi)[:, None]
    around = 128 + 90 * polar * np.sin(3 * azimuth)
    panorama = np.repeat(around[..., None], 3, -1).astype(np.uint8)
    assert is_panorama(panorama)
    assert not is_panorama(panorama[:, :100])
    assert not is_panorama(painted(128, 64))
