"""Runs the real ``cuda/*.cu`` on the CPU: compiles them with the host's C++ compiler against ``emulator.hpp``.

``tests/conftest.py`` loads this file by its path and offers it as the fixtures ``emulator`` and ``emulated``; see there.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import subprocess
import threading
from pathlib import Path

import numpy as np
import torch

from spatialwm.errors import SpatialwmError
from spatialwm.render.cuda import compile, device

HEADER = Path(__file__).with_name("emulator.hpp")
KERNEL = re.compile(r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(')
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
FLAGS = (
    "-std=c++17", "-O2", "-g1", "-shared", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-fcf-protection=none",
    "-ffp-contract=off", "-Wall", "-Werror=return-type", "-Wno-unknown-pragmas", "-Wno-unused",
)  # fmt: skip
NUMPY = {"float": "f4", "double": "f8", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8"}


class EmulatorError(SpatialwmError):
    """What a kernel did that hardware would punish with garbage or a hang."""


class Emulator:
    """A :data:`spatialwm.render.cuda.device.Runner` for tensors in main memory.

    Args:
        folder: where compiled kernels are kept, under the hash of all that went into them.
        flags: further compiler flags.
    """

    def __init__(self, compiler: str, folder: Path, flags: tuple[str, ...] = ()) -> None:
        self.compiler, self.folder, self.flags = compiler, folder, (*FLAGS, *flags)
        self.backwards = False
        """Run blocks, warps and lanes from the last to the first: what depends on their order is a bug that one of both shows."""
        self.residents = 1
        """Blocks in flight at a time; several take turns at every barrier and __nanosleep."""
        self._loaded: dict[str, EmulatedKernels] = {}
        self._lock = threading.Lock()

    def __call__(self, source: str, on: torch.device) -> EmulatedKernels:
        """The kernels of ``cuda/<source>``, or of an absolute path."""
        path = compile.sources() / source
        with self._lock:
            key = str(path)
            if key not in self._loaded:
                self._loaded[key] = EmulatedKernels(self, path.name, self._build(path))
            return self._loaded[key]

    def _build(self, path: Path) -> ctypes.CDLL:
        text = path.read_text("utf-8")
        names = KERNEL.findall(COMMENT.sub("", text))
        if not names:
            raise EmulatorError(f"{path} has no kernel of the form: extern \"C\" __global__ void name(")
        digest = hashlib.sha256("\0".join([self.compiler, *self.flags, path.name]).encode())
        ours = sorted(HEADER.parent.glob("*.hpp"))
        for part in (*ours, path, *sorted({*path.parent.glob("*.cuh"), *compile.sources().glob("*.cuh")})):
            digest.update(part.read_bytes())
        library = self.folder / f"{path.stem}-{digest.hexdigest()[:16]}.so"
        if not library.is_file():
            entries = ", ".join(f'emulator::entry("{n}", {n})' for n in names)
            wrapper = f'#include "{HEADER}"\n#include "{path}"\nEMULATOR_KERNELS({entries})\n'
            building = library.with_suffix(f".{os.getpid()}.so")
            command = [self.compiler, *self.flags, f"-I{compile.sources()}", "-x", "c++", "-", "-o", str(building)]
            done = subprocess.run(command, input=wrapper, capture_output=True, text=True, check=False)
            if done.returncode:
                raise EmulatorError(f"{path.name} does not compile for the emulator:\n{done.stderr[-6000:]}")
            building.replace(library)
        loaded = ctypes.CDLL(str(library))
        loaded.signature.restype = loaded.emulate.restype = ctypes.c_char_p
        return loaded


class EmulatedKernels:
    """One source file, compiled; launches return when the kernel is done."""

    def __init__(self, emulator: Emulator, source: str, library: ctypes.CDLL) -> None:
        self._emulator, self._source, self._library = emulator, source, library
        self._lock = threading.Lock()  # shared memory and the thread indices are globals of the library

    def launch(self, name: str, grid: device.Extent, block: device.Extent, *arguments: device.Argument) -> None:
        """Run a kernel, after checking count and types of the arguments, which CUDA does not.

        Raises:
            EmulatorError: wrong arguments, a divergent barrier or collective, or threads that wait for ever.
        """
        signature = self._library.signature(name.encode())
        if signature is None:
            raise EmulatorError(f"{self._source} has no kernel {name!r}")
        blocks, threads = device.extent(grid), device.extent(block)
        if min(blocks) < 1 or min(threads) < 1 or np.prod(threads) > 1024 or max(blocks[1:]) > 65535:
            raise EmulatorError(f"{name}: a grid of {blocks} blocks of {threads} threads cannot be launched")
        packed = device.pack(arguments, torch.device("cpu"))
        expected = signature.decode().split(",") if signature else []
        if len(expected) != len(packed):
            raise EmulatorError(f"{name} takes {len(expected)} arguments; got {len(packed)}")
        for i, (kind, given, value) in enumerate(zip(expected, arguments, packed, strict=True)):
            _check_type(f"{name}, argument {i}", kind, given, value)
        addresses = (ctypes.c_void_p * len(packed))(*(ctypes.addressof(p) for p in packed))
        three = ctypes.c_uint * 3
        manner = int(self._emulator.backwards), self._emulator.residents
        with self._lock:
            error = self._library.emulate(name.encode(), three(*blocks), three(*threads), addresses, *manner)
        if error is not None:
            raise EmulatorError(f"{name}: {error.decode()}")


def _check_type(where: str, kind: str, given: device.Argument, value: object) -> None:
    if kind == "void*" or given is None:
        fits = isinstance(given, torch.Tensor) or (given is None and kind.endswith("*"))
    elif kind.endswith("*"):
        # int and unsigned are not told apart: torch keeps both in int32.
        fits = isinstance(given, torch.Tensor) and _kind(np.dtype(str(given.dtype).removeprefix("torch."))) == kind[:-1]
    else:
        fits = not isinstance(given, torch.Tensor) and _kind(np.dtype(type(value))) == kind
    if not fits:
        shown = f"a tensor of {given.dtype}" if isinstance(given, torch.Tensor) else f"{type(given).__name__} {given!r}"
        raise EmulatorError(f"{where} is {kind}; got {shown}")


def _kind(dtype: np.dtype) -> str:
    name = "i1" if dtype.kind == "b" else f"{'i' if dtype.kind in 'iu' else dtype.kind}{dtype.itemsize}"
    return next((k for k, n in NUMPY.items() if n == name), str(dtype))
