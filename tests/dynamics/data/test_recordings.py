"""Recordings of real robots: what their files say, whatever their layout, and what is wrong with them in a line."""

from __future__ import annotations

import io
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from spatialwm.dynamics.data import write_dataset
from spatialwm.dynamics.data.recordings import Recording, read_recordings
from spatialwm.dynamics.data.recordings.cameras import EncodedFrames, Video
from spatialwm.dynamics.data.recordings.tfrecord import _masked_crc32c, read_records
from spatialwm.dynamics.episode import Episode
from spatialwm.errors import FormatError, ShapeError


def robots(shared_dir: Path, name: str) -> list[Recording]:
    return list(read_recordings(shared_dir / "data" / name))


def test_droid_gives_states_commands_words_and_three_cameras(shared_dir: Path) -> None:
    runs = robots(shared_dir, "robot_droid_subset")
    assert [len(r) for r in runs] == [166, 265, 410, 238, 369, 183, 116]
    run = runs[1]
    assert run.text == "Put the blue block in the green bowl"
    assert run.success is True
    assert runs[4].success is False
    assert run.commands.shape == (265, 7)
    assert run.states.shape == (266, 14)
    assert len(run.state_names) == 14
    for camera in run.cameras.values():
        assert len(camera) == 89
        assert abs(len(camera) * camera.dt_s - len(run.states) * run.dt_s) < 0.2
        assert camera.frame(88).shape == (192, 320, 3)


def test_the_tool_of_a_franka_is_within_its_reach_and_follows_its_commands(shared_dir: Path) -> None:
    for run in robots(shared_dir, "robot_droid_subset"):
        track = run.track()
        tool = track.part_poses[:, 0]
        assert np.linalg.norm(tool[:, :3], axis=1).max() < 1.0
        before, after = (np.linalg.norm(t - run.commands[:, :3], axis=1) for t in (tool[:-1, :3], tool[1:, :3]))
        assert np.median(after) < np.median(before)
        assert after.max() < 0.08
        expected = Rotation.from_euler("xyz", run.states[:, 3:6]).as_quat(scalar_first=True)
        assert np.abs((expected * tool[:, 3:]).sum(1)).min() > 1 - 1e-6
        assert track.poses.shape == (len(run) + 1, 0, 7)


def test_any_frame_of_a_video_is_the_one_that_playing_it_shows(shared_dir: Path) -> None:
    camera = robots(shared_dir, "robot_droid_subset")[0].cameras["camera_1"]
    played = list(camera)
    assert len(played) == 56
    for i in (0, 1, 29, 55):
        assert np.array_equal(camera.frame(i), played[i])


def test_bridge_gives_changes_of_pose_words_and_the_cameras_that_were_there(shared_dir: Path) -> None:
    runs = robots(shared_dir, "robot_bridge_rlds")
    assert len(runs) == 18
    assert runs[0].text == "put cup from counter or drying rack into sink"
    for run in runs:
        assert run.states.shape == (len(run) + 1, 7)
        assert run.commands.shape[1] == 7
        assert run.commands[:, 6].min() >= 0
        assert run.commands[:, 6].max() <= 1
        assert run.cameras["image_0"].frame(len(run)).shape == (64, 64, 3)
        assert run.cameras["image_0"].frame(0).std() > 10
        assert all(c.frame(0).any() for c in run.cameras.values())


def test_bridge_moves_where_its_commands_say_and_when(shared_dir: Path) -> None:
    """A row off by one would fit the motion of the step before or after better."""
    runs = robots(shared_dir, "robot_bridge_rlds")

    def agreement(late: int) -> float:
        moved = np.concatenate([np.diff(r.states[:, :3], axis=0)[max(late, 0) : len(r) + min(late, 0)] for r in runs])
        asked = np.concatenate([r.commands[max(-late, 0) : len(r) - max(late, 0), :3] for r in runs])
        return float(np.corrcoef(moved.ravel(), asked.ravel())[0, 1])

    assert agreement(0) > 0.85
    assert agreement(0) > max(agreement(1), agreement(-1))


def test_metaworld_demonstrations_give_pictures_actions_and_rewards(shared_dir: Path) -> None:
    runs = robots(shared_dir, "robot_metaworld_demos")
    assert len(runs) == 15
    assert {r.text for r in runs} == {"coffee push", "door lock", "hammer"}
    for run in runs:
        assert run.commands.shape == (100, 4)
        assert run.rewards is not None
        assert run.rewards.max() > run.rewards[0]
        assert run.states.shape == (101, 0)
        corner = run.cameras["corner"]
        assert corner.frame(100).shape == (64, 64, 3)
        assert np.abs(np.diff(corner.frame(50).astype(int), axis=1)).mean() < 20  # a picture, and not planes out of order


def test_stacks_show_the_latest_picture(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (5, 8, 8, 3), np.uint8)
    stacks = np.concatenate([np.moveaxis(pictures[[max(i - back, 0) for i in range(5)]], -1, 1) for back in (2, 1, 0)], 1)
    actions = np.arange(20, dtype=np.float32).reshape(5, 4)
    np.savez(tmp_path / "a.npz", observation=stacks, action=actions, reward=np.arange(5.0)[:, None])
    (run,) = read_recordings(tmp_path)
    assert np.array_equal(np.stack(list(run.cameras["corner"])), pictures)
    assert np.array_equal(run.commands, actions[1:])
    assert run.rewards is not None
    assert run.rewards.tolist() == [1, 2, 3, 4]


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def record(features: dict[str, Any]) -> bytes:
    entries = b""
    for key, value in features.items():
        if isinstance(value, list):
            inner = message(1, b"".join(message(1, v) for v in value))
        elif value.dtype.kind == "f":
            inner = message(2, message(1, value.astype("<f4").tobytes()))
        else:
            inner = message(3, message(1, b"".join(varint(int(v) & (1 << 64) - 1) for v in value)))
        entries += message(1, message(1, key.encode()) + message(2, inner))
    data = message(1, entries)
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", _masked_crc32c(length)) + data + struct.pack("<I", _masked_crc32c(data))


def test_records_of_every_kind_of_value_are_read(tmp_path: Path) -> None:
    features = {"words": [b"a", b""], "numbers": np.array([1.5, -2.0], np.float32), "counts": np.array([0, 300, -7])}
    (tmp_path / "a.tfrecord").write_bytes(record(features) * 2)
    first, second = read_records(tmp_path / "a.tfrecord")
    for got in (first, second):
        assert got["words"] == features["words"]
        assert np.array_equal(got["numbers"], features["numbers"])
        assert np.array_equal(got["counts"], features["counts"])


def test_the_check_sum_is_the_published_one() -> None:
    """RFC 3720, B.4: 32 zero bytes have CRC32C 8a9136aa."""
    masked = _masked_crc32c(bytes(32))
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    assert (rotated >> 17 | rotated << 15) & 0xFFFFFFFF == 0x8A9136AA


def rlds_steps(count: int = 3) -> dict[str, Any]:
    return {
        "steps/action": np.arange(count * 2, dtype=np.float32), "steps/is_last": np.array([0] * (count - 1) + [1]),
        "steps/language_instruction": [b"go"] * count,
    }  # fmt: skip


def test_an_rlds_robot_of_another_kind_has_numbered_columns(tmp_path: Path) -> None:
    (tmp_path / "a.tfrecord-00000-of-00001").write_bytes(record(rlds_steps()))
    (run,) = read_recordings(tmp_path)
    assert run.commands.tolist() == [[0, 1], [2, 3]]
    assert run.command_names == ("action_0", "action_1")
    assert run.tool_poses.shape == (3, 0, 7)
    assert len(run.track()) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda b: b[:-10], "ends in the middle of record 1"),
        (lambda b: b[: len(b) // 2 + 5], "record 1 does not begin where it should"),
        (lambda b: b"\xff" + b[1:], "record 0 does not begin where it should"),
        (lambda b: b[:12] + b"\xff" * 20 + b[32:], "record 0 is not a tf.train.Example"),
        (lambda _: record({"steps/is_last": np.array([0, 1])}), "lacks steps/action"),
        (lambda _: record({"steps/action": np.ones(7, np.float32), "steps/is_last": np.array([0, 1])}), "must be 2 steps of 3"),
        (lambda _: record(rlds_steps(1)), "has 1 steps; an episode has at least 2"),
    ],
)
def test_damaged_records_are_named_in_a_line(tmp_path: Path, change: Callable[[bytes], bytes], says: str) -> None:
    (tmp_path / "a.tfrecord").write_bytes(change(record(rlds_steps()) * 2))
    with pytest.raises(FormatError, match=says) as caught:
        list(read_recordings(tmp_path))
    assert "\n" not in str(caught.value)


def droid_copy(shared_dir: Path, root: Path, **changes: Any) -> Path:
    source = shared_dir / "data/robot_droid_subset/annotation/train/6.json"
    told = json.loads(source.read_text())
    for key, value in changes.items():
        name = key.replace("__", ".")
        if value is None:
            del told[name]
        else:
            told[name] = value
    (root / "annotation").mkdir(parents=True)
    (root / "annotation/6.json").write_text(json.dumps(told))
    return root


def test_damaged_droid_is_named_in_a_line(shared_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"6\.json lacks action\.gripper_position"):
        list(read_recordings(droid_copy(shared_dir, tmp_path / "a", action__gripper_position=None)))
    with pytest.raises(FormatError, match=r"action\.gripper_position must be \(t, 1\)"):
        list(read_recordings(droid_copy(shared_dir, tmp_path / "b", action__gripper_position=[[1, 2]])))
    with pytest.raises(FormatError, match=r"one length of at least 2; got \[5, 117\]"):
        list(read_recordings(droid_copy(shared_dir, tmp_path / "c", action__gripper_position=[0.0] * 5)))
    (run,) = read_recordings(droid_copy(shared_dir, tmp_path / "d"))
    with pytest.raises(FormatError, match=r"0\.mp4 cannot be read as a video"):
        run.cameras["camera_0"].frame(0)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no recordings: expected"):
        read_recordings(tmp_path)
    with pytest.raises(FormatError, match="holds no recordings"):
        read_recordings(tmp_path / "absent")
    np.savez(tmp_path / "a.npz", action=np.zeros(3))
    with pytest.raises(FormatError, match="lacks observation, reward; it has action"):
        list(read_recordings(tmp_path))
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(FormatError, match="is not a readable npz file"):
        list(read_recordings(tmp_path))


def test_a_recording_whose_parts_disagree_is_refused() -> None:
    zeros = np.zeros((3, 0, 7), np.float32)
    with pytest.raises(ShapeError, match="states must have 4 entries for 3 commands; got 3"):
        Recording("a", np.zeros((3, 2)), ("x", "y"), np.zeros((3, 1)), ("s",), zeros, 0.1)


def test_a_frame_that_is_no_picture_is_named() -> None:
    with pytest.raises(FormatError, match="frame 0 of a recording is no picture"):
        EncodedFrames([b"no"], 0.1).frame(0)
    with pytest.raises(IndexError, match="1 frames; no frame 1"):
        EncodedFrames([b"no"], 0.1).frame(1)


def film(path: Path, frames: int, rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=rate)
        stream.width = stream.height = 32
        for i in range(frames):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 10 * i, np.uint8), format="rgb24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode())


def test_a_stretch_of_a_video_that_holds_many_episodes(tmp_path: Path) -> None:
    film(tmp_path / "v.mp4", 20, 10)
    second = Video(tmp_path / "v.mp4", 6, 0.1, start_s=0.8)
    assert [round(f.mean() / 10) for f in second] == [8, 9, 10, 11, 12, 13]
    assert round(second.frame(3).mean() / 10) == 11
    with pytest.raises(FormatError, match="ends before frame 12 of the 20"):
        list(Video(tmp_path / "v.mp4", 20, 0.1, start_s=0.8))


def test_anybodys_lerobot_dataset_is_read_with_its_videos_and_pictures(tmp_path: Path, drift: Callable[..., Episode]) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    write_dataset(tmp_path, [drift("push", i, steps=4) for i in range(3)], episodes_per_file=2, task="push the mug")
    for own in ("gaussians", "truth"):
        shutil.rmtree(tmp_path / own)
    (tmp_path / "meta/spatialwm.json").unlink()
    film(tmp_path / "videos/observation.images.top/chunk-000/file-000.mp4", 15, 10)
    info = json.loads((tmp_path / "meta/info.json").read_text())
    info["video_path"] = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
    info["features"]["observation.images.top"] = {"dtype": "video", "shape": [32, 32, 3], "names": ["h", "w", "c"]}
    info["features"]["observation.images.wrist"] = {"dtype": "image", "shape": [2, 2, 3], "names": ["h", "w", "c"]}
    (tmp_path / "meta/info.json").write_text(json.dumps(info))
    stream = io.BytesIO()
    Image.fromarray(np.full((2, 2, 3), 77, np.uint8)).save(stream, "png")
    for number, episodes in enumerate([2, 1]):
        file = tmp_path / f"meta/episodes/chunk-000/file-00{number}.parquet"
        table = pq.read_table(file)
        first = 2 * number
        for name, values in (
            ("chunk_index", [0] * episodes), ("file_index", [0] * episodes),
            ("from_timestamp", [0.5 * (first + i) for i in range(episodes)]),
        ):  # fmt: skip
            table = table.append_column(f"videos/observation.images.top/{name}", pa.array(values))
        pq.write_table(table, file)
        file = tmp_path / f"data/chunk-000/file-00{number}.parquet"
        cells = [{"bytes": stream.getvalue(), "path": "x.png"}] * (5 * episodes)
        pq.write_table(pq.read_table(file).append_column("observation.images.wrist", pa.array(cells)), file)
    runs = list(read_recordings(tmp_path))
    assert len(runs) == 3
    for i, run in enumerate(runs):
        whole = drift("push", i, steps=4)
        assert run.text == "push the mug"
        assert np.array_equal(run.commands, whole.track.commands)
        assert np.array_equal(run.states, whole.track.part_poses.reshape(5, 7))
        assert run.state_names[:4] == ("part_0.x", "part_0.y", "part_0.z", "part_0.qw")
        assert run.rewards is not None
        assert np.array_equal(run.rewards, whole.rewards if whole.rewards is not None else [])
        assert [round(f.mean() / 10) for f in run.cameras["observation.images.top"]] == list(range(5 * i, 5 * i + 5))
        assert (run.cameras["observation.images.wrist"].frame(4) == 77).all()
