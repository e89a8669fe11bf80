"""How good predictions are: our models beside every simple one, on tables that none of them has seen."""

from spatialwm.bench.dynamics.judge import MODELS, PROTOCOL, judge

__all__ = ["MODELS", "PROTOCOL", "judge"]
