"""Where kernels run: a table from the kind of device to what compiles and launches a source file there."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from spatialwm.errors import SpatialwmError
from spatialwm.render.cuda.compile import compiler_version, cubin, nvidia

Extent = int | tuple[int, int, int]
"""Blocks of a grid, or threads of a block, along x, y and z; a single number is along x."""

Argument = Tensor | np.generic | int | float | None


class Kernels(Protocol):
    """The kernels of one source file, ready to run on one device."""

    def launch(self, name: str, grid: Extent, block: Extent, *arguments: Argument) -> None:
        """Queue a kernel on torch's current stream of the device; returns at once.

        Args:
            arguments: a tensor is passed as its address (null where it has no elements, as for None) and must be contiguous and
                on the device; an int as 32 bits, a float as float32, a numpy scalar as what it is.

        Raises:
            SpatialwmError: no kernel of that name, or an argument that a kernel cannot take.
        """
        ...


Runner = Callable[[str, torch.device], Kernels]
"""From a source file's name in ``cuda/`` and a device to its kernels."""


def kernels(source: str, device: torch.device) -> Kernels:
    """The kernels of ``cuda/<source>`` on the device, compiled on first use.

    Raises:
        SpatialwmError: kernels do not run on such a device, or the source does not compile.
    """
    runner = _RUNNERS.get(device.type)
    if runner is None:
        raise SpatialwmError(f"CUDA kernels run on cuda devices; the tensors are on {device}: move them, or use the cpu backend")
    return runner(source, device)


def runs_on(device: torch.device) -> bool:
    """Whether kernels run on tensors there, or they have to travel first."""
    return device.type in _RUNNERS


@contextmanager
def running_on(runner: Runner, device_type: str = "cpu") -> Iterator[None]:
    """Within, kernels for tensors on ``device_type`` come from ``runner``: how the tests run them without a GPU."""
    before = _RUNNERS.get(device_type)
    _RUNNERS[device_type] = runner
    try:
        yield
    finally:
        if before is None:
            del _RUNNERS[device_type]
        else:
            _RUNNERS[device_type] = before


def extent(value: Extent) -> tuple[int, int, int]:
    """Blocks or threads along x, y and z."""
    return (value, 1, 1) if isinstance(value, int) else value


def pack(arguments: tuple[Argument, ...], device: torch.device) -> list[Any]:
    """Each argument as the C value that a kernel receives; see :meth:`Kernels.launch`.

    Raises:
        SpatialwmError: a tensor that is elsewhere or has gaps, an int that needs more than 32 bits, or another kind of thing.
    """
    return [_packed(i, a, device) for i, a in enumerate(arguments)]


def _packed(i: int, argument: Argument, device: torch.device) -> Any:
    if isinstance(argument, Tensor):
        if argument.device != device:
            raise SpatialwmError(f"kernel argument {i} is on {argument.device}, the kernel on {device}")
        if not argument.is_contiguous():
            raise SpatialwmError(f"kernel argument {i} of shape {tuple(argument.shape)} is not contiguous: call .contiguous()")
        return ctypes.c_void_p(argument.data_ptr() or None)
    if type(argument) is int:  # this and not isinstance, to which a bool is an int as well
        if not -(2**31) <= argument < 2**31:
            raise SpatialwmError(f"kernel argument {i} is {argument}, beyond 32 bits: pass np.int64 or np.uint32")
        return ctypes.c_int32(argument)
    if type(argument) is float:
        return ctypes.c_float(argument)
    if argument is None:
        return ctypes.c_void_p(None)
    if isinstance(argument, np.generic):
        return _c_type(argument.dtype)(argument.item())
    raise SpatialwmError(f"kernel argument {i} is {argument!r}; expected a tensor, an int, a float or a numpy scalar")


@cache
def _c_type(dtype: np.dtype[Any]) -> Any:
    as_ctypes_type: Any = np.ctypeslib.as_ctypes_type
    return as_ctypes_type(dtype)


def address_or_value(packed: Any) -> Any:
    """A packed argument as cuda-core takes it: it has no case for ``c_void_p``, and a plain int is an address to it."""
    return packed.value or 0 if isinstance(packed, ctypes.c_void_p) else packed


class _CudaKernels:
    """One source file on one GPU."""

    def __init__(self, source: str, device: torch.device) -> None:
        core = nvidia("cuda.core")
        major, minor = torch.cuda.get_device_capability(device)
        self._source, self._device = source, device
        self._launch, self._config, self._stream = core.launch, core.LaunchConfig, core.Stream.from_handle
        self._context = core.Device(device.index)
        self._code = core.ObjectCode.from_cubin(cubin(source, f"sm_{major}{minor}"), name=source)
        self._kernels: dict[str, Any] = {}
        self._streams: dict[int, Any] = {}  # making one costs several launches
        self._threads = threading.local()

    def launch(self, name: str, grid: Extent, block: Extent, *arguments: Argument) -> None:
        """Queue a kernel; see :meth:`Kernels.launch`."""
        values = [address_or_value(p) for p in pack(arguments, self._device)]
        with torch.cuda.device(self._device):
            # torch binds a thread to the device's context when it must; autograd's and a web server's threads start without.
            if not getattr(self._threads, "bound", False):
                self._context.set_current()
                self._threads.bound = True
            kernel = self._kernels.get(name) or self.load(name)
            handle = torch.cuda.current_stream(self._device).cuda_stream
            stream = self._streams.get(handle) or self._streams.setdefault(handle, self._stream(handle))
            try:
                self._launch(stream, self._config(grid=extent(grid), block=extent(block)), kernel, *values)
            except Exception as e:  # cuda-core's own errors have no public base class
                shape = f"a grid of {extent(grid)} blocks of {extent(block)} threads"
                raise SpatialwmError(f"{name} in {self._source} could not be launched as {shape}: {e}") from e

    def load(self, name: str) -> Any:
        """cuda-core's handle of a kernel; asked by name for what it knows of registers and memory, too."""
        try:
            kernel = self._code.get_kernel(name)
        except Exception as e:
            raise SpatialwmError(
                f"{name} in {self._source} could not be loaded on {torch.cuda.get_device_name(self._device)}: {e}; "
                f"code from NVRTC {compiler_version()} needs a driver for CUDA {compiler_version().split('.')[0]} or later"
            ) from e
        self._kernels[name] = kernel
        return kernel


def _on_cuda(source: str, device: torch.device) -> Kernels:
    if not torch.cuda.is_available():  # asked first, because cuda-core hangs where there is no driver
        raise SpatialwmError("CUDA kernels need an NVIDIA GPU that torch can see; use the cpu backend")
    device = torch.device("cuda", torch.cuda.current_device() if device.index is None else device.index)
    loaded = _LOADED.get((source, device.index))
    if loaded is None:
        with _LOADING:
            loaded = _LOADED.get((source, device.index)) or _CudaKernels(source, device)
            _LOADED[source, device.index] = loaded
    return loaded


_LOADED: dict[tuple[str, int], _CudaKernels] = {}
_LOADING = threading.Lock()
_RUNNERS: dict[str, Runner] = {"cuda": _on_cuda}
