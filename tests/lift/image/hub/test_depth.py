"""Every learned depth class, tiny and with random weights, saved as published and run through the production path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spatialwm.errors import LiftError
from spatialwm.lift.image.hub import depth as hub_depth
from spatialwm.lift.image.hub.depth import HubDepth
from spatialwm.lift.image.hub.fit import Plan
from spatialwm.lift.image.hub.models import MODELS
from spatialwm.lift.image.hub.networks import depths, opened, preparation_of
from spatialwm.lift.image.hub.place import placed
from spatialwm.lift.image.photo import Hints, Photo
from spatialwm.lift.image.rays import Rays

SMALL = "depth-anything-v2-metric-indoor-small"
NAMES = [SMALL, "depth-anything-v2-metric-outdoor-small", "depth-pro", "zoedepth"]


def said(name: str, folder: Path, photo: Photo, focal_px: float | None = None, **how: Any) -> Any:
    """What the network itself says, without the rest."""
    model = MODELS[name]
    network = opened(folder, model)
    return depths(model, lambda x: network(pixel_values=x), preparation_of(folder, model), photo.rgb, focal_px, **how)


@pytest.mark.parametrize("name", NAMES)
def test_every_class_gives_finite_positive_distances_at_the_size_of_the_picture(name: str, saved: Path, photo: Photo) -> None:
    backend = HubDepth(MODELS[name], saved / name, ["cpu"])
    made = backend.estimate(photo)
    assert made.distance_m.shape == made.sky.shape == made.confidence.shape == photo.rgb.shape[:2]
    assert made.distance_m.dtype == made.confidence.dtype == np.float32
    assert np.isfinite(made.distance_m).all()
    assert made.distance_m.min() > 0
    assert made.distance_m.std() > 0
    assert 0 <= made.confidence.min() < made.confidence.max() <= 1
    assert made.camera is not None
    assert (made.camera.width, made.camera.height) == photo.size
    assert np.linalg.norm(made.up) == pytest.approx(1)
    assert made.up[1] < -0.5
    assert made.backend == f"{name} on cpu"
    assert made.scale.method == "model"
    assert any("not for commercial use" in note for note in made.notes) == (not MODELS[name].commercial)
    again = backend.estimate(photo)
    assert np.array_equal(again.distance_m, made.distance_m)
    assert np.array_equal(again.confidence, made.confidence)


@pytest.mark.parametrize("name", [SMALL, "zoedepth"])
def test_the_range_of_a_network_is_metres(name: str, saved: Path, photo: Photo) -> None:
    assert 0 < said(name, saved / name, photo).depth_m.max() <= (20 if name == SMALL else 80)


@pytest.mark.parametrize("name", [SMALL, "zoedepth"])
def test_depth_along_the_axis_becomes_distance_along_the_ray(name: str, saved: Path, photo: Photo) -> None:
    made = HubDepth(MODELS[name], saved / name, ["cpu"]).estimate(replace(photo, focal_px=150.0))
    assert made.camera is not None
    points = Rays.pinhole(made.camera).directions * made.distance_m[..., None]
    expected = np.clip(said(name, saved / name, photo).depth_m, 0.05, 2000)
    solid = ~made.sky
    np.testing.assert_allclose(points[..., 2][solid], expected[solid], rtol=1e-4)
    assert (made.distance_m[0, 0] / expected[0, 0]) > 1.2  # at the corner they differ


def test_depth_pro_gives_the_focal_length_where_nobody_knows_it(saved: Path, photo: Photo) -> None:
    made = HubDepth(MODELS["depth-pro"], saved / "depth-pro", ["cpu"]).estimate(photo)
    assert made.focal_source == "depth-pro"
    assert made.camera is not None
    assert made.camera.fx == pytest.approx(said("depth-pro", saved / "depth-pro", photo).focal_px)


def test_a_known_focal_length_is_used_and_depth_pro_scales_with_it(saved: Path, photo: Photo) -> None:
    folder = saved / "depth-pro"
    near, far = (said("depth-pro", folder, photo, focal_px).depth_m for focal_px in (200.0, 400.0))
    clear = (near > 1e-3) & (far < 1e3)
    np.testing.assert_allclose(far[clear], 2 * near[clear], rtol=1e-4)
    made = HubDepth(MODELS["depth-pro"], folder, ["cpu"]).estimate(replace(photo, focal_px=200.0))
    assert made.camera is not None
    assert (made.camera.fx, made.focal_source) == (200.0, "EXIF")


def test_what_the_user_says_about_the_lens_goes_before_what_the_camera_wrote(saved: Path, photo: Photo) -> None:
    told = replace(photo, focal_px=200.0, hints=Hints(focal_mm=43.2666))
    made = HubDepth(MODELS[SMALL], saved / SMALL, ["cpu"]).estimate(told)
    assert made.camera is not None
    assert made.camera.fx == pytest.approx(np.hypot(*photo.size), rel=1e-4)


def test_a_distance_that_was_measured_settles_the_scale(saved: Path, photo: Photo) -> None:
    told = replace(photo, hints=Hints(depths=(((0.5, 0.5), 7.0), ((0.25, 0.5), 7.0))))
    free = HubDepth(MODELS[SMALL], saved / SMALL, ["cpu"]).estimate(photo)
    made = HubDepth(MODELS[SMALL], saved / SMALL, ["cpu"]).estimate(told)
    factor = made.distance_m / free.distance_m
    assert factor.std() < 1e-4 * factor.mean()
    height, width = factor.shape
    ratios = [7.0 / free.distance_m[height // 2, width // 2], 7.0 / free.distance_m[height // 2, width // 4]]
    assert factor.mean() == pytest.approx(np.median(ratios), rel=1e-4)
    assert made.scale.method == "measured"


def test_panoramas_are_refused(saved: Path) -> None:
    around = Photo(name="hall", rgb=np.zeros((40, 80, 3), np.uint8), panorama=True)
    with pytest.raises(LiftError, match="takes ordinary pictures"):
        HubDepth(MODELS[SMALL], saved / SMALL, ["cpu"]).estimate(around)


def test_running_out_of_memory_ends_in_a_depth_map_and_says_every_step(
    saved: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The allocator fails inside of the real network until the picture it works on is small enough."""

    def tight(network: torch.nn.Module, plan: Plan) -> Callable[..., Any]:
        run = placed(network, plan)

        def forward(pixel_values: torch.Tensor) -> Any:
            if pixel_values.numel() > 3 * 40 * 60:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return run(pixel_values=pixel_values)

        return forward

    monkeypatch.setattr(hub_depth, "placed", tight)
    made = HubDepth(MODELS[SMALL], saved / SMALL, ["cpu"]).estimate(photo)
    assert made.backend == f"{SMALL} on cpu, in 2 x 2 tiles, at 70% of its resolution"
    assert made.notes == (
        f"{SMALL} on cpu ran out of memory",
        f"{SMALL} on cpu, in 2 x 2 tiles ran out of memory",
        f"therefore {SMALL} ran on cpu, in 2 x 2 tiles, at 70% of its resolution",
    )
    assert np.isfinite(made.distance_m).all()


def test_an_offloaded_network_says_the_same(saved: Path, photo: Photo) -> None:
    """Weights that come and go around every layer; on one device that changes nothing."""
    for name in NAMES:
        model, folder = MODELS[name], saved / name
        network = opened(folder, model)
        homes = [p.data_ptr() for p in network.parameters()]
        run = placed(network, Plan(device="cpu", offload=True))
        with torch.inference_mode():
            made = depths(model, lambda x, run=run: run(pixel_values=x), preparation_of(folder, model), photo.rgb, None)
        assert np.array_equal(made.depth_m, said(name, folder, photo).depth_m)
        assert [p.data_ptr() for p in network.parameters()] == homes


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", NAMES)
def test_on_a_gpu_offloaded_weights_go_home_and_the_answer_stays(name: str, saved: Path, photo: Photo) -> None:
    model, folder = MODELS[name], saved / name
    network = opened(folder, model)
    run = placed(network, Plan(device="cuda", offload=True))
    with torch.inference_mode():
        made = depths(model, lambda x: run(pixel_values=x), preparation_of(folder, model), photo.rgb, 200.0).depth_m
    assert {p.device.type for p in network.parameters()} == {"cpu"}
    np.testing.assert_allclose(made, said(name, folder, photo, 200.0).depth_m, rtol=2e-2)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_says_nearly_the_same(name: str, saved: Path, photo: Photo) -> None:
    model, folder = MODELS[name], saved / name
    run = placed(opened(folder, model), Plan(device="cpu", half=True))
    made = depths(model, lambda x: run(pixel_values=x), preparation_of(folder, model), photo.rgb, 200.0).depth_m
    whole = said(name, folder, photo, 200.0).depth_m
    assert made.dtype == np.float32
    inside = (whole > 1e-3) & (whole < 1e3)
    assert np.median(np.abs(np.log(made[inside] / whole[inside]))) < 0.02


def test_tiles_and_lower_resolution_keep_the_size_of_the_picture(saved: Path, photo: Photo) -> None:
    for how in ({"tiles": 2}, {"shrink": 0.7}, {"tiles": 2, "shrink": 0.5}):
        made = said(SMALL, saved / SMALL, photo, **how).depth_m
        assert made.shape == photo.rgb.shape[:2]
        assert np.isfinite(made).all()
