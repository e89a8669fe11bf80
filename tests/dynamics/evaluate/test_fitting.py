"""Learned baselines: they learn, resume to the same network, and answer for any number of objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spatialwm.dynamics.episode import Episode
from spatialwm.dynamics.evaluate.baselines import CopyLast
from spatialwm.dynamics.evaluate.fitting import Actuator, Batch, Fit, Windows, as_batch
from spatialwm.dynamics.evaluate.flow import train_flow
from spatialwm.dynamics.evaluate.latent import train_latent
from spatialwm.errors import ActionError, FormatError

TRAINERS = {"flow": train_flow, "latent": train_latent}
SHORT = Fit(steps=20, batch=8, unroll=4, save_every=5)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks this small only wait for each other's threads, on a busy machine for seconds."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def slides(sliding) -> list[Episode]:
    speeds = np.random.default_rng(0).uniform(-0.2, 0.2, (12, 3))
    return [sliding(list(s[: 2 + i % 2]), finger_m_s=float(s[0])) for i, s in enumerate(speeds)]


@pytest.mark.parametrize("kind", TRAINERS)
def test_training_beats_copying_and_answers_any_number_of_objects(kind: str, slides: list[Episode], sliding) -> None:
    fit = replace(SHORT, steps=100, learning_rate=3e-3)
    model = TRAINERS[kind](slides, fit)
    tests = [sliding([0.15, -0.1, 0.05, 0.12][:n], finger_m_s=0.1) for n in (1, 4, 2)]
    asked = [t.situation(6) for t in tests]
    commands = np.stack([t.track.commands[6:10] for t in tests])

    def error(answers) -> float:
        ends = zip(answers, tests, strict=True)
        return float(np.mean([np.abs(a.poses[-1, :, :3] - t.track.poses[10, :, :3]).max() for a, t in ends]))

    answers = model.forecast(asked, commands)
    assert [a.poses.shape for a in answers] == [(4, 1, 7), (4, 4, 7), (4, 2, 7)]
    assert error(answers) < 0.6 * error(CopyLast().forecast(asked, commands))
    alone = model.forecast(asked[:1], commands[:1])[0].poses
    assert np.allclose(alone, answers[0].poses, atol=1e-5)
    first = model.forecast([tests[0].situation(0)], commands[:1])  # nothing before it, and no command yet
    assert np.isfinite(first[0].poses).all()
    with pytest.raises(ActionError, match="each command has 2 values"):
        model.forecast(asked, np.zeros((3, 4, 3)))


@pytest.mark.parametrize("kind", TRAINERS)
def test_an_interrupted_training_ends_where_an_uninterrupted_one_does(kind: str, slides: list[Episode], tmp_path: Path) -> None:
    whole = TRAINERS[kind](slides, SHORT)
    kept = tmp_path / "kept.safetensors"

    def interrupt(_: str, share: float, /) -> None:
        if share >= 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TRAINERS[kind](slides, SHORT, checkpoint=kept, progress=interrupt)
    seen: list[float] = []
    resumed = TRAINERS[kind](slides, SHORT, checkpoint=kept, progress=lambda _, share: seen.append(share))
    assert seen[0] == pytest.approx(11 / 20)
    again = TRAINERS[kind](slides, SHORT, checkpoint=kept)  # finished: nothing is left to do
    for a, b, c in zip(*(m.network.state_dict().values() for m in (whole, resumed, again)), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(b, c)


def test_a_checkpoint_of_something_else_is_refused(slides: list[Episode], tmp_path: Path) -> None:
    kept = tmp_path / "kept.safetensors"
    train_latent(slides, replace(SHORT, steps=1), checkpoint=kept)
    with pytest.raises(FormatError, match="of another training"):
        train_latent(slides, replace(SHORT, steps=1, seed=1), checkpoint=kept)
    with pytest.raises(FormatError, match="of another training"):
        train_flow(slides, replace(SHORT, steps=1), checkpoint=kept)
    kept.write_bytes(kept.read_bytes()[:1000])
    with pytest.raises(FormatError, match="delete it to start anew"):
        train_latent(slides, replace(SHORT, steps=1), checkpoint=kept)


def test_networks_are_of_one_size(slides: list[Episode]) -> None:
    sizes = [sum(p.numel() for p in train(slides, replace(SHORT, steps=0)).network.parameters()) for train in TRAINERS.values()]
    assert all(330_000 < s < 450_000 for s in sizes), sizes


def test_an_actuator_that_lags_linearly_is_found_out(sliding) -> None:
    rng = np.random.default_rng(0)
    episodes = []
    for _ in range(6):
        episode = sliding([0.0], steps=40)
        told = np.cumsum(rng.normal(0, 0.02, (40, 2)), 0)
        at, path = np.zeros(2), [np.zeros(2)]
        for now, late in zip(told, np.concatenate([told[:1] * 0, told[:-1]]), strict=True):
            at = at + 0.6 * (0.5 * now + 0.5 * late - at)
            path.append(at)
        parts = episode.track.part_poses.copy()
        parts[:, 0, :2] = path
        episodes.append(replace(episode, track=replace(episode.track, part_poses=parts, commands=told)))
    actuator = Actuator(1, 2)
    actuator.solve(episodes[:5])
    batch = as_batch([episodes[5].situation(10)], episodes[5].track.commands[None, 10:30])
    path = actuator.path(batch.parts, batch.commands, 20)[0, :, 0]
    truth = episodes[5].track.part_poses[11:31, 0]
    assert np.abs(path.numpy() - truth).max() < 1e-3
    assert np.abs(episodes[5].track.commands[10:30] - truth[:, :2]).max() > 0.01


def test_batches_depend_on_seed_and_step_alone_and_favour_what_moves(sliding) -> None:
    episodes = [sliding([0.1, 0.0]), *(sliding([0.0, 0.0]) for _ in range(9))]
    windows = Windows(episodes, replace(SHORT, batch=64))
    first, other = windows.batch(3), windows.batch(4)
    again = Windows(episodes, replace(SHORT, batch=64)).batch(3)
    assert torch.equal(first.poses, again.poses)
    assert not torch.equal(first.poses, other.poses)
    moves = (first.poses[:, -1] != first.poses[:, 1]).any(-1).any(-1)
    assert 0.5 < float(moves.float().mean()) < 0.9  # of the windows one in ten
    assert isinstance(first, Batch)
    with pytest.raises(ActionError, match="50 steps that a training window takes"):
        Windows(episodes, replace(SHORT, unroll=50))
