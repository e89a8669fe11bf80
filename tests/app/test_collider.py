"""What a walker bumps into is where the splats are."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import torch
from spatialwm_app.collider import VOXEL_M, ColliderCache, fill_voxels

from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, edits


class Grid:
    """Reads the packed form as the page does."""

    def __init__(self, packed: bytes) -> None:
        *corner, self.voxel_m = struct.unpack_from("<4f", packed)
        self.corner = np.array(corner)
        self.dims = struct.unpack_from("<3I", packed, 16)
        bits = np.unpackbits(np.frombuffer(packed, np.uint8, offset=28), bitorder="little")
        self.solid = bits[: np.prod(self.dims)].reshape(self.dims).astype(bool)

    def at(self, *point: float) -> bool:
        return bool(self.solid[tuple(((np.array(point) - self.corner) / self.voxel_m).astype(int))])


def test_floor_and_walls_are_solid_and_the_air_is_not(room: Scene) -> None:
    grid = Grid(ColliderCache().pack(room))
    assert grid.at(1.0, -1.0, 0.0)
    assert grid.at(2.98, 0.0, 1.2)
    assert grid.at(0.2, 0.8, 0.5)
    assert not grid.at(1.0, -1.0, 1.0)


def test_a_sparse_floor_has_no_holes_a_walker_could_fall_through(room: Scene) -> None:
    grid = Grid(ColliderCache().pack(room))
    xs = np.arange(-2.5, 2.5, VOXEL_M)
    footing = [any(grid.at(x + dx, y + dy, 0.0) for dx in (-0.2, 0, 0.2) for dy in (-0.2, 0, 0.2)) for x in xs for y in xs]
    assert all(footing)


def test_the_floor_fills_one_layer_centred_on_it(room: Scene) -> None:
    grid = Grid(ColliderCache().pack(room))
    column = [grid.at(1.0, -1.0, z) for z in (-0.1, 0.0, 0.1)]
    assert column == [False, True, False]


def test_a_moved_object_takes_its_voxels_along(room: Scene) -> None:
    cache = ColliderCache()
    assert not Grid(cache.pack(room)).at(1.6, 0.6, 0.45)
    moved = room.apply(edits.Move("stool-1", (3.0, 0.0, 0.0)))
    grid = Grid(cache.pack(moved))
    assert grid.at(1.6, 0.6, 0.45)
    assert not grid.at(-1.4, 0.6, 0.45)


def test_copies_that_share_gaussians_are_both_solid(room: Scene) -> None:
    cache = ColliderCache()
    doubled = room.apply(edits.Duplicate("stool-1", (3.0, 0.0, 0.0)))
    grid = Grid(cache.pack(doubled))
    assert grid.at(1.6, 0.6, 0.45)
    assert grid.at(-1.4, 0.6, 0.45)


def test_scenery_and_haze_are_walked_through(room: Scene) -> None:
    stool = room["stool-1"]
    faint = replace(stool.gaussians, opacities=stool.gaussians.opacities * 0.2)
    ghost = room.with_objects([replace(stool, gaussians=faint), replace(room["crate-1"], role="backdrop")])
    grid = Grid(ColliderCache().pack(ghost))
    assert not grid.at(-1.4, 0.6, 0.45)
    assert not grid.at(0.2, 0.8, 0.45)


def test_an_empty_scene_gives_an_empty_grid() -> None:
    assert not Grid(ColliderCache().pack(Scene())).solid.any()


def test_a_large_gaussian_fills_its_ellipsoid_without_gaps(room: Scene) -> None:
    one = room["stool-1"].gaussians.select(torch.tensor([0]))
    wide = replace(one, scales=torch.tensor([[0.3, 0.2, 0.01]]), means=torch.zeros(1, 3))
    cells = {tuple(c) for c in fill_voxels(wide, Pose(), VOXEL_M)}
    for x in np.arange(-0.4, 0.41, 0.1):
        for y in np.arange(-0.25, 0.26, 0.05):
            if (x / 0.45) ** 2 + (y / 0.3) ** 2 < 0.8:
                assert (round(x / VOXEL_M), round(y / VOXEL_M), 0) in cells

