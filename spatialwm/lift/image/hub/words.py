"""Boxes around what a phrase names, by Grounding DINO."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from spatialwm.errors import LiftError
from spatialwm.lift.image.hub.fit import Device, Plan
from spatialwm.lift.image.hub.kept import Kept
from spatialwm.lift.image.hub.masks import Box
from spatialwm.lift.image.hub.models import WORDS
from spatialwm.lift.image.hub.networks import opened, tokenizer_of
from spatialwm.lift.image.hub.place import placed
from spatialwm.lift.image.hub.prepare import Preparation
from spatialwm.lift.image.hub.weights import weights_of

_SURE = 0.3
_SAME = 0.6
"""Boxes that share more of their union are one thing, by the phrase that fits it best."""


class Found(NamedTuple):
    """One thing that was named."""

    label: str
    """The phrase that it answers."""
    score: float
    box: Box


def boxes_for(rgb: UInt8[np.ndarray, "h w 3"], words: str | Sequence[str]) -> list[Found]:
    """Where the things are that are named, the surest first; empty where there is none.

    Args:
        words: a noun phrase, several of them with full stops between, or a sequence.

    Raises:
        MissingModelError: transformers or the weights are missing; one line says how to get them.
        LiftError: no words, or more than it reads; the weights are damaged, or memory does not suffice.
    """
    return _model(weights_of(WORDS)).boxes_for(rgb, words)


class WordModel:
    """Grounding DINO on this machine."""

    def __init__(self, folder: Path, devices: Sequence[Device] | None = None, sure: float = _SURE) -> None:
        """
        Args:
            sure: least score of an answer.
        """
        self._sure = sure
        self._network = Kept(
            WORDS, lambda plan: placed(opened(folder, WORDS, "GroundingDinoForObjectDetection"), plan), devices
        )
        self._preparation = Preparation.read(folder, width=1333, height=800, resample=2)
        self._tokenizer = tokenizer_of(folder, WORDS)

    def boxes_for(self, rgb: UInt8[np.ndarray, "h w 3"], words: str | Sequence[str]) -> list[Found]:
        """As ``boxes_for``."""
        phrases = [p.strip().lower() for text in ([words] if isinstance(words, str) else words) for p in text.split(".")]
        phrases = [phrase for phrase in phrases if phrase]
        if not phrases:
            raise LiftError("no words are given; name a thing, such as 'the red chair'")
        ids, spans = self._read(phrases)
        pixels = self._preparation.by_pillow_within(rgb)

        seen = torch.ones(1, *pixels.shape[2:], dtype=torch.int64)

        def find(network: Callable[..., Any], _plan: Plan) -> Any:
            with torch.inference_mode():
                return network(pixel_values=pixels, pixel_mask=seen, input_ids=ids)

        output, _, _ = self._network.run(find)
        scores = output.logits[0].float().sigmoid().cpu()
        boxes = _corners(output.pred_boxes[0].float().cpu(), rgb.shape[1], rgb.shape[0])
        found = []
        for phrase, span in zip(phrases, spans, strict=True):
            of_phrase = scores[:, span].max(1).values
            for i in torch.argsort(of_phrase, descending=True, stable=True).tolist():
                score = float(of_phrase[i])
                if score < self._sure:
                    break
                found.append(Found(phrase, score, tuple(boxes[i].tolist())))
        return _distinct(sorted(found, key=lambda f: -f.score))

    def _read(self, phrases: list[str]) -> tuple[Tensor, list[slice]]:
        """Token ids of ``[CLS] phrase . phrase . [SEP]`` and where each phrase stands."""
        dot = self._tokenizer.convert_tokens_to_ids(".")
        ids, spans = [self._tokenizer.cls_token_id], []
        for phrase in phrases:
            tokens = self._tokenizer(phrase, add_special_tokens=False)["input_ids"]
            if not tokens:
                raise LiftError(f"{phrase!r} has nothing that {WORDS.name} can read; name a thing in English")
            spans.append(slice(len(ids), len(ids) + len(tokens)))
            ids += [*tokens, dot]
        ids.append(self._tokenizer.sep_token_id)
        if len(ids) > 256:
            said = f"{len(phrases)} phrases of {len(ids)} tokens"
            raise LiftError(f"{said} are more than the 256 that {WORDS.name} reads; name fewer things")
        return torch.tensor([ids]), spans


def _corners(boxes: Float[Tensor, "n 4"], width: int, height: int) -> Float[Tensor, "n 4"]:
    """Centres and sizes in shares of the picture, to corners in pixels inside of it."""
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    return torch.cat([low, high], 1).clamp(0, 1) * torch.tensor([width, height, width, height])


def _distinct(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for one in found:
        if all(_shared(one.box, other.box) < _SAME for other in kept):
            kept.append(one)
    return kept


def _shared(a: Box, b: Box) -> float:
    """Intersection over union."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / union if union > 0 else 0.0


@lru_cache(maxsize=1)
def _model(folder: Path) -> WordModel:
    return WordModel(folder)
