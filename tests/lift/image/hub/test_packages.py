"""Networks with packages of their own. Those cannot be installed here: stand-ins with the calls and shapes of their sources
check that what comes back is read in the right units; they say nothing about the packages themselves."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from spatialwm.errors import LiftError
from spatialwm.lift.image.hub.depth import HubDepth
from spatialwm.lift.image.hub.fit import Plan
from spatialwm.lift.image.hub.models import MODELS
from spatialwm.lift.image.hub.packages import package_say

WIDTH, HEIGHT = 96, 64
RGB = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
CPU = Plan(device="cpu")


def install(monkeypatch: pytest.MonkeyPatch, name: str, **contents: Any) -> None:
    module = ModuleType(name)
    for key, value in contents.items():
        setattr(module, key, value)
    parts = name.split(".")
    for i in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:i]), ModuleType(".".join(parts[:i])))
    monkeypatch.setitem(sys.modules, name, module)


class Network(torch.nn.Module):
    @classmethod
    def from_pretrained(cls, path: str) -> Network:
        assert Path(path).exists()
        return cls()


class Moge(Network):
    def infer(self, image: torch.Tensor, fov_x: float | None, apply_mask: bool, use_fp16: bool) -> dict[str, torch.Tensor]:
        assert image.shape == (3, HEIGHT, WIDTH)
        assert 0 <= image.min() <= image.max() <= 1
        share = 0.75 if fov_x is None else 0.5 / np.tan(np.radians(fov_x) / 2)
        mask = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
        mask[:10] = False
        intrinsics = torch.diag(torch.tensor([share, 1.0, 1.0]))
        return {"depth": torch.full((HEIGHT, WIDTH), 3.0), "intrinsics": intrinsics, "mask": mask}


class DepthAnything3(Network):
    def inference(self, image: list[np.ndarray]) -> Any:
        sky = np.zeros((1, 32, 48), np.float32)
        sky[:, :8] = 1
        return SimpleNamespace(depth=np.full((1, 32, 48), 2.0, np.float32), sky=sky)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save({}, tmp_path / "model.pt")
    return tmp_path


def test_moge_gives_metres_focal_length_and_sky(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "moge.model.v2", MoGeModel=Moge)
    say = package_say(MODELS["moge-2"], weights, CPU)
    seen = say(RGB, None)
    assert seen.focal_px == pytest.approx(0.75 * WIDTH)
    assert say(RGB, 200.0).focal_px == pytest.approx(200.0)
    assert (seen.depth_m == 3).all()
    assert seen.sky is not None
    assert seen.sky[:10].all()
    assert not seen.sky[10:].any()


def test_depth_anything_3_is_canonical_depth_times_focal_length_over_300(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "depth_anything_3.api", DepthAnything3=DepthAnything3)
    seen = package_say(MODELS["depth-anything-3-metric"], weights, CPU)(RGB, 120.0)
    np.testing.assert_allclose(seen.depth_m, 2.0 * (120.0 * 48 / WIDTH) / 300, rtol=1e-6)
    assert seen.sky is not None
    assert seen.sky.shape == (HEIGHT, WIDTH)
    assert seen.sky[:14].all()


def test_sharp_is_the_foremost_of_its_gaussians(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    focal_px = 80.0

    def predict_image(network: Any, rgb: np.ndarray, f_px: float, device: torch.device) -> Any:
        v, u = np.mgrid[0.5:768, 0.5:768] / 768
        rays = np.stack([(u - 0.5) * WIDTH / f_px, (v - 0.5) * HEIGHT / f_px, np.ones_like(u)], -1)
        layers = np.stack([rays * 2, rays * 5, rays * 0.5])  # seen, hidden behind it, and too faint to count
        opacity = np.broadcast_to(np.array([0.9, 0.9, 0.1])[:, None, None], layers.shape[:3])
        means = torch.from_numpy(layers.reshape(1, -1, 3)[:, ::-1].copy())
        return SimpleNamespace(mean_vectors=means, opacities=torch.from_numpy(opacity.reshape(1, -1)[:, ::-1].copy()))

    install(monkeypatch, "sharp.models", PredictorParams=dict, create_predictor=lambda params: torch.nn.Module())
    install_beside(monkeypatch, "sharp.cli.predict", predict_image=predict_image)
    seen = package_say(MODELS["sharp"], weights, CPU)(RGB, focal_px)
    np.testing.assert_allclose(seen.depth_m, 2.0, rtol=1e-5)


def install_beside(monkeypatch: pytest.MonkeyPatch, name: str, **contents: Any) -> None:
    """Another module of a package that is there."""
    kept = {key: module for key, module in sys.modules.items() if key.split(".")[0] == name.split(".")[0]}
    install(monkeypatch, name, **contents)
    for key, module in kept.items():
        monkeypatch.setitem(sys.modules, key, module)


def test_through_the_backend_a_package_gives_an_estimate(weights: Path, monkeypatch: pytest.MonkeyPatch, photo: Any) -> None:
    class Sized(Moge):
        def infer(self, image: torch.Tensor, **how: Any) -> dict[str, torch.Tensor]:
            size = image.shape[1:]
            return {"depth": torch.full(size, 3.0), "intrinsics": torch.eye(3), "mask": torch.ones(size, dtype=torch.bool)}

    install(monkeypatch, "moge.model.v2", MoGeModel=Sized)
    made = HubDepth(MODELS["moge-2"], weights, ["cpu"]).estimate(photo)
    assert made.focal_source == "moge-2"
    assert (made.confidence == 1).all()
    assert made.distance_m.min() == pytest.approx(3.0, rel=1e-4)
    assert made.distance_m.max() > 3.1


def test_a_package_that_changed_is_refused_in_one_line(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "moge.model.v2")
    with pytest.raises(LiftError, match=r"does not open as moge-2 .*MoGeModel.* update its package") as caught:
        package_say(MODELS["moge-2"], weights, CPU)
    assert "\n" not in str(caught.value)
