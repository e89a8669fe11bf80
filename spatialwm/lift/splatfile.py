"""A file of Gaussians from elsewhere becomes a scene of one object that stands on the floor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from spatialwm.errors import LiftError
from spatialwm.formats import read_splats
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.lifter import LiftOptions, Workspace
from spatialwm.progress import Progress, silent
from spatialwm.render import establishing_view
from spatialwm.scene import Environment, ScaleSource, Scene, SceneObject
from spatialwm.scene.objects import OPAQUE

VIEW_SIZE = (1280, 720)
BACKGROUND = (0.36, 0.39, 0.44)
"""Captures come without surroundings; on a middle grey neither black leather nor white marble is lost."""
STRAY_SHARE = 0.01
"""Captures have floaters: this share of the opaque centres may lie beyond the box that is put on the floor."""


class SplatFileLifter:
    """Reads any splat format; the Gaussians stay exactly as read, a pose sets them on the floor."""

    def lift(
        self,
        source: str,
        options: LiftOptions = LiftOptions(),
        progress: Progress = silent,
        workspace: Workspace = Workspace(),
    ) -> Scene:
        """The scene: one static object, its footprint centred on the origin, its underside at z = 0.

        Raises:
            FormatError: the file is malformed.
            LiftError: it holds no Gaussians.
        """
        path = Path(source)
        progress("reading", 0.0)
        read = read_splats(path)
        gaussians = read.gaussians
        if not len(gaussians):
            raise LiftError(f"{path} holds no Gaussians; choose a file with at least one")
        opaque = gaussians.means[gaussians.opacities > OPAQUE]
        centers = (opaque if len(opaque) else gaussians.means).numpy().astype(np.float64)
        low, high = np.quantile(centers, [STRAY_SHARE, 1 - STRAY_SHARE], axis=0)
        middle = (low + high) / 2
        name = path.parent.name if path.stem in ("meta", "lod-meta") else path.name.split(".")[0]
        body = SceneObject(
            id="capture-1",
            category="capture",
            name=name,
            gaussians=gaussians,
            world_from_object=Pose((-float(middle[0]), -float(middle[1]), -float(low[2]))),
            mobility="static",
            supported_by="floor",
            provenance="measured",
        )
        progress("choosing a view", 0.7)
        source_format = ", ".join((read.format, *read.notes))
        half = (high - low) / 2
        scene = Scene(
            objects=(body,),
            environment=Environment(background=BACKGROUND),
            scale=ScaleSource("unknown", 1.0, f"{source_format}: stores no unit, lengths are taken as metres"),
            walkable=tuple((float(sx * half[0]), float(sy * half[1])) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))),
            prompt=path.name,
        )
        # Kept with the scene, because finding it means rendering the capture from all sides.
        scene = replace(scene, spawn=establishing_view(scene, *VIEW_SIZE))
        progress("choosing a view", 1.0)
        return scene
