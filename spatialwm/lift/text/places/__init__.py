"""Families of places: the shell, ground, sky and lights that objects stand in."""
