"""Compiled kernels: found again by the next process, wherever the package is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import config

from spatialwm.render.cpu import cache
from spatialwm.render.cpu.vectors import machine_lanes

SOURCES = Path(cache.__file__).parent


def test_the_cache_directory_changes_with_any_source(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", "linux")
    copy = shutil.copytree(SOURCES, tmp_path / "cpu", ignore=shutil.ignore_patterns("__pycache__"))
    before = cache.kernel_cache_dir(copy)
    assert before.is_relative_to(tmp_path / "home")
    with (copy / "vectors.py").open("a") as file:
        file.write("# changed\n")
    assert cache.kernel_cache_dir(copy) != before


def test_an_unwritable_home_falls_back_to_the_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert cache.kernel_cache_dir(SOURCES).is_relative_to(tmp_path)


def test_other_packages_keep_their_own_cache_setting(monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", "")
    with cache.kernels_cached_for(SOURCES):
        assert config.CACHE_DIR
    assert config.CACHE_DIR == ""
    monkeypatch.setattr(config, "CACHE_DIR", "/chosen/by/the/user")
    with cache.kernels_cached_for(SOURCES):
        assert config.CACHE_DIR == "/chosen/by/the/user"


@pytest.mark.parametrize(("asked", "lanes"), [("0", 1), ("1", 1), ("4", 4), ("16", 16), ("", None), ("7", None)])
def test_the_environment_chooses_the_vector_width(monkeypatch, asked, lanes):
    monkeypatch.setenv("SPATIALWM_CPU_VECTORS", asked)
    assert machine_lanes() == lanes or (lanes is None and machine_lanes() in (4, 8, 16))


@pytest.mark.slow
def test_a_cold_start_takes_under_20_s_and_the_next_process_under_1_s(tmp_path):
    # Processor time: the same as wall time on a free machine, and steady on a busy one.
    code = "import spatialwm.render.cpu as c, time; t = time.process_time(); c.warm_up(); print(time.process_time() - t)"
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}

    def seconds() -> float:
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return float(done.stdout)

    assert seconds() < 20
    assert seconds() < 1
    assert not list(SOURCES.glob("__pycache__/*.nbi"))
