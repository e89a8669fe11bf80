"""Scenes become pixels."""

from spatialwm.render.adam import Adam
from spatialwm.render.camera_file import camera_from_dict, camera_to_dict, read_cameras, write_cameras
from spatialwm.render.frame import Frame, Stage, film, render_scene
from spatialwm.render.images import write_mp4, write_png
from spatialwm.render.photometric import photometric_loss, psnr, ssim
from spatialwm.render.points import farthest_points, nearest_neighbors
from spatialwm.render.relocation import Moved, add_new, inject_noise, relocate_dead, relocated
from spatialwm.render.renderer import BACKENDS, Rasterizer, RenderMode, available, choose
from spatialwm.render.subject_view import subject_view
from spatialwm.render.views import establishing_view, orbit_views

__all__ = [
    "BACKENDS",
    "Adam",
    "Frame",
    "Moved",
    "Rasterizer",
    "RenderMode",
    "Stage",
    "add_new",
    "available",
    "camera_from_dict",
    "camera_to_dict",
    "choose",
    "establishing_view",
    "farthest_points",
    "film",
    "inject_noise",
    "nearest_neighbors",
    "orbit_views",
    "photometric_loss",
    "psnr",
    "read_cameras",
    "relocate_dead",
    "relocated",
    "render_scene",
    "ssim",
    "subject_view",
    "write_cameras",
    "write_mp4",
    "write_png",
]
