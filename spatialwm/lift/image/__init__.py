"""One picture becomes a scene: start reading at lifter.py."""
