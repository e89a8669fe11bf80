"""The photographs as training compares them: float tensors at several reductions, made when first asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import View
from spatialwm.lift.capture.training.normals import normals_of
from spatialwm.lift.pictures.area import area_averaged


class Picture(NamedTuple):
    """One view at one reduction."""

    rgb: Float[Tensor, "h w 3"]
    usable: Tensor | None
    """Weights 0..1 (h, w), where some pixels are not to be trusted."""
    depth: Tensor | None
    """(h, w) in training units, 0 where unknown."""
    viewmat: Float[Tensor, "4 4"]
    K: Float[Tensor, "3 3"]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.rgb.shape[1], self.rgb.shape[0]


@dataclass(frozen=True, eq=False)
class Pictures:
    """All reductions of a view, with lengths divided by ``unit``."""

    view: View
    unit: float
    device: torch.device

    def reduced(self, factor: int) -> Picture:
        """Averaged over ``factor`` x ``factor`` px; the camera follows exactly."""
        if factor not in self._made:
            self._made[factor] = self._make(factor)
        return self._made[factor]

    def normals(self, factor: int) -> Tensor | None:
        """How measured surfaces face at a reduction, (h, w, 3) in the camera's frame and towards it; zero where unknown."""
        depth = self.reduced(factor).depth
        if depth is not None and factor not in self._faced:
            found = normals_of(reduced_camera(self.view.camera, factor), depth.cpu().numpy())
            self._faced[factor] = torch.from_numpy(found).to(self.device)
        return self._faced.get(factor)

    @cached_property
    def _faced(self) -> dict[int, Tensor]:
        return {}

    @cached_property
    def _made(self) -> dict[int, Picture]:
        return {}

    def _make(self, factor: int) -> Picture:
        view, camera = self.view, reduced_camera(self.view.camera, factor)
        height, width = camera.height, camera.width
        rows, columns = slice(height * factor), slice(width * factor)
        rgb = area_averaged(view.rgb[rows, columns], width, height) / np.float32(255)
        usable = None if view.usable is None else area_averaged(view.usable[rows, columns], width, height)
        depth = None
        if view.depth is not None:
            # Never averaged: halfway between a chair and the wall behind it is nothing.
            depth = view.depth[factor // 2 :: factor, factor // 2 :: factor][:height, :width].astype(np.float32) / self.unit
        viewmat = camera.viewmat()
        viewmat[:3, 3] /= self.unit
        tensors = (None if a is None else torch.from_numpy(np.ascontiguousarray(a)) for a in (rgb, usable, depth))
        rgb, usable, depth = (None if t is None else t.to(self.device) for t in tensors)
        assert rgb is not None
        return Picture(rgb, usable, depth, viewmat.to(self.device), camera.K().to(self.device))


def reduced_camera(camera: Camera, factor: int) -> Camera:
    """Of the picture cropped to a multiple of ``factor`` px at right and bottom, then averaged."""
    return replace(
        camera, width=max(camera.width // factor, 1), height=max(camera.height // factor, 1), fx=camera.fx / factor,
        fy=camera.fy / factor, cx=camera.cx / factor, cy=camera.cy / factor,
    )  # fmt: skip
