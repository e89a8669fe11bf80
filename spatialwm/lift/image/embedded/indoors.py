"""Rooms: the box of floor, walls and ceiling, and what stands in it."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from spatialwm.lift.image.embedded.furnished import SIGMA, box_weight, usual_log_ahead
from spatialwm.lift.image.embedded.guided import guided
from spatialwm.lift.image.embedded.labels import ground_probability
from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.regions import Regions
from spatialwm.lift.image.embedded.room import fit_room, room_of_corners
from spatialwm.lift.image.embedded.standing import standing_depth
from spatialwm.lift.image.embedded.surfaces import LEAST_AHEAD, Surfaces, feet, upright_share
from spatialwm.lift.image.embedded.view import View
from spatialwm.lift.image.photo import Px
from spatialwm.scene.scale import EYE_HEIGHT_M

_NEAR_RAD = math.radians(22)
"""Walls are seldom nearer than 4 m where floor is in sight."""


_FOUND, _DRAWN = 0.5, 5.0
"""How much a wall that was found, and one that the user drew, weighs against what stands before it; 2 is a foot on the floor."""
_TOP = 0.65
"""Of the eye height: how far below the eyes the tops of tables, beds and sofas are."""
_ALIKE = 14.0
"""Change of L*a*b* between patches of one piece of furniture."""


def room_surfaces(look: Look, view: View, regions: Regions, corners: tuple[Px, ...]) -> Surfaces:
    """What the box says, and before its walls what stands on its floor; blended with what rooms usually are.

    The mean of two guesses is nearer the truth than either, and distances that differ most are least certain. A drawn box is
    no guess.

    Args:
        corners: where floor and walls meet, from the user; empty: the likely boxes are found.
    """
    no_sky = np.zeros((view.height, view.width), bool)
    floor_of = ground_probability(regions, view.below_horizon_rad, no_sky, upright_share(view, regions), _NEAR_RAD, 1.0)
    soft = guided(look.rgb, floor_of[regions.labels], 6, 1e-3)
    drawn = room_of_corners(view, corners)
    room, wall_trust = (fit_room(view, soft), _FOUND) if drawn is None else (drawn, _DRAWN)
    box_ahead = room.log_distance + np.log(np.maximum(view.level[..., 1], LEAST_AHEAD))
    floor = (soft > 0.5) & (room.floor > 0.5)
    on_wall = regions.mean(room.floor) < 0.5
    known, trust = feet(regions, floor, no_sky, box_ahead)
    box_of = regions.mean(box_ahead)
    known = np.where(on_wall, box_of, known)
    trust = np.where(on_wall, wall_trust / (1 + (regions.mean(room.sigma) / 0.15) ** 2), trust)
    stands = regions.mean(floor.astype(float)) < 0.5
    log_standing = standing_depth(regions, stands, known, trust * stands)
    # Walls keep the slope of the box: how much nearer something stands is one number per patch.
    nearer = np.minimum(log_standing - box_of, 0)[regions.labels]
    standing = np.where(on_wall[regions.labels], box_ahead + nearer, np.minimum(log_standing[regions.labels], box_ahead))
    # Tables, beds and sofas that the lower edge cuts show their tops, which slope away as the floor does.
    tops = _cut_below(regions, stands & ~on_wall)[regions.labels]
    standing = np.where(tops, box_ahead + math.log(_TOP), standing)
    found = np.where(floor, box_ahead, standing)
    usual = usual_log_ahead(view)
    weight = box_weight(view, room, soft) if drawn is None else 1.0
    spread = np.sqrt(weight * room.sigma**2 + (1 - weight) * (SIGMA**2 + weight * (found - usual) ** 2))
    sure = np.exp(-spread / 0.35) * np.where(np.abs(soft - room.floor) > 0.5, 0.7, 0.9)
    return Surfaces(weight * found + (1 - weight) * usual, sure, EYE_HEIGHT_M, 0.3)


def _cut_below(regions: Regions, standing: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Patches of the pieces of furniture that reach the lower edge of the picture over a twentieth of it."""
    i, j, _, _ = regions.borders
    joined = standing[i] & standing[j] & (np.linalg.norm(regions.lab[i] - regions.lab[j], axis=1) < _ALIKE)
    graph = coo_array((np.ones(joined.sum()), (i[joined], j[joined])), (regions.count, regions.count))
    _, piece = connected_components(graph, directed=False)
    last = regions.labels[-1]
    reach = np.bincount(piece[last], standing[last].astype(float), regions.count)
    return (reach[piece] > 0.05 * len(last)) & standing
