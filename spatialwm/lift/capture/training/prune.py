"""What training leaves behind goes: Gaussians that no view shows, and floaters where measured depth looks through.

Training only asks that the views come out right; behind surfaces, outside of all pictures and close before a lens it leaves what
costs nothing there. Of 40,000 Gaussians of 25 phone photos 8 % go for not being seen, of a street walk's 13 %, of a kitchen's
2 %, and neither the training views nor photos taken far off their path change by 0.01 dB.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.dense.depth_map import DepthMap
from spatialwm.lift.capture.dense.overlap import project
from spatialwm.render import BACKENDS, choose

LOOK_PX = 320
"""Longer side at which visibility is looked at: a quarter of the pixels of training, and nothing smaller matters."""
LEAST_SEEN_PX = 0.1
"""Pixels, at that size and over all views together, that a Gaussian must colour to stay."""
BEFORE = 0.1
"""What lies nearer than a measured surface by this share of its depth is in the way of the look at it."""


def pruned(
    gaussians: Gaussians, cameras: Sequence[Camera], maps: Sequence[DepthMap], *, near_plane: float = 0.01, backend: str = "auto"
) -> Gaussians:
    """Without what no camera shows and what hangs where the maps look through.

    Args:
        cameras: of the views that were trained on.
        maps: depth that a sensor measured; none: only visibility counts. Depth from stereo is not sure enough to overrule the
            training: on a street walk it took 5 % of the Gaussians and 0.9 dB of the training views for 0.01 dB off the path.
        near_plane: as in training: what lies before it was never shown.
    """
    stays = seen_px(gaussians, cameras, near_plane=near_plane, backend=backend) >= LEAST_SEEN_PX
    stays &= ~floating(gaussians.means.cpu().numpy(), maps)
    return gaussians.select(torch.from_numpy(stays).to(gaussians.means.device))


def seen_px(
    gaussians: Gaussians, cameras: Sequence[Camera], *, near_plane: float = 0.01, backend: str = "auto"
) -> Float[np.ndarray, " n"]:
    """How many pixels each Gaussian colours in pictures of ``LOOK_PX``: its blending weight summed over all views.

    The derivative of a picture's sum by a Gaussian's colour is that weight, so the rasterizer's backward pass finds it.
    """
    name, rasterization = choose(backend)
    g = gaussians.to(BACKENDS[name].device)
    color = torch.zeros(len(g), 1, device=g.means.device, requires_grad=True)
    for camera in cameras:
        k = min(1.0, LOOK_PX / max(camera.width, camera.height))
        small = camera.resized(max(1, round(k * camera.width)), max(1, round(k * camera.height)))
        image, _, _ = rasterization(
            g.means, g.quats, g.scales, g.opacities, color, small.viewmat()[None].to(g.means.device),
            small.K()[None].to(g.means.device), small.width, small.height, near_plane=near_plane, rasterize_mode="antialiased",
        )  # fmt: skip
        image.sum().backward()
    return np.zeros(len(g), np.float32) if color.grad is None else color.grad[:, 0].cpu().numpy()


def floating(means: Float[np.ndarray, "n 3"], maps: Sequence[DepthMap]) -> Bool[np.ndarray, " n"]:
    """Which places at least two maps look through, and more than twice as many as see their surface there."""
    through, there = looks(means, maps)
    return (through >= 2) & (through > 2 * there)


def looks(
    means: Float[np.ndarray, "n 3"], maps: Sequence[DepthMap]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """How many maps look through each place at something behind it, and how many see their surface about there."""
    through, there = np.zeros(len(means), np.int64), np.zeros(len(means), np.int64)
    for m in maps:
        uv, z, inside = project(m.camera, means)
        rows = np.flatnonzero(inside)
        column, row = uv[rows].astype(np.int64).T
        surface = m.depth[row, column]
        known = surface > 0
        rows, ratio = rows[known], z[rows][known] / surface[known]
        through[rows[ratio < 1 - BEFORE]] += 1
        there[rows[np.abs(ratio - 1) <= BEFORE]] += 1
    return through, there
