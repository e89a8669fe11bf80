"""Data for world models: episodes generated, written and read, and recordings of real robots."""

from spatialwm.dynamics.data.dataset import Dataset, Window, Windows, read_dataset
from spatialwm.dynamics.data.generate import generate
from spatialwm.dynamics.data.lerobot import episodes_written, write_dataset

__all__ = ["Dataset", "Window", "Windows", "episodes_written", "generate", "read_dataset", "write_dataset"]
