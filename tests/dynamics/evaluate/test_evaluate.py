"""An evaluation from end to end, of models whose errors are known beforehand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from spatialwm.dynamics.episode import Episode, Forecast
from spatialwm.dynamics.evaluate import ConstantVelocity, CopyLast, Protocol, Results, Twin, evaluate
from spatialwm.errors import ActionError

QUICK = Protocol(horizons=(1, 10), starts=(1, 5, 9), resamples=200, films=2, close_windows=10)


@pytest.fixture(scope="module")
def results(two_and_three: list[Episode], off_by) -> Results:
    models = [CopyLast(), ConstantVelocity(), *(off_by(d, sigma_m=0.003, name="off") for d in (0.002, 0.004))]
    return evaluate(models, two_and_three, QUICK, reference="off")


def test_known_errors_are_found_and_seeds_are_one_model(results: Results) -> None:
    assert [(m.name, m.seeds) for m in results.models] == [("copy last", 1), ("constant velocity", 1), ("off", 2)]
    assert (results.episodes, results.windows, results.objects) == (8, 24, (2, 3))
    assert results.moved == (36, 36)  # the cube that rests is none of them
    assert results.still == 24
    off, copy = results["off"].at(10), results["copy last"].at(10)
    assert off.moved_mean_m.value == pytest.approx(0.003)
    assert off.moved_median_m.value in (pytest.approx(0.002), pytest.approx(0.003), pytest.approx(0.004))
    assert results["constant velocity"].at(10).moved_mean_m.value == pytest.approx(0, abs=1e-9)
    slow = [0.1 + 0.01 * i for i in range(8)]
    assert copy.moved_mean_m.value == pytest.approx((sum(slow) + 4 * 0.2) / 12)
    assert off.still_m.value == pytest.approx(0.003)
    assert copy.still_m.value == 0
    assert copy.chamfer_m.value > off.chamfer_m.value > 0


def test_models_are_compared_with_the_reference_on_the_same_draws(results: Results) -> None:
    assert results["off"].at(10).below is None
    exact = results["constant velocity"].at(10).below
    assert exact.value == pytest.approx(1)
    assert exact.excludes_zero
    worse = results["copy last"].at(10).below
    assert worse.value == pytest.approx(1 - results["copy last"].at(10).moved_mean_m.value / 0.003)
    assert worse.high < 0


def test_the_curve_meets_the_table_at_the_horizons(results: Results) -> None:
    for model in results.models:
        assert len(model.curve) == 10
        assert model.curve[0] == model.at(1).moved_mean_m
        assert model.curve[9] == model.at(10).moved_mean_m


def test_only_models_that_say_how_sure_they_are_are_judged_for_it(results: Results) -> None:
    copy, off = results["copy last"], results["off"]
    assert copy.at(10).coverage_90 is None
    assert copy.calibration == copy.risk == ()
    assert off.at(10).coverage_90.value == 1  # 1.71 times 3 mm holds both 2 and 4
    assert dict(off.calibration)[0.5] == pytest.approx(0.5)  # 0.94 times 3 mm holds 2 alone
    assert off.risk[-1] == (1.0, pytest.approx(0.003))


def test_plausibility_of_what_only_slides(results: Results) -> None:
    copy, moving = results["copy last"].plausibility, results["constant velocity"].plausibility
    assert (copy.lost, copy.added) == (moving.lost, moving.added) == (0, 0)
    assert copy.residual_m < 1e-12
    assert copy.penetration_m.value == pytest.approx(0, abs=1e-9)
    assert results.penetration_true_m.value == pytest.approx(0, abs=1e-9)
    assert moving.momentum_drift.value == pytest.approx(0, abs=1e-9)
    assert copy.momentum_drift.value == pytest.approx(1)
    assert copy.still_worst_m == 0
    assert results["off"].plausibility.still_worst_m == pytest.approx(0.004)


def test_certainty_that_tells_good_from_bad_halves_the_error(two_and_three: list[Episode], off_by, told) -> None:
    good, bad = off_by(0.001, 0.001), off_by(0.02, 0.02)

    def mixed(s, c):
        chosen = bad if s.past.poses.shape[0] > 8 else good  # the last of three starts
        return chosen.forecast([s], c[None])[0]

    (model,) = evaluate([told(mixed, "mixed")], two_and_three, QUICK).models
    assert model.at(10).kept_70.value < 0.5
    assert model.risk[0][1] == pytest.approx(0.001)


def test_twins_tell_who_listens_to_actions(sliding, told) -> None:
    def twin(i: int) -> Twin:
        first = sliding([0.0, 0.0], finger_m_s=0.02 * i)
        track = first.track
        poses, commands = track.poses.copy(), track.commands.copy()
        poses[6:, 0, 0] += 0.01 * np.arange(1, 16)
        commands[5:, 0] = 1.0
        return Twin(first, Episode(first.cast, replace(track, poses=poses, commands=commands)), 5)

    def listening(s, c):
        poses = np.repeat(s.past.poses[-1:], len(c), 0)
        poses[:, 0, 0] += 0.009 * np.arange(1, len(c) + 1) * (c[:, 0] == 1.0)
        return Forecast(poses, np.zeros(poses.shape[:2]))

    twins = [twin(i) for i in range(4)]
    found = evaluate([CopyLast(), told(listening, "listens")], [t.second for t in twins], QUICK, twins=twins)
    deaf, listens = found["copy last"].counterfactual, found["listens"].counterfactual
    assert deaf.ratio.value == pytest.approx(1)
    assert deaf.error_m.value == pytest.approx(0.1)
    assert listens.ratio.value == pytest.approx(0.1)
    assert listens.error_m.value == pytest.approx(0.01)
    with pytest.raises(ActionError, match="the same up to step 9"):
        Twin(twins[0].first, twins[0].second, 9)


def test_told_that_the_actor_stays_a_model_that_listens_is_as_wrong_as_copying(two_and_three, told) -> None:
    def listening(s, c):
        time_s = s.past.dt_s * np.arange(1, len(c) + 1)
        poses = np.repeat(s.past.poses[-1:], len(c), 0)
        asked = np.ptp(c, axis=0).max() > 0
        poses[..., :3] += asked * time_s[:, None, None] * s.past.velocities[-1, :, :3]
        return Forecast(poses, np.zeros(poses.shape[:2]))

    moving = [replace(e, track=replace(e.track, commands=e.track.commands + np.arange(20)[:, None])) for e in two_and_three]
    found = evaluate([CopyLast(), told(listening, "listens")], moving, QUICK)
    copy, listens = found["copy last"], found["listens"]
    assert listens.at(10).moved_mean_m.value == pytest.approx(0, abs=1e-9)
    assert listens.counterfactual.frozen_m.value == pytest.approx(copy.counterfactual.frozen_m.value)
    assert listens.counterfactual.frozen_m.value > 0.1


def test_objects_that_fly_off_are_counted_and_told_where_the_answer_comes_from(two_and_three, told) -> None:
    def flying(s, c):
        poses = np.repeat(s.past.poses[-1:], len(c), 0)
        poses[-1, 0, 2] = 5.0
        return Forecast(poses, np.zeros(poses.shape[:2]), "prior" if len(s.past) > 5 else "hybrid")

    (model,) = evaluate([told(flying, "flying")], two_and_three, QUICK).models
    assert (model.plausibility.lost, model.plausibility.added) == (24, 0)
    assert model.trusted == {"hybrid": pytest.approx(2 / 3), "prior": pytest.approx(1 / 3)}
    assert model.plausibility.energy_gain_j.value > 1


def test_results_become_json_without_nan(results: Results, two_and_three) -> None:
    said = json.loads(json.dumps(results.to_dict(), allow_nan=False))
    assert said["schema"] == "spatialwm.evaluate.dynamics/1"
    assert said["models"][2]["horizons"][1]["moved_mean_m"]["value"] == pytest.approx(0.003)
    nothing_moves = evaluate([CopyLast()], [replace(e, track=_frozen(e)) for e in two_and_three], QUICK)
    assert math.isnan(nothing_moves["copy last"].at(10).moved_mean_m.value)
    json.dumps(nothing_moves.to_dict(), allow_nan=False)


def test_the_same_question_gets_the_same_answer(two_and_three) -> None:
    first, again = (evaluate([CopyLast()], two_and_three, QUICK).models[0] for _ in range(2))
    assert replace(first, ms_per_step=0.0) == replace(again, ms_per_step=0.0)


def test_bad_questions_and_bad_answers_are_refused(two_and_three, told) -> None:
    with pytest.raises(ActionError, match="'best' is to be compared with and must be among the models: copy last"):
        evaluate([CopyLast()], two_and_three, QUICK, reference="best")
    with pytest.raises(ActionError, match="none given"):
        evaluate([], two_and_three, QUICK)
    short = told(lambda s, c: Forecast(s.past.poses[-1:], np.zeros((1, s.past.poses.shape[1]))), "short")
    with pytest.raises(ActionError, match=r"short was asked for poses \(10, k, 7\).*got poses \(1,"):
        evaluate([short], two_and_three, QUICK)


def _frozen(episode: Episode):
    track = episode.track
    return replace(track, poses=np.repeat(track.poses[:1], len(track) + 1, 0))
