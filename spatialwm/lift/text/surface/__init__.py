"""Surfaces: solids, procedural materials, and the Gaussians that cover them."""
