"""The rasteriser for machines without a GPU: numba kernels, the hot loop as explicit vectors. Start reading at backend.py."""

from spatialwm.render.cpu.backend import rasterization, warm_up

__all__ = ["rasterization", "warm_up"]
