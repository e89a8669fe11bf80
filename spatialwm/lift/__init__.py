"""Inputs become scenes: words, splat files, pictures, video, layouts."""
