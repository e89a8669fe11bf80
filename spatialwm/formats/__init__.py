"""Splat files: one module a format, reading and writing."""
