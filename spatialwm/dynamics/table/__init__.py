"""TablePush-3D: things on a table, pushed about; what is true of them, and what is believed."""

from spatialwm.dynamics.table.batch import Drive, Filling, NominalPhysics, TableBatch, TruePhysics
from spatialwm.dynamics.table.episodes import make_episode, make_twins
from spatialwm.dynamics.table.simulator import DT_S, TableSimulator
from spatialwm.dynamics.table.table import VARIANTS, Table

__all__ = [
    "DT_S", "VARIANTS", "Drive", "Filling", "NominalPhysics", "Table", "TableBatch", "TableSimulator", "TruePhysics",
    "make_episode", "make_twins",
]  # fmt: skip
