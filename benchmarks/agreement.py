"""Whether a rasteriser agrees with the float64 reference: scenes, modes, edges, and input that must be refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from spatialwm.bench.synthetic import synthetic_camera, synthetic_gaussians
from spatialwm.errors import ShapeError
from spatialwm.render.photometric import psnr
from spatialwm.render.reference import rasterization as oracle

MIN_DB, MAX_ERROR = 80.0, 1e-4
FIELDS = ("means", "quats", "scales", "opacities", "colors", "viewmats")

Call = Callable[..., tuple[Tensor, Tensor, dict[str, Any]]]


def decibels(got: Tensor, wanted: Tensor) -> float:
    """PSNR against a peak of 1."""
    return round(psnr(got.detach().cpu().numpy(), wanted.detach().cpu().numpy()), 1) if got.numel() else 300.0


def relative(got: Tensor | None, wanted: Tensor | None) -> float:
    """Relative L2; 0 where both are nothing."""
    if wanted is None or not bool(wanted.any()):
        return 0.0 if got is None or not bool(got.any()) else float("inf")
    return float("inf") if got is None else float((got.double() - wanted).norm() / wanted.norm())


def agreement(rasterize: Call, scene: Sequence[Tensor], size: tuple[int, int], options: dict[str, Any]) -> dict[str, Any]:
    """Image, alpha and gradients of a random loss, against the float64 reference."""
    sides = []
    both: list[tuple[Call, torch.dtype]] = [(rasterize, torch.float32), (oracle, torch.float64)]
    for function, dtype in both:
        inputs = [t.detach().to(dtype).requires_grad_() for t in scene[:6]]
        more = {k: v.detach().to(dtype).requires_grad_() if isinstance(v, Tensor) else v for k, v in options.items()}
        image, alpha, _ = function(*inputs, scene[6].to(dtype), *size, **more)
        generator = torch.Generator().manual_seed(9)
        v_image, v_alpha = (torch.randn(t.shape, generator=generator).to(t) for t in (image, alpha))
        ((image * v_image).sum() + (alpha * v_alpha).sum()).backward()
        named = dict(zip(FIELDS, inputs, strict=True)) | {k: v for k, v in more.items() if isinstance(v, Tensor)}
        sides.append((image, alpha, named))
    (image, alpha, mine), (wanted_image, wanted_alpha, theirs) = sides
    gradients = {name: float(f"{relative(mine[name].grad, theirs[name].grad):.2e}") for name in theirs}
    told = {"image_db": decibels(image, wanted_image), "alpha_db": decibels(alpha, wanted_alpha), "gradients": gradients}
    good = min(told["image_db"], told["alpha_db"]) >= MIN_DB and max(gradients.values()) <= MAX_ERROR
    return {"passed": good, **told}


def scene_of(device: torch.device, n: int, width: int, height: int) -> list[Tensor]:
    """Arguments of a rasterizer up to ``Ks``."""
    camera = synthetic_camera(width, height)
    return [t.to(device) for t in (*synthetic_gaussians(n), camera.viewmat()[None], camera.K()[None])]


Case = tuple[str, list[Tensor], tuple[int, int], dict[str, Any]]
"""Name, arguments up to ``Ks``, width and height, options."""


def cases(n: int, width: int, height: int, device: torch.device) -> Iterator[Case]:
    """The modes on a scene of n splats, then the edges."""
    size = (width, height)
    scene = scene_of(device, n, width, height)
    generator = torch.Generator().manual_seed(1)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(device)

    yield "plain", scene, size, {}
    moved = scene[5].clone()
    moved[0, :3, 3] += 0.3
    two = [*scene[:4], noise(n, 16, 3) * 0.4, torch.cat([scene[5], moved]), scene[6].repeat(2, 1, 1)]
    rich = {"render_mode": "RGB+ED", "rasterize_mode": "antialiased", "sh_degree": 3}
    yield "SH, two cameras, antialiased, features, depth", two, size, rich | {"features": noise(n, 5), "backgrounds": noise(2, 3)}
    yield "many channels", [*scene[:4], noise(n, 11), *scene[5:]], size, {"render_mode": "RGB+D"}
    solid = [*scene[:2], scene[2] * 2, scene[3] * 0.5 + 0.49, *scene[4:]]
    yield "deep and opaque", solid, (64, 48), {}
    one = [t[:1] for t in scene[:5]]
    one[0] = torch.tensor([[0.0, 0, 2]], device=device)
    eye = [torch.eye(4, device=device)[None], torch.tensor([[[40.0, 0, 20], [0, 40, 15], [0, 0, 1]]], device=device)]
    yield "no Gaussian", [t[:0] for t in scene[:5]] + eye, (40, 30), {"backgrounds": torch.rand(1, 3).to(device)}
    yield "one Gaussian", one + eye, (40, 30), {}
    yield "one pixel", one + eye, (1, 1), {}
    yield "behind", [-one[0], *one[1:]] + eye, (40, 30), {}
    yield "zero quaternion", [one[0], one[1] * 0, *one[2:]] + eye, (40, 30), {}
    vast = torch.tensor([[40.0, 25, 12]], device=device)
    yield "huge", [one[0], one[1], vast, *one[3:]] + eye, (40, 30), {}
    yield "opacity above 1", [*one[:3], one[3] * 0 + 1.5, one[4]] + eye, (40, 30), {}


def refusals(rasterize: Call, device: torch.device) -> dict[str, bool]:
    """Whether broken input is refused in words."""
    scene = scene_of(device, 10, 32, 24)
    broken: dict[str, tuple[list[Tensor], tuple[int, int]]] = {
        "no pixels": (scene, (0, 24)),
        "degenerate K": ([*scene[:6], scene[6] * 0], (32, 24)),
    }
    for i, name in enumerate(FIELDS[:5]):
        for value in (float("nan"), float("inf")):
            bad = [t.clone() for t in scene]
            bad[i].view(-1)[3] = value
            broken[f"{value} in {name}"] = (bad, (32, 24))
    told = {}
    for name, (arguments, size) in broken.items():
        try:
            rasterize(*arguments, *size)
            told[name] = False
        except ShapeError:
            told[name] = True
    return told
