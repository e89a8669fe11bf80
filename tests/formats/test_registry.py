"""The one door: suffixes, names, folders, and files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import numpy as np
import pytest
import torch

from spatialwm.errors import FormatError, ShapeError
from spatialwm.formats import READABLE, WRITABLE, read_splats, write_splats
from spatialwm.gaussians import Gaussians


@pytest.mark.parametrize("suffix", WRITABLE)
def test_every_writable_format_is_readable_under_any_name(tmp_path: Path, gaussians_of, suffix):
    path = tmp_path / f"größe 世界 🌍{suffix.upper()}"
    write_splats(gaussians_of(30), path)
    file = read_splats(path)
    assert suffix in READABLE
    assert file.format == suffix[1:]
    assert len(file.gaussians) == 30
    assert list(tmp_path.iterdir()) == [path]


def test_the_format_may_be_named_apart_from_the_path(tmp_path: Path, gaussians_of):
    write_splats(gaussians_of(3), tmp_path / "a.bin", format="spz")
    assert (tmp_path / "a.bin").read_bytes()[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("device_and_type", [torch.float64, torch.float32])
def test_gradients_and_doubles_are_written_as_plain_values(tmp_path: Path, gaussians_of, device_and_type):
    g = gaussians_of(5).to(dtype=device_and_type)
    write_splats(Gaussians(g.means.clone().requires_grad_(), g.quats, g.scales, g.opacities, g.sh), tmp_path / "a.ply")
    assert len(read_splats(tmp_path / "a.ply").gaussians) == 5


@pytest.mark.parametrize(("name", "content", "message"), [
    ("missing.ply", None, "no such file"),
    ("empty.spz", b"", "is empty"),
    ("notes.txt", b"hello", "unknown kind of splat file '.txt': expected .ply, .spz"),
    ("nothing", b"hello", "unknown kind of splat file ''"),
    ("a.spz", b"ply\nformat ascii 1.0\n", "rename it to end in .ply"),
    ("a.ply", b"\x1f\x8b" + bytes(30), "rename it to end in .spz"),
    ("a.splat", b"PK\x03\x04" + bytes(60), "rename it to end in .sog"),
    ("a.sog", bytes(100), "not a SOG bundle"),
    ("a.sog", b"PK\x03\x04" + bytes(100), "damaged"),
    ("a.json", b"{}", "not a SOG description"),
    ("meta.json", b"{}", "no means"),
])  # fmt: skip
def test_the_error_names_the_file_and_what_was_expected(tmp_path: Path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FormatError, match=message) as caught:
        read_splats(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_description_is_refused(tmp_path: Path):
    with pytest.raises(FormatError, match="is a folder without"):
        read_splats(tmp_path)


def test_unknown_formats_and_invalid_gaussians_write_nothing(tmp_path: Path, gaussians_of):
    g = gaussians_of(3)
    with pytest.raises(FormatError, match=r"cannot write '\.ksplat'"):
        write_splats(g, tmp_path / "a.ksplat")
    with pytest.raises(ShapeError, match="means is invalid in 3"):
        write_splats(Gaussians(g.means * np.nan, g.quats, g.scales, g.opacities, g.sh), tmp_path / "a.ply")
    with pytest.raises(FormatError, match="empty set"):
        write_splats(Gaussians.empty(), tmp_path / "a.splat")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path, gaussians_of):
    (tmp_path / "a.ply").mkdir()
    for path in (tmp_path / "a.ply", tmp_path / "absent" / "a.ply", Path("/proc/a.ply")):
        with pytest.raises(FormatError, match="nothing was changed"):
            write_splats(gaussians_of(3), path)
    if os.geteuid():  # root writes everywhere
        tmp_path.chmod(0o555)
        with pytest.raises(FormatError, match="nothing was changed"):
            write_splats(gaussians_of(3), tmp_path / "b.ply")
        tmp_path.chmod(0o755)
    assert [p.name for p in tmp_path.iterdir()] == ["a.ply"]


@pytest.mark.parametrize("suffix", WRITABLE)
def test_a_full_disk_keeps_the_old_file_and_leaves_no_part(tmp_path: Path, gaussians_of, suffix):
    path = tmp_path / f"a{suffix}"
    write_splats(gaussians_of(3), path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        with pytest.raises(FormatError, match=os.strerror(errno.EFBIG)):
            write_splats(gaussians_of(5000), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
