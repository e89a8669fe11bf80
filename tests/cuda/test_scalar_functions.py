"""The scalar functions of the CUDA headers, compiled by the host's compiler, against the float64 reference."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from spatialwm.geometry.sh import num_bases, sh_to_rgb

CUDA = Path(__file__).resolve().parents[2] / "cuda"
WRAPPER = """
#include "sh.cuh"
extern "C" void colors(int degree, int n, const double *sh, const double *directions, double *out) {
    const int k = (degree + 1) * (degree + 1);
    for (int i = 0; i < n; ++i) {
        double basis[16];
        spatialwm::sh_basis(degree, directions[3 * i], directions[3 * i + 1], directions[3 * i + 2], basis);
        for (int c = 0; c < 3; ++c) out[3 * i + c] = spatialwm::sh_to_channel(degree, basis, sh + i * 3 * k + c, 3);
    }
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler on this machine")
    folder = tmp_path_factory.mktemp("cuda")
    (folder / "wrapper.cpp").write_text(WRAPPER)
    out = folder / "scalar.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", f"-I{CUDA}", "-o", out, folder / "wrapper.cpp"], check=True)
    return ctypes.CDLL(str(out))


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_colors_equal_the_reference(library: ctypes.CDLL, degree: int) -> None:
    generator = torch.Generator().manual_seed(degree)
    directions = torch.nn.functional.normalize(torch.randn(64, 3, generator=generator, dtype=torch.float64), dim=-1)
    sh = torch.randn(64, num_bases(degree), 3, generator=generator, dtype=torch.float64)
    out = np.zeros((64, 3))
    arrays = [np.ascontiguousarray(sh.numpy()), np.ascontiguousarray(directions.numpy()), out]
    library.colors(degree, 64, *(ctypes.c_void_p(a.ctypes.data) for a in arrays))
    np.testing.assert_allclose(out, sh_to_rgb(sh, directions).numpy(), rtol=1e-12, atol=1e-12)
