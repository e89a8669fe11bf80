"""The rasteriser on NVIDIA GPUs: kernels of our own, compiled on first use."""
