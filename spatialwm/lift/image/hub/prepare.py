"""Pictures as the networks want them, by the ``preprocessor_config.json`` that lies beside the weights.

Our own few lines instead of transformers' processors: two of those need torchvision, which no machine with a torch of another
build can load, and none can process at a lower resolution for want of memory. Tests hold them equal to transformers' own.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from spatialwm.errors import LiftError


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How a picture becomes the input of a network."""

    width: int
    height: int
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    multiple: int = 1
    """Both sizes are rounded to one."""
    keeps_aspect: bool = False
    resample: int = 3
    """Of Pillow."""
    pads: bool = False

    @staticmethod
    def read(folder: Path, **defaults: Any) -> Preparation:
        """As the file beside the weights says; ``defaults`` where it does not.

        Raises:
            LiftError: the file is missing or makes no sense.
        """
        path = folder / "preprocessor_config.json"
        if not path.is_file():
            path = folder / "processor_config.json"  # newer exports
        try:
            read = json.loads(path.read_text("utf8"))
            read = read.get("image_processor", read)
            size = read.get("size") or {}
            known = {
                "width": size.get("width", size.get("longest_edge")), "height": size.get("height", size.get("shortest_edge")),
                "mean": read.get("image_mean"), "std": read.get("image_std"), "multiple": read.get("ensure_multiple_of"),
                "keeps_aspect": read.get("keep_aspect_ratio"), "resample": read.get("resample"), "pads": read.get("do_pad"),
            }  # fmt: skip
            made = {**defaults, **{k: tuple(v) if isinstance(v, list) else v for k, v in known.items() if v is not None}}
            preparation = Preparation(**{**made, "multiple": max(int(made.get("multiple", 1)), 1)})
            if min(preparation.width, preparation.height, *preparation.std) <= 0:
                raise ValueError("a size or standard deviation is not positive")
            return preparation
        except (OSError, ValueError, TypeError, AttributeError) as e:
            raise LiftError(f"{path} does not say how to prepare a picture ({e}); download the folder again") from None

    def size_for(self, width: int, height: int, shrink: float = 1.0) -> tuple[int, int]:
        """Width and height at which a picture is processed."""
        across, down = self.width * shrink / width, self.height * shrink / height
        if self.keeps_aspect:  # the side that changes less decides
            across = down = across if abs(1 - across) < abs(1 - down) else down
        return self._rounded(across * width), self._rounded(down * height)

    def _rounded(self, size: float) -> int:
        # Python and numpy both round halves to even, as transformers does.
        return max(round(size / self.multiple), 1) * self.multiple

    def by_pillow(self, rgb: UInt8[np.ndarray, "h w 3"], shrink: float = 1.0) -> Float[Tensor, "1 3 H W"]:
        """Resized with Pillow's filter, then normalised."""
        size = self.size_for(rgb.shape[1], rgb.shape[0], shrink)
        small = Image.fromarray(rgb).resize(size, Image.Resampling(self.resample))
        return self.normalized(np.asarray(small))

    def by_pillow_within(self, rgb: UInt8[np.ndarray, "h w 3"]) -> Float[Tensor, "1 3 H W"]:
        """The same with a shorter side of ``height`` px, or less where the longer would exceed ``width``."""
        height, width = rgb.shape[:2]
        side = min(self.height, self.width * min(width, height) / max(width, height))
        other = int(side * max(width, height) / min(width, height))  # cut off, not rounded: the rule of DETR
        size = (round(side), other) if width < height else (other, round(side))
        return self.normalized(np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling(self.resample))))

    def by_torch(
        self, rgb: UInt8[np.ndarray, "h w 3"], shrink: float = 1.0, *, align_corners: bool = False
    ) -> Float[Tensor, "1 3 H W"]:
        """Normalised, then resized between pixel centres without a filter."""
        margin_x, margin_y = self.margins(rgb.shape[1], rgb.shape[0])
        padded = np.pad(rgb, ((margin_y, margin_y), (margin_x, margin_x), (0, 0)), mode="reflect") if self.pads else rgb
        width, height = self.size_for(padded.shape[1], padded.shape[0], shrink)
        return interpolate(self.normalized(padded), (height, width), mode="bilinear", align_corners=align_corners)

    def margins(self, width: int, height: int) -> tuple[int, int]:
        """Reflected pixels on either side and above and below, where it pads (ZoeDepth's rule)."""
        return (int(math.sqrt(width / 2) * 3), int(math.sqrt(height / 2) * 3)) if self.pads else (0, 0)

    def normalized(self, rgb: UInt8[np.ndarray, "h w 3"]) -> Float[Tensor, "1 3 h w"]:
        """Zero mean, unit deviation."""
        values = torch.from_numpy(np.array(rgb, np.float32)) / 255
        return ((values - torch.tensor(self.mean)) / torch.tensor(self.std)).permute(2, 0, 1)[None].contiguous()
