"""A network on a device, all of it or layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from spatialwm.lift.image.hub.fit import Plan


def placed(network: nn.Module, plan: Plan) -> Callable[..., Any]:
    """Calls the network as planned; tensors it is called with are carried to its device, floating ones in its precision."""
    dtype = torch.float16 if plan.half else torch.float32
    device = torch.device(plan.device)
    if plan.offload:
        network.to("cpu", dtype)
        _visit(network, device)
    else:
        network.to(device, dtype)

    def forward(*args: Any, **kwargs: Any) -> Any:
        carried = [_carry(a, device, dtype) for a in args]
        return network(*carried, **{k: _carry(v, device, dtype) for k, v in kwargs.items()})

    return forward


def _carry(value: Any, device: torch.device, dtype: torch.dtype) -> Any:
    if not isinstance(value, Tensor):
        return value
    return value.to(device, dtype if value.is_floating_point() else None)


def _visit(network: nn.Module, device: torch.device) -> None:
    """Before a module that owns parameters runs they are carried to the device, and back after it."""
    for module in network.modules():
        own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
        if own:
            home = [tensor.data for tensor in own]

            def arrive(_module: nn.Module, _inputs: Any, own: list[Tensor] = own) -> None:
                for tensor in own:
                    tensor.data = tensor.data.to(device)

            def leave(_module: nn.Module, _in: Any, _out: Any, own: list[Tensor] = own, home: list[Tensor] = home) -> None:
                for tensor, data in zip(own, home, strict=True):
                    tensor.data = data

            module.register_forward_pre_hook(arrive)
            module.register_forward_hook(leave, always_call=True)
