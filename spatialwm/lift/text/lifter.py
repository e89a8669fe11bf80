"""The lifter of sentences: parse, build, arrange, light, splat."""

from __future__ import annotations

import zlib

import numpy as np

from spatialwm.lift.lifter import LiftOptions, Workspace
from spatialwm.lift.text.arrange import arrange
from spatialwm.lift.text.assemble import Placed, assemble
from spatialwm.lift.text.graph import Item, SceneGraph
from spatialwm.lift.text.kinds import KINDS
from spatialwm.lift.text.language import parse
from spatialwm.lift.text.model import Model
from spatialwm.lift.text.places import place_for
from spatialwm.progress import Progress, part_of, silent
from spatialwm.scene import Scene


class TextLifter:
    """Sentence in, furnished and lit scene out; the same seed gives the same scene on one machine."""

    def lift(
        self,
        source: str,
        options: LiftOptions = LiftOptions(),
        progress: Progress = silent,
        workspace: Workspace = Workspace(),
    ) -> Scene:
        """The scene a sentence describes; unknown words are reported in it, never dropped.

        Raises:
            LiftError: the sentence is empty or far too long.
        """
        progress("understanding", 0.0)
        return self.furnish(parse(source), options, progress)

    def furnish(self, graph: SceneGraph, options: LiftOptions = LiftOptions(), progress: Progress = silent) -> Scene:
        """The scene of a sentence that has been understood already."""
        progress("building", 0.02)
        models = {item.key: build(item, options.seed) for item in graph.items if item.kind in KINDS}
        place = place_for(graph, models, KINDS, options.seed, options.quality)
        models |= {key: model for key, (model, _) in place.fitted.items()}
        fixed = {key: pose for key, (_, pose) in place.fitted.items()}
        progress("arranging", 0.08)
        arrangement = arrange(
            graph, models, place.shell, np.random.default_rng(options.seed), part_of(progress, 0.08, 0.14), KINDS, fixed
        )
        placed = [
            Placed(
                item=i,
                model=models[i.key],
                world_from_object=arrangement.poses[i.key],
                supported_by=arrangement.supported_by.get(i.key),
            )
            for i in graph.items
            if i.key in arrangement.poses and i.key in models
        ]
        unmet = (*arrangement.unmet, *graph.notes)
        return assemble(graph, placed, place, options.quality, options.seed, unmet, part_of(progress, 0.14, 1.0))


def build(item: Item, seed: int = 0) -> Model:
    """The model of an item; its own chance depends on its key alone, so that other items cannot change it."""
    return KINDS[item.kind].build(item, np.random.default_rng([seed, zlib.crc32(item.key.encode())]))
