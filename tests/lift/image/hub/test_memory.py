"""The memory that the table of models claims is what the real classes at their published sizes hold at once.

Nothing is computed: the networks run on tensors without contents, of which every allocation is counted.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from spatialwm.lift.image.hub.models import MASKS, MODELS, WORKSPACE_BYTES, HubModel

transformers = pytest.importorskip("transformers", reason="the hub extra is not installed")


class Held(TorchDispatchMode):
    """Counts the bytes of all storages that are alive, and their peak."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: set[int] = set()

    def count(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key not in self.known:
            self.known.add(key)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self.freed, key, size)

    def freed(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor):
                self.count(leaf)
        return out


def measured(make: Callable[[], torch.nn.Module], shape: tuple[int, ...], call: Callable[..., Any]) -> tuple[int, int]:
    """Parameters, and the peak of bytes held."""
    with torch.device("meta"):
        network = make().eval()
    with FakeTensorMode(allow_non_fake_inputs=True):
        network.to_empty(device="cpu")
        held = Held()
        for tensor in (*network.parameters(), *network.buffers()):
            held.count(tensor.data)
        with held, torch.no_grad():
            call(network, torch.zeros(shape))
    return sum(p.numel() for p in network.parameters()), held.peak


def depth_anything(size: str) -> Any:
    hidden, layers, heads, taps, necks, fusion = {
        "small": (384, 12, 6, [3, 6, 9, 12], [48, 96, 192, 384], 64),
        "base": (768, 12, 12, [3, 6, 9, 12], [96, 192, 384, 768], 128),
        "large": (1024, 24, 16, [5, 12, 18, 24], [256, 512, 1024, 1024], 256),
    }[size]
    backbone = transformers.Dinov2Config(
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, image_size=518, patch_size=14, out_indices=taps,
        reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=hidden, neck_hidden_sizes=necks, fusion_hidden_size=fusion,
        head_hidden_size=32, depth_estimation_type="metric", max_depth=20,
    )  # fmt: skip
    return transformers.DepthAnythingForDepthEstimation(config)


def depth_pro() -> Any:
    def encoder() -> Any:
        return transformers.Dinov2Config(
            hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, patch_size=16, image_size=384
        )

    config = transformers.DepthProConfig(
        image_model_config=encoder(), patch_model_config=encoder(), fov_model_config=encoder(), use_fov_model=True
    )
    return transformers.DepthProForDepthEstimation(config)


def zoedepth() -> Any:
    # Of the two heads of the published weights one is run, by a look at the values; here there are none to look at.
    backbone = transformers.BeitConfig(
        image_size=384, hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16,
        use_relative_position_bias=True, reshape_hidden_states=False, out_features=["stage6", "stage12", "stage18", "stage24"],
    )  # fmt: skip
    return transformers.ZoeDepthForDepthEstimation(
        transformers.ZoeDepthConfig(backbone_config=backbone, neck_hidden_sizes=[256, 512, 1024, 1024])
    )


def run(network: Any, pixels: torch.Tensor) -> Any:
    return network(pixel_values=pixels)


def click(network: Any, pixels: torch.Tensor) -> Any:
    points, labels = torch.zeros(1, 1, 1, 2), torch.ones(1, 1, 1, dtype=torch.int64)
    return network(image_embeddings=network.get_image_embeddings(pixels), input_points=points, input_labels=labels)


CASES: dict[str, tuple[HubModel, Callable[[], Any], Callable[..., Any]]] = {
    "depth-anything small": (MODELS["depth-anything-v2-metric-indoor-small"], lambda: depth_anything("small"), run),
    "depth-anything base": (MODELS["depth-anything-v2-metric-indoor-base"], lambda: depth_anything("base"), run),
    "depth-anything large": (MODELS["depth-anything-v2-metric-outdoor-large"], lambda: depth_anything("large"), run),
    "depth-pro": (MODELS["depth-pro"], depth_pro, run),
    "zoedepth": (MODELS["zoedepth"], zoedepth, run),
    "sam2": (MASKS, lambda: transformers.Sam2Model(transformers.Sam2Config()), click),
}


HEAVY = ("depth-anything base", "depth-anything large", "depth-pro", "sam2", "zoedepth")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in HEAVY else n for n in CASES])
def test_the_table_claims_no_less_than_is_held_and_hardly_more(name: str) -> None:
    model, make, call = CASES[name]
    width, height = model.size
    parameters, peak = measured(make, (1, 3, height, width), call)
    assert parameters / 1e6 == pytest.approx(model.parameters_m, rel=0.02)
    assert peak <= model.memory_bytes - WORKSPACE_BYTES <= 1.3 * peak
