"""Scenes as binary glTF: one node an object, Y up, metres, the floor at y = 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from jaxtyping import Float
from trimesh.exchange.gltf import export_glb

from spatialwm.atomic import write_bytes
from spatialwm.errors import ExportError
from spatialwm.export.mesh import Light, mesh_of
from spatialwm.geometry.color import srgb_to_linear
from spatialwm.geometry.mesh import Mesh
from spatialwm.progress import Progress, silent
from spatialwm.scene import Scene, SceneObject

GLTF_FROM_WORLD = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""glTF is Y up and right-handed; our +Y goes to its -Z."""
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote."""

    path: Path
    objects: tuple[str, ...]
    """Ids in the file."""
    skipped: tuple[str, ...]
    """Ids left out: scenery beyond reach, or nothing to show."""
    vertices: int
    faces: int
    size_bytes: int


def write_glb(
    scene: Scene, path: Path, progress: Progress = silent, light: Light = "baked", backdrop: bool = False
) -> ExportReport:
    """Write every object as one named node with its category, mass and friction as extras.

    Baked colours carry the scene's own light; the material then asks for no further light (KHR_materials_unlit), and programs
    that do not know it fall back to a rough, non-metallic surface. Albedo colours are lit by the program that opens them.

    Raises:
        ExportError: nothing to write, or the file cannot be written; what was at ``path`` before is kept.
    """
    path = Path(path)
    out = trimesh.Scene()
    extras: dict[str, dict[str, Any]] = {}
    skipped: list[str] = []
    shared: dict[tuple[int, int], str] = {}
    vertices = faces = 0
    for i, body in enumerate(scene.objects):
        progress(f"meshing {body.title}", 0.9 * i / len(scene.objects))
        if body.role == "backdrop" and not backdrop:
            skipped.append(body.id)
            continue
        twin = (id(body.mesh), id(body.gaussians))
        if twin not in shared:
            mesh = mesh_of(body, light)
            if not len(mesh.faces):
                skipped.append(body.id)
                continue
            shared[twin] = body.id
            out.geometry[body.id] = _geometry(mesh)
        matrix = GLTF_FROM_WORLD @ body.world_from_object.matrix() @ GLTF_FROM_WORLD.T
        out.graph.update(frame_to=body.id, frame_from=out.graph.base_frame, matrix=matrix, geometry=shared[twin])
        vertices += len(out.geometry[shared[twin]].vertices)
        faces += len(out.geometry[shared[twin]].faces)
        extras[body.id] = _extras(body)
    if not extras:
        raise ExportError(f"nothing to write to {path}: the scene has no object with a surface")
    progress("writing", 0.92)
    data = export_glb(out, include_normals=False, tree_postprocessor=_finish(scene, extras, light))
    write_bytes(path, data, ExportError)
    progress("done", 1.0)
    return ExportReport(path, tuple(extras), tuple(skipped), vertices, faces, len(data))


def _geometry(mesh: Mesh) -> trimesh.Trimesh:
    assert mesh.colors is not None
    rotation = GLTF_FROM_WORLD[:3, :3]
    geometry = trimesh.Trimesh(np.asarray(mesh.vertices, np.float64) @ rotation.T, mesh.faces, process=False)
    geometry.vertex_attributes["_COLOR"] = _linear_rgba16(mesh.colors)
    return geometry


def _linear_rgba16(srgb: Float[np.ndarray, "v 3"]) -> np.ndarray:
    """glTF vertex colours are linear; 16 bits, because 8 linear bits show bands in the dark."""
    linear = srgb_to_linear(np.asarray(srgb, np.float64).clip(0, 1))
    return np.c_[np.rint(linear * 65535), np.full(len(linear), 65535)].astype(np.uint16)


def _extras(body: SceneObject) -> dict[str, Any]:
    known: dict[str, Any] = {"name": body.title, "category": body.category, "role": body.role, "mobility": body.mobility}
    known["friction"] = body.friction
    optional = {"mass_kg": body.mass_kg, "material": body.material, "color": body.color, "supported_by": body.supported_by}
    return known | {k: v for k, v in optional.items() if v is not None}


def _finish(scene: Scene, extras: dict[str, dict[str, Any]], light: Light) -> Callable[[dict[str, Any]], None]:
    """Name the generator, put colours where glTF wants them and give every primitive one of two materials."""

    def finish(tree: dict[str, Any]) -> None:
        tree["asset"]["generator"] = "spatialwm"
        tree["asset"].setdefault("extras", {})["prompt"] = scene.prompt
        base = {"pbrMetallicRoughness": {"baseColorFactor": [1.0, 1.0, 1.0, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.9}}
        if light == "baked":
            base["extensions"] = {"KHR_materials_unlit": {}}
            tree["extensionsUsed"] = sorted({*tree.get("extensionsUsed", []), "KHR_materials_unlit"})
        # Walls are seen from inside the room only, so that an outside view looks in; leaves and cloth from both sides.
        tree["materials"] = [{"name": "object", "doubleSided": True, **base}, {"name": "place", "doubleSided": False, **base}]
        for node in tree["nodes"]:
            if node.get("name") in extras:
                node["extras"] = extras[node["name"]]
                place = extras[node["name"]]["role"] == "structure"
                for primitive in tree["meshes"][node["mesh"]]["primitives"]:
                    primitive["material"] = int(place)
                    color = primitive["attributes"].pop("_COLOR", None)
                    if color is not None:
                        primitive["attributes"]["COLOR_0"] = color
                        tree["accessors"][color]["normalized"] = True
        for mesh in tree["meshes"]:
            for primitive in mesh["primitives"]:
                tree["bufferViews"][tree["accessors"][primitive["indices"]]["bufferView"]]["target"] = ELEMENT_ARRAY_BUFFER
                for accessor in primitive["attributes"].values():
                    tree["bufferViews"][tree["accessors"][accessor]["bufferView"]]["target"] = ARRAY_BUFFER

    return finish
