"""Losses are written down as they come, and what was never trained is not in the log."""

from __future__ import annotations

import sys

import pytest

from spatialwm.dynamics.gwm.logs import Log, read_log


def test_going_on_from_a_checkpoint_cuts_off_what_was_reported_after_it(tmp_path):
    log = Log(tmp_path, "vae", 0)
    for step in (1, 10, 20):
        log.write(step, {"loss": 1.0 / step})
    log.close()
    with log.path.open("a") as file:
        file.write('{"step": 30, "lo')  # a kill in the middle of a line
    Log(tmp_path, "vae", 10).close()
    assert read_log(log.path) == [{"step": 1, "loss": 1.0}, {"step": 10, "loss": 0.1}]


def test_without_tensorboard_the_lines_are_all_there_is(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    log = Log(tmp_path, "vae", 0)
    log.write(1, {"loss": 2.0})
    log.close()
    assert [p.name for p in tmp_path.iterdir()] == ["vae.jsonl"]


def test_with_tensorboard_its_files_lie_beside(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = Log(tmp_path, "vae", 0)
    log.write(1, {"loss": 2.0, "kl": 0.5})
    log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard" / "vae"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(1, 2.0)]
