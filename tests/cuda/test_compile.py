"""Every kernel compiles to machine code without a GPU, once, and is found again."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from spatialwm.errors import SpatialwmError
from spatialwm.render.cuda import compile, device

SOURCES = sorted(p.name for p in compile.sources().glob("*.cu"))
ARCHITECTURES = ["sm_80", "sm_90", "sm_100"]  # A100, H100 and H200, B200


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compile, "_cache_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_compiles_to_machine_code(source: str, architecture: str) -> None:
    code = compile.cubin(source, architecture)
    assert code.startswith(b"\x7fELF")
    names = {name for name, _ in kernels_of(source)}
    assert names
    assert all(f".text.{name}\0".encode() in code for name in names)


def kernels_of(source: str) -> list[tuple[str, str]]:
    """Names and arguments of the kernels of a source file."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", (compile.sources() / source).read_text("utf-8"), flags=re.DOTALL)
    pattern = r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(([^)]*)\)'
    return re.findall(pattern, text)


def test_there_is_something_to_compile() -> None:
    assert "sort.cu" in SOURCES


def test_code_is_compiled_once_and_found_again(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile.cubin("sort.cu", "sm_90")
    assert len(list(empty_cache.iterdir())) == 1
    monkeypatch.setattr(compile, "_compile", lambda *_: pytest.fail("compiled again"))
    assert compile.cubin("sort.cu", "sm_90") == code


def test_a_change_of_source_header_or_architecture_compiles_anew(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = empty_cache / "cuda"
    folder.mkdir()
    monkeypatch.setattr(compile, "sources", lambda: folder)
    (folder / "two.cuh").write_text("#define TWO 2\n")
    kernel = '#include "two.cuh"\nextern "C" __global__ void f(int *out) { *out = TWO; }\n'
    seen = set()
    for header, text, architecture in [
        ("#define TWO 2\n", kernel, "sm_90"),
        ("#define TWO 22\n", kernel, "sm_90"),
        ("#define TWO 22\n", kernel + "//\n", "sm_90"),
        ("#define TWO 22\n", kernel + "//\n", "sm_80"),
    ]:
        (folder / "two.cuh").write_text(header)
        (folder / "f.cu").write_text(text)
        compile.cubin("f.cu", architecture)
        seen |= {p.name for p in empty_cache.glob("*.cubin")}
    assert len(seen) == 4


def test_a_damaged_cache_file_is_replaced(empty_cache: Path) -> None:
    code = compile.cubin("sort.cu", "sm_90")
    (kept,) = empty_cache.iterdir()
    kept.write_bytes(b"")
    assert compile.cubin("sort.cu", "sm_90") == code == kept.read_bytes()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_is_done_without(empty_cache: Path) -> None:
    empty_cache.chmod(0o500)
    assert compile.cubin("sort.cu", "sm_90").startswith(b"\x7fELF")


def test_a_vanished_cache_folder_is_done_without(empty_cache: Path) -> None:
    empty_cache.rmdir()
    assert compile.cubin("sort.cu", "sm_90").startswith(b"\x7fELF")


def test_what_the_compiler_says_is_in_the_error(empty_cache: Path) -> None:
    bad = empty_cache / "bad.cu"
    bad.write_text('extern "C" __global__ void f(int *out) { *out = nonsense; }')
    with pytest.raises(SpatialwmError, match=r'bad.cu does not compile for sm_90 with NVRTC [\s\S]*"nonsense" is undefined'):
        compile.cubin(str(bad), "sm_90")


def test_a_missing_source_and_an_unknown_architecture_are_named(empty_cache: Path) -> None:
    with pytest.raises(SpatialwmError, match=r"no kernel source .*absent.cu"):
        compile.cubin("absent.cu", "sm_90")
    with pytest.raises(SpatialwmError, match="does not compile for sm_1"):
        compile.cubin("sort.cu", "sm_1")


def test_without_a_driver_kernels_say_so_and_do_not_hang() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(SpatialwmError, match="need an NVIDIA GPU"):
        device.kernels("sort.cu", torch.device("cuda"))
    with pytest.raises(SpatialwmError, match="run on cuda devices; the tensors are on cpu"):
        device.kernels("sort.cu", torch.device("cpu"))


def test_arguments_lie_in_memory_as_the_kernel_reads_them() -> None:
    """What cuda-core would hand to the driver, which needs none to be made."""
    from cuda.core._kernel_arg_handler import ParamHolder

    tensor = torch.zeros(3)
    given = (tensor, None, torch.zeros(0), -5, 0.25, np.int64(2**40), np.uint32(7), np.float64(1.5))
    packed = device.pack(given, torch.device("cpu"))
    holder = ParamHolder([device.address_or_value(p) for p in packed])
    addresses = (ctypes.c_void_p * len(given)).from_address(holder.ptr)
    types = [ctypes.c_uint64] * 3 + [ctypes.c_int32, ctypes.c_float, ctypes.c_int64, ctypes.c_uint32, ctypes.c_double]
    received = [kind.from_address(at).value for kind, at in zip(types, addresses, strict=True)]
    assert received == [tensor.data_ptr(), 0, 0, -5, 0.25, 2**40, 7, 1.5]
