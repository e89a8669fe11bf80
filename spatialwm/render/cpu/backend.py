"""The ``cpu`` rasteriser: torch in, numba kernels, torch out, with gradients."""

from __future__ import annotations

import logging
import time
import weakref
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from spatialwm.geometry.sh import num_bases
from spatialwm.render.cpu.autograd import Blend, Project, Shade, Shot, array
from spatialwm.render.cpu.frame import Frame
from spatialwm.render.cpu.threads import machine_threads
from spatialwm.render.cpu.vectors import machine_lanes
from spatialwm.render.inputs import COLOR_MODES, DEPTH_MODES, check_inputs, check_values
from spatialwm.render.renderer import RenderMode

_log = logging.getLogger(__name__)


def rasterization(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, *, near_plane: float = 0.01, far_plane: float = 1e10, eps2d: float = 0.3,
    sh_degree: int | None = None, backgrounds: Tensor | None = None, render_mode: RenderMode = "RGB",
    rasterize_mode: Literal["classic", "antialiased"] = "classic", absgrad: bool = False, features: Tensor | None = None,
    with_ids: bool = False, lanes: int | None = None, threads: int | None = None,
) -> tuple[Tensor, Tensor, dict[str, Any]]:  # fmt: skip
    """See :class:`spatialwm.render.renderer.Rasterizer`; float32, bitwise equal on any number of threads, values and gradients.

    Args:
        lanes: vector width, 1 for plain loops; None: the machine's.
        threads: None: the machine's.
    """
    check_inputs(means, quats, scales, opacities, colors, viewmats, Ks, width, height, near_plane, far_plane, eps2d, sh_degree,
                 backgrounds, render_mode, rasterize_mode, features)  # fmt: skip
    with_colors, with_depth = render_mode in COLOR_MODES, render_mode in DEPTH_MODES
    options = {"near": near_plane, "far": far_plane, "eps2d": eps2d, "antialiased": rasterize_mode == "antialiased",
               "lanes": lanes or machine_lanes(), "threads": threads or machine_threads()}  # fmt: skip
    frames = [
        Frame(array(view), view[2].detach().cpu().double().numpy(), array(K), width, height, **options)
        for view, K in zip(viewmats, Ks, strict=True)
    ]
    given = [means, quats, scales, opacities, viewmats, *(t for t in (features, backgrounds) if t is not None)]
    shot = Shot(
        frames,
        bases=0 if sh_degree is None or not with_colors else num_bases(sh_degree),
        color_channels=0 if not with_colors else 3 if sh_degree is not None else colors.shape[-1],
        feature_channels=0 if features is None else features.shape[1],
        with_depth=with_depth,
        expected_depth=render_mode in ("ED", "RGB+ED"),
        absgrad=absgrad,
        with_ids=with_ids,
        with_gradients=torch.is_grad_enabled() and any(t.requires_grad for t in (*given, colors)),
    )
    means2d, conics, opacities2d, depths = Project.apply(shot, means, quats, scales, opacities, viewmats)  # pyright: ignore[reportGeneralTypeIssues]
    shot.means2d = weakref.ref(means2d)
    if shot.not_finite:
        check_values(means, quats, scales, opacities, None)
    channels = Shade.apply(shot, means, colors if with_colors else None, features, depths, viewmats)
    if shot.not_finite:
        check_values(means, quats, scales, opacities, colors, features)
    image, alpha = Blend.apply(shot, means2d, conics, opacities2d, channels, backgrounds if with_colors else None)  # pyright: ignore[reportGeneralTypeIssues]
    info: dict[str, Any] = {
        "camera_ids": torch.from_numpy(np.repeat(np.arange(len(frames)), [len(f) for f in frames])),
        "gaussian_ids": torch.from_numpy(np.concatenate([f.index for f in frames]).astype(np.int64)),
        "means2d": means2d,
        "radii": torch.from_numpy(np.concatenate([f.radii for f in frames])),
        "depths": depths,
        "conics": conics,
        "opacities": opacities2d,
        "width": width, "height": height, "n_cameras": len(frames), "backend": "cpu",
    }  # fmt: skip
    if with_ids:
        info["ids"] = torch.from_numpy(np.stack([f.ids for f in frames]))
    return image, alpha, info


def warm_up() -> float:
    """Load, or at first compile, the kernels that pictures need; returns seconds. Later calls cost nothing."""
    started = time.perf_counter()
    one = torch.ones(1)
    kinds: tuple[tuple[RenderMode, bool], ...] = (("RGB", False), ("RGB+D", True))
    for mode, ids in kinds:
        rasterization(
            torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([[1.0, 0.0, 0.0, 0.0]]), one.expand(1, 3), one, one.expand(1, 1, 3),
            torch.eye(4)[None], torch.eye(3)[None], 1, 1, sh_degree=0, render_mode=mode, with_ids=ids,
        )  # fmt: skip
    seconds = time.perf_counter() - started
    if seconds > 2:
        _log.info("compiled the cpu kernels in %.1f s; this happens once per machine", seconds)
    return seconds
