"""Collider and mass of a thing that is about to be taken out of a captured place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import trimesh

from spatialwm.dynamics.colliders import pieces_of
from spatialwm.dynamics.decompose import ConvexPiece
from spatialwm.dynamics.mjcf import mass_of
from spatialwm.geometry.mesh import Mesh
from spatialwm.scene import Scene
from spatialwm.scene.edits import MakeObject


def with_body(scene: Scene, edit: MakeObject) -> MakeObject:
    """The same edit with convex pieces around the thing, and a mass estimated from their volume, which the note says."""
    made = replace(edit, fill=None, note="").apply(scene)[edit.new_id]
    pieces = pieces_of(made)
    volume = sum(p.volume * p.fill for p in pieces) * made.world_from_object.scale**3
    mass_kg = float(f"{mass_of(made, volume):.2g}")
    note = f"{edit.new_id}: its mass of {mass_kg:g} kg is estimated from a volume of {1000 * volume:.2g} litres"
    return replace(edit, collider=tuple(map(_mesh, pieces)), mass_kg=mass_kg, note=" ".join(filter(None, (edit.note, note))))


def _mesh(piece: ConvexPiece) -> Mesh:
    solid = trimesh.convex.convex_hull(piece.vertices)
    return Mesh(np.asarray(solid.vertices, np.float32), np.asarray(solid.faces, np.int32))
