"""Photos, a video or posed pictures become a scene: cameras, start points, training, the floor at z = 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from spatialwm.errors import LiftError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.fusion import StartPoints, start_points
from spatialwm.lift.capture.level import Leveled, level
from spatialwm.lift.capture.posed import posed_reader
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.lift.capture.stereo import depth_maps
from spatialwm.lift.capture.surface import Surface
from spatialwm.lift.capture.training import Plan, Trained, Trainer, held_out_views, plan_for
from spatialwm.lift.lifter import LiftOptions, Quality, Workspace
from spatialwm.lift.pictures.suffixes import is_picture, is_video
from spatialwm.progress import Progress, part_of, silent
from spatialwm.scene import Environment, Scene, SceneObject

VIEW_SIZE = (1280, 720)
LEAST_VIEWS = 3
LONGEST_PX: dict[Quality, int] = {"draft": 640, "standard": 800, "high": 1200}
MOST_VIEWS: dict[Quality, int] = {"draft": 60, "standard": 120, "high": 240}
"""Of posed recordings, which may hold thousands of frames."""
MIN_OPACITY = 1 / 255
"""Fainter Gaussians draw nothing."""


class CaptureLifter:
    """Trains Gaussians on photographs of one place; views kept aside say how well."""

    def __init__(self, plan: Plan | None = None) -> None:
        """``plan`` replaces that of the quality asked for."""
        self._plan = plan

    def lift(
        self,
        source: str,
        options: LiftOptions = LiftOptions(),
        progress: Progress = silent,
        workspace: Workspace = Workspace(),
    ) -> Scene:
        """The scene: one static object in the frame it was captured in, put upright by its pose.

        Raises:
            MissingDependencyError: unposed pictures without the ``capture`` extra.
            LiftError: too few pictures fit together; the message says what to shoot.
        """
        path = Path(source)
        capture = read_capture(path, options, part_of(progress, 0.0, 0.2))
        if len(capture.views) < LEAST_VIEWS:
            found = len(capture.views)
            raise LiftError(f"{path}: {found} usable views; at least {LEAST_VIEWS} are needed, taken from different places")
        plan = self._plan or plan_for(options.quality)
        held_out = held_out_views(len(capture.views))
        shown = [i for i in range(len(capture.views)) if i not in held_out]
        maps = depth_maps(capture, views=shown, progress=part_of(progress, 0.2, 0.3))
        start = start_points(capture, maps, plan.start_count, options.seed)
        trainer = Trainer(capture, start, plan, held_out=held_out, seed=options.seed)
        trained = trainer.run(part_of(progress, 0.3, 0.97))
        progress("finding the floor", 0.97)
        leveled = level(capture, surface=_surface(capture, start))
        scene = _scene(path.stem, trained, leveled, shown)
        progress("finding the floor", 1.0)
        return scene


def read_capture(path: Path, options: LiftOptions, progress: Progress = silent) -> Capture:
    """Views with cameras, whatever the source is.

    Raises:
        LiftError: nothing that pictures could be taken from.
    """
    reader = posed_reader(path)
    if reader is not None:
        limits = PosedOptions(longest_px=LONGEST_PX[options.quality], max_views=MOST_VIEWS[options.quality])
        return reader(path, limits, progress)
    # Looking at photos needs pycolmap, which posed pictures do without.
    from spatialwm.lift.capture.photos import capture_from_photos, capture_from_video

    unposed: Callable[..., Capture] = capture_from_video if is_video(path) else capture_from_photos
    return unposed(path, options.quality, options.seed, progress)


def is_capture(path: Path) -> bool:
    """Whether a path holds several pictures of one place: a video, a folder of pictures, or pictures with cameras."""
    if is_video(path) or posed_reader(path) is not None:
        return True
    folders = (path, path / "images")
    return path.is_dir() and any(is_picture(file) for folder in folders if folder.is_dir() for file in _listed(folder))


def _listed(folder: Path) -> list[Path]:
    """What is in a folder.

    Raises:
        LiftError: it may not be opened.
    """
    try:
        return list(folder.iterdir())
    except OSError as e:
        raise LiftError(f"cannot look into {folder}: {e.strerror or e}; check its permissions") from e


def _surface(capture: Capture, start: StartPoints) -> Surface:
    known = (abs(start.normals) > 0).any(1)
    return Surface.of(start.means[known], start.normals[known], capture.views) if known.any() else Surface.of(
        start.means, None, capture.views
    )


def _scene(name: str, trained: Trained, leveled: Leveled, shown: list[int]) -> Scene:
    visible: Gaussians = trained.gaussians.select(torch.nonzero(trained.gaussians.opacities > MIN_OPACITY)[:, 0])
    body = SceneObject(
        id="capture-1", category="capture", name=name, gaussians=visible, world_from_object=leveled.world_from_capture,
        mobility="static", supported_by="floor", provenance="measured",
    )  # fmt: skip
    capture = leveled.capture
    notes = list(capture.notes)
    if trained.scores:
        kept = len(trained.scores)
        notes.insert(0, f"{kept} pictures that training never saw are shown at {trained.psnr:.1f} dB, SSIM {trained.ssim:.2f}")
    return Scene(
        objects=(body,),
        environment=Environment(background=_mean_color(capture)),
        scale=leveled.scale,
        spawn=_spawn(capture.views[shown[len(shown) // 2]].camera),
        walkable=leveled.walkable,
        prompt=name,
        notes=tuple(notes),
    )


def _spawn(camera: Camera) -> Camera:
    """From where one of the pictures was taken, as wide as the window."""
    width, height = VIEW_SIZE
    tall = camera.height / camera.width > height / width
    wide = camera.resized(width, height)
    if not tall:
        return wide
    focal = camera.fy * height / camera.height  # a portrait keeps its height
    return replace(wide, fx=focal, fy=focal, cx=width / 2, cy=height / 2)


def _mean_color(capture: Capture) -> tuple[float, float, float]:
    r, g, b = np.mean([view.rgb.mean((0, 1)) for view in capture.views], axis=0) / 255
    return (float(r), float(g), float(b))
