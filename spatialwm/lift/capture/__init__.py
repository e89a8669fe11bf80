"""Photographs with cameras become a scene: posed inputs, structure from motion, training."""
