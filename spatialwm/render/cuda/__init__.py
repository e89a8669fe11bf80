"""The rasteriser on NVIDIA GPUs: kernels of our own, compiled on first use. Start reading at backend.py, then cuda/project.cu."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from spatialwm.render.cuda.backend import rasterization

__all__ = ["missing", "rasterization"]


def missing() -> str | None:
    """Why our kernels cannot run here and how to mend it; None where they can."""
    if not torch.cuda.is_available():
        return "it needs an NVIDIA GPU that torch can see; use the cpu backend, or install a build of torch with CUDA"
    if find_spec("cuda") is None or find_spec("cuda.core") is None or find_spec("cuda.bindings.nvrtc") is None:
        return "it compiles its kernels with cuda-core: pip install 'spatialwm[cuda]'"
    return None
