"""The 32-byte .splat: floats exact, the rest within 8 bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.errors import FormatError
from spatialwm.formats import splat
from spatialwm.gaussians import Gaussians


def test_floats_are_exact_and_the_rest_within_8_bits(gaussians_of):
    g = gaussians_of(1000)
    back = splat.decode(splat.encode(g)).gaussians
    order = torch.argsort(-(g.scales.double().prod(1) * g.opacities), stable=True)
    g = g.select(order)
    assert torch.equal(g.means, back.means)
    assert torch.equal(g.scales, back.scales)
    assert (g.opacities - back.opacities).abs().max() <= 1 / 510 + 1e-6
    assert (g.rgb.clamp(0, 1) - back.rgb).abs().max() <= 1 / 510 + 1e-5
    angle = 2 * torch.arccos((g.quats * back.quats).sum(1).abs().clamp(max=1))
    assert angle.max() < 0.025


def test_large_opaque_splats_come_first():
    scales = np.array([[0.1] * 3, [1.0] * 3, [1.0] * 3])
    quats = np.tile([1.0, 0, 0, 0], (3, 1))
    g = Gaussians.from_numpy(np.arange(9.0).reshape(3, 3), quats, scales, np.array([1.0, 0.1, 1.0]), rgb=np.ones((3, 3)))
    assert splat.decode(splat.encode(g)).gaussians.means[:, 0].tolist() == [6, 3, 0]


@pytest.mark.parametrize("size", [0, 1, 31, 33, 3201])
def test_a_partial_row_is_refused(size: int):
    with pytest.raises(FormatError, match=f"{size} bytes: expected a multiple of 32"):
        splat.decode(bytes(size))
