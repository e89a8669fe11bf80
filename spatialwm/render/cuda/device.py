"""Where kernels run: a table from the kind of device to what compiles and launches a source file there."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from spatialwm.errors import SpatialwmError

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
    if argument is None:
        return ctypes.c_void_p(None)
    if isinstance(argument, Tensor):
        if argument.device != device:
            raise SpatialwmError(f"kernel argument {i} is on {argument.device}, the kernel on {device}")
        if not argument.is_contiguous():
            raise SpatialwmError(f"kernel argument {i} of shape {tuple(argument.shape)} is not contiguous: call .contiguous()")
        return ctypes.c_void_p(argument.data_ptr() or None)
    if isinstance(argument, np.generic):
        as_ctypes_type: Any = np.ctypeslib.as_ctypes_type
        return as_ctypes_type(argument.dtype)(argument.item())
    if isinstance(argument, bool) or not isinstance(argument, int | float):
        raise SpatialwmError(f"kernel argument {i} is {argument!r}; expected a tensor, an int, a float or a numpy scalar")
    if isinstance(argument, float):
        return ctypes.c_float(argument)
    if not -(2**31) <= argument < 2**31:
        raise SpatialwmError(f"kernel argument {i} is {argument}, beyond 32 bits: pass np.int64 or np.uint32")
    return ctypes.c_int32(argument)


_RUNNERS: dict[str, Runner] = {}
