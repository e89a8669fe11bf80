"""Weights carry a card, and files that are something else are refused in one line."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from spatialwm.dynamics.gwm import read_weights, shipped, write_weights
from spatialwm.errors import FormatError


@pytest.fixture
def weights(toy, tmp_path):
    path = tmp_path / "gwm-nano.safetensors"
    write_weights(path, toy.shaken(), {"command": "train"})
    return path


def rewritten(path, card) -> None:
    save_file(load_file(path), path, metadata={"card": json.dumps(card)})


def test_a_model_comes_back_with_its_card_and_predicts_the_same(toy, weights):
    model, card = read_weights(weights)
    assert card["trained"] == {"command": "train"}
    assert card["parameters"] == sum(p.numel() for p in model.parameters())
    assert (model.config, model.command_width) == (toy.NANO, 2)
    for name, tensor in toy.shaken().state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name


def test_weights_of_another_version_are_refused_in_one_line(weights):
    rewritten(weights, {"format": "spatialwm-gwm", "version": 7})
    with pytest.raises(FormatError, match="holds weights of version 7, this release reads version 1") as refused:
        read_weights(weights)
    assert "\n" not in str(refused.value)


def test_another_kind_of_weights_is_refused(weights):
    rewritten(weights, {"format": "something-else", "version": 1})
    with pytest.raises(FormatError, match="holds no Gaussian world model"):
        read_weights(weights)


def test_weights_that_do_not_fit_their_card_are_refused_in_one_line(toy, weights):
    config = toy.replace(toy.NANO, vae=toy.replace(toy.NANO.vae, width=64)).to_dict()
    rewritten(weights, {"format": "spatialwm-gwm", "version": 1, "config": config, "command_width": 2})
    with pytest.raises(FormatError, match="does not fit its own card") as refused:
        read_weights(weights)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b"not weights", b"\xff" * 64])
def test_a_missing_or_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FormatError, match="cannot read"):
        read_weights(path)


def test_a_size_that_was_never_trained_is_refused_and_says_how_to_train_it():
    with pytest.raises(FormatError, match=r"no weights of a 'huge' .* train them: benchmarks/train_gwm.py"):
        shipped("huge")


def test_a_truncated_file_is_refused(weights):
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(FormatError, match="cannot read"):
        read_weights(weights)
