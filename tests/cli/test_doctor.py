"""What the doctor says of the rasterisers, here and on machines that are not here."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from spatialwm import doctor
from spatialwm.errors import SpatialwmError
from spatialwm.render.renderer import BACKENDS, Backend


def finding(name: str) -> doctor.Finding:
    (found,) = (row for row in doctor.examine() if row.name == f"render {name}")
    return found


def test_every_rasteriser_is_named_in_order_of_preference() -> None:
    assert [r.name for r in doctor.examine() if r.name.startswith("render ")] == [f"render {name}" for name in BACKENDS]


def test_the_cpu_rasteriser_says_vectors_threads_and_where_its_kernels_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("SPATIALWM_CPU_THREADS", "3")
    monkeypatch.setenv("SPATIALWM_CPU_VECTORS", "8")
    monkeypatch.setattr("sys.platform", "linux")
    found = finding("cpu")
    assert found.ok
    assert found.found == f"vectors of 8 floats, 3 threads, kernels kept in {tmp_path / 'spatialwm'}"


@pytest.mark.parametrize("name", sorted(set(BACKENDS) - {"cpu", "reference"}))
def test_without_a_gpu_the_report_says_so_and_the_machine_is_still_sound(name: str) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    found = finding(name)
    assert not found.ok
    assert "GPU" in found.mend
    assert not found.required


def test_a_rasteriser_that_breaks_while_it_is_asked_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise SpatialwmError("NVRTC 13.0 makes code for a newer driver")

    monkeypatch.setitem(doctor._BACKEND_DETAILS, "reference", broken)
    assert finding("reference") == doctor.Finding(
        "render reference", False, "cannot run here", "NVRTC 13.0 makes code for a newer driver", required=False
    )


def test_a_missing_package_is_reported_and_not_stumbled_over(monkeypatch: pytest.MonkeyPatch) -> None:
    find = doctor.importlib.util.find_spec
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    rows = {row.name: row for row in doctor.examine()}
    assert not rows["torch"].ok
    assert "gpu" not in rows


def test_gsplat_shows_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "gsplat", Backend(BACKENDS["gsplat"].load, lambda: None))
    assert finding("gsplat").found == version("gsplat")
