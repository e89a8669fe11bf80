"""Progress that is handed on and timed."""

from __future__ import annotations

import time

from spatialwm.progress import StageTimes


def test_seconds_of_a_stage_add_up_and_progress_passes_through() -> None:
    heard: list[tuple[str, float]] = []
    times = StageTimes(lambda stage, fraction: heard.append((stage, fraction)))
    for stage in ("looking", "training, 10 Gaussians", "training, 20 Gaussians", "looking"):
        times(stage, 0.5)
        time.sleep(0.02)
    seconds = times.seconds()
    assert list(seconds) == ["looking", "training"]
    assert all(0.035 < s < 5 for s in seconds.values())
    assert heard[1] == ("training, 10 Gaussians", 0.5)
    assert StageTimes().seconds() == {}
