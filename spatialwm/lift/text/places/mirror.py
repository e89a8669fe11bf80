"""Still water as the mirrored world below it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float

from spatialwm.gaussians import Gaussians
from spatialwm.lift.text.places.place import Overlay
from spatialwm.lift.text.places.terrain import Lake
from spatialwm.lift.text.surface.noise import fbm, mix, smoothstep

Array = np.ndarray

FAR_M = 60.0
"""Mirrored Gaussians beyond are few and large and all kept; nearer ones are thinned, since ripples blur them anyway."""


MOST = 13_000
"""Mirrored Gaussians per lake at standard quality; ripples hide what more would add."""


def mirror(
    lit: Gaussians, lakes: tuple[Lake, ...], eyes: Float[Array, "k 3"], share: float, seed: int, quality: float = 1.0
) -> tuple[Overlay, ...]:
    """Reflections in every lake.

    A Gaussian is kept when from some eye its mirror image shows through a water surface. The mirrored rotation S R S with
    S = diag(1, 1, -1) is the quaternion (w, -x, -y, z).

    Args:
        share: part of the nearer Gaussians that is kept, widened to cover as much.
        quality: factor on the most that a lake may show.
    """
    overlays = []
    for number, lake in enumerate(lakes):
        if lake.frozen:
            continue
        rng = np.random.default_rng((seed, number))
        level = lake.level_m
        means = lit.means.numpy()
        distance = np.linalg.norm(means - eyes.mean(0), axis=1)
        far = distance > FAR_M
        above = np.nonzero((means[:, 2] > level + 0.03) & (far | (rng.random(len(means)) < share)))[0]
        p = means[above].astype(np.float64)
        p[:, 2] = 2 * level - p[:, 2]
        seen = np.zeros(len(p), bool)
        for eye in eyes:
            t = (level - eye[2]) / (p[:, 2] - eye[2])
            x, y = eye[0] + (p[:, 0] - eye[0]) * t, eye[1] + (p[:, 1] - eye[1]) * t
            rest = np.nonzero(~seen)[0]
            seen[rest] = lake.reach(x[rest], y[rest]) < 1.1
        keep, p = above[seen], p[seen]
        most, fewer = int(MOST * min(quality, 1.5)), 1.0
        if len(keep) > most:
            fewer = most / len(keep)
            some = np.sort(rng.permutation(len(keep))[:most])
            keep, p = keep[some], p[some]
        if not len(keep):
            continue
        index = torch.from_numpy(keep)
        near = ~far[keep]
        p[near] += rng.normal(0, 1, (int(near.sum()), 3)) * (0.03, 0.03, 0.06)
        quats = lit.quats[index] * torch.tensor([1.0, -1.0, -1.0, 1.0])
        widen = torch.from_numpy(np.where(near, min(2.0, (share * fewer) ** -0.4), 1.0).astype(np.float32))
        rgb = lit.rgb[index].clamp(0, 1) * torch.tensor([0.76, 0.83, 0.88])
        body = Gaussians.from_numpy(
            p, quats.numpy(), (lit.scales[index] * widen[:, None]).numpy(), lit.opacities[index].numpy(), rgb=rgb.numpy()
        )
        overlays.append(Overlay(id=f"reflection-{number + 1}", category="reflection", gaussians=body))
        waves = _ripples(lake, level, body, quality, rng)
        overlays.append(Overlay(id=f"ripples-{number + 1}", category="water", gaussians=waves))
    return tuple(overlays)


def _ripples(lake: Lake, level: float, world: Gaussians, quality: float, rng: np.random.Generator) -> Gaussians:
    """Long faint streaks that break the mirror, lighter or darker than what it shows."""
    width, depth = lake.standing.extent
    n = int(min(140 * width * depth, 5000) * min(quality**0.5, 1.5))
    local = rng.uniform(-0.56, 0.56, (n, 2)) * (width, depth)
    at = lake.standing.world_from_object.apply(np.column_stack([local, np.zeros(n)]))
    at = at[lake.reach(at[:, 0], at[:, 1]) < 1.04]
    n = len(at)
    wave = fbm(at * (0.6, 2.2, 0.0), 1.6, 4, 71)
    tone = world.rgb.clamp(0, 1).numpy()
    light, dark = np.quantile(tone, 0.85, axis=0), np.quantile(tone, 0.25, axis=0)
    color = mix(dark, light, smoothstep(-0.3, 0.5, wave))
    at[:, 2] = level + 0.004 * wave
    scales = np.column_stack([rng.uniform(0.07, 0.2, n), rng.uniform(0.014, 0.034, n), np.full(n, 0.003)])
    turn = rng.normal(0, 0.12, n)
    quats = np.column_stack([np.cos(turn / 2), np.zeros((n, 2)), np.sin(turn / 2)])
    return Gaussians.from_numpy(at, quats, scales, 0.03 + 0.10 * smoothstep(0.1, 0.7, np.abs(wave) * 1.4), rgb=color)
