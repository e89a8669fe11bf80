"""The oracle itself, against the image formation written out pixel by pixel, and its gradients against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from spatialwm.render.reference import rasterization

W, H = 13, 9
K = torch.tensor([[[11.0, 0, 6.0], [0, 12.0, 4.5], [0, 0, 1]]], dtype=torch.float64)
VIEW = torch.eye(4, dtype=torch.float64)[None]


def random_scene(n: int, seed: int = 0) -> list[torch.Tensor]:
    g = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=g, dtype=torch.float64)

    means = uniform(n, 3) * torch.tensor([2.0, 1.6, 2.0]) + torch.tensor([-1.0, -0.8, 1.0])
    return [means, uniform(n, 4) - 0.5, uniform(n, 3) * 0.3 + 0.05, uniform(n) * 0.98 + 0.01, uniform(n, 3)]


def by_hand(means, quats, scales, opacities, colors, antialiased):
    """gsplat 1.5.3's kernels as scalar numpy loops: projection with clamped Jacobian, blur, front-to-back blending."""
    (fx, _, cx), (_, fy, cy), _ = K[0].tolist()
    splats = []
    for p, q, s, o, color in zip(means, quats, scales, opacities, colors, strict=True):
        x, y, z = p
        w, a, b, c = q / np.linalg.norm(q)
        R = np.array([
            [1 - 2 * (b * b + c * c), 2 * (a * b - w * c), 2 * (a * c + w * b)],
            [2 * (a * b + w * c), 1 - 2 * (a * a + c * c), 2 * (b * c - w * a)],
            [2 * (a * c - w * b), 2 * (b * c + w * a), 1 - 2 * (a * a + b * b)],
        ])  # fmt: skip
        tan_x, tan_y = 0.5 * W / fx, 0.5 * H / fy
        tx = z * min((W - cx) / fx + 0.3 * tan_x, max(-cx / fx - 0.3 * tan_x, x / z))
        ty = z * min((H - cy) / fy + 0.3 * tan_y, max(-cy / fy - 0.3 * tan_y, y / z))
        J = np.array([[fx / z, 0, -fx * tx / z**2], [0, fy / z, -fy * ty / z**2]])
        cov = J @ R @ np.diag(s**2) @ R.T @ J.T
        blurred = cov + 0.3 * np.eye(2)
        if antialiased:
            o = o * math.sqrt(max(0, np.linalg.det(cov) / np.linalg.det(blurred)))
        splats.append((z, np.array([fx * x / z + cx, fy * y / z + cy]), np.linalg.inv(blurred), o, color))
    splats.sort(key=lambda splat: splat[0])
    image, alphas, depth = np.zeros((H, W, 3)), np.zeros((H, W)), np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            T = 1.0
            for z, center, conic, o, color in splats:
                d = np.array([j + 0.5, i + 0.5]) - center
                alpha = min(0.999, o * math.exp(-0.5 * d @ conic @ d))
                if alpha < 1 / 255:
                    continue
                if T * (1 - alpha) <= 1e-4:
                    break
                image[i, j] += alpha * T * color
                depth[i, j] += alpha * T * z
                T *= 1 - alpha
            alphas[i, j] = 1 - T
    return image, alphas, depth


@pytest.mark.parametrize("mode", ["classic", "antialiased"])
def test_reference_is_the_image_formation_of_gsplat(mode):
    scene = random_scene(250)
    got, alpha, _ = rasterization(*scene, VIEW, K, W, H, render_mode="RGB+D", rasterize_mode=mode)
    image, alphas, depth = by_hand(*(t.numpy() for t in scene), mode == "antialiased")
    assert alphas.max() > 0.999  # some pixel does fill up
    np.testing.assert_allclose(got[0, ..., :3], image, atol=1e-12)
    np.testing.assert_allclose(got[0, ..., 3], depth, atol=1e-12)
    np.testing.assert_allclose(alpha[0, ..., 0], alphas, atol=1e-12)


def test_reference_does_not_depend_on_how_it_splits_the_work(monkeypatch):
    scene = random_scene(300, seed=1)
    whole = rasterization(*scene, VIEW, K, W, H, with_ids=True)
    monkeypatch.setattr("spatialwm.render.reference._CHUNK", 7)
    monkeypatch.setattr("spatialwm.render.reference._BLOCK", 5)
    split = rasterization(*scene, VIEW, K, W, H, with_ids=True)
    torch.testing.assert_close(whole[0], split[0], rtol=0, atol=1e-14)
    assert torch.equal(whole[2]["ids"], split[2]["ids"])


@pytest.mark.parametrize("mode", ["classic", "antialiased"])
def test_gradients_of_the_reference_match_differences(mode):
    means, quats, scales, opacities, _ = random_scene(5, seed=2)
    # Wide and faint: no pixel sits at the 1/255 edge, where the image itself jumps.
    sh = torch.rand(5, 4, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    inputs = [means, quats, scales + 0.9, opacities * 0.5 + 0.3, sh, VIEW.clone(), torch.ones(1, 3, dtype=torch.float64)]

    def render(means, quats, scales, opacities, sh, view, background):
        image, alpha, _ = rasterization(means, quats, scales, opacities, sh, view, K, 4, 3, sh_degree=1, backgrounds=background,
                                        render_mode="RGB+ED", rasterize_mode=mode)  # fmt: skip
        return image, alpha

    assert gradcheck(render, [t.requires_grad_() for t in inputs], eps=1e-6, atol=1e-5)
