"""A scene as the browser hears of it: JSON for what is small, addresses for Gaussians. World frame throughout."""

from __future__ import annotations

import hashlib
import math
from typing import Any
from weakref import WeakKeyDictionary

from torch import Tensor

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.color import parse_color
from spatialwm.lift.objects.find import is_place
from spatialwm.scene import Scene, SceneObject


class Digests:
    """Content hashes of Gaussians, each computed once; they name and version what the browser fetches."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Gaussians, str] = WeakKeyDictionary()

    def of(self, gaussians: Gaussians) -> str:
        """32 hex digits."""
        digest = self._known.get(gaussians)
        if digest is None:
            h = hashlib.blake2b(digest_size=16)
            for part in (gaussians.means, gaussians.quats, gaussians.scales, gaussians.opacities, gaussians.sh):
                h.update(_raw(part))
            digest = self._known[gaussians] = h.hexdigest()
        return digest


def scene_message(scene: Scene, digests: Digests) -> dict[str, Any]:
    """Everything of a scene that the page shows or picks by."""
    env = scene.environment
    low, high = scene.bounds()
    return {
        "prompt": scene.prompt,
        "unrecognized": list(scene.unrecognized),
        "unmet": list(scene.unmet),
        "notes": list(scene.notes),
        "scale": {"method": scene.scale.method, "sigma": scene.scale.sigma, "note": scene.scale.note},
        "gaussians": len(scene),
        "walkable": [list(p) for p in scene.walkable],
        "environment": {"kind": env.kind, "time": env.time, "weather": env.weather, "background": list(env.background)},
        "bounds": [low.tolist(), high.tolist()],
        "room": scene.environment.room,
        "spawn": _view(scene.spawn) if scene.spawn is not None else None,
        "objects": [{**_object(o, digests), "place": is_place(scene, o)} for o in scene.objects],
    }


def _object(o: SceneObject, digests: Digests) -> dict[str, Any]:
    return {
        "id": o.id,
        "name": o.name or _spoken(o),
        "category": o.category,
        "role": o.role,
        "color": _swatch(o),
        "color_name": o.color,
        "material": o.material,
        "mass_kg": o.mass_kg,
        "friction": o.friction,
        "mobility": o.mobility,
        "provenance": o.provenance,
        "supported_by": o.supported_by,
        "pose": o.world_from_object.to_list(),
        "bounds": o.bounds().tolist(),
        "extent": _extent(o),
        "gaussians": len(o.gaussians),
        "content": digests.of(o.gaussians) if len(o.gaussians) else None,
    }


def _spoken(o: SceneObject) -> str:
    """``Coffee table`` for ``coffee-table-1``, ``Coffee table 2`` for its twin: what people call a thing without a name."""
    stem, _, number = o.id.rpartition("-")
    if not stem or not number.isdigit():
        return o.id.replace("-", " ").capitalize()
    return stem.replace("-", " ").capitalize() + (f" {number}" if number != "1" else "")


def _extent(o: SceneObject) -> list[list[float]]:
    """``[min, max]`` in the object frame."""
    points = o.points()
    return [points.min(0).tolist(), points.max(0).tolist()] if len(points) else [[0.0] * 3] * 2


def _swatch(o: SceneObject) -> str:
    """``#rrggbb`` of what the object looks like: its stated colour, else the mean of its Gaussians."""
    if o.color:
        return _hex(parse_color(o.color).tolist())
    if not len(o.gaussians):
        return "#808080"
    return _hex(o.gaussians.rgb.clamp(0, 1).mean(0).tolist())


def _hex(rgb: list[float]) -> str:
    return "#" + "".join(f"{round(255 * v):02x}" for v in rgb)


def _view(camera: Camera) -> dict[str, Any]:
    return {
        "eye": list(camera.eye),
        "forward": list(camera.forward),
        "fov_y_deg": math.degrees(2 * math.atan(camera.height / 2 / camera.fy)),
        "aspect": camera.width / camera.height,
    }


def _raw(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().numpy().tobytes()
