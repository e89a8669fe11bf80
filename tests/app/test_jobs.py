"""Long work reports, ends, fails and stops as it says."""

from __future__ import annotations

import threading

import pytest
from spatialwm_app.jobs import Job, JobCancelled, _remaining_s

from spatialwm.errors import LiftError
from spatialwm.progress import Progress


def test_the_result_and_the_last_stage_are_seen() -> None:
    def work(progress: Progress) -> int:
        progress("halfway", 0.5)
        return 7

    job = Job(work)
    assert job.result() == 7
    assert (job.status().stage, job.status().fraction) == ("halfway", 0.5)


def test_cancelling_stops_at_the_next_report_and_runs_nothing_after_it() -> None:
    asked, reached = threading.Event(), []

    def work(progress: Progress) -> None:
        progress("first", 0.1)
        asked.wait(5)
        progress("second", 0.2)
        reached.append("commit")

    job = Job(work)
    job.cancel()
    asked.set()
    with pytest.raises(JobCancelled):
        job.result()
    assert not reached


def test_an_error_reaches_whoever_asks_for_the_result() -> None:
    def work(progress: Progress) -> None:
        raise LiftError("no such sentence")

    with pytest.raises(LiftError, match="no such sentence"):
        Job(work).result()


def test_the_time_left_follows_from_the_share_done() -> None:
    go = threading.Event()

    def work(progress: Progress) -> None:
        progress("working", 0.25)
        go.wait(5)

    job = Job(work)
    for status in job.watch(period_s=0.05):
        if status.eta_s is not None:
            assert status.eta_s == pytest.approx(3 * status.elapsed_s, rel=0.01)
            break
    go.set()
    job.result()


def test_between_two_reports_the_time_left_only_counts_down() -> None:
    left = [_remaining_s(0.25, 2.0, now) or 0.0 for now in (2.0, 3.0, 5.0, 20.0, 60.0)]
    assert left[0] == pytest.approx(6.0)
    assert left == sorted(left, reverse=True)
    assert left[1] == pytest.approx(5.0, abs=0.2)
    assert left[-1] > 0
