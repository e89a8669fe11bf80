"""Colours such that the Gaussians, rendered from where the picture was taken, are the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Vec3
from spatialwm.geometry.sh import dc_to_rgb, rgb_to_dc
from spatialwm.progress import Progress, silent
from spatialwm.render import choose

AIM_DB = 33.5
"""Colours that fit one view better than this begin to overshoot in the next."""
_MODE = "antialiased"
"""As scenes are rendered, here and in browsers: colours that fit one mode miss in the other by 2 to 10 dB."""
BRIGHTEST = 1.5
"""Of a Gaussian's colour; the picture is cut at 1. Dark lines one pixel wide spread over the white between them, which only a
white beyond white makes up for: black girders before the sky reach 28.3 dB with 1, 29.9 with 1.25, 30.5 with 1.5 and 30.8 with 2,
and seen from half a pixel aside 30.7 with 1 and 33.3 with 1.5. Below zero, renderers cut each Gaussian."""
_LEAST_SHARE = 0.2
"""In pixels: Gaussians that show less are left as they are, they would have to shout to be heard."""


def sharpened(
    gaussians: Gaussians,
    views: Sequence[tuple[Camera, Float[np.ndarray, "h w 3"]]],
    *,
    background: Vec3 = (0.0, 0.0, 0.0),
    steps: int = 8,
    progress: Progress = silent,
) -> tuple[Gaussians, float]:
    """The same Gaussians in colours that render the pictures (float32 sRGB, 0..1) from their cameras, and the PSNR reached, dB.

    Footprints that close the surface overlap their neighbours, which blurs: 24 dB on a detailed picture, 33 after ten steps.
    Van Cittert's iteration, which adds the residual at the own pixel, diverges here, because a neighbour in front may show more
    of itself than the own pixel does. SIRT adds the residual where a colour in fact shows, so it always converges (Gilbert 1972);
    Nesterov's momentum halves the steps.
    """
    rasterization = choose()[1]
    targets = [torch.from_numpy(np.ascontiguousarray(picture, np.float32)) for _, picture in views]
    colors = dc_to_rgb(gaussians.sh[:, 0]).clone()

    def shown(of: Gaussians, values: torch.Tensor, camera: Camera, behind: torch.Tensor) -> torch.Tensor:
        image, _, _ = rasterization(
            of.means, of.quats, of.scales, of.opacities, values, camera.viewmat()[None],
            camera.K()[None], camera.width, camera.height, backgrounds=behind[:, : values.shape[1]], rasterize_mode=_MODE,
        )  # fmt: skip
        return image[0].cpu()

    behind, empty = torch.tensor([background], dtype=torch.float32), torch.zeros(1, 3)
    share = torch.zeros(len(gaussians), 1)
    covered: list[torch.Tensor] = []
    # A view around sees a sixth of a panorama: rendering only what shows there halves the time.
    showing: list[torch.Tensor] = []
    for camera, _ in views:
        ones = torch.ones(len(gaussians), 1, requires_grad=True)
        alpha = shown(gaussians, ones, camera, empty)
        alpha.sum().backward()
        assert ones.grad is not None
        covered.append(alpha.detach().clamp(min=0.05))
        showing.append(ones.grad[:, 0].nonzero()[:, 0])
        share += ones.grad
    step_size = torch.where(share > _LEAST_SHARE, 1 / share.clamp(min=_LEAST_SHARE), 0.0)
    selected = [gaussians.select(index) for index in showing]

    best, reached, ahead, momentum = colors, -1.0, colors, 1.0
    for step in range(steps + 1):
        progress("sharpening", step / (steps + 1))
        change = torch.zeros_like(ahead)
        squared, count = 0.0, 0
        for (camera, _), target, alpha, index, chosen in zip(views, targets, covered, showing, selected, strict=True):
            trial = ahead[index].requires_grad_(True)
            image = shown(chosen, trial, camera, behind)
            residual = target - image.detach()
            squared += float((target - image.detach().clamp(0, 1)).square().sum())
            count += target.numel()
            if step < steps:
                image.backward(residual / alpha)
                assert trial.grad is not None
                change[index] += trial.grad
        score = -10 * math.log10(squared / count + 1e-30)
        if score > reached:
            best, reached = ahead, score
        if score >= AIM_DB or step == steps:
            break
        following = (ahead + change * step_size).clamp(0, BRIGHTEST)
        grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = (following + (momentum - 1) / grown * (following - colors)).clamp(0, BRIGHTEST)
        colors, momentum = following, grown
    progress("sharpening", 1.0)
    return gaussians.with_sh(rgb_to_dc(best)[:, None, :]), reached


def coverage(gaussians: Gaussians, camera: Camera) -> Float[np.ndarray, "h w"]:
    """Opacity of every pixel."""
    with torch.no_grad():
        _, alpha, _ = choose()[1](
            gaussians.means, gaussians.quats, gaussians.scales, gaussians.opacities,
            torch.zeros(len(gaussians), 1), camera.viewmat()[None], camera.K()[None], camera.width, camera.height,
            rasterize_mode=_MODE,
        )  # fmt: skip
    return alpha[0, ..., 0].cpu().numpy()
