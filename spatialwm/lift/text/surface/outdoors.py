"""Materials of the open air: bark, mossy stone, logs, boards, shingles, canvas, snow."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.text.model import Look, Material, Surfels
from spatialwm.lift.text.surface.materials import Color
from spatialwm.lift.text.surface.noise import fbm, hash01, linear, mix, smoothstep, worley

MOSS = ("#34431a", "#6b7a30")


def bark(dark: Color = "#2e2018", light: Color = "#7a5c43", scale: float = 1.0) -> Material:
    """Furrowed bark for swept solids, whose texture is (cross-section, arc length)."""

    def look(s: Surfels) -> Look:
        furrow = fbm(s.texture, (26 * scale, 26 * scale, 4 * scale), 4, 3, ridged=True)
        grain = fbm(s.texture, 40.0, 2, 5)
        tone = np.clip(0.45 + 0.55 * furrow + 0.3 * grain, 0, 1)
        return Look(albedo=mix(linear(dark), linear(light), tone), height_m=0.012 * furrow)

    return look


def birch_bark() -> Material:
    """White paper bark with dark level scars."""

    def look(s: Surfels) -> Look:
        tone = fbm(s.texture, (9, 9, 5), 3, 2)
        scar = smoothstep(0.34, 0.5, fbm(s.texture, (5, 5, 26), 3, 7)) * smoothstep(0.2, 0.7, tone + 0.6)
        albedo = mix(linear("#cfc8ba"), linear("#efece4"), np.clip(0.5 + 0.5 * tone, 0, 1))
        return Look(albedo=mix(albedo, linear("#2a2622"), 0.9 * scar), height_m=-0.003 * scar)

    return look


def stone(dark: Color = "#5d5a55", light: Color = "#a39c90", seed: int = 0, moss: float = 0.0, snow: float = 0.0) -> Material:
    """Weathered stone with cracks and lichen; ``moss`` and ``snow`` (0..1) lie on what looks up."""

    def look(s: Surfels) -> Look:
        broad, fine = fbm(s.texture, 5.0, 4, seed), fbm(s.texture, 28.0, 3, seed + 3)
        first, second, _ = worley(s.texture, 4.0, seed)
        crack = smoothstep(0.0, 0.06, second - first)
        albedo = mix(linear(dark), linear(light), np.clip(0.5 + 0.6 * broad + 0.35 * fine, 0, 1)) * (0.8 + 0.2 * crack)[:, None]
        albedo = mix(albedo, linear("#b9b2a2"), 0.3 * smoothstep(0.35, 0.6, fine))
        if moss > 0:
            green = mix(linear(MOSS[0]), linear(MOSS[1]), np.clip(0.5 + fine, 0, 1))
            albedo = mix(albedo, green, moss * smoothstep(0.0, 0.35, broad + 0.6 * (s.normals[:, 2] - 0.55)))
        if snow > 0:
            albedo = mix(albedo, linear("#eef2f8"), snow * smoothstep(0.35, 0.7, s.normals[:, 2] + 0.25 * broad))
        return Look(albedo=albedo, height_m=0.012 * broad + 0.004 * fine)

    return look


def log(dark: Color = "#4a2f1c", light: Color = "#a3744a") -> Material:
    """Peeled round timber with drying cracks, for swept solids; shift the arc length by 20 per log to vary them."""

    def look(s: Surfels) -> Look:
        t = s.texture
        broad, fine = fbm(t, (16, 16, 1.3), 4, 13), fbm(t, (70, 70, 3), 3, 14)
        each = hash01(np.round(t[:, 2] / 20), 3)
        tone = np.clip(0.45 + 0.5 * broad + 0.35 * fine + 0.3 * (each - 0.5), 0, 1)
        crack = smoothstep(0.28, 0.45, fbm(t, (30, 30, 1.2), 3, 17))
        return Look(albedo=mix(linear(dark), linear(light), tone) * (1 - 0.55 * crack)[:, None], height_m=0.006 * (broad - crack))

    return look


def cut_wood() -> Material:
    """End grain: rings around the texture's z axis."""

    def look(s: Surfels) -> Look:
        r = np.hypot(s.texture[:, 0], s.texture[:, 1]) + 0.012 * fbm(s.texture, 12.0, 3, 5)
        rings = 0.5 + 0.5 * np.sin(r * 260)
        albedo = mix(linear("#8a6038"), linear("#d2a66c"), np.clip(0.25 + 0.5 * rings + 0.3 * fbm(s.texture, 30.0, 2, 6), 0, 1))
        return Look(albedo=albedo)

    return look


def boards(dark: Color = "#3c281a", light: Color = "#84603f", width_m: float = 0.14, axis: int = 0) -> Material:
    """Planks side by side along a texture axis, with dark joints."""

    def look(s: Surfels) -> Look:
        row = np.floor(s.texture[:, axis] / width_m)
        each = hash01(row, 5)
        joint = np.abs(s.texture[:, axis] / width_m - row - 0.5)
        stretch = np.where(np.arange(3) == axis, 30, 4)
        grain = fbm(s.texture * stretch + each[:, None] * 9, 1.0, 4, 6)
        gap = smoothstep(0.44, 0.5, joint)
        albedo = mix(linear(dark), linear(light), np.clip(0.3 + 0.4 * each + 0.5 * grain, 0, 1)) * (1 - 0.75 * gap)[:, None]
        return Look(albedo=albedo, height_m=-0.004 * gap + 0.002 * grain)

    return look


def shingles(dark: Color = "#3a2a20", light: Color = "#7d6250", moss: float = 0.75, snow: float = 0.0) -> Material:
    """Roof rows: texture x runs along the ridge, y counts down the slope in metres (0.22 per row)."""

    def look(s: Surfels) -> Look:
        t = s.texture
        row = np.floor(t[:, 1] / 0.22)
        u = t[:, 0] / 0.16 + hash01(row, 1)
        column = np.floor(u)
        each = hash01(row * 57 + column, 2)
        across, down = np.abs(u - column - 0.5), t[:, 1] / 0.22 - row
        albedo = mix(linear(dark), linear(light), each) * (1 + 0.25 * fbm(t, (30, 6, 6), 3, 4))[:, None]
        albedo = albedo * ((0.45 + 0.55 * smoothstep(0.0, 0.22, down)) * (1 - 0.6 * smoothstep(0.44, 0.5, across)))[:, None]
        if moss > 0:
            patch = smoothstep(0.05, 0.35, fbm(s.points, 1.3, 4, 8) + 0.15 * each)
            green = mix(linear(MOSS[0]), linear(MOSS[1]), np.clip(0.5 + fbm(s.points, 20.0, 2, 4), 0, 1))
            albedo = mix(albedo, green, moss * patch)
        if snow > 0:
            albedo = mix(albedo, linear("#eef2f8"), snow * smoothstep(-0.35, 0.1, fbm(s.points, 1.1, 3, 12)))
        return Look(albedo=albedo, height_m=0.012 * (1 - down) + 0.004 * each)

    return look


def canvas(color: Color = "#b9a67e") -> Material:
    """Tent cloth: a coarse weave with soft creases."""

    def look(s: Surfels) -> Look:
        crease = fbm(s.points, (3.0, 3.0, 1.2), 3, 21, ridged=True)
        weave = fbm(s.points, 60.0, 2, 22)
        albedo = linear(color) * (0.94 + 0.10 * crease + 0.08 * weave)[:, None]
        return Look(albedo=np.clip(albedo, 0, 1), height_m=0.006 * crease)

    return look


def snow_pack() -> Material:
    """Fresh snow: nearly white, softly hollowed, faintly sparkling."""

    def look(s: Surfels) -> Look:
        broad, fine = fbm(s.points, 1.6, 4, 31), fbm(s.points, 34.0, 2, 32)
        albedo = mix(linear("#dfe7f2"), linear("#fafbfd"), np.clip(0.55 + 0.4 * broad + 0.25 * fine, 0, 1))
        return Look(albedo=albedo, height_m=0.03 * broad + 0.003 * fine)

    return look


def glowing(color: Color, radiance: float, albedo: Color = "#201008") -> Material:
    """A surface that is seen shining: a window at night, a lamp's flame."""

    def look(s: Surfels) -> Look:
        n = len(s.texture)
        uneven = 0.85 + 0.3 * fbm(s.texture, 2.5, 2, 3)
        return Look(albedo=np.tile(linear(albedo), (n, 1)), emission=linear(color) * radiance * uneven[:, None])

    return look
