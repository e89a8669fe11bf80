"""From Python through cuda-core to a stand-in for the driver: what that is asked to do is what was meant."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spatialwm.render.cuda.compile import cubin

DRIVER = Path(__file__).parent / "driver"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Lines of the driver and of the script, in order."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("builds a libcuda.so.1 with a C compiler on Linux")
    if torch.cuda.is_available():
        pytest.skip("there is a real driver here")
    folder = tmp_path_factory.mktemp("driver")
    library = folder / "libcuda.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o", library, DRIVER / "stand_in.c"], check=True)
    cubin("sort.cu", "sm_90")  # kept on disk before: NVRTC, too, asks a driver that it finds, and more than the stand-in knows
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder)}
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", str(DRIVER / "launches.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_code_is_loaded_once_and_each_kernel_once(said: list[str]) -> None:
    assert said.count("load ELF") == 1
    assert said.count("kernel f") == 1


def test_grid_block_stream_and_arguments_arrive(said: list[str]) -> None:
    (address,) = (re.fullmatch(r"address (\w+)", line)[1] for line in said if line.startswith("address"))  # type: ignore[index]
    assert [line for line in said if line.startswith("launch")] == [
        f"launch 5,2,1 of 256,1,1 on 1234: {address} -5 0.25 1099511627776",
        "launch 7,1,1 of 16,16,1 on 0: 0 5 0.5 1",
        "launch 8,1,1 of 32,1,1 on 0: 0 6 1.5 2",
    ]


def test_what_the_driver_refuses_is_told_with_what_was_asked(said: list[str]) -> None:
    absent, nothing, elsewhere = (line for line in said if line.startswith("refused:"))
    assert re.match(r"refused: absent in sort.cu could not be loaded on Stand-in: .*needs a driver for CUDA \d+ or later", absent)
    assert "f in sort.cu could not be launched as a grid of (0, 1, 1) blocks of (256, 1, 1) threads" in nothing
    assert elsewhere == "refused: kernel argument 0 is on cpu, the kernel on cuda:0"


def test_the_doctor_names_architecture_and_compiler(said: list[str]) -> None:
    assert re.fullmatch(r"sm_90, NVRTC \d+\.\d+, kernels kept in .*cubin", said[-1])
