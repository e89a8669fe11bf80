"""A scene in words and numbers: the JSON that ``spatialwm info --json`` prints."""

from __future__ import annotations

from typing import Any

from spatialwm.scene.articulation import position
from spatialwm.scene.joint import Joint
from spatialwm.scene.objects import SceneObject
from spatialwm.scene.scene import Scene

SCHEMA = 1
_PROVENANCE = {"stated": "stated", "measured": "stated", "implied": "implied", "invented": "default"}


def describe(scene: Scene) -> dict[str, Any]:
    """The scene description: metres, +Z up, one entry for each object (not for walls, terrain or sky)."""
    env = scene.environment
    camera = None
    if scene.spawn is not None:
        camera = {"position": _round(scene.spawn.eye), "forward": _round(scene.spawn.forward)}
    room = {"min": list(env.room[0]), "max": list(env.room[1])} if env.room else None
    return {
        "schema": SCHEMA,
        "units": "m",
        "up": "+Z",
        "prompt": scene.prompt,
        "camera": camera,
        "room": room,
        "environment": env.kind,
        "time": env.time,
        "weather": env.weather,
        "scale": {"method": scene.scale.method, "sigma": scene.scale.sigma, "note": scene.scale.note},
        "gaussians": len(scene),
        "bounds": [_round(corner) for corner in scene.bounds()],
        "unrecognized": list(scene.unrecognized),
        "unmet": list(scene.unmet),
        "notes": list(scene.notes),
        "objects": [_object(scene, o) for o in scene.objects if o.role == "object"],
        "structure": [o.id for o in scene.objects if o.role != "object"],
    }


def _object(scene: Scene, o: SceneObject) -> dict[str, Any]:
    front = o.world_front()
    return {
        "id": o.id,
        "name": o.title,
        "category": o.category,
        "labels": list(o.labels),
        "color": o.color,
        "material": o.material,
        "aabb": [_round(corner) for corner in o.bounds()],
        "front": _round(front) if front else None,
        "supported_by": o.supported_by,
        "provenance": _PROVENANCE[o.provenance],
        "pose": o.world_from_object.to_list(),
        "mobility": o.mobility,
        "mass_kg": o.mass_kg,
        "friction": o.friction,
        "group": o.group,
        "gaussians": len(o.gaussians),
        "mesh_faces": len(o.mesh.faces) if o.mesh else 0,
        **({"joint": _joint(scene, o, o.joint)} if o.joint is not None and o.jointed else {}),
    }


def _joint(scene: Scene, o: SceneObject, joint: Joint) -> dict[str, Any]:
    return {
        "kind": joint.kind, "name": joint.name, "parent": joint.parent, "position": round(position(scene, o.id), 6),
        "range": list(joint.range) if joint.range else None, "driven": joint.drive is not None,
    }  # fmt: skip


def _round(values: Any) -> list[float]:
    return [round(float(v), 4) for v in values]
