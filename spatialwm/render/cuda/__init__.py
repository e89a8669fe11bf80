"""The rasteriser on NVIDIA GPUs: kernels of our own, compiled on first use. Start reading at backend.py, then cuda/project.cu."""

from spatialwm.render.cuda.backend import missing, rasterization

__all__ = ["missing", "rasterization"]
