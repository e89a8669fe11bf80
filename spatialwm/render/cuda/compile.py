"""From a kernel's source to a cubin, kept on disk."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from spatialwm.atomic import write_bytes
from spatialwm.errors import MissingDependencyError, SpatialwmError
from spatialwm.render.kernel_cache import writable_cache_dir

_STANDARD = "c++17"
_ELF = b"\x7fELF"


def sources() -> Path:
    """The folder of kernel sources: inside the package of a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    shipped = package / "_cuda"
    return shipped if shipped.is_dir() else package.parent / "cuda"


def cubin(source: str, architecture: str) -> bytes:
    """Machine code of ``cuda/<source>`` for exactly one architecture, e.g. ``"sm_90"``; needs no GPU.

    A cubin and not PTX, because a driver refuses the PTX of a compiler newer than itself. The cache needs no emptying: the name
    of a file is the hash of all that its content depends on.

    Args:
        source: a file's name in :func:`sources`, or an absolute path.

    Raises:
        MissingDependencyError: no compiler (NVRTC) here.
        SpatialwmError: no such source, or it does not compile; the message carries the compiler's log.
    """
    path = sources() / source
    if not path.is_file():
        raise SpatialwmError(f"no kernel source {path}: the installation is incomplete; reinstall spatialwm")
    kept = _cache_folder() / f"{path.stem}-{architecture}-{_digest(path, architecture)}.cubin"
    with suppress(OSError):
        code = kept.read_bytes()
        if code.startswith(_ELF):
            return code
    code = _compile(path, architecture)
    with suppress(SpatialwmError):  # a full disk costs the next process a second, not this one its picture
        write_bytes(kept, code, SpatialwmError)
    return code


def nvidia(module: str) -> Any:
    """A module of NVIDIA's ``cuda`` package; by name, as type checkers take the checkout's ``cuda/`` for the package."""
    return import_module(module)


@cache
def compiler_version() -> str:
    """Version of NVRTC, e.g. ``"13.0"``.

    Raises:
        MissingDependencyError: cuda-core or NVRTC is not installed.
    """
    try:
        _, major, minor = nvidia("cuda.bindings.nvrtc").nvrtcVersion()
        nvidia("cuda.core")
    except (ImportError, RuntimeError) as e:  # RuntimeError: the bindings are here, the library they load is not
        raise MissingDependencyError("cuda-core with NVRTC", "cuda", "compiling CUDA kernels") from e
    return f"{major}.{minor}"


def _compile(path: Path, architecture: str) -> bytes:
    compiler_version()
    core = nvidia("cuda.core")
    options = core.ProgramOptions(name=path.name, arch=architecture, std=_STANDARD, include_path=[str(sources())])
    try:
        program = core.Program(path.read_text("utf-8"), "c++", options)
        return bytes(program.compile("cubin").code)
    except Exception as e:  # cuda-core's own errors have no public base class
        log = str(e).strip(" \n\0")
        raise SpatialwmError(f"{path.name} does not compile for {architecture} with NVRTC {compiler_version()}: {log}") from e


def _digest(path: Path, architecture: str) -> str:
    digest = hashlib.sha256("\0".join([path.name, architecture, _STANDARD, compiler_version()]).encode())
    for part in (path, *sorted(sources().glob("*.cuh"))):
        text = part.read_bytes()
        digest.update(f"\0{part.name}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()[:16]


@cache
def _cache_folder() -> Path:
    return writable_cache_dir("cubin")
