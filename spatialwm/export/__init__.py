"""Scenes become files that other programs open."""
