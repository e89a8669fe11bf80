"""What the past tells: nothing without evidence, the centre that explains it with it, from any side alike."""

from __future__ import annotations

import pytest
import torch

from spatialwm.dynamics.hybrid.config import PROPERTIES
from spatialwm.dynamics.hybrid.identify import CENTERS, FEATURES, SURPRISES, Belief, Evidence, Identifier, turned, unlikelihood
from spatialwm.dynamics.hybrid.prior import filling_of, properties_of
from spatialwm.dynamics.table import Filling


def evidence(active: bool, explains: int = 0) -> Evidence:
    """Two windows of one thing, which the centre number ``explains`` leaves nothing of to be explained."""
    made = torch.Generator().manual_seed(0)
    features = torch.randn(1, 2, 1, FEATURES, generator=made) * 0.3
    surprises = torch.full((1, 2, 1, len(CENTERS), SURPRISES), 0.5)
    surprises[:, :, :, explains] = 0.0
    return Evidence(features, surprises, torch.full((1, 2, 1), active))


def test_without_evidence_nothing_is_known():
    belief = Identifier()(evidence(False))
    assert torch.allclose(belief.mean, torch.zeros_like(belief.mean), atol=1e-6)
    assert torch.allclose(belief.sigma[..., 2:], torch.ones(PROPERTIES - 2))
    assert belief.sigma[..., :2].min() > 0.8


@pytest.mark.parametrize("which", [1, 4, 6])
def test_the_centre_that_explains_the_past_is_believed(which):
    belief = Identifier()(evidence(True, which))
    assert torch.allclose(belief.mean[0, 0, :2], torch.tensor(CENTERS[which]), atol=0.1)
    assert belief.sigma[0, 0, :2].max() < 0.6


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
def test_a_turned_past_is_as_likely_under_the_turned_truth(quarters, mirrored):
    seen = evidence(True, 2)
    truth = torch.randn(1, 1, PROPERTIES)
    other, other_truth = turned(seen, truth, quarters, mirrored)
    assert torch.allclose(other.surprises.norm(dim=-1).sort(-1).values, seen.surprises.norm(dim=-1).sort(-1).values, atol=1e-5)
    assert torch.allclose(other_truth[..., :2].norm(dim=-1), truth[..., :2].norm(dim=-1), atol=1e-5)
    identifier = Identifier()
    with torch.no_grad():
        identifier.tell.weight.zero_()  # a network that does not look at directions
    one = unlikelihood(identifier(seen), truth)
    assert unlikelihood(identifier(other), other_truth).item() == pytest.approx(one.item(), abs=1e-4)


def test_four_quarters_are_a_whole_turn():
    seen, truth = evidence(True, 3), torch.randn(1, 1, PROPERTIES)
    other, other_truth = seen, truth
    for _ in range(4):
        other, other_truth = turned(other, other_truth, 1, False)
    assert torch.allclose(other.features, seen.features, atol=1e-6)
    assert torch.allclose(other.surprises, seen.surprises, atol=1e-6)
    assert torch.allclose(other_truth, truth)


def test_what_a_simulator_is_told_can_be_read_back(episodes):
    cast = episodes[0].cast
    properties = torch.randn(1, 3, PROPERTIES, generator=torch.Generator().manual_seed(2)) * 0.7
    filling = filling_of([cast], properties)
    one = Filling(filling.masses_kg[:1], filling.frictions[:1], filling.centers_m[:1], filling.dampings[:1])
    assert torch.allclose(properties_of(cast, one), properties[0], atol=1e-4)


def test_nothing_known_is_what_is_believed(episodes):
    cast = episodes[0].cast
    filling = filling_of([cast], Belief.unknown(1, 3).mean)
    assert filling.masses_kg[0] == pytest.approx(cast.masses_kg)
    assert filling.frictions[0] == pytest.approx(cast.frictions)
    assert not filling.centers_m.any()
