"""The Gaussian world model: a latent diffusion of 3D Gaussians under actions, complete and with nothing switched off."""

from spatialwm.dynamics.gwm.config import CONFIGS, RELEASED, SMALL, TINY, GwmConfig, config_named
from spatialwm.dynamics.gwm.forecaster import Gwm, Imagined
from spatialwm.dynamics.gwm.loop import Budget
from spatialwm.dynamics.gwm.measure import Measured, measure
from spatialwm.dynamics.gwm.model import GwmModel
from spatialwm.dynamics.gwm.training import Trained, train, train_dynamics, train_vae
from spatialwm.dynamics.gwm.weights import read_weights, shipped, write_weights

__all__ = [
    "CONFIGS", "RELEASED", "SMALL", "TINY", "Budget", "Gwm", "GwmConfig", "GwmModel", "Imagined", "Measured", "Trained",
    "config_named", "measure", "read_weights", "shipped", "train", "train_dynamics", "train_vae", "write_weights",
]  # fmt: skip
