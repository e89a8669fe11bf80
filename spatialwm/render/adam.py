"""Adam for splats: fused on CPU and GPU, and able to leave out the Gaussians that a picture did not show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.optim.adam import adam as torch_adam

from spatialwm.errors import ShapeError, SpatialwmError


class Adam(torch.optim.Optimizer):
    """``torch.optim.Adam`` to the letter, its state included, without its options for weight decay and the like.

    Args:
        params: tensors, or groups of them with their own ``lr``, ``betas`` and ``eps``.

    Raises:
        SpatialwmError: a setting out of range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})
        for group in self.param_groups:
            if not (group["lr"] >= 0 and group["eps"] >= 0 and all(0 <= b < 1 for b in group["betas"])):
                settings = {k: group[k] for k in ("lr", "betas", "eps")}
                raise SpatialwmError(f"Adam needs lr >= 0, eps >= 0 and both betas in [0, 1); got {settings}")

    @torch.no_grad()
    def step(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, closure: Callable[[], Any] | None = None, *, visible: Bool[Tensor, " n"] | None = None
    ) -> Any:
        """One step.

        Args:
            visible: rows that are updated; the others keep value and moments, as in ``torch.optim.SparseAdam``: steps are counted
                for the tensor, not for the row. None: all.

        Raises:
            ShapeError: ``visible`` is not one bool per row of every parameter.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            for p in params:
                if visible is not None and (visible.dtype != torch.bool or visible.shape != p.shape[:1]):
                    raise ShapeError(
                        f"visible must be bool with one value per row of a parameter {tuple(p.shape)}; "
                        f"got {visible.dtype} {tuple(visible.shape)}"
                    )
            self._step(group, params, visible)
        return loss

    def _step(self, group: dict[str, Any], params: list[Tensor], visible: Tensor | None) -> None:
        lr, betas, eps = group["lr"], group["betas"], group["eps"]
        dense: list[Tensor] = []
        for p in params:
            state = self.state[p]
            if not state:
                # On the CPU whatever the device, as in torch: reading it then waits for nothing.
                state["step"] = torch.zeros((), dtype=torch.float32)
                state["exp_avg"] = torch.zeros_like(p, memory_format=torch.preserve_format)
                state["exp_avg_sq"] = torch.zeros_like(p, memory_format=torch.preserve_format)
            if visible is None and not _has_kernel(p, "cuda"):
                dense.append(p)
                continue
            assert p.grad is not None
            state["step"] += 1
            given = (p, p.grad.contiguous(), state["exp_avg"], state["exp_avg_sq"], int(state["step"]), lr, betas, eps)
            if _has_kernel(p, "cuda"):
                from spatialwm.render.cuda.adam import adam_step as on_cuda

                on_cuda(*given, visible)
            elif visible is not None and _has_kernel(p, "cpu"):
                from spatialwm.render.cpu.adam import adam_step as on_cpu

                on_cpu(*given, visible)
            elif visible is not None:
                _masked_step(*given, visible)
        if dense:
            states = [self.state[p] for p in dense]
            torch_adam(
                dense, [p.grad for p in dense if p.grad is not None], [s["exp_avg"] for s in states],
                [s["exp_avg_sq"] for s in states], [], [s["step"] for s in states], fused=dense[0].device.type == "cpu",
                amsgrad=False, beta1=betas[0], beta2=betas[1], lr=lr, weight_decay=0.0, eps=eps, maximize=False,
            )  # fmt: skip


def _has_kernel(p: Tensor, device_type: str) -> bool:
    return p.device.type == device_type and p.dtype == torch.float32 and p.is_contiguous()


def _masked_step(
    p: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: int, lr: float, betas: tuple[float, float], eps: float,
    visible: Tensor,
) -> None:  # fmt: skip
    """What the kernels do, in plain torch: for other types and layouts."""
    rows = visible.nonzero()[:, 0]
    gradient = gradient[rows]
    m = mean[rows].lerp_(gradient, 1 - betas[0])
    v = square[rows].mul_(betas[1]).addcmul_(gradient, gradient, value=1 - betas[1])
    mean[rows] = m
    square[rows] = v
    root = v.sqrt_().div_(math.sqrt(1 - betas[1] ** step)).add_(eps)
    p.index_add_(0, rows, m / root, alpha=-lr / (1 - betas[0] ** step))
