"""The mask of the thing under a click or in a box, by SAM 2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch.nn.functional import interpolate

from spatialwm.lift.image.hub.fit import Device, Plan
from spatialwm.lift.image.hub.kept import Kept
from spatialwm.lift.image.hub.models import MASKS
from spatialwm.lift.image.hub.networks import opened
from spatialwm.lift.image.hub.place import placed
from spatialwm.lift.image.hub.prepare import Preparation
from spatialwm.lift.image.hub.weights import weights_of

Box = tuple[float, float, float, float]
"""``x0, y0, x1, y1`` in pixels from the upper left corner."""


def mask_at(
    rgb: UInt8[np.ndarray, "h w 3"],
    points: Sequence[tuple[float, float, bool]] = (),
    box: Box | None = None,
) -> Bool[np.ndarray, "h w"]:
    """The pixels of the thing that is pointed at; it may be empty. A second call for the same picture costs a hundredth.

    Args:
        points: x, y in pixels from the upper left corner, and whether the thing is there (else it is not).
        box: around the thing.

    Raises:
        MissingModelError: transformers or the weights are missing; one line says how to get them.
        LiftError: the weights are damaged, or memory does not suffice.
    """
    return _model(weights_of(MASKS)).mask_at(rgb, points, box)


class MaskModel:
    """SAM 2 on this machine; it remembers what it has seen of the last picture."""

    def __init__(self, folder: Path, devices: Sequence[Device] | None = None) -> None:
        self._network = Kept(MASKS, lambda plan: _Network(folder, plan), devices)
        width, height = MASKS.size
        self._preparation = Preparation.read(folder, width=width, height=height, resample=2)

    def mask_at(
        self, rgb: UInt8[np.ndarray, "h w 3"], points: Sequence[tuple[float, float, bool]] = (), box: Box | None = None
    ) -> Bool[np.ndarray, "h w"]:
        """As ``mask_at``."""
        height, width = rgb.shape[:2]
        # The network counts from pixel centres.
        across, down = self._preparation.width / width, self._preparation.height / height
        prompt: dict[str, torch.Tensor] = {}
        if points:
            prompt["input_points"] = torch.tensor([[[[x * across - 0.5, y * down - 0.5] for x, y, _ in points]]])
            prompt["input_labels"] = torch.tensor([[[int(there) for _, _, there in points]]])
        if box is not None:
            x0, y0, x1, y1 = box
            prompt["input_boxes"] = torch.tensor([[[x0 * across - 0.5, y0 * down - 0.5, x1 * across - 0.5, y1 * down - 0.5]]])
        # One click may mean the button, the shirt or the man: of three answers the one it is surest of. More is not ambiguous.
        ambiguous = box is None and len(points) == 1

        def answer(network: _Network, _plan: Plan) -> Any:
            return network.answer(self._preparation, rgb, prompt, ambiguous)

        output, _, _ = self._network.run(answer)
        best = int(output.iou_scores[0, 0].argmax())
        logits = output.pred_masks[0, 0, best].float()[None, None]
        return (interpolate(logits, (height, width), mode="bilinear", align_corners=False)[0, 0] > 0).cpu().numpy()


class _Network:
    """SAM 2 where it was placed, and what it made of the last picture: nine tenths of the work."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._network: Any = opened(folder, MASKS, "Sam2Model")
        self._run = placed(self._network, plan)
        self._last: tuple[np.ndarray, Any] | None = None

    @torch.inference_mode()
    def answer(
        self, preparation: Preparation, rgb: UInt8[np.ndarray, "h w 3"], prompt: dict[str, torch.Tensor], ambiguous: bool
    ) -> Any:
        if self._last is None or not np.array_equal(self._last[0], rgb):
            self._last = None
            like = next(self._network.parameters())
            pixels = preparation.by_pillow(rgb).to(like.device, like.dtype)
            self._last = rgb.copy(), self._network.get_image_embeddings(pixels)
        return self._run(image_embeddings=self._last[1], multimask_output=ambiguous, **prompt)


@lru_cache(maxsize=1)
def _model(folder: Path) -> MaskModel:
    return MaskModel(folder)
