"""Collider and mass of a thing that is about to be taken out of a captured place."""

from __future__ import annotations

import math
from dataclasses import replace

from spatialwm.dynamics.colliders import pieces_of
from spatialwm.scene import Scene
from spatialwm.scene.edits import MakeObject

_SKIN_KG_M2 = 11.0
"""Kilograms behind each square metre of skin. A picture shows no inside, and large things are emptier than small ones: the bulk
of a mug weighs 700 kg/m3, of a wardrobe 60, but both come to boards or walls of about this weight."""
_SKIN_SIGMA = 0.8
"""Natural logarithm: one in three things weighs more than 2.2 times as much or as little."""


def with_body(scene: Scene, edit: MakeObject) -> MakeObject:
    """The same edit with convex pieces around the thing, and a mass estimated from their size, which the note says."""
    made = replace(edit, fill=None, note="").apply(scene)[edit.new_id]
    pieces = pieces_of(made)
    volume = sum(p.volume * p.fill for p in pieces) * made.world_from_object.scale**3
    mass_kg, factor = mass_from(volume, scene.scale.sigma)
    note = f"{edit.new_id}: its mass of {mass_kg:g} kg is estimated from a volume of {1000 * volume:.2g} litres, "
    note += f"and is right within a factor of {factor:.1f} two times in three"
    note = " ".join(filter(None, (edit.note, note)))
    return replace(edit, collider=tuple(p.as_mesh() for p in pieces), mass_kg=mass_kg, note=note)


def mass_from(volume: float, scale_sigma: float = 0.0) -> tuple[float, float]:
    """Mass in kg of an unknown thing of some cubic metres, and the factor by which one standard deviation errs.

    Args:
        scale_sigma: relative standard deviation of lengths.
    """
    skin_m2 = (36 * math.pi * volume**2) ** (1 / 3)  # of the ball of this volume
    mass_kg = float(f"{max(_SKIN_KG_M2 * skin_m2, 1e-3):.2g}")
    return mass_kg, math.exp(math.hypot(_SKIN_SIGMA, 2 * scale_sigma))
