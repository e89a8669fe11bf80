"""Configurations are values, and the released one has the published sizes."""

from __future__ import annotations

import dataclasses
import json

import pytest

from spatialwm.dynamics.gwm import CONFIGS, RELEASED, GwmConfig, config_named
from spatialwm.errors import SpatialwmError


def test_the_released_sizes_are_the_published_ones():
    vae, denoiser, edm = RELEASED.vae, RELEASED.denoiser, RELEASED.edm
    assert (vae.gaussians, vae.tokens, vae.latent_channels, vae.self_attention_layers) == (2048, 64, 64, 4)
    assert (denoiser.hidden, denoiser.depth, denoiser.heads) == (384, 12, 6)
    assert (RELEASED.context, RELEASED.segment, RELEASED.outcome.lstm) == (2, 10, 384)
    assert (edm.sigma_data, edm.p_mean, edm.p_std, edm.sigma_min, edm.sigma_max, edm.rho, edm.steps) == (
        0.5, -1.2, 1.2, 2e-3, 20.0, 7.0, 5,
    )  # fmt: skip


@pytest.mark.parametrize("name", list(CONFIGS))
def test_a_configuration_survives_json_and_cannot_be_changed(name):
    config = config_named(name)
    assert GwmConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.context = 3


@pytest.mark.parametrize("name", list(CONFIGS))
def test_the_kl_is_on_in_every_configuration(name):
    assert config_named(name).vae.kl_weight > 0


def test_an_unknown_size_is_refused():
    with pytest.raises(SpatialwmError, match="no Gaussian world model is called 'huge'; choose one of tiny, small, released"):
        config_named("huge")
