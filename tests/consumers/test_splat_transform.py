"""Axes, orders and scalings as another program sees them: PlayCanvas splat-transform reads our files and we read its."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from spatialwm.formats import read_splats, write_splats
from spatialwm.formats.frames import RDF
from spatialwm.gaussians import Gaussians

PACKAGE = "@playcanvas/splat-transform@2.7.1"

Convert = Callable[..., Gaussians]


@pytest.fixture(scope="session")
def splat_transform(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> list[str]:
    """The command, installed once into pytest's cache; skips where npm or the registry is absent."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < 20:
        pytest.skip(f"splat-transform needs Node 20 or newer; this is {version}")
    cache = getattr(request.config, "cache", None)
    folder = Path(cache.mkdir("splat-transform-2.7.1")) if cache else tmp_path_factory.mktemp("splat-transform")
    script = folder / "node_modules" / "@playcanvas" / "splat-transform" / "bin" / "cli.mjs"
    if not (folder / "complete").exists():
        (folder / "package.json").write_text('{"private": true}')
        command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=200)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm did not deliver {PACKAGE} in 200 s")
        if done.returncode or not script.exists():
            pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr.strip().splitlines()[-1:]}")
        (folder / "complete").touch()
    return [node, str(script)]


@pytest.fixture
def convert(splat_transform: list[str]) -> Convert:
    def run(source: Path, target: Path, *actions: str) -> Gaussians:
        done = subprocess.run([*splat_transform, "-w", source, *actions, target], capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
        return read_splats(target).gaussians

    return run


@pytest.fixture(scope="module")
def gaussians() -> Gaussians:
    random, n = np.random.default_rng(7), 1500
    quats = random.normal(size=(n, 4))
    return Gaussians.from_numpy(
        random.normal(size=(n, 3)) * [1, 2, 3] + [4, 5, 6],  # no symmetry that could hide an exchanged axis
        quats / np.linalg.norm(quats, axis=1, keepdims=True),
        np.exp(random.uniform(-8, -1, (n, 3))),
        random.uniform(0.01, 0.99, n),
        sh=random.uniform(-0.45, 0.45, (n, 16, 3)),  # SPZ holds -1..1 after any change of frame
    )


def assert_close(a: Gaussians, b: Gaussians, mean: float, angle: float, log_scale: float, opacity: float, dc: float, rest: float):
    assert len(a) == len(b)
    assert (a.means - b.means).abs().max() <= mean
    assert 2 * torch.arccos((a.quats.double() * b.quats.double()).sum(1).abs().clamp(max=1)).max() <= angle
    assert (a.scales / b.scales).log().abs().max() <= log_scale
    assert (a.opacities - b.opacities).abs().max() <= opacity
    assert (a.sh[:, 0] - b.sh[:, 0]).abs().max() <= dc
    if a.sh.shape[1] > 1:
        file_a, file_b = (torch.from_numpy(RDF.sh_from_world(g.sh.numpy()))[:, 1:] for g in (a, b))
        assert (file_a - file_b).abs().max() <= rest


SAME = {"mean": 0, "angle": 1e-3, "log_scale": 1e-6, "opacity": 1e-6, "dc": 1e-6, "rest": 3e-6}
SH_STEP = 1 / 16 + 1 / 256 + 1e-5  # its encoder rounds SH to 1/128 before it rounds to 1/8, hence the 1/256
SPZ = {"mean": 2**-13 * 1.01, "angle": 0.006, "log_scale": 0.0314, "opacity": 1 / 509, "dc": 1 / 76, "rest": SH_STEP}


def test_it_reads_our_ply_and_writes_the_same(convert: Convert, gaussians: Gaussians, tmp_path: Path):
    write_splats(gaussians, tmp_path / "ours.ply")
    assert_close(read_splats(tmp_path / "ours.ply").gaussians, convert(tmp_path / "ours.ply", tmp_path / "its.ply"), **SAME)


@pytest.mark.parametrize("version", [3, 4])
def test_its_spz_of_our_ply_is_our_world(convert: Convert, gaussians: Gaussians, tmp_path: Path, version: int):
    write_splats(gaussians, tmp_path / "ours.ply")
    theirs = convert(tmp_path / "ours.ply", tmp_path / "its.spz", "--spz-version", str(version))
    assert read_splats(tmp_path / "its.spz").notes == (f"SPZ version {version}",)
    assert_close(gaussians, theirs, **SPZ)


def test_its_ply_of_our_spz_is_our_world(convert: Convert, gaussians: Gaussians, tmp_path: Path):
    write_splats(gaussians, tmp_path / "ours.spz")
    theirs = convert(tmp_path / "ours.spz", tmp_path / "its.ply")
    assert_close(gaussians, theirs, **SPZ)
    assert_close(read_splats(tmp_path / "ours.spz").gaussians, theirs, **SAME)


@pytest.mark.parametrize("suffix", [".splat", ".sog"])
def test_it_reads_our_other_formats_as_we_do(convert: Convert, gaussians: Gaussians, tmp_path: Path, suffix: str):
    write_splats(gaussians, tmp_path / f"ours{suffix}")
    ours = read_splats(tmp_path / f"ours{suffix}").gaussians
    # it reads .splat quaternions as b / 127.5 - 1 where their inventor wrote b = 128 q + 128
    assert_close(ours, convert(tmp_path / f"ours{suffix}", tmp_path / "its.ply"), **{**SAME, "mean": 1e-5, "angle": 0.02})


@pytest.mark.parametrize("suffix", [".compressed.ply", ".sog"])
def test_we_read_its_formats_as_it_does(convert: Convert, gaussians: Gaussians, tmp_path: Path, suffix: str):
    write_splats(gaussians, tmp_path / "ours.ply")
    ours = convert(tmp_path / "ours.ply", tmp_path / f"its{suffix}", "-g", "cpu")
    theirs = convert(tmp_path / f"its{suffix}", tmp_path / "again.ply")
    assert ours.sh_degree == 3
    assert_close(ours, theirs, **{**SAME, "mean": 1e-6})


@pytest.mark.parametrize("suffix", [".ply", ".spz", ".splat", ".sog"])
def test_our_up_is_its_up(convert: Convert, tmp_path: Path, suffix: str):
    heights = np.linspace(-3, 3, 13)
    means = np.stack([np.linspace(0.3, 0.9, 13), np.linspace(-2, -1, 13), heights], axis=1)
    quats, white = np.tile([1.0, 0, 0, 0], (13, 1)), np.ones((13, 3))
    column = Gaussians.from_numpy(means, quats, np.full((13, 3), 0.01), np.ones(13), rgb=white)
    write_splats(column, tmp_path / f"ours{suffix}")
    # its actions work in the Y-up space of its engine
    upper = convert(tmp_path / f"ours{suffix}", tmp_path / "upper.ply", "-B", "-9,0.8,-9,9,9,9")
    assert sorted(upper.means[:, 2].tolist()) == pytest.approx([1, 1.5, 2, 2.5, 3], abs=1e-3)
