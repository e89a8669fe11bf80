"""The kernel of relocation.cu, run by the emulator, against the processor's function."""

from __future__ import annotations

import pytest
import torch

from spatialwm.render import relocated
from spatialwm.render.cuda import relocation


@pytest.mark.usefixtures("emulated")
def test_the_kernel_shares_as_the_processor_does():
    g = torch.Generator().manual_seed(0)
    opacities, scales = torch.rand(300, generator=g), torch.rand(300, 3, generator=g)
    opacities[:4] = torch.tensor([0.0, 1.0, 0.9999999, 1e-6])
    counts = torch.randint(1, 60, (300,), generator=g)
    counts[4] = 5000
    got, want = relocation.relocated(opacities, scales, counts), relocated(opacities, scales, counts)
    # Both compute in float64 and round once.
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=0)


@pytest.mark.usefixtures("emulated")
def test_none_are_none():
    assert [len(t) for t in relocation.relocated(torch.zeros(0), torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))] == [0, 0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_gpu_shares_as_the_processor_does():
    g = torch.Generator().manual_seed(0)
    opacities, scales, counts = torch.rand(10_000, generator=g), torch.rand(10_000, 3, generator=g), torch.arange(10_000) % 60 + 1
    for a, b in zip(relocated(opacities.cuda(), scales.cuda(), counts.cuda()), relocated(opacities, scales, counts), strict=True):
        torch.testing.assert_close(a.cpu(), b, rtol=1e-6, atol=0)
