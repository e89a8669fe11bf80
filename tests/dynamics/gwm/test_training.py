"""Training learns, goes on to the bit where it was killed, and is the same with two processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from spatialwm.dynamics.gwm import Budget, Gwm, read_weights, train, train_vae
from spatialwm.dynamics.gwm.corpus import Corpus, draw
from spatialwm.dynamics.gwm.logs import read_log
from spatialwm.dynamics.gwm.measure import errors, unmoved
from spatialwm.dynamics.gwm.training import _rolled_out
from spatialwm.errors import DataError, FormatError, SpatialwmError


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in parallel may come in any order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class StopAt(Exception):
    """What stands for a kill."""


def killed_after(stage: str, share: float):
    """A progress callback that ends the training there."""

    def progress(name: str, fraction: float, /) -> None:
        if name.startswith(stage) and fraction >= share:
            raise StopAt

    return progress


def test_everything_is_on_by_default_and_logged(toy, tmp_path):
    trained = train(toy.NANO, [toy.episode(s) for s in range(3)], tmp_path, steps=40)
    (vae, dynamics) = (read_log(tmp_path / f"{name}.jsonl") for name in ("vae", "dynamics"))
    for line in vae:
        assert line["kl"] > 0
        assert line["loss"] == pytest.approx(line["reconstruction"] + toy.NANO.vae.kl_weight * line["kl"], rel=1e-5)
    for line in dynamics:
        assert min(line["denoising"], line["reward"], line["termination"]) > 0
        assert line["loss"] == pytest.approx(line["denoising"] + line["reward"] + line["termination"], rel=1e-5)
    assert (trained.vae.steps, trained.dynamics.steps) == (12, 28)
    untrained = toy.model(toy.NANO, 2, seed=0)
    for name, parameter in untrained.named_parameters():
        if "same_body" not in name:
            assert not torch.equal(parameter, trained.model.state_dict()[name]), f"{name} has not learnt"


def test_the_kl_weight_pulls_the_latent_towards_the_standard_normal(toy, tmp_path):
    ends = {}
    for weight in (0.0, 0.3):
        config = toy.replace(toy.NANO, vae=toy.replace(toy.NANO.vae, kl_weight=weight))
        (tmp_path / str(weight)).mkdir()
        corpus = Corpus.of([toy.episode(0)], config)
        train_vae(toy.model(config, 2), corpus, Budget(steps=60), tmp_path / str(weight))
        ends[weight] = read_log(tmp_path / str(weight) / "vae.jsonl")[-1]["kl"]
    assert ends[0.3] < 0.5 * ends[0.0]


@pytest.mark.parametrize("stage", ["vae", "dynamics"])
def test_killed_and_called_again_it_repeats_the_loss_curve_to_the_bit(toy, tmp_path, monkeypatch, stage):
    episodes = [toy.episode(s) for s in range(2)]
    whole = train(toy.NANO, episodes, tmp_path / "whole", steps=100)
    monkeypatch.setattr("spatialwm.dynamics.gwm.loop.CHECKPOINT_EVERY_S", 0.0)
    share = {"vae": 0.2, "dynamics": 0.7}[stage]
    with pytest.raises(StopAt):
        train(toy.NANO, episodes, tmp_path / "killed", steps=100, progress=killed_after(stage, share))
    again = train(toy.NANO, episodes, tmp_path / "killed", steps=100)
    for name in ("vae.jsonl", "dynamics.jsonl"):
        assert (tmp_path / "killed" / name).read_text() == (tmp_path / "whole" / name).read_text()
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name]), name


def test_a_checkpoint_of_another_training_is_refused(toy, tmp_path):
    train(toy.NANO, [toy.episode(0)], tmp_path, steps=10)
    with pytest.raises(FormatError, match="is of a training with another data"):
        train(toy.NANO, [toy.episode(1)], tmp_path, steps=10)
    with pytest.raises(FormatError, match="is of a training with another seed"):
        train(toy.NANO, [toy.episode(0)], tmp_path, steps=10, seed=3)
    (tmp_path / "vae.checkpoint.safetensors").write_bytes(b"torn")
    with pytest.raises(FormatError, match="cannot read"):
        train(toy.NANO, [toy.episode(0)], tmp_path, steps=10)


def test_episodes_and_budgets_that_do_not_fit_are_refused(toy, tmp_path):
    short, other = toy.episode(0, steps=1), toy.episode(0)
    slow = toy.replace(other, track=toy.replace(other.track, dt_s=0.2))
    broken = other.track.poses.copy()
    broken[2, 0, 1] = float("nan")
    lost = toy.replace(other, track=toy.replace(other.track, poses=broken))
    for episodes, said in (
        ([], "at least one episode"), ([short], "episode 0 has 1 steps"),
        ([other, slow], "episode 1 has commands of 2 values every 0.2"),
        ([other, lost], "episode 1 holds poses or commands that are not finite"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=said):
            train(toy.NANO, episodes, tmp_path, steps=10)
    for budget in ({}, {"steps": 0}, {"steps": 5, "seconds": 5.0}, {"seconds": float("nan")}):
        with pytest.raises(SpatialwmError, match="either steps or seconds"):
            train(toy.NANO, [other], tmp_path, **budget)


def test_later_frames_of_a_segment_follow_from_the_models_own_output(toy):
    model, corpus = toy.shaken(), Corpus.of([toy.episode(0)], toy.NANO)
    generator = torch.Generator().manual_seed(0)
    frames, noise = torch.randn(1, 4, 9, 8, generator=generator), torch.randn(1, 2, 9, 8, generator=generator)
    chunks, sigmas = torch.randn(1, 2, 6, generator=generator), torch.full((1, 2), 0.4)
    frames.requires_grad_()

    def gradient(steps: int) -> torch.Tensor:
        drawn = sigmas[:, :steps], noise[:, :steps]
        loss = _rolled_out(model, frames, chunks[:, :steps], corpus.templates, *drawn) * steps
        return torch.autograd.grad(loss, frames)[0]

    # The first predicted frame is a target once; were it also the context of the second, its gradient would change.
    assert torch.allclose(gradient(1)[:, 2], gradient(2)[:, 2], rtol=1e-4, atol=1e-6)
    assert gradient(2)[:, 3].abs().max() > 0


def test_segments_with_motion_are_drawn_more_often(toy):
    corpus = Corpus.of([toy.episode(s) for s in range(6)], toy.NANO)
    everywhere, moving = corpus.starts(toy.NANO)
    assert 0 < len(moving) < 0.7 * len(everywhere)
    drawn = draw((everywhere, moving), 2000, torch.Generator().manual_seed(0)).tolist()
    known = {tuple(row) for row in moving.tolist()}
    assert sum(tuple(row) in known for row in drawn) / 2000 > 0.85


def test_augmented_frames_keep_to_rigid_poses_and_leave_half_of_the_bodies(toy):
    corpus = Corpus.of([toy.episode(0)], toy.NANO)
    _, poses = corpus.frames(400, 0.3, torch.Generator().manual_seed(0))
    assert torch.allclose(poses[..., 3:].norm(dim=-1), torch.ones(400, 3), atol=1e-5)
    seen = (poses[:, :, None] == corpus.poses[0].transpose(0, 1)[None]).all(-1).any(-1)
    assert 0.4 < float(seen.float().mean()) < 0.6


@pytest.fixture(scope="module")
def overfitted(toy, tmp_path_factory):
    """One episode learnt by heart."""
    torch.set_num_threads(1)
    episode = toy.episode(7)
    return episode, train(toy.NANO, [episode], tmp_path_factory.mktemp("overfit"), steps=500).model


@pytest.mark.slow
def test_one_tiny_episode_is_learnt_by_heart(toy, overfitted):
    episode, model = overfitted
    starts = [(episode, s) for s in range(7)]
    commands = np.stack([episode.track.commands[s : s + 10] for _, s in starts])
    forecasts = Gwm(model).forecast([episode.situation(s) for _, s in starts], commands)
    learnt, still = errors(starts, forecasts), errors(starts, [unmoved(episode, s, 10) for _, s in starts])
    assert learnt.point_mm[10] < 0.5 * still.point_mm[10], (learnt, still)


@pytest.mark.slow
def test_the_opposite_action_is_predicted_to_lead_the_opposite_way(toy, tmp_path):
    episodes = [toy.episode(s) for s in range(11)]
    model, unseen = train(toy.NANO, episodes, tmp_path, steps=400).model, toy.episode(11)
    for start in (0, 4, 8):
        commands = unseen.track.commands[None, start : start + 6].repeat(2, 0)
        commands[1] = commands[1, 0] - (commands[1] - commands[1, 0])
        there, back = Gwm(model).imagine([unseen.situation(start)] * 2, commands)
        between = there.part_poses[:, -1, 0, :2].mean(0) - back.part_poses[:, -1, 0, :2].mean(0)
        asked = commands[0, -1] - commands[1, -1]
        # The puck follows its commands: most of what lies between them must lie between the predictions.
        assert float(between @ asked) > 0.4 * float(asked @ asked)


def test_weights_on_disk_are_the_model_in_memory(toy, tmp_path):
    trained = train(toy.NANO, [toy.episode(s) for s in range(10)], tmp_path, steps=20, facts={"command": "pytest"})
    model, card = read_weights(trained.weights)
    assert all(torch.equal(t, model.state_dict()[n]) for n, t in trained.model.state_dict().items())
    told = card["trained"]
    assert (told["episodes"], told["seed"], told["command"], told["vae_steps"]) == (9, 0, "pytest", 6)
    assert told["measured"]["windows"] > 0
    assert float(model.sigma_scale) == pytest.approx(told["measured"]["sigma_scale"])


SCRIPT = """
import importlib.util, json, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
spec = importlib.util.spec_from_file_location("conf", sys.argv[1])
conf = importlib.util.module_from_spec(spec)
spec.loader.exec_module(conf)
from spatialwm.dynamics.gwm import train
from spatialwm.ranks import Ranks
trained = train(conf.NANO, [conf.make_episode(s) for s in range(2)], Path(sys.argv[2]), steps=int(sys.argv[3]), device="cpu")
print(json.dumps([float(p.double().abs().sum()) for p in trained.model.parameters()]))
"""


def start(tmp_path, out, steps, **environment):
    (tmp_path / "train.py").write_text(SCRIPT)
    conf = os.path.join(os.path.dirname(__file__), "conftest.py")
    command = [sys.executable, tmp_path / "train.py", conf, out, str(steps)]
    return subprocess.Popen(
        command, env={**os.environ, **environment}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.slow
def test_two_processes_learn_the_same_as_one(toy, tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    world = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    both = [start(tmp_path, tmp_path / "two", 30, RANK=str(r), LOCAL_RANK=str(r), **world) for r in range(2)]
    outputs = [p.communicate(timeout=240) for p in both]
    assert all(p.returncode == 0 for p in both), outputs
    first, second = (json.loads(out) for out, _ in outputs)
    assert first == second
    train(toy.NANO, [toy.episode(s) for s in range(2)], tmp_path / "one", steps=30, device="cpu")
    for name in ("vae", "dynamics"):
        alone, together = (read_log(tmp_path / w / f"{name}.jsonl") for w in ("one", "two"))
        assert [line["step"] for line in alone] == [line["step"] for line in together]
        # Sums in another order: equal at first, and close while rounding has not yet grown.
        assert [line["loss"] for line in alone] == pytest.approx([line["loss"] for line in together], rel=2e-2)
        assert alone[0]["loss"] == pytest.approx(together[0]["loss"], rel=1e-5)


@pytest.mark.slow
def test_a_process_killed_outright_goes_on_to_the_same_end(toy, tmp_path):
    process = start(tmp_path, tmp_path / "killed", 3000)
    checkpoint = tmp_path / "killed" / "vae.checkpoint.safetensors"
    while process.poll() is None and not checkpoint.exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    told, errors = start(tmp_path, tmp_path / "killed", 3000).communicate(timeout=600)
    straight, _ = start(tmp_path, tmp_path / "straight", 3000).communicate(timeout=600)
    assert told == straight, errors
