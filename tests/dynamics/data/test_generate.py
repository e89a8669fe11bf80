"""Generation: the same bytes whoever worked, nothing lost to Ctrl-C or a kill, and every failure named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from spatialwm.dynamics.data import episodes_written, generate, read_dataset
from spatialwm.dynamics.data.generate import episode_seed
from spatialwm.dynamics.data.pools import open_pool
from spatialwm.errors import ActionError, DataError, MissingDependencyError

pytest.importorskip("pyarrow")


def bytes_of(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_the_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path, worlds: ModuleType) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        assert generate("push", 9, tmp_path / name, workers, seed=5, make=worlds.drifting, episodes_per_file=4) == 9
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    generate("push", 9, tmp_path / "other", 1, seed=6, make=worlds.drifting)
    assert not np.array_equal(
        read_dataset(tmp_path / "one").episode(0).track.commands, read_dataset(tmp_path / "other").episode(0).track.commands
    )


def test_more_episodes_can_be_asked_for_later(tmp_path: Path, worlds: ModuleType) -> None:
    generate("push", 4, tmp_path / "grown", 1, make=worlds.drifting, episodes_per_file=4)
    assert generate("push", 10, tmp_path / "grown", 1, make=worlds.drifting, episodes_per_file=4) == 10
    assert generate("push", 6, tmp_path / "grown", 1, make=worlds.drifting, episodes_per_file=4) == 10
    generate("push", 10, tmp_path / "whole", 1, make=worlds.drifting, episodes_per_file=4)
    assert bytes_of(tmp_path / "grown") == bytes_of(tmp_path / "whole")


def test_another_seed_or_variant_is_not_mixed_in(tmp_path: Path, worlds: ModuleType) -> None:
    generate("push", 2, tmp_path, 1, seed=1, make=worlds.drifting)
    with pytest.raises(DataError, match="seed=1, and 2 is asked for"):
        generate("push", 4, tmp_path, 1, seed=2, make=worlds.drifting)
    with pytest.raises(DataError, match="variant='push', and 'shy'"):
        generate("shy", 4, tmp_path, 1, seed=1, make=worlds.drifting)


def test_seeds_of_episodes_and_of_data_sets_are_all_different() -> None:
    assert len({episode_seed(s, i) for s in range(20) for i in range(200)}) == 4000
    assert all(0 <= episode_seed(s, 3) < 2**63 for s in range(50))


def test_progress_counts_episodes(tmp_path: Path, worlds: ModuleType) -> None:
    told: list[tuple[str, float]] = []
    generate("push", 4, tmp_path, 1, progress=lambda s, f: told.append((s, f)), make=worlds.drifting)
    assert told[0] == ("1 of 4 episodes", 0.25)
    assert told[-1] == ("4 of 4 episodes", 1.0)


@pytest.mark.parametrize(
    ("variant", "error", "says"),
    [
        ("unknown", ActionError, "no table is called 'unknown'"),
        ("broken", DataError, r"episode 0 of 'broken' cannot be made \(seed \d+\): the simulator broke$"),
        ("nothing", DataError, "is a NoneType, not an Episode"),
    ],
)
def test_what_fails_is_told_in_a_line(
    tmp_path: Path, worlds: ModuleType, variant: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        generate(variant, 4, tmp_path / "set", 1, make=worlds.troubled)
    assert "\n" not in str(caught.value)
    assert episodes_written(tmp_path / "set") == 0


def test_what_fails_in_a_worker_is_told_in_a_line_too(tmp_path: Path, worlds: ModuleType) -> None:
    with pytest.raises(DataError, match="a worker died"):
        generate("killed", 4, tmp_path / "set", 2, make=worlds.troubled)
    assert episodes_written(tmp_path / "set") == 0


@pytest.mark.parametrize(("episodes", "workers", "seed"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, episodes: int, workers: int, seed: int) -> None:
    with pytest.raises(DataError, match="at least"):
        generate("push", episodes, tmp_path, workers, seed)


def test_the_table_is_what_is_simulated_by_default(tmp_path: Path) -> None:
    generate("push", 1, tmp_path, 1, seed=3)
    dataset = read_dataset(tmp_path)
    assert dataset.form.about["maker"] == "spatialwm.dynamics.table.episodes.make_episode"
    assert dataset.episode(0).cast.maker is not None
    assert dataset.truth(0) is not None


SCRIPT = """
import sys
sys.path.append(sys.argv[1])
import drift_world
from spatialwm.dynamics.data import generate
if __name__ == "__main__":
    generate("slow", 40, sys.argv[2], 2, progress=lambda s, f: print(s, flush=True), make=drift_world.troubled,
             episodes_per_file=2)
"""


def started(tmp_path: Path) -> tuple[subprocess.Popen[str], set[int]]:
    """A run in a process of its own, once four episodes are there, and its workers."""
    (tmp_path / "run.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    run = subprocess.Popen(
        [sys.executable, str(tmp_path / "run.py"), str(Path(__file__).parent), str(tmp_path / "set")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    assert run.stdout is not None
    for line in run.stdout:
        if line.startswith("5 of"):
            return run, children(run.pid)
    raise AssertionError(run.stderr.read() if run.stderr else "")


def children(parent: int) -> set[int]:
    out = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(entry.read_text().rpartition(")")[2].split()[1]) == parent:
                out.add(int(entry.parent.name))
        except (OSError, ValueError):
            continue
    return out


def gone(pids: set[int], within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if not any(Path(f"/proc/{p}").exists() and "\nState:\tZ" not in Path(f"/proc/{p}/status").read_text() for p in pids):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="watches processes through /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_an_interrupted_run_leaves_whole_files_no_workers_and_goes_on(
    tmp_path: Path, worlds: ModuleType, how: signal.Signals
) -> None:
    run, workers = started(tmp_path)
    assert len(workers) >= 2
    if how == signal.SIGINT:
        os.killpg(run.pid, how)  # as a terminal does
    else:
        run.kill()
    told = run.communicate(timeout=60)[1]
    assert gone(workers, 30)
    if how == signal.SIGINT:
        assert told.rstrip().endswith("KeyboardInterrupt")
        assert told.count("Traceback") == 1  # the workers say nothing
    held = episodes_written(tmp_path / "set")
    assert held >= 4
    assert held % 2 == 0
    assert len(read_dataset(tmp_path / "set")) == held
    assert generate("slow", held + 1, tmp_path / "set", 1, make=worlds.troubled, episodes_per_file=2) == held + 1


def test_without_ray_the_extra_is_named(tmp_path: Path, worlds: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'spatialwm\[ray\]'"):
        generate("push", 2, tmp_path, 1, cluster="auto", make=worlds.drifting)
    assert episodes_written(tmp_path) == 0


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "127.0.0.1:99999"])
def test_a_cluster_that_does_not_answer_is_named_at_once(tmp_path: Path, worlds: ModuleType, address: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(DataError, match=f"no Ray cluster answers at '{address}'"):
        generate("push", 2, tmp_path, 2, make=worlds.drifting, cluster=address)


@pytest.mark.slow
def test_a_cluster_makes_the_same_bytes_and_raises_the_same_errors(
    tmp_path: Path, worlds: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))  # Ray's workers know installed packages only
    generate("push", 5, tmp_path / "here", 1, seed=5, make=worlds.drifting, episodes_per_file=2)
    with open_pool(2, "local"):  # starting Ray takes most of the time; what is generated meanwhile shares it
        generate("push", 5, tmp_path / "there", 2, seed=5, make=worlds.drifting, episodes_per_file=2, cluster="local")
        with pytest.raises(ActionError, match="no table is called"):
            generate("unknown", 2, tmp_path / "none", 2, make=worlds.troubled, cluster="local")
        with pytest.raises(DataError, match=r"the simulator broke$"):
            generate("broken", 2, tmp_path / "none", 2, make=worlds.troubled, cluster="local")
    assert bytes_of(tmp_path / "here") == bytes_of(tmp_path / "there")
