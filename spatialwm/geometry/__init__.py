"""Frames, cameras, meshes, spherical harmonics and colour: pure functions and frozen values, nothing else."""
