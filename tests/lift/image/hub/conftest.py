"""The real classes, tiny and with random weights, saved as they are published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from spatialwm.lift.image.photo import Photo

transformers = pytest.importorskip("transformers", reason="the hub extra is not installed")


def dinov2(**changes: Any) -> Any:
    sizes = dict(hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=64)
    return transformers.Dinov2Config(**{**sizes, **changes})


def save_depth_anything(folder: Path, place: str = "indoors") -> None:
    backbone = dinov2(image_size=56, patch_size=14, out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True)
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=32, neck_hidden_sizes=[8, 16, 16, 16], fusion_hidden_size=16,
        head_hidden_size=8, depth_estimation_type="metric", max_depth=20 if place == "indoors" else 80,
    )  # fmt: skip
    lively(transformers.DepthAnythingForDepthEstimation(config)).save_pretrained(folder)
    transformers.DPTImageProcessorPil(
        size={"height": 70, "width": 70}, ensure_multiple_of=14, keep_aspect_ratio=True, image_mean=[0.485, 0.456, 0.406]
    ).save_pretrained(folder)


def save_depth_pro(folder: Path) -> None:
    def encoder() -> Any:
        return dinov2(image_size=32, patch_size=8)

    config = transformers.DepthProConfig(
        patch_size=32, image_model_config=encoder(), patch_model_config=encoder(), fov_model_config=encoder(), use_fov_model=True,
        fusion_hidden_size=16, intermediate_hook_ids=[2, 1], intermediate_feature_dims=[16, 16],
        scaled_images_feature_dims=[32, 32, 16], merge_padding_value=1,
    )  # fmt: skip
    lively(transformers.DepthProForDepthEstimation(config)).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(  # its class cannot be imported without torchvision
        '{"image_processor_type": "DepthProImageProcessor", "size": {"height": 128, "width": 128}, "image_mean": [0.5, 0.5, 0.5],'
        ' "image_std": [0.5, 0.5, 0.5], "resample": 2}'
    )


def save_zoedepth(folder: Path) -> None:
    backbone = transformers.BeitConfig(
        image_size=64, patch_size=16, hidden_size=32, intermediate_size=64, num_hidden_layers=4, num_attention_heads=2,
        use_relative_position_bias=True, reshape_hidden_states=False, out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    bins = [{"name": n, "n_bins": 16, "min_depth": 0.001, "max_depth": m} for n, m in (("nyu", 10.0), ("kitti", 80.0))]
    config = transformers.ZoeDepthConfig(
        backbone_config=backbone, neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=16, bottleneck_features=16,
        bin_embedding_dim=8, num_relative_features=8, bin_configurations=bins, num_patch_transformer_layers=4,
        patch_transformer_hidden_size=128, patch_transformer_intermediate_size=16, patch_transformer_num_attention_heads=2,
    )  # fmt: skip
    lively(transformers.ZoeDepthForDepthEstimation(config)).save_pretrained(folder)
    size = {"height": 64, "width": 64}
    transformers.ZoeDepthImageProcessorPil(size=size, ensure_multiple_of=32, keep_aspect_ratio=True).save_pretrained(folder)


def lively(network: Any) -> Any:
    """Random weights so small as a fresh network has them give one depth everywhere; larger ones do not."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                fan_in = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * (2 / fan_in) ** 0.5)
    return network


SAVERS: dict[str, Callable[[Path], None]] = {
    "depth-anything-v2-metric-indoor-small": save_depth_anything,
    "depth-anything-v2-metric-outdoor-small": lambda folder: save_depth_anything(folder, "outdoors"),
    "depth-pro": save_depth_pro,
    "zoedepth": save_zoedepth,
}


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights as SPATIALWM_WEIGHTS names one, of tiny models."""
    root = tmp_path_factory.mktemp("weights")
    for name, save in SAVERS.items():
        save(root / name)
    return root


@pytest.fixture(scope="session")
def photo(shared_dir: Path) -> Photo:
    picture = Image.open(shared_dir / "data" / "photos" / "moge_02_Office.jpg").convert("RGB")
    picture.thumbnail((240, 240))
    return Photo(name="office", rgb=np.asarray(picture))
