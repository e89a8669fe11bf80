"""Rollout files and action files: round trips, and damage told in one line."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spatialwm.dynamics import Push, Rollout, read_actions, read_rollout, write_rollout
from spatialwm.errors import ActionError, FormatError

ROLLOUT = Rollout(
    ("mug-1", "größe-2"), np.random.default_rng(0).normal(size=(5, 2, 7)), np.zeros((5, 2)), 1 / 30, "physics/mujoco-4.0.0"
)


def test_a_rollout_reads_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "Vorhersage ü.npz"
    write_rollout(ROLLOUT, path)
    back = read_rollout(path)
    assert back.object_ids == ROLLOUT.object_ids
    assert np.array_equal(back.poses, ROLLOUT.poses)
    assert np.array_equal(back.uncertainty, ROLLOUT.uncertainty)
    assert (back.dt_s, back.backend) == (ROLLOUT.dt_s, ROLLOUT.backend)
    assert os.listdir(tmp_path) == [path.name]


def test_a_rollout_file_needs_no_pickles(tmp_path: Path) -> None:
    write_rollout(ROLLOUT, tmp_path / "r.npz")
    with np.load(tmp_path / "r.npz", allow_pickle=False) as data:
        assert {k: data[k].dtype.kind for k in data.files} == {
            "object_ids": "U", "poses": "f", "uncertainty": "f", "dt_s": "f", "backend": "U",
        }  # fmt: skip


def test_every_truncation_and_bit_flip_reads_back_whole_or_as_one_format_error(tmp_path: Path) -> None:
    write_rollout(ROLLOUT, tmp_path / "r.npz")
    data = (tmp_path / "r.npz").read_bytes()
    rng = np.random.default_rng(1)
    damaged = [data[: int(n)] for n in rng.integers(0, len(data), 40)]
    for position in rng.integers(0, len(data), 120):
        flipped = bytearray(data)
        flipped[position] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(flipped))
    for content in damaged:
        (tmp_path / "bad.npz").write_bytes(content)
        with contextlib.suppress(FormatError):
            assert np.array_equal(read_rollout(tmp_path / "bad.npz").poses, ROLLOUT.poses)


def test_a_pickled_array_is_refused(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "p.npz", object_ids=np.array(["a", None], dtype=object), poses=np.zeros((1, 2, 7)),
        uncertainty=np.zeros((1, 2)), dt_s=0.1, backend="x",
    )  # fmt: skip
    with pytest.raises(FormatError, match=r"p\.npz"):
        read_rollout(tmp_path / "p.npz")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"poses": np.zeros((1, 2, 6))}, "poses"),
        ({"poses": np.full((1, 2, 7), np.nan)}, "not finite"),
        ({"uncertainty": np.full((1, 2), np.inf)}, "finite"),
        ({"dt_s": 0.0}, "dt_s"),
        ({"dt_s": None}, "lacks dt_s"),
    ],
)
def test_values_no_rollout_has_are_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    values: dict[str, Any] = {"object_ids": np.array(["a", "b"]), "poses": np.zeros((1, 2, 7)), "uncertainty": np.zeros((1, 2))}
    values |= {"dt_s": 0.1, "backend": "x"} | change
    np.savez(tmp_path / "r.npz", **{k: v for k, v in values.items() if v is not None})
    with pytest.raises(FormatError, match=words):
        read_rollout(tmp_path / "r.npz")


def test_a_missing_file_or_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot read"):
        read_rollout(tmp_path / "none.npz")
    with pytest.raises(FormatError, match="cannot write"):
        write_rollout(ROLLOUT, tmp_path / "none" / "r.npz")


def test_actions_are_read_from_a_list_or_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"type": "push", "object": "mug-1", "by": [0.3, 0]}', encoding="utf-8")
    assert read_actions(path) == [Push(object="mug-1", by=(0.3, 0.0))]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("nonsense", "must be a JSON list"),
        ([3], "must be an object"),
        ([{"type": "kick"}], "expected one of push"),
        ([{"type": ["push"]}], "expected one of push"),
        ([{"type": "push", "object": "a", "by": [1, 0], "force": 3}], "unknown key 'force'"),
        ([{"type": "push", "object": "a"}], "lacks 'by'"),
        ([{"type": "push", "object": "a", "by": [1]}], "2 finite numbers"),
        ([{"type": "push", "object": "a", "by": [1, "x"]}], "2 finite numbers"),
        ([{"type": "push", "object": 7, "by": [1, 0]}], "object id"),
        ([{"type": "push", "object": "a", "by": [0, 0]}], "zero length"),
        ([{"type": "push", "object": "a", "by": [1e9, 0]}], "too far"),
        ([{"type": "grasp_place", "object": "a", "target": [0, 0]}], "3 finite numbers"),
        ([{"type": "grasp_place", "object": "a", "target": [0, 0, 1], "speed_m_s": -1}], "speed above 0"),
        ([{"type": "end_effector_path", "waypoints": []}], "list of waypoints"),
        ([{"type": "end_effector_path", "waypoints": [[0, 0]]}], "3 or 7 finite"),
        ([{"type": "end_effector_path", "waypoints": [[0, 0, 0, 0, 0, 0, 0]]}], "quaternion"),
        ([{"type": "end_effector_path", "waypoints": [[0, 0, 1]], "closed": [True, False]}], "one value for each"),
        ([{"type": "end_effector_path", "waypoints": [[0, 0, 1]], "radius_m": 9}], "radius_m"),
        ([{"type": "pull", "object": "a", "by": [1]}], "2 finite numbers"),
        ([{"type": "open_close", "object": "a"}], "lacks 'to'"),
        ([{"type": "open_close", "object": "a", "to": 2}], "between 0"),
        ([{"type": "joint_targets", "robot": "a", "targets": []}], "list of rows"),
        ([{"type": "joint_targets", "robot": "a", "targets": [[]]}], "rows of equal length"),
        ([{"type": "joint_targets", "robot": "a", "targets": [[1], [1, 2]]}], "rows of equal length"),
        ([{"type": "joint_targets", "robot": "a", "targets": [1]}], "finite number"),
        ([{"type": "joint_targets", "robot": "a", "targets": [["x"]]}], "finite number"),
        ([{"type": "joint_targets", "robot": "a", "targets": [[1]], "gripper": [2]}], "between 0"),
        ([{"type": "walk", "waypoints": [[0, 0, 0], [1, 0, 0]]}], "2 finite numbers"),
        ([{"type": "walk", "waypoints": [[0, 0]]}], "two finite waypoints"),
    ],
)
def test_what_is_no_action_is_refused_with_the_mend(tmp_path: Path, data: Any, words: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ActionError, match=words):
        read_actions(path)


NOT_A_NUMBER = b'[{"type": "push", "object": "a", "by": [NaN, 0]}]'


@pytest.mark.parametrize("content", [b"", b"[", b"\xff\xfe", b"[" * 100_000, NOT_A_NUMBER])
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ActionError):
        read_actions(path)


@pytest.mark.parametrize("by", [(float("nan"), 0.0), (float("inf"), 0.0)])
def test_a_push_to_nowhere_is_refused(by: tuple[float, float]) -> None:
    with pytest.raises(ActionError, match="finite"):
        Push(object="mug-1", by=by)
