"""Data sets: what goes in comes out, files are LeRobot's, a kill costs one file, and damage is named in a line."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spatialwm.dynamics.data import Dataset, episodes_written, layout, read_dataset, write_dataset
from spatialwm.dynamics.data.shelf import read_shelf, write_shelf
from spatialwm.dynamics.data.statistics import merged, statistics
from spatialwm.dynamics.episode import Cast, Episode, Track
from spatialwm.errors import DataError, FormatError, MissingDependencyError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

Make = Callable[..., Episode]


@pytest.fixture
def seven(tmp_path: Path, drift: Make) -> Path:
    """Seven episodes in three files."""
    write_dataset(tmp_path / "set", [drift("push", i) for i in range(7)], episodes_per_file=3)
    return tmp_path / "set"


def same(got: Episode, put: Episode) -> None:
    for owner in ("cast", "track"):
        for name in getattr(put, owner).__dataclass_fields__:
            a, b = getattr(getattr(got, owner), name), getattr(getattr(put, owner), name)
            assert np.array_equal(a, b) and a.dtype == b.dtype if isinstance(b, np.ndarray) else a == b, name
    assert np.array_equal(got.rewards, put.rewards) if put.rewards is not None else got.rewards is None  # pyright: ignore[reportArgumentType]


def bytes_of(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_episodes_come_back_bit_for_bit_and_truth_only_when_asked(seven: Path, drift: Make) -> None:
    dataset = read_dataset(seven)
    assert len(dataset) == 7
    for i in range(7):
        same(dataset.episode(i), drift("push", i))
        assert dataset.episode(i).truth is None
        assert dataset.truth(i) == ("true", 0.1)


def test_nothing_a_model_may_read_tells_the_truth(seven: Path, drift: Make) -> None:
    shutil.rmtree(seven / "truth")
    dataset = read_dataset(seven)
    same(dataset.episode(6), drift("push", 6))
    assert next(iter(dataset.windows(5))).track.poses.shape == (6, 3, 7)
    with pytest.raises(FormatError, match="truth"):
        dataset.truth(0)


def test_episodes_may_have_different_numbers_of_objects_and_steps_and_none_at_all(tmp_path: Path, drift: Make) -> None:
    put = [drift("push", i, objects=n, steps=s) for i, (n, s) in enumerate([(2, 5), (5, 9), (0, 3), (1, 1)])]
    write_dataset(tmp_path / "set", put)
    dataset = read_dataset(tmp_path / "set")
    for i, episode in enumerate(put):
        same(dataset.episode(i), episode)
    assert dataset.lengths().tolist() == [5, 9, 3, 1]


def test_windows_are_every_run_of_an_episode_and_cross_no_border(seven: Path, drift: Make) -> None:
    windows = read_dataset(seven).windows(10)
    assert len(windows) == 7 * 3
    seen = {(w.episode, w.start) for w in windows}
    assert seen == {(e, s) for e in range(7) for s in range(3)}
    w = windows[-1]
    whole = drift("push", w.episode).track
    assert np.array_equal(w.track.commands, whole.commands[w.start : w.start + 10])
    assert np.array_equal(w.track.poses, whole.poses[w.start : w.start + 11])
    assert [w.start for w in read_dataset(seven).windows(4, stride=4)[:4]] == [0, 4, 8, 0]


def test_a_situation_of_a_window_knows_what_was_seen_in_it(seven: Path) -> None:
    dataset = read_dataset(seven)
    window = dataset.windows(8)[2]
    known = dataset.situation(window, 3)
    assert len(known.past) == 3
    assert np.array_equal(known.past.poses[-1], window.track.poses[3])


def test_reading_a_window_takes_microseconds(seven: Path) -> None:
    """5 to 8 us here without shape checks; a window of an HDF5 file takes 118, of a sharded zarr 1,204."""
    windows = read_dataset(seven).windows(8)
    order = np.random.default_rng(0).integers(0, len(windows), 500).tolist()
    _ = [windows[i] for i in order]
    begin = time.process_time()
    _ = [windows[i] for i in order]
    assert (time.process_time() - begin) / 500 < 2e-3  # with shape checks, on a busy machine


def test_a_shape_shared_by_many_episodes_is_stored_once(seven: Path) -> None:
    from safetensors import safe_open

    with safe_open(layout.file_path(seven, layout.CASTS, 0), "np") as file:
        shapes = [file.get_slice(k).get_shape() for k in file.keys() if not k.startswith("json/")]  # noqa: SIM118
    assert shapes.count([16, 3]) == 1 + 3 * 2 + 1 + 1  # the shared disc, two of each episode, a colour, the actor's part


def test_files_are_where_lerobot_looks_for_them_and_say_what_it_asks(seven: Path) -> None:
    info = json.loads((seven / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"], info["fps"]) == (7, 7 * 13, 1, 10)
    rows = []
    for number in range(3):
        name = info["data_path"].format(chunk_index=0, file_index=number)
        table = pq.read_table(seven / name)
        assert set(table.column_names) == set(info["features"])
        rows += table.to_pylist()
    for name, feature in info["features"].items():
        expected = feature["shape"] == [1]
        assert np.ndim(rows[0][name]) == (0 if expected else 1)
        assert expected or len(rows[0][name]) == feature["shape"][0] == len(feature["names"])
    assert [r["index"] for r in rows] == list(range(91))
    assert [r["frame_index"] for r in rows[:14]] == [*range(13), 0]
    assert [r["next.done"] for r in rows[:13]] == [False] * 12 + [True]
    episodes = pq.read_table(seven / "meta/episodes/chunk-000/file-001.parquet").to_pylist()
    assert [e["episode_index"] for e in episodes] == [3, 4, 5]
    assert (episodes[0]["dataset_from_index"], episodes[0]["dataset_to_index"], episodes[0]["length"]) == (39, 52, 13)
    assert (episodes[0]["data/chunk_index"], episodes[0]["data/file_index"]) == (0, 1)
    assert episodes[0]["tasks"] == ["push things about"]


def test_tasks_are_looked_up_by_their_words_as_lerobot_does(seven: Path) -> None:
    pandas = pytest.importorskip("pandas")
    tasks = pandas.read_parquet(seven / "meta/tasks.parquet")
    assert int(tasks.loc["push things about"].task_index) == 0


def test_statistics_are_those_of_all_rows(seven: Path) -> None:
    stats = json.loads((seven / "meta/stats.json").read_text())
    files = sorted((seven / "data").rglob("*.parquet"))
    actions = np.concatenate([np.array(pq.read_table(f)["action"].to_pylist()) for f in files])
    assert np.allclose(stats["action"]["mean"], actions.mean(0))
    assert np.allclose(stats["action"]["std"], actions.std(0))
    assert np.allclose(stats["action"]["max"], actions.max(0))
    assert stats["action"]["count"] == [91]


def test_merged_statistics_equal_those_of_everything_at_once() -> None:
    values = np.random.default_rng(0).normal(3, 2, (50, 2))
    together = merged(statistics({"x": values[:13]}), statistics({"x": values[13:]}))["x"]
    for key, value in statistics({"x": values})["x"].items():
        assert np.allclose(together[key], value)


@pytest.mark.parametrize("after", range(1, 19))
def test_a_run_killed_before_any_of_its_files_goes_on_to_the_same_bytes(
    tmp_path: Path, drift: Make, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Each write may be the last; what is there then can be read, and the next run completes it."""
    put = [drift("push", i) for i in range(5)]
    write_dataset(tmp_path / "whole", put, episodes_per_file=2)
    renames, real = 0, Path.replace

    def killed(self: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == after:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "cut", put, episodes_per_file=2)
    monkeypatch.undo()
    held = episodes_written(tmp_path / "cut")
    assert held == (0 if after <= 8 else 2 if after <= 14 else 4)
    if held:
        same(read_dataset(tmp_path / "cut").episode(held - 1), put[held - 1])
    assert write_dataset(tmp_path / "cut", put[held:], episodes_per_file=2) == 5
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")


def test_a_generator_that_fails_leaves_what_was_whole(tmp_path: Path, drift: Make) -> None:
    def failing() -> Any:
        yield from (drift("push", i) for i in range(5))
        raise RuntimeError("the simulator broke")

    with pytest.raises(RuntimeError, match="broke"):
        write_dataset(tmp_path / "set", failing(), episodes_per_file=2)
    assert len(read_dataset(tmp_path / "set")) == 4


def test_a_dataset_made_otherwise_is_not_added_to(tmp_path: Path, drift: Make) -> None:
    write_dataset(tmp_path / "set", [drift("push", 0)], about={"variant": "push", "seed": 1})
    with pytest.raises(DataError, match=r"seed=1, and 2 is asked for"):
        write_dataset(tmp_path / "set", [drift("push", 1)], about={"variant": "push", "seed": 2})


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"objects": 4}, "4 objects, and the data set 3"),
        ({"parts": 2}, "parts of the actor: 2, where 1"),
    ],
)
def test_an_episode_that_does_not_fit_is_refused(tmp_path: Path, drift: Make, fields: dict[str, int], says: str) -> None:
    write_dataset(tmp_path / "set", [drift("push", 0)])
    with pytest.raises(DataError, match=says):
        write_dataset(tmp_path / "set", [drift("push", 1, **fields)])
    assert len(read_dataset(tmp_path / "set")) == 1


def test_a_diverged_episode_is_refused(tmp_path: Path, drift: Make) -> None:
    episode = drift("push", 0)
    episode.track.poses[3, 0, 0] = np.nan
    with pytest.raises(DataError, match="episode 0 holds NaN"):
        write_dataset(tmp_path / "set", [episode])
    assert episodes_written(tmp_path / "set") == 0


def test_room_for_more_objects_can_be_kept(tmp_path: Path, drift: Make) -> None:
    write_dataset(tmp_path / "set", [drift("push", 0)], max_objects=6)
    write_dataset(tmp_path / "set", [drift("push", 1, objects=6)])
    same(read_dataset(tmp_path / "set").episode(1), drift("push", 1, objects=6))


def rewrite(file: Path, change: Callable[[Any], Any]) -> None:
    pq.write_table(change(pq.read_table(file)), file)


DATA = "data/chunk-000/file-001.parquet"


def no_action(root: Path) -> None:
    rewrite(root / DATA, lambda t: t.drop_columns(["action"]))


def wide_action(root: Path) -> None:
    wide = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(39 * 3, np.float32)), 3)
    rewrite(root / DATA, lambda t: t.set_column(t.column_names.index("action"), "action", wide))


def words(root: Path) -> None:
    rewrite(root / DATA, lambda t: t.set_column(t.column_names.index("next.reward"), "next.reward", pa.array(["a"] * 39)))


def cut_rows(root: Path) -> None:
    rewrite(root / DATA, lambda t: t.slice(0, 20))


def cut_bytes(root: Path) -> None:
    (root / DATA).write_bytes((root / DATA).read_bytes()[:-200])


def no_file(root: Path) -> None:
    (root / DATA).unlink()


def no_episodes(root: Path) -> None:
    rewrite(root / "meta/episodes/chunk-000/file-001.parquet", lambda t: t.drop_columns(["length"]))


def set_json(name: str, **values: Any) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        file = root / name
        file.write_text(json.dumps(json.loads(file.read_text()) | values))

    return change


DAMAGES = {
    "lacks the column action": no_action,
    r"column action must hold 2 numbers per row; got fixed_size_list.*\[3\]": wide_action,
    "column next.reward must hold 1 numbers per row; got string": words,
    "has 20 rows, and its episodes 39": cut_rows,
    "file-001.parquet is not a readable parquet file": cut_bytes,
    "file-001.parquet is missing": no_file,
    "lacks the column length": no_episodes,
    "version v4.1, and v3 is read here: use a newer": set_json("meta/info.json", codebase_version="v4.1"),
    "version v2.1, and v3 is read here: convert": set_json("meta/info.json", codebase_version="v2.1"),
    "is of version 2, and 1 is read here": set_json("meta/spatialwm.json", version=2),
    "does not describe a data set": set_json("meta/spatialwm.json", wheels=4),
    "has no meta/info.json": lambda root: (root / "meta/info.json").unlink(),
    "has no meta/spatialwm.json": lambda root: (root / "meta/spatialwm.json").unlink(),
    "is not JSON": lambda root: (root / "meta/info.json").write_text("{"),
}


@pytest.mark.parametrize("says", DAMAGES)
def test_damage_is_named_in_one_line_when_the_dataset_is_opened(seven: Path, says: str) -> None:
    DAMAGES[says](seven)
    with pytest.raises(FormatError, match=says) as caught:
        read_dataset(seven)
    assert "\n" not in str(caught.value)


def test_damaged_rows_are_named_when_they_are_read(seven: Path) -> None:
    file = seven / DATA
    data = bytearray(file.read_bytes())
    data[200:1500] = bytes(1300)
    file.write_bytes(data)
    dataset = read_dataset(seven)
    assert len(dataset.episode(0).track) == 12
    with pytest.raises(FormatError, match=r"file-001\.parquet"):
        dataset.episode(3)


def test_asking_for_what_is_not_there_is_refused(seven: Path) -> None:
    dataset = read_dataset(seven)
    with pytest.raises(DataError, match="there is no episode 7"):
        dataset.episode(7)
    with pytest.raises(DataError, match="no episode has 13 steps; the longest has 12"):
        dataset.windows(13)
    with pytest.raises(DataError, match="at least 1"):
        dataset.windows(0)
    with pytest.raises(DataError, match="12 steps; 5 from 9 on"):
        dataset.track(0, 9, 5)


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, drift: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'spatialwm\[data\]'"):
        write_dataset(tmp_path / "set", [drift("push", 0)])


def test_a_dataset_can_be_handed_to_another_process(seven: Path, drift: Make) -> None:
    import pickle

    copy: Dataset = pickle.loads(pickle.dumps(read_dataset(seven)))
    same(copy.episode(4), drift("push", 4))


def test_a_shelf_keeps_values_and_makes_nothing_but_our_own_records(tmp_path: Path) -> None:
    value = {"a": (1, 2.5, None, True, "x"), "b": [np.arange(3), float("inf")], "c": {}}
    write_shelf(tmp_path / "shelf", {"one": value})
    back = read_shelf(tmp_path / "shelf", "one")
    assert back["a"] == value["a"]
    assert np.array_equal(back["b"][0], np.arange(3))
    assert back["b"][1] == float("inf")
    with pytest.raises(DataError, match=r"pathlib\.\w+, which cannot be kept"):
        write_shelf(tmp_path / "shelf", {"two": tmp_path})
    from safetensors.numpy import save_file

    for kind in ("os:system", "spatialwm.errors:DataError"):
        evil = json.dumps({"$": kind, "of": {}}).encode()
        save_file({"json/evil": np.frombuffer(evil, np.uint8)}, tmp_path / "evil")
        with pytest.raises(FormatError, match="damaged or of a newer spatialwm"):
            read_shelf(tmp_path / "evil", "evil")


def test_a_cut_shelf_is_named(tmp_path: Path) -> None:
    write_shelf(tmp_path / "shelf", {"one": np.arange(100)})
    (tmp_path / "shelf").write_bytes((tmp_path / "shelf").read_bytes()[:-50])
    with pytest.raises(FormatError, match="damaged"):
        read_shelf(tmp_path / "shelf", "one")


def test_an_actor_without_parts_is_kept(tmp_path: Path) -> None:
    none = np.zeros((0, 0, 3), np.float32)
    cast = Cast((), none, none, none, (), none, np.zeros(0), np.zeros(0))
    empty = np.zeros((4, 0, 7), np.float32)
    track = Track(empty, np.zeros((4, 0, 6), np.float32), empty, np.ones((3, 1), np.float32), 0.05)
    write_dataset(tmp_path / "set", [Episode(cast, track)])
    same(read_dataset(tmp_path / "set").episode(0), Episode(cast, track))
    assert json.loads((tmp_path / "set/meta/info.json").read_text())["fps"] == 20
