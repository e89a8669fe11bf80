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

try:
    import transformers as _transformers
except ImportError:
    _transformers = None
transformers: Any = _transformers


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


def save_sam2(folder: Path) -> None:
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=16, num_attention_heads=1, image_size=[128, 128], blocks_per_stage=[1, 1, 2, 1], global_attention_blocks=[3],
        embed_dim_per_stage=[16, 32, 64, 128], num_attention_heads_per_stage=[1, 2, 4, 8], window_size_per_stage=[8, 4, 4, 4],
    )  # fmt: skip
    vision = transformers.Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=[128, 64, 32, 16], fpn_hidden_size=32,
        backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
    )  # fmt: skip
    prompt = transformers.Sam2PromptEncoderConfig(hidden_size=32, image_size=128, patch_size=16, mask_input_channels=4)
    decoder = transformers.Sam2MaskDecoderConfig(hidden_size=32, mlp_dim=32, num_attention_heads=2, iou_head_hidden_dim=16)
    config = transformers.Sam2Config(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    lively(transformers.Sam2Model(config)).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        '{"image_processor_type": "Sam2ImageProcessorFast", "size": {"height": 128, "width": 128}, "resample": 2,'
        ' "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}'
    )


def save_grounding_dino(folder: Path) -> None:
    backbone = transformers.SwinConfig(
        image_size=64, embed_dim=16, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 2], window_size=4, out_indices=[2, 3, 4]
    )
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", "red", "chair", "a", "desk", "lamp", "the"]
    text = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    config = transformers.GroundingDinoConfig(
        backbone_config=backbone, text_config=text, num_queries=30, encoder_layers=1, decoder_layers=2, d_model=32,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32,
    )  # fmt: skip
    lively(transformers.GroundingDinoForObjectDetection(config)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = transformers.BertTokenizer(vocab=str(folder / "vocab.txt"))
    processor = transformers.GroundingDinoImageProcessorPil(size={"shortest_edge": 96, "longest_edge": 160})
    tokenizer.save_pretrained(folder)
    processor.save_pretrained(folder)


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
    "sam2": save_sam2,
    "grounding-dino": save_grounding_dino,
}


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights as SPATIALWM_WEIGHTS names one, of tiny models."""
    if transformers is None:
        pytest.skip("the hub extra is not installed")
    root = tmp_path_factory.mktemp("weights")
    for name, save in SAVERS.items():
        (root / name).mkdir()
        save(root / name)
    return root


@pytest.fixture(scope="session")
def photo(shared_dir: Path) -> Photo:
    picture = Image.open(shared_dir / "data" / "photos" / "moge_02_Office.jpg").convert("RGB")
    picture.thumbnail((240, 240))
    return Photo(name="office", rgb=np.asarray(picture))
