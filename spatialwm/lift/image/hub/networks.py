"""The depth networks of transformers: opened from a folder, fed with a picture, read in metres along the optical axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.functional import interpolate

from spatialwm.errors import LiftError, MissingDependencyError
from spatialwm.lift.image.hub.fit import out_of_memory
from spatialwm.lift.image.hub.models import HubModel
from spatialwm.lift.image.hub.prepare import Preparation
from spatialwm.lift.image.hub.tiles import in_tiles


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Depths:
    """What a network says about a picture, at the picture's size."""

    depth_m: Float[np.ndarray, "h w"]
    """float32 along the optical axis."""
    focal_px: float | None = None
    """As the network sees it."""
    sky: Bool[np.ndarray, "h w"] | None = None
    """None: it does not say."""


Forward = Callable[[Tensor], Any]
"""Pixels (1, 3, h, w) to the network's own output, wherever it runs."""


def opened(folder: Path, model: HubModel, auto_class: str = "AutoModelForDepthEstimation") -> torch.nn.Module:
    """The network of a folder, in float32 on the CPU; touches no network and runs no code from the folder.

    Raises:
        MissingDependencyError: transformers is not installed.
        LiftError: the folder holds another kind of model, or weights that do not fit its configuration.
    """
    try:
        import transformers
    except ImportError:
        raise MissingDependencyError("transformers", "hub", model.name) from None
    again = f"run `hf download {model.repo} --local-dir '{folder}'` again"
    with _quiet(transformers):
        try:
            network, loading = getattr(transformers, auto_class).from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
            )
        # Whatever a damaged file leads the library to; an interrupt or a full memory is not its fault.
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as e:
            if out_of_memory(e):
                raise
            said = str(e).strip() or type(e).__name__
            raise LiftError(f"{folder} does not open as {model.name} ({said.splitlines()[0]}): {again}") from None
    kind = type(network.config).model_type.replace("_", "-")  # the class's: published files may name a sibling
    if kind != model.architecture:
        raise LiftError(f"{folder} holds a {kind} model, where {model.name} needs {model.architecture}: {again}")
    # transformers only warns, and fills in random numbers.
    absent = [key for key in loading["missing_keys"] if "position_ids" not in key]
    if absent:
        raise LiftError(f"{folder} lacks {len(absent)} of the weights of {model.name}, e.g. {sorted(absent)[0]}: {again}")
    return network.eval()


def tokenizer_of(folder: Path, model: HubModel) -> Any:
    """What turns words into the numbers of a model.

    Raises:
        LiftError: its files are missing or damaged.
    """
    import transformers

    with _quiet(transformers):
        try:
            return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as e:  # the tokenizers library raises bare exceptions
            said = str(e).strip().splitlines()[0]
            raise LiftError(f"{folder} has no tokenizer of {model.name} ({said}); download the folder again") from None


def preparation_of(folder: Path, model: HubModel) -> Preparation:
    """How the pictures of a model are prepared; what its file leaves out is as published."""
    width, height = model.size
    if model.architecture == "depth-pro":
        half = (0.5, 0.5, 0.5)
        return Preparation.read(folder, width=width, height=height, mean=half, std=half)
    if model.architecture == "zoedepth":
        half = (0.5, 0.5, 0.5)
        return Preparation.read(folder, width=512, height=384, mean=half, std=half, multiple=32, keeps_aspect=True, pads=True)
    return Preparation.read(folder, width=height, height=height, multiple=14, keeps_aspect=True)


def depths(
    model: HubModel,
    forward: Forward,
    preparation: Preparation,
    rgb: UInt8[np.ndarray, "h w 3"],
    focal_px: float | None,
    shrink: float = 1.0,
    tiles: int = 1,
) -> Depths:
    """What a network says about a picture.

    Args:
        focal_px: where it is known; DepthPro's depth is proportional to it, and its own guess of it is then not used.
        shrink: of the resolution at which it is processed.
        tiles: along each side; only DepthAnything is run in tiles.
    """
    size = rgb.shape[1], rgb.shape[0]
    with torch.inference_mode():
        if model.architecture == "depth-pro":
            return _depth_pro(forward(preparation.by_torch(rgb)), size, focal_px)
        if model.architecture == "zoedepth":
            depth = forward(preparation.by_torch(rgb, shrink, align_corners=True)).predicted_depth[0].float()
            margin_x, margin_y = preparation.margins(*size)
            whole = _resized(depth, (size[0] + 2 * margin_x, size[1] + 2 * margin_y))
            return Depths(depth_m=whole[margin_y : margin_y + size[1], margin_x : margin_x + size[0]].copy())
        pixels = preparation.by_pillow(rgb, shrink)
        depth = in_tiles(lambda part: forward(part).predicted_depth[0].float().cpu(), pixels, tiles, preparation.multiple)
        return Depths(depth_m=_resized(depth, size))


def _depth_pro(output: Any, size: tuple[int, int], focal_px: float | None) -> Depths:
    """It predicts the reciprocal of depth for a focal length of one picture width, and the angle of view beside it."""
    own_px = None
    if output.field_of_view is not None:
        fov_rad = torch.deg2rad(output.field_of_view.float().reshape(())).item()
        own_px = size[0] / 2 / float(np.tan(np.clip(fov_rad, 0.02, 3.1) / 2))
    used_px = focal_px or own_px
    if used_px is None:
        raise LiftError("these DepthPro weights do not guess the focal length: say it in mm (35 mm equivalent)")
    inverse = _resized(output.predicted_depth[0].float() * (size[0] / used_px), size)
    return Depths(depth_m=1 / np.clip(inverse, 1e-4, 1e4), focal_px=own_px)


def _resized(values: Float[Tensor, "H W"], size: tuple[int, int]) -> Float[np.ndarray, "h w"]:
    # Bilinear, where transformers' own post-processing of two of the three is bicubic: that overshoots at every depth edge.
    scaled = interpolate(values[None, None], (size[1], size[0]), mode="bilinear", align_corners=False)
    return np.ascontiguousarray(scaled[0, 0].cpu().numpy(), np.float32)


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Without its progress bars and warnings, which would break the one line that a command prints."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
