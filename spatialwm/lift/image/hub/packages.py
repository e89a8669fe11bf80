"""Depth networks that come as packages of their own: MoGe-2, Depth Anything 3 metric and SHARP, through their public calls.

Read from the sources of microsoft/MoGe (moge/model/v2.py), ByteDance-Seed/Depth-Anything-3 (api.py) and apple/ml-sharp
(cli/predict.py).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from scipy.ndimage import distance_transform_edt
from torch.nn.functional import interpolate

from spatialwm.errors import LiftError
from spatialwm.lift.image.hub.fit import Plan, out_of_memory
from spatialwm.lift.image.hub.models import HubModel
from spatialwm.lift.image.hub.networks import Depths

Say = Callable[[UInt8[np.ndarray, "h w 3"], float | None], Depths]
"""What a network says about a picture whose focal length in pixels may be known."""

_CANONICAL_PX = 300.0
"""Focal length for which Depth Anything 3 metric gives metres."""
_SHARP_GRID = 768
"""SHARP places its Gaussians on such a grid of the picture."""
_USUAL_SHARE = 30 / math.hypot(36, 24)
"""Focal length over diagonal that SHARP was made for where none is known."""


def package_say(model: HubModel, folder: Path, plan: Plan) -> Say:
    """Open one of them from its folder.

    Raises:
        LiftError: it does not open.
    """
    openers = {"moge": _moge, "depth-anything-3": _depth_anything_3, "sharp": _sharp}
    try:
        return openers[model.architecture](folder, torch.device(plan.device), plan.half)
    except Exception as e:  # research code raises whatever it meets
        if out_of_memory(e):
            raise
        said = (str(e).strip() or type(e).__name__).splitlines()[0]
        mend = "update its package, or download the folder again"
        raise LiftError(f"{folder} does not open as {model.name} ({said}); {mend}") from None


def _moge(folder: Path, device: torch.device, half: bool) -> Say:
    network = importlib.import_module("moge.model.v2").MoGeModel.from_pretrained(str(_checkpoint(folder))).to(device).eval()

    def say(rgb: UInt8[np.ndarray, "h w 3"], focal_px: float | None) -> Depths:
        width = rgb.shape[1]
        fov_x_deg = None if focal_px is None else math.degrees(2 * math.atan(width / 2 / focal_px))
        pixels = torch.from_numpy(np.array(rgb, np.float32)).permute(2, 0, 1).to(device) / 255
        out = network.infer(pixels, fov_x=fov_x_deg, apply_mask=False, use_fp16=half)
        own_px = float(out["intrinsics"][0, 0]) * width  # its intrinsics are shares of the picture
        return Depths(depth_m=_array(out["depth"]), focal_px=own_px, sky=~out["mask"].cpu().numpy().astype(bool))

    return say


def _depth_anything_3(folder: Path, device: torch.device, half: bool) -> Say:
    network = importlib.import_module("depth_anything_3.api").DepthAnything3.from_pretrained(str(folder)).to(device).eval()

    def say(rgb: UInt8[np.ndarray, "h w 3"], focal_px: float | None) -> Depths:
        height, width = rgb.shape[:2]
        out = network.inference([rgb])
        depth = np.asarray(out.depth, np.float32)[0]
        focal = focal_px or _USUAL_SHARE * math.hypot(width, height)
        metres = _enlarged(depth * (focal * depth.shape[1] / width / _CANONICAL_PX), width, height)
        sky = getattr(out, "sky", None)
        return Depths(depth_m=metres, sky=None if sky is None else _enlarged(np.asarray(sky, np.float32)[0], width, height) > 0.5)

    return say


def _sharp(folder: Path, device: torch.device, half: bool) -> Say:
    models, predict = importlib.import_module("sharp.models"), importlib.import_module("sharp.cli.predict")
    network = models.create_predictor(models.PredictorParams())
    network.load_state_dict(torch.load(_checkpoint(folder), weights_only=True, map_location="cpu"))
    network.eval().to(device)

    def say(rgb: UInt8[np.ndarray, "h w 3"], focal_px: float | None) -> Depths:
        height, width = rgb.shape[:2]
        focal = focal_px or _USUAL_SHARE * math.hypot(width, height)
        gaussians = predict.predict_image(network, rgb, focal, device)
        means, opacities = _array(gaussians.mean_vectors).reshape(-1, 3), _array(gaussians.opacities).reshape(-1)
        return Depths(depth_m=_nearest_depth(means[opacities > 0.5], focal, width, height))

    return say


def _nearest_depth(points: Float[np.ndarray, "n 3"], focal_px: float, width: int, height: int) -> Float[np.ndarray, "h w"]:
    """Depth of the foremost point in each cell of the picture; a cell without one takes its neighbour's.

    Raises:
        LiftError: no point is in sight.
    """
    points = points[points[:, 2] > 0]
    columns = np.floor((points[:, 0] / points[:, 2] * focal_px / width + 0.5) * _SHARP_GRID).astype(int)
    rows = np.floor((points[:, 1] / points[:, 2] * focal_px / height + 0.5) * _SHARP_GRID).astype(int)
    inside = (columns >= 0) & (columns < _SHARP_GRID) & (rows >= 0) & (rows < _SHARP_GRID)
    if not inside.any():
        raise LiftError("SHARP placed nothing in sight of the camera; choose another depth backend")
    grid = np.full((_SHARP_GRID, _SHARP_GRID), np.inf, np.float32)
    np.minimum.at(grid, (rows[inside], columns[inside]), points[inside, 2])
    rows, columns = np.asarray(distance_transform_edt(np.isinf(grid), return_distances=False, return_indices=True))
    return _enlarged(grid[rows, columns], width, height)


def _checkpoint(folder: Path) -> Path:
    return sorted(folder.glob("*.pt"))[0]


def _array(tensor: Any) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def _enlarged(values: Float[np.ndarray, "H W"], width: int, height: int) -> Float[np.ndarray, "h w"]:
    tensor = torch.from_numpy(np.ascontiguousarray(values, np.float32))[None, None]
    return interpolate(tensor, (height, width), mode="bilinear", align_corners=False)[0, 0].numpy()
