"""A scene and a camera become one picture, and every pixel knows its object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from spatialwm.gaussians import Gaussians, concatenate, transform
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.render.renderer import choose
from spatialwm.scene import Flattened, Scene, flatten


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One rendered picture."""

    rgb: Float[np.ndarray, "h w 3"]
    """float32 sRGB in 0..1."""
    alpha: Float[np.ndarray, "h w"]
    depth_m: Float[np.ndarray, "h w"]
    """Expected distance along the optical axis; 0 where nothing covers."""
    object_index: Int[np.ndarray, "h w"]
    """Into ``object_ids``: whose Gaussian weighs most; -1 where nothing covers."""
    object_ids: tuple[str, ...]
    backend: str

    def object_at(self, x: int, y: int) -> str | None:
        """The id of the object seen at a pixel."""
        index = int(self.object_index[y, x])
        return None if index < 0 else self.object_ids[index]

    def mask_of(self, object_id: str) -> np.ndarray:
        """True where an object is what one sees."""
        if object_id not in self.object_ids:
            return np.zeros(self.object_index.shape, bool)
        return self.object_index == self.object_ids.index(object_id)


def render_scene(
    scene: Scene | Flattened, camera: Camera, *, backend: str = "auto", background: Vec3 | None = None, antialiased: bool = True
) -> Frame:
    """Render a scene, or a scene flattened once for many views.

    Args:
        background: sRGB behind everything; None: the scene's own, black for a :class:`Flattened`.
        antialiased: what is smaller than a pixel is dimmed accordingly, as in training on photographs and in the browser.

    Raises:
        ShapeError: a Gaussian's field is not finite.
    """
    if isinstance(scene, Scene):
        flat = flatten(scene)
        background = scene.environment.background if background is None else background
    else:
        flat = scene
    g = flat.gaussians
    name, rasterization = choose(backend)
    with torch.no_grad():
        image, alpha, info = rasterization(
            g.means, g.quats, g.scales, g.opacities, g.sh, camera.viewmat()[None], camera.K()[None], camera.width, camera.height,
            sh_degree=g.sh_degree, backgrounds=torch.tensor([background or (0.0, 0.0, 0.0)], dtype=torch.float32),
            render_mode="RGB+ED", rasterize_mode="antialiased" if antialiased else "classic", with_ids=True,
        )  # fmt: skip
    ids = info["ids"][0].cpu().numpy()
    owner = flat.owner.cpu().numpy().astype(np.int32)
    object_index = np.where(ids >= 0, owner[ids], np.int32(-1)) if len(owner) else ids
    pixels = image[0].cpu().numpy().astype(np.float32, copy=False)
    return Frame(
        rgb=pixels[..., :3].clip(0, 1),
        alpha=alpha[0, ..., 0].cpu().numpy().astype(np.float32, copy=False),
        depth_m=pixels[..., 3],
        object_index=object_index,
        object_ids=flat.object_ids,
        backend=name,
    )


class Stage:
    """Flattens scene after scene and carries only what moved: for films, where a few of many objects move.

    Holds the world-frame Gaussians of the last scene it saw; the result is bit for bit that of ``scene.flatten``. With one of
    40 objects moved (200k Gaussians) it takes a quarter of the processor time, and no thread pool.
    """

    def __init__(self) -> None:
        self._posed: dict[str, tuple[Gaussians, Pose, Gaussians]] = {}
        self._joined: dict[str, tuple[list[Tensor], Tensor]] = {}

    def flatten(self, scene: Scene, poses: Mapping[str, Pose] | None = None) -> Flattened:
        """As :func:`spatialwm.scene.flatten`, with the objects of ``poses`` put there (world_from_object)."""
        for object_id in poses or ():
            _ = scene[object_id]  # an unknown id is refused with the scene's own error
        posed: dict[str, tuple[Gaussians, Pose, Gaussians]] = {}
        for o in scene.objects:
            last = self._posed.get(o.id)
            pose = poses.get(o.id, o.world_from_object) if poses else o.world_from_object
            if last is None or last[0] is not o.gaussians or last[1] != pose:
                last = (o.gaussians, pose, transform(o.gaussians, pose))
            posed[o.id] = last
        self._posed = posed
        parts = [p[2] for p in posed.values()]
        if len({p.sh.shape[1] for p in parts}) > 1 or not parts:
            whole = concatenate(parts)  # pads mixed SH degrees
        else:
            whole = Gaussians(*(self._join(field, parts) for field in ("means", "quats", "scales", "opacities", "sh")))
        owner = torch.from_numpy(np.repeat(np.arange(len(parts), dtype=np.int32), [len(p) for p in parts]))
        return Flattened(whole, owner, tuple(posed))

    def _join(self, field: str, parts: list[Gaussians]) -> Tensor:
        tensors: list[Tensor] = [getattr(p, field) for p in parts]
        before, joined = self._joined.get(field, ([], None))
        # A moved object keeps its opacities, and mostly its sizes and colours: the same tensors need no second copy.
        if joined is None or len(before) != len(tensors) or any(a is not b for a, b in zip(before, tensors, strict=True)):
            # Not torch.cat: its thread pool waits for every core, which a busy machine does not give.
            joined = torch.from_numpy(np.concatenate([t.detach().cpu().numpy() for t in tensors]))
            self._joined[field] = (tensors, joined)
        return joined


def film(
    scene: Scene, steps: Iterable[Mapping[str, Pose]], cameras: Camera | Sequence[Camera], *, backend: str = "auto",
    background: Vec3 | None = None,
) -> Iterator[Frame]:  # fmt: skip
    """One frame per step, as it is asked for.

    Args:
        steps: per frame, where the moving objects are (world_from_object); the others stay. Unlike a ``SetPoses`` edit this does
            not ask what rests on what, which costs more than the picture.
        cameras: one for all frames, or a sequence, one per frame; its last stays for further frames.

    Raises:
        EditError: a step names an object that the scene has not.
    """
    stage = Stage()
    path = [cameras] if isinstance(cameras, Camera) else list(cameras)
    behind = scene.environment.background if background is None else background
    for i, poses in enumerate(steps):
        yield render_scene(stage.flatten(scene, poses), path[min(i, len(path) - 1)], backend=backend, background=behind)
