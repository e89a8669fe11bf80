"""How good predictions are: models, baselines and the truth on the same moments of held-out episodes. Start at evaluate.py."""

from spatialwm.dynamics.evaluate.baselines import AttachToGripper, ConstantVelocity, CopyLast, commanded_path
from spatialwm.dynamics.evaluate.bootstrap import Estimate, Resamples
from spatialwm.dynamics.evaluate.certainty import interval_factor
from spatialwm.dynamics.evaluate.contact import Contact, box_piece, cylinder_piece, hulls
from spatialwm.dynamics.evaluate.evaluate import Protocol, evaluate
from spatialwm.dynamics.evaluate.fitting import Fit
from spatialwm.dynamics.evaluate.flow import FreePointFlow, train_flow
from spatialwm.dynamics.evaluate.latent import LatentModel, train_latent
from spatialwm.dynamics.evaluate.metrics import PointForecast
from spatialwm.dynamics.evaluate.page import report
from spatialwm.dynamics.evaluate.pictures import Look, look_at_cast
from spatialwm.dynamics.evaluate.results import HorizonScore, ModelScore, Results
from spatialwm.dynamics.evaluate.tables import look_at_table, table_solids
from spatialwm.dynamics.evaluate.windows import MOVED_M, STILL_M, Twin

__all__ = [
    "MOVED_M", "STILL_M", "AttachToGripper", "ConstantVelocity", "Contact", "CopyLast", "Estimate", "Fit", "FreePointFlow",
    "HorizonScore", "LatentModel", "Look", "ModelScore", "PointForecast", "Protocol", "Resamples", "Results", "Twin", "box_piece",
    "commanded_path", "cylinder_piece", "evaluate", "hulls", "interval_factor", "look_at_cast", "look_at_table", "report",
    "table_solids", "train_flow", "train_latent",
]  # fmt: skip
