"""Scenes become pixels."""

from spatialwm.render.frame import Frame, Stage, render_scene
from spatialwm.render.renderer import Rasterizer, RenderMode, choose

__all__ = ["Frame", "Rasterizer", "RenderMode", "Stage", "choose", "render_scene"]
