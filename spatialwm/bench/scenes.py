"""What is rendered: synthetic scenes of any size, worlds, splat files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from spatialwm.bench.synthetic import synthetic_camera, synthetic_gaussians
from spatialwm.errors import SpatialwmError
from spatialwm.geometry.camera import Camera

MAX_SYNTHETIC = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class BenchScene:
    """Gaussians as a rasterizer takes them, and where to look from at any image size."""

    name: str
    gaussians: tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
    """means, quats, scales, opacities, colors."""
    sh_degree: int | None
    """None: colors are (n, 3) RGB; else (n, k, 3) coefficients."""
    camera: Callable[[int, int], Camera]
    """``camera(width, height)``."""

    def __len__(self) -> int:
        return len(self.gaussians[0])


def load_scene(name: str) -> BenchScene:
    """``synth100k`` (any number, with k or M), the path of a world, or of a splat file in any format that can be read.

    Raises:
        SpatialwmError: no such scene, or its file is no good.
    """
    synthetic = re.fullmatch(r"synth(\d+)([kM]?)", name)
    if synthetic:
        n = int(synthetic[1]) * {"": 1, "k": 1_000, "M": 1_000_000}[synthetic[2]]
        if n > MAX_SYNTHETIC:
            raise SpatialwmError(f"scene {name} has {n:,} Gaussians; choose at most {MAX_SYNTHETIC:,}")
        return BenchScene(name, synthetic_gaussians(n), None, synthetic_camera)
    path = Path(name)
    if not path.exists():
        raise SpatialwmError(f"no scene {name!r}; give synth100k (any number, with k or M), a NAME.world or a splat file")
    return _of_file(path)


def _of_file(path: Path) -> BenchScene:
    from spatialwm.lift.splatfile import SplatFileLifter
    from spatialwm.render import establishing_view
    from spatialwm.scene import flatten
    from spatialwm.world import World

    if path.suffix == ".world":
        with World.open(path, read_only=True) as world:
            scene = world.scene()
    else:
        scene = SplatFileLifter().lift(str(path))
    g = flatten(scene).gaussians
    if not len(g):
        raise SpatialwmError(f"{path} holds no Gaussians; choose a scene with at least one")
    fields = (g.means, g.quats, g.scales, g.opacities, g.sh)
    return BenchScene(path.name, fields, g.sh_degree, lambda width, height: establishing_view(scene, width, height))
