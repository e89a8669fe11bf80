"""Real captures: every file reads, stands upright, and two formats of one person agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from spatialwm.formats import ply, read_splats, spz
from spatialwm.gaussians import Gaussians


@pytest.fixture(scope="module")
def data(shared_dir: Path) -> Path:
    return shared_dir / "data"


@pytest.mark.parametrize(("name", "count", "degree"), [
    ("splat_biker/biker.compressed.ply", 152_746, 0),
    ("splat_biker/biker.spz", 152_746, 0),
    ("splat_statues_sog/angel.sog", 71_359, 0),
    ("splat_statues_sog/massa.sog", 58_649, 0),
    ("splat_statues_sog/narcissus.sog", 101_275, 0),
    ("splat_playbot_sog_lod", 125_000, 2),
    ("splat_playbot_sog_lod/lod-meta.json", 125_000, 2),
    ("splat_playbot_sog_lod/6_0", 1_873, 2),
    ("splat_train1000_ply/train-1000.ply", 1_000, 3),
])  # fmt: skip
def test_every_splat_is_read_and_valid(data: Path, name: str, count: int, degree: int):
    g = read_splats(data / name).gaussians
    assert len(g) == count
    assert g.sh_degree == degree
    g.check_finite()
    assert torch.allclose(g.quats.norm(dim=1), torch.ones(count), atol=1e-5)


def test_the_person_is_the_same_in_both_formats(data: Path):
    a, b = (read_splats(data / "splat_biker" / name).gaussians for name in ("biker.compressed.ply", "biker.spz"))
    assert (a.means - b.means).abs().max() < 2**-13 + 1e-5
    assert 2 * torch.arccos((a.quats * b.quats).sum(1).abs().clamp(max=1)).max() < 0.006
    held = (a.scales > 4.6e-5) & (b.scales > 4.6e-5)  # SPZ holds nothing thinner
    assert (a.scales / b.scales).log()[held].abs().max() < 1 / 32 + 1e-4
    assert torch.equal(a.opacities, b.opacities)
    assert (a.rgb - b.rgb).abs().max() < 1 / 270


@pytest.mark.parametrize("name", ["biker.compressed.ply", "biker.spz"])
def test_the_person_stands_upright_on_the_floor(data: Path, name: str):
    g = read_splats(data / "splat_biker" / name).gaussians
    low, high = g.bounds()
    assert low[2] == pytest.approx(0, abs=0.01)
    assert high[2] > 3
    x, y, z = (high - low).tolist()
    assert z > 2 * max(x, y)
    feet, head = (g.means[(g.means[:, 2] > a) & (g.means[:, 2] < b)] for a, b in ((0, 0.5), (2.7, 3.2)))
    assert head[:, :2].std() < feet[:, :2].std()  # a head is narrower than a stance


def test_the_robot_stands_on_its_floor_and_not_on_its_antenna(data: Path):
    g = read_splats(data / "splat_playbot_sog_lod").gaussians
    low, high = g.bounds()
    assert low[2] > -0.06
    assert high[2] == pytest.approx(1.08, abs=0.01)
    assert (g.means[:, 2] < 0.1).sum() > (g.means[:, 2] > 0.9).sum()


@pytest.mark.parametrize("name", ["splat_biker/biker.compressed.ply", "splat_statues_sog/massa.sog", "splat_playbot_sog_lod/5_0"])
def test_real_splats_survive_ply_bit_for_bit(data: Path, assert_same_bits, name: str):
    g = ply.decode(ply.encode(read_splats(data / name).gaussians)).gaussians
    assert_same_bits(g, ply.decode(ply.encode(g)).gaussians)


def test_a_trained_ply_is_exact_from_the_first_reading(data: Path, assert_same_bits):
    g = read_splats(data / "splat_train1000_ply" / "train-1000.ply").gaussians
    assert_same_bits(g, ply.decode(ply.encode(g)).gaussians)


MINIMAL = {"minimal-raw.spz": "SPZ version 2", "minimal-v2.spz": "SPZ version 2", "minimal-v3.spz": "SPZ version 3",
           "minimal-v4.spz": "SPZ version 4", "minimal.splat": None}  # fmt: skip


@pytest.mark.parametrize("name", MINIMAL)
def test_minimal_files_hold_a_square_of_four(data: Path, name: str):
    file = read_splats(data / "splat_format_minimal" / name)
    g: Gaussians = file.gaussians
    assert file.notes == ((MINIMAL[name],) if MINIMAL[name] else ())
    assert g.means[:, 0].tolist() == [-1, 0, -1, 0]
    assert g.means[:, 1].abs().tolist() == [1, 1, 0, 0]
    assert g.means[:, 2].tolist() == [0, 0, 0, 0]
    assert torch.allclose(g.scales, torch.tensor(0.1), rtol=1 / 32)
    assert torch.allclose(g.opacities, torch.tensor(0.9), atol=1 / 255)


def test_spz_of_a_real_person_is_smaller_than_the_reference_encoders(data: Path):
    path = data / "splat_biker" / "biker.spz"
    assert len(spz.encode(read_splats(path).gaussians)) < 1.1 * path.stat().st_size
