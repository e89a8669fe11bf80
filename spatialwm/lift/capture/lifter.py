"""Photos, a video or posed pictures become a scene: cameras, start points, training, the floor at z = 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spatialwm.errors import LiftError, ShapeError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.dense.depth_map import DepthMap
from spatialwm.lift.capture.fusion import StartPoints, start_points
from spatialwm.lift.capture.level import Leveled, level
from spatialwm.lift.capture.posed import posed_reader
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.lift.capture.spawn import spawn_camera
from spatialwm.lift.capture.stages import capture_from_arrays, capture_to_arrays, start_from_arrays, start_to_arrays
from spatialwm.lift.capture.stereo import depth_maps
from spatialwm.lift.capture.surface import Surface
from spatialwm.lift.capture.training import Plan, Trained, Trainer, held_out_views, plan_for, pruned
from spatialwm.lift.capture.unfinished import Unfinished, fingerprint
from spatialwm.lift.lifter import LiftOptions, Quality, Workspace
from spatialwm.lift.pictures.suffixes import is_picture, is_video, listing
from spatialwm.progress import Progress, part_of, silent
from spatialwm.ranks import Ranks
from spatialwm.scene import Environment, Scene, SceneObject

LEAST_VIEWS = 3
LONGEST_PX: dict[Quality, int] = {"draft": 640, "standard": 800, "high": 1200}
MOST_VIEWS: dict[Quality, int] = {"draft": 60, "standard": 120, "high": 240}
"""Of posed recordings, which may hold thousands of frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Lifted:
    """A scene and what it was made from, for whoever judges it."""

    scene: Scene
    capture: Capture
    """In the frame and unit it came in."""
    held_out: tuple[int, ...]
    """Views that training never saw."""
    start: StartPoints
    leveled: Leveled
    trained: Trained


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
        return self.lifted(source, options, progress, workspace).scene

    def lifted(
        self,
        source: str,
        options: LiftOptions = LiftOptions(),
        progress: Progress = silent,
        workspace: Workspace = Workspace(),
    ) -> Lifted:
        """As :meth:`lift`, with all that the scene was made from."""
        path = Path(source)
        plan = self._plan or plan_for(options.quality, seconds=options.seconds)
        ranks = Ranks()
        folder = workspace.folder if ranks.first else None
        key = fingerprint(path, options, plan) if folder is not None else ""
        with Unfinished(folder, key, workspace.say or _unsaid) as unfinished:
            return _lifted(path, options, plan, unfinished, progress, workspace, ranks)


def _lifted(
    path: Path, options: LiftOptions, plan: Plan, unfinished: Unfinished, progress: Progress, workspace: Workspace, ranks: Ranks
) -> Lifted:  # fmt: skip
    capture = ranks.from_first(lambda: _capture(path, options, unfinished, part_of(progress, 0.0, 0.2)))
    held_out = held_out_views(len(capture.views))
    shown = [i for i in range(len(capture.views)) if i not in held_out]
    reported = part_of(progress, 0.2, 0.3)
    start = ranks.from_first(lambda: _start(capture, shown, plan.start_count, options.seed, unfinished, reported))
    progress("finding the floor", 0.3)
    leveled = level(capture, surface=_surface(capture, start))
    cameras = [leveled.capture.views[i].camera for i in shown]
    spawn = spawn_camera(cameras, leveled.world_from_capture.apply(start.means))
    trainer = _trainer(lambda: Trainer(capture, start, plan, held_out=held_out, seed=options.seed), unfinished, ranks)

    show = workspace.preview

    def preview(gaussians: Gaussians, share: float) -> None:
        if show is not None:
            show(_scene(path.stem, gaussians, leveled, spawn))

    preview(trainer.gaussians(), trainer.share)
    checkpoint = unfinished.path("training")
    trained = trainer.run(
        part_of(progress, 0.32, 0.99), preview=preview if show else None, checkpoint=checkpoint, enough=workspace.enough
    )
    if checkpoint is not None:
        unfinished.attempt(lambda: trainer.save(checkpoint))
    progress("finishing", 1.0)
    views = [replace(capture.views[i], camera=trainer.cameras()[i]) for i in shown]
    measured = [
        DepthMap(i, v.camera, v.depth, (v.depth > 0).astype(np.float32)) for i, v in enumerate(views) if v.depth is not None
    ]
    kept = pruned(trained.gaussians, [view.camera for view in views], measured, near_plane=trainer.near_plane)
    scene = _scene(path.stem, kept, leveled, spawn, (_result(capture, trained),))
    return Lifted(scene, capture, held_out, start, leveled, trained)


def _capture(path: Path, options: LiftOptions, unfinished: Unfinished, progress: Progress) -> Capture:
    """Enough views with cameras, kept from an earlier run or read.

    Raises:
        LiftError: too few.
    """
    kept = unfinished.load("views")
    if kept is not None:
        try:
            return capture_from_arrays(kept)
        except (KeyError, TypeError, ValueError, ShapeError) as e:
            unfinished.drop("views", f"cannot be understood ({e})")
    capture = read_capture(path, options, progress, unfinished.scratch)
    if len(capture.views) < LEAST_VIEWS:
        found = len(capture.views)
        raise LiftError(f"{path}: {found} usable views; at least {LEAST_VIEWS} are needed, taken from different places")
    unfinished.keep("views", *capture_to_arrays(capture))
    return capture


def _start(
    capture: Capture, shown: list[int], count: int, seed: int, unfinished: Unfinished, progress: Progress
) -> StartPoints:
    """Start points, kept from an earlier run or found in the views that training is shown.

    Raises:
        LiftError: there are none.
    """
    kept = unfinished.load("start")
    if kept is not None:
        try:
            return start_from_arrays(kept)
        except TypeError as e:
            unfinished.drop("start", f"cannot be understood ({e})")
    maps = depth_maps(capture, views=shown, progress=part_of(progress, 0.0, 0.9))
    progress("choosing start points", 0.9)
    start = start_points(capture, maps, count, seed)
    if not len(start):
        why = "they are blank, all alike, or their cameras are wrong"
        raise LiftError(f"nothing that two of the {len(shown)} pictures show could be placed in space: {why}")
    unfinished.keep("start", *start_to_arrays(start))
    return start


def _trainer(make: Callable[[], Trainer], unfinished: Unfinished, ranks: Ranks) -> Trainer:
    """A trainer that goes on from its last checkpoint where there is one."""
    trainer, checkpoint = make(), ranks.from_first(lambda: unfinished.path("training"))
    if checkpoint is None or not checkpoint.is_file():
        return trainer
    try:
        trainer.resume(checkpoint)
    except (LiftError, KeyError, RuntimeError, ValueError) as e:
        unfinished.drop("training", f"cannot be read ({e})")
        return make()  # the other may be half restored
    return trainer


def read_capture(
    path: Path, options: LiftOptions, progress: Progress = silent, scratch: Callable[[], Path | None] = lambda: None
) -> Capture:
    """Views with cameras, whatever the source is.

    Args:
        scratch: asked for a folder for large temporary files; None: the system's.

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
    return unposed(path, options.quality, options.seed, progress, scratch())


def is_capture(path: Path) -> bool:
    """Whether a path holds several pictures of one place: a video, a folder of pictures, or pictures with cameras."""
    if is_video(path) or posed_reader(path) is not None:
        return True
    folders = (path, path / "images")
    return path.is_dir() and any(is_picture(file) for folder in folders if folder.is_dir() for file in listing(folder))


def _unsaid(sentence: str) -> None:
    """Nobody listens."""


def _surface(capture: Capture, start: StartPoints) -> Surface:
    known = (abs(start.normals) > 0).any(1)
    return Surface.of(start.means[known], start.normals[known], capture.views) if known.any() else Surface.of(
        start.means, None, capture.views
    )


def _result(capture: Capture, trained: Trained) -> str:
    used, given = len(capture.views), max(capture.given, len(capture.views))
    said = f"{used} of {given} pictures were used"
    if trained.scores:
        n = len(trained.scores)
        said += f"; {n} that training never saw are shown at {trained.psnr:.1f} dB, SSIM {trained.ssim:.3f}"
    return said


def _scene(
    name: str, gaussians: Gaussians, leveled: Leveled, spawn: Camera, notes: tuple[str, ...] = ()
) -> Scene:  # fmt: skip
    body = SceneObject(
        id="capture-1", category="capture", name=name, gaussians=gaussians, world_from_object=leveled.world_from_capture,
        mobility="static", supported_by="floor", provenance="measured",
    )  # fmt: skip
    capture = leveled.capture
    return Scene(
        objects=(body,),
        environment=Environment(background=_mean_color(capture)),
        scale=leveled.scale,
        spawn=spawn,
        walkable=leveled.walkable,
        prompt=name,
        notes=(*notes, *capture.notes),
    )


def _mean_color(capture: Capture) -> tuple[float, float, float]:
    r, g, b = np.mean([view.rgb.mean((0, 1)) for view in capture.views], axis=0) / 255
    return (float(r), float(g), float(b))
