"""Training: interrupted it goes on to the same losses; weights are whole, versioned and refused when they do not fit."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from spatialwm.dynamics.hybrid import HybridConfig, Networks, Recipe, calibrate, lessons_of, load_hybrid, save_hybrid, train
from spatialwm.dynamics.learn import train_model
from spatialwm.dynamics.table import make_episode
from spatialwm.errors import ActionError, FormatError

SHORT = Recipe(identifier_steps=6, corrector_steps=6, batch=4, unroll=(1, 2), save_every=2)


@pytest.fixture(scope="module")
def lessons(episodes):
    return lessons_of(episodes, HybridConfig(width=32, layers=1, points=16, members=2))


@pytest.fixture(scope="session")
def episodes():
    return [make_episode("push", seed, steps=24) for seed in range(6)]


def fresh(seed: int = 3) -> Networks:
    torch.manual_seed(seed)
    return Networks(HybridConfig(width=32, layers=1, points=16, members=2))


class Killed(Exception):
    pass


@pytest.mark.parametrize("at", [("identifier", 3), ("corrector", 2)])
def test_killed_it_goes_on_to_the_same_losses(lessons, tmp_path, at):
    whole: dict[tuple[str, int], float] = {}
    train(fresh(), lessons, SHORT, tmp_path / "a.checkpoint", log=lambda *v: whole.update({v[:2]: v[2]}))
    seen: dict[tuple[str, int], float] = {}

    def until(stage: str, step: int, loss: float) -> None:
        seen[stage, step] = loss
        if (stage, step) == at:
            raise Killed

    with pytest.raises(Killed):
        train(fresh(), lessons, SHORT, tmp_path / "b.checkpoint", log=until)
    train(fresh(99), lessons, SHORT, tmp_path / "b.checkpoint", log=lambda *v: seen.update({v[:2]: v[2]}))
    assert seen.keys() == whole.keys()
    assert all(seen[key] == pytest.approx(whole[key], rel=1e-5) for key in whole)


def test_weights_come_back_as_they_were(episodes, tmp_path):
    networks = fresh()
    calibrate(networks, [make_episode("push", 50, steps=100)])
    save_hybrid(tmp_path / "w.safetensors", networks, {"command": "spatialwm train hybrid"})
    again, card = load_hybrid(tmp_path / "w.safetensors")
    assert card["trained"]["command"] == "spatialwm train hybrid"
    assert again.config == networks.config
    assert all(torch.equal(v, networks.state_dict()[k]) for k, v in again.state_dict().items())


@pytest.mark.parametrize(
    ("change", "said"),
    [({"version": 99}, "version 99"), ({"kind": "cake"}, "holds no weights of"), ({"config": {"width": 7}}, "own card")],
)
def test_other_weights_are_refused_in_a_line(tmp_path, change, said):
    path = tmp_path / "w.safetensors"
    save_hybrid(path, fresh(), {})
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        card = json.loads(file.metadata()["card"])
    save_file(load_file(path), path, metadata={"card": json.dumps(card | change)})
    with pytest.raises(FormatError, match=said):
        load_hybrid(path)


def test_a_broken_file_is_refused_in_a_line(tmp_path):
    save_hybrid(tmp_path / "w.safetensors", fresh(), {})
    (tmp_path / "w.safetensors").write_bytes((tmp_path / "w.safetensors").read_bytes()[:2000])
    with pytest.raises(FormatError, match="cannot read"):
        load_hybrid(tmp_path / "w.safetensors")


def test_an_unknown_model_or_source_is_refused_by_name(tmp_path):
    with pytest.raises(ActionError, match="no model 'oracle'"):
        train_model("oracle", tmp_path)
    with pytest.raises(ActionError, match="neither the folder"):
        train_model("hybrid", tmp_path / "x", source="chess")
