"""One picture becomes a scene: depth, layers, up, floor, and how far one may step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.floor import find_floor
from spatialwm.lift.image.backends import choose
from spatialwm.lift.image.depth import DepthBackend, Estimate
from spatialwm.lift.image.layers import Layers, Part, layered, mean_color
from spatialwm.lift.image.panorama.shell import view_around
from spatialwm.lift.image.photo import Photo
from spatialwm.lift.image.rays import Rays
from spatialwm.lift.image.reading import read_photo
from spatialwm.lift.lifter import LiftOptions, Workspace
from spatialwm.progress import Progress, part_of, silent
from spatialwm.scene import Environment, Scene, SceneObject
from spatialwm.scene.scale import EYE_HEIGHT_M

_FLOOR_POINTS = 40_000
_POLYGON = 16


class ImageLifter:
    """One photo, painting, drawing or panorama; what it does not show is made up and marked so."""

    def __init__(self, backend: DepthBackend | None = None) -> None:
        """``backend`` replaces the one that the options name."""
        self._backend = backend

    def lift(
        self,
        source: str,
        options: LiftOptions = LiftOptions(),
        progress: Progress = silent,
        workspace: Workspace = Workspace(),
    ) -> Scene:
        """The scene: what the picture shows as one static object, what it does not as others; the floor at z = 0.

        Raises:
            LiftError: not a picture, or a hint or backend that does not fit.
            MissingDependencyError: the depth backend asked for cannot run here.
        """
        progress("reading", 0.0)
        photo = read_photo(Path(source), options.quality, options.hints)
        estimate = self._depth(photo, options).estimate(photo, part_of(progress, 0.02, 0.3))
        layers = layered(photo, estimate, part_of(progress, 0.3, 0.98))
        scene = scene_of(photo, estimate, layers)
        progress("finding the floor", 1.0)
        return scene

    def _depth(self, photo: Photo, options: LiftOptions) -> DepthBackend:
        if self._backend is not None:
            return self._backend
        if photo.panorama and options.depth in ("auto", "embedded"):
            from spatialwm.lift.image.panorama import PanoramaDepth

            return PanoramaDepth()
        return choose(options.depth, photo)[1]


def scene_of(photo: Photo, estimate: Estimate, layers: Layers) -> Scene:
    """The layers of a picture in the world: +Z up, the floor at z = 0, the picture looking along +Y."""
    world_from_cam, floor_seen = _upright(photo, estimate)

    def body(object_id: str, part: Part, **kind: object) -> SceneObject:
        return SceneObject(
            id=object_id, category=object_id.rsplit("-", 1)[0], gaussians=part.gaussians, world_from_object=world_from_cam,
            mobility="static", confidence=part.confidence, **kind,  # pyright: ignore[reportArgumentType]
        )  # fmt: skip

    parts = [
        body("photo-1", layers.seen, name=photo.name, supported_by="floor", provenance="measured"),
        body("unseen-1", layers.unseen, name="made up beside and behind", role="structure", provenance="invented"),
        body("sky-1", layers.sky, name="sky", role="backdrop", provenance="implied"),
    ]
    return Scene(
        objects=tuple(o for o in parts if len(o.gaussians)),
        environment=Environment(kind=estimate.kind or None, background=mean_color(photo)),
        scale=estimate.scale,
        spawn=_spawn(estimate.camera, world_from_cam),
        walkable=_walkable(layers, world_from_cam),
        prompt=photo.name,
        notes=_notes(estimate, layers, floor_seen),
    )


def _upright(photo: Photo, estimate: Estimate) -> tuple[Pose, bool]:
    """Up to +Z, the view's heading to +Y, the camera over the origin at its height above the floor, and whether that is known."""
    turned = estimate.upright()
    if estimate.eye_height_m is not None:
        return Pose((0.0, 0.0, estimate.eye_height_m), turned.quat), True
    points = turned.apply(_solid_points(photo, estimate))
    held = -EYE_HEIGHT_M
    floor = None
    if len(points):
        floor = find_floor(points, np.zeros((1, 3)), float(np.median(np.linalg.norm(points, axis=1))))
    seen = floor is not None and floor.seen
    height = held if floor is None else floor.height if floor.seen else min(floor.height, held)
    return Pose((0.0, 0.0, -height), turned.quat), seen


def _solid_points(photo: Photo, estimate: Estimate) -> Float[np.ndarray, "n 3"]:
    rays = Rays.panorama(*photo.size) if estimate.camera is None else Rays.pinhole(estimate.camera)
    solid = np.nonzero(~estimate.sky.ravel())[0]
    solid = solid[:: max(1, len(solid) // _FLOOR_POINTS)]
    return rays.directions.reshape(-1, 3)[solid] * estimate.distance_m.ravel()[solid, None].astype(np.float64)


def _spawn(camera: Camera | None, world_from_cam: Pose) -> Camera:
    """The picture's own camera, its size and field of view."""
    if camera is not None:
        return replace(camera, world_from_cam=world_from_cam)
    return view_around(world_from_cam.position, 0.0)


def _walkable(layers: Layers, world_from_cam: Pose) -> tuple[tuple[float, float], ...]:
    """The ellipse of the safe motion on the floor."""
    turn = np.linspace(0, 2 * np.pi, _POLYGON, endpoint=False)
    aside, ahead = layers.motion.aside_m * np.cos(turn), layers.motion.ahead_m * np.sin(turn)
    x, y, _ = world_from_cam.position
    return tuple((float(x + a), float(y + b)) for a, b in zip(aside, ahead, strict=True))


def _notes(estimate: Estimate, layers: Layers, floor_seen: bool) -> tuple[str, ...]:
    said: list[str] = []
    aside, ahead = layers.motion.aside_m, layers.motion.ahead_m
    if aside > 0:
        said.append(
            f"made from one picture: step up to {_length(aside)} aside and {_length(ahead)} ahead; "
            "farther out what was never seen is missing"
        )
    else:
        said.append("made from one picture: look around, but every step shows holes")
    metre = estimate.scale.note or "nothing tells the scale"
    said.append(f"metres: {metre} (within about {100 * estimate.scale.sigma:.0f} %)")
    focal = f", focal length from {estimate.focal_source}" if estimate.focal_source else ""
    said.append(f"depth by {estimate.backend}{focal}")
    if not floor_seen:
        said.append("no floor was found, its height is a guess")
    return (*said, *estimate.notes)


def _length(metres: float) -> str:
    return f"{metres * 100:.0f} cm" if metres < 1 else f"{metres:.1f} m"

