"""Tiles that disagree about scale become one depth map without seams."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from spatialwm.lift.image.hub import tiles as hub_tiles
from spatialwm.lift.image.hub.tiles import in_tiles

HEIGHT, WIDTH = 112, 196


def room() -> Tensor:
    """A slanted floor with a step in it; the picture that is predicted from holds the depth itself."""
    v, u = torch.meshgrid(torch.linspace(0, 1, HEIGHT), torch.linspace(0, 1, WIDTH), indexing="ij")
    return 2 + 3 * u + 2 * v + (u > 0.6).float() * 4


class Mistaken:
    """Sees the depth, but gets the scale of every tile wrong by another factor."""

    def __init__(self, spread: float) -> None:
        self.spread, self.calls, self.sizes = spread, 0, []
        self.generator = torch.Generator().manual_seed(5)

    def __call__(self, pixels: Tensor) -> Tensor:
        self.sizes.append(tuple(pixels.shape[2:]))
        factor = 1.0 if not self.calls else float((torch.randn((), generator=self.generator) * self.spread).exp())
        self.calls += 1
        return pixels[0, 0] * factor


@pytest.mark.parametrize("tiles", [2, 3])
@pytest.mark.parametrize("spread", [0.0, 0.4])
def test_tiles_agree_with_the_whole_and_with_each_other(tiles: int, spread: float) -> None:
    truth = room()
    made = in_tiles(Mistaken(spread), truth.expand(1, 3, -1, -1), tiles, 14)
    error = (made / truth).log()
    assert error.abs().max() < 0.03
    assert error.diff(dim=0).abs().max() < 0.01
    assert error.diff(dim=1).abs().max() < 0.01


def test_without_agreement_the_tiles_would_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the agreement is for."""
    monkeypatch.setattr(hub_tiles, "_agreement", lambda logs, *_: [0.0] * len(logs))
    truth = room()
    error = (in_tiles(Mistaken(0.4), truth.expand(1, 3, -1, -1), 2, 14) / truth).log()
    assert error.abs().max() > 0.2


def test_tiles_are_smaller_and_of_sizes_that_the_network_takes() -> None:
    mistaken = Mistaken(0.0)
    in_tiles(mistaken, room().expand(1, 3, -1, -1), 2, 14)
    assert mistaken.calls == 5
    assert len(set(mistaken.sizes)) == 1
    height, width = mistaken.sizes[0]
    assert height % 14 == width % 14 == 0
    assert height * width < 0.4 * HEIGHT * WIDTH


def test_one_tile_is_one_call_for_the_whole() -> None:
    mistaken = Mistaken(0.4)
    assert torch.equal(in_tiles(mistaken, room().expand(1, 3, -1, -1), 1), room())
    assert mistaken.calls == 1


def test_detail_comes_from_the_tiles_not_from_the_look_at_the_whole() -> None:
    truth = room() + torch.rand(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))
    made = in_tiles(Mistaken(0.0), truth.expand(1, 3, -1, -1), 2, 14)
    blurred = interpolate(interpolate(truth[None, None], scale_factor=0.5), truth.shape)[0, 0]
    assert (made - truth).abs().mean() < 0.2 * (blurred - truth).abs().mean()
