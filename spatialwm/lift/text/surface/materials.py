"""Makers of procedural materials. Each returns a :data:`Material`; colours are words, ``#rrggbb`` or linear RGB arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.color import LUMINANCE
from spatialwm.lift.text.model import Look, Material, Surfels
from spatialwm.lift.text.surface.noise import Frequency, fbm, hash01, linear, mix, smoothstep, worley

Color = str | np.ndarray
Tones = str | tuple[Color, Color]
"""A species of wood, or its dark and light tone."""


def look(
    albedo: Float[np.ndarray, "n 3"],
    height_m: Float[np.ndarray, " n"] | None = None,
    gloss: float | np.ndarray = 0.0,
    roughness: float = 0.4,
    emission: np.ndarray | None = None,
) -> Look:
    """A :class:`Look` with scalars spread over all points and the albedo kept physical."""
    n = len(albedo)
    glossy = np.any(np.asarray(gloss) > 0)
    return Look(
        np.clip(albedo, 0.002, 0.95).astype(np.float32),
        None if height_m is None else np.asarray(height_m, np.float32),
        np.broadcast_to(np.asarray(gloss, np.float32), (n,)) if glossy else None,
        np.full(n, roughness, np.float32) if glossy else None,
        None if emission is None else np.broadcast_to(np.asarray(emission, np.float32), (n, 3)),
    )


def shade(color: Color, factor: float) -> np.ndarray:
    """A darker (< 1) or lighter (> 1) linear colour; lightening moves towards white, so hues survive."""
    c = linear(color)
    return c * factor if factor <= 1 else c + (1 - c) * (1 - 1 / factor)


# -- plain and painted -----------------------------------------------------------------------------------------------------


def plain(
    color: Color, gloss: float = 0.0, roughness: float = 0.5, variation: float = 0.05, frequency: Frequency = 8.0,
    bump_m: float = 0.0,
) -> Material:  # fmt: skip
    """One colour with faint clouds; the base of plastic, enamel and lacquer."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        n = fbm(s.texture, frequency, 3, 5)
        return look(base * (1 + variation * n)[:, None], bump_m * n if bump_m else None, gloss, roughness)

    return at


def plastic(color: Color) -> Material:
    """Smooth and faintly shiny."""
    return plain(color, gloss=0.5, roughness=0.3, variation=0.02)


def ceramic(color: Color) -> Material:
    """Glazed, with a strong clear highlight."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        n = fbm(s.texture, 40.0, 2, 2)
        return look(base * (1 + 0.10 * n)[:, None], None, 1.0, 0.12)

    return at


def plaster(color: Color) -> Material:
    """A painted wall or ceiling, slightly uneven."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        fine = fbm(s.points, 14.0, 2, 12)
        albedo = base * (1 + 0.04 * fbm(s.points, 1.1, 3, 11) + 0.015 * fine)[:, None]
        return look(albedo, 0.0007 * fine + 0.0012 * fbm(s.points, 5.0, 2, 13))

    return at


def emitting(color: Color, radiance: float) -> Material:
    """A lit surface such as a bulb; linear radiance of the colour times ``radiance``."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        return look(np.tile(base * 0.3, (len(s.texture), 1)), emission=base * radiance)

    return at


# -- wood ---------------------------------------------------------------------------------------------------------------------

SPECIES: dict[str, tuple[str, str]] = {
    "wood": ("#5b3519", "#b07a45"), "dark oak": ("#54331b", "#a36b3c"), "oak": ("#7d5830", "#c79a62"),
    "walnut": ("#2f1c10", "#6d4629"), "pine": ("#a9773e", "#dcb47c"),
    "cherry": ("#5c2616", "#a2572f"), "mahogany": ("#3d140c", "#7f3520"), "teak": ("#6a421d", "#b3803f"),
    "birch": ("#b09468", "#e2cba2"), "maple": ("#a97e4c", "#ddb987"), "ebony": ("#120d0a", "#33251c"),
    "bamboo": ("#a98d4e", "#d9c083"), "beech": ("#a9794c", "#d6ac7d"), "driftwood": ("#6f665a", "#b0a594"),
}  # fmt: skip
"""Dark and light tone of each wood that has a name."""


def grain(texture: Float[np.ndarray, "n 3"], along: int, tones: tuple[Color, Color], seed: int, scale: float):
    """Wood colour (n, 3) and early-wood phase (n,) for a fibre direction: rings, fibres, pores."""
    t = texture[:, [along, (along + 1) % 3, (along + 2) % 3]]
    warp = fbm(t, (1.2 * scale, 3 * scale, 3 * scale), 2, seed)
    q = t.copy()
    q[:, 1] += 0.05 * warp / scale
    q[:, 2] += 0.05 * warp / scale
    bend = 6 * warp + 3 * fbm(q, (2 * scale, 14 * scale, 14 * scale), 2, seed + 5)
    rings = np.sin(np.hypot(q[:, 1] + 0.11, q[:, 2] + 0.07) * 150 * scale + bend)
    fibre = fbm(q, (5 * scale, 160 * scale, 160 * scale), 2, seed + 2)
    phase = np.clip(0.5 + 0.15 * rings + 0.36 * fibre + 0.2 * warp, 0, 1)
    color = mix(linear(tones[0]), linear(tones[1]), phase)
    pores = smoothstep(0.3, 0.7, fbm(q, (9 * scale, 260 * scale, 260 * scale), 1, seed + 8))
    return color * (1 - 0.3 * pores)[:, None], phase


def wood(tones: Tones = "wood", along: int = 0, seed: int = 0, gloss: float = 0.5, scale: float = 1.0) -> Material:
    """Solid wood; ``along`` is the texture axis of the fibres; ``tones`` a species or a dark and a light colour."""
    pair = SPECIES[tones] if isinstance(tones, str) else tones

    def at(s: Surfels) -> Look:
        color, phase = grain(s.texture, along, pair, seed, scale)
        return look(color, 0.0005 * phase, gloss, 0.28)

    return at


def painted_wood(color: Color, along: int = 0, seed: int = 0) -> Material:
    """Wood under paint: the grain is felt more than seen."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        _, phase = grain(s.texture, along, ("#000000", "#ffffff"), seed, 0.8)
        return look(base * (0.93 + 0.12 * phase)[:, None], 0.0008 * phase, 0.3, 0.4)

    return at


def planks(
    tones: Tones = "oak", width: float = 0.135, length: float = 1.15, seed: int = 0, gloss: float = 0.9,
    upright: bool = False,
) -> Material:  # fmt: skip
    """Floorboards or panelling: staggered boards, each of its own shade; ``upright`` boards stand along texture z."""
    pair = SPECIES[tones] if isinstance(tones, str) else tones

    def at(s: Surfels) -> Look:
        if upright:
            normal = np.abs(s.normals)
            u, v = s.texture[:, 2], np.where(normal[:, 0] > normal[:, 1], s.texture[:, 1], s.texture[:, 0])
        else:
            u, v = s.texture[:, 0], s.texture[:, 1]
        row = np.floor(v / width)
        shifted = u + hash01(row, 3 + seed) * length
        column = np.floor(shifted / length)
        board = row * 31 + column * 7
        a, b = hash01(board, 1 + seed), hash01(board, 2 + seed)
        q = np.stack([u + a * 9, v + b * 5, a * 3], 1)
        color, phase = grain(q, 0, pair, 1 + seed, 0.55)
        color = color * (0.62 + 0.6 * a)[:, None] * mix(np.array([1.05, 1, 0.93]), np.array([0.95, 1, 1.06]), b)
        edge_v = np.abs(v / width - row - 0.5) * width
        edge_u = np.abs(shifted / length - column - 0.5) * length
        gap = np.maximum(
            smoothstep(width / 2 - 0.004, width / 2 - 0.001, edge_v), smoothstep(length / 2 - 0.004, length / 2 - 0.001, edge_u)
        )
        return look(color * (1 - 0.75 * gap)[:, None], -0.0015 * gap + 0.0004 * phase, gloss * (1 - gap), 0.22)

    return at


def wicker(color: Color = "#b08a52") -> Material:
    """Woven cane."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        t = s.texture
        weave = np.sin((t[:, 0] + t[:, 1]) * 380) * np.sin(t[:, 2] * 420 + np.pi * (np.floor((t[:, 0] + t[:, 1]) * 121) % 2))
        return look(base * (0.75 + 0.35 * weave + 0.1 * fbm(t, 20.0, 2, 3))[:, None], 0.0015 * weave, 0.15, 0.5)

    return at


# -- cloth and hide --------------------------------------------------------------------------------------------------------


def leather(color: Color = "#8a4a26") -> Material:
    """Hide with pebble grain, soft wrinkles and wear."""
    base = linear(color) * 0.8  # hides drink their dye: a leather of a colour is deeper than paint of it
    dark, light = base * 0.74, np.minimum(base * 1.16 + 0.003, 1)

    def at(s: Surfels) -> Look:
        near, second, _ = worley(s.texture, 62.0, 3)
        crease = smoothstep(0.0, 0.16, second - near)
        wrinkles = fbm(s.texture, 7.0, 3, 4, ridged=True)
        wear = 0.5 + 0.26 * fbm(s.texture, 5.0, 3, 9) + 0.12 * fbm(s.texture, 22.0, 2, 2)
        albedo = mix(dark, light, np.clip(wear, 0, 1)) * (0.84 + 0.16 * crease)[:, None]
        return look(albedo, 0.0005 * crease + 0.004 * wrinkles, 0.9, 0.28)

    return at


def fabric(color: Color, thread: float = 0.02) -> Material:
    """Upholstery or canvas with a visible weave of period ``thread`` metres."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        t = s.texture * (2 * np.pi / thread)
        weave = np.sin(t[:, 0] + t[:, 2]) * np.sin(t[:, 1] + 0.7 * t[:, 2])
        albedo = base * (1 + 0.13 * weave + 0.10 * fbm(s.texture, 70.0, 2, 5) + 0.05 * fbm(s.texture, 4.0, 2, 8))[:, None]
        return look(albedo, 0.0010 * weave + 0.004 * fbm(s.texture, 9.0, 2, 6, ridged=True))

    return at


def drapery(color: Color) -> Material:
    """Hanging cloth whose threads are too fine to see: soft level bands and a faint slub."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        slub = fbm(s.texture, (30.0, 30.0, 5.0), 2, 3)
        return look(base * (1 + 0.07 * slub + 0.05 * fbm(s.texture, 3.0, 2, 4))[:, None])

    return at


def velvet(color: Color) -> Material:
    """Pile that shows crushed patches; deeper than paint of the same colour, as light is lost between the threads."""
    base = linear(color) * 0.62

    def at(s: Surfels) -> Look:
        crushed = fbm(s.texture, (3.0, 3.0, 5.0), 3, 4)
        nap = fbm(s.texture, 120.0, 1, 5)
        tone = np.clip(0.9 + 0.28 * crushed + 0.10 * nap, 0.4, 1.5)
        return look(base * tone[:, None], 0.004 * fbm(s.texture, 6.0, 2, 6, ridged=True), 0.35, 0.6)

    return at


def wool(color: Color) -> Material:
    """Knitted or felted, matt and fuzzy."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        fuzz = fbm(s.texture, 110.0, 2, 3)
        rib = np.sin(s.texture[:, 0] * 2 * np.pi / 0.018)
        return look(base * (1 + 0.22 * fuzz + 0.08 * rib)[:, None], 0.0015 * fuzz + 0.001 * rib)

    return at


def fur(color: Color) -> Material:
    """Short fur: streaks along texture z, darker at the roots."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        streak = fbm(s.texture, (160.0, 160.0, 40.0), 2, 3)
        return look(base * (0.95 + 0.38 * streak + 0.12 * fbm(s.texture, 7.0, 2, 7))[:, None], 0.003 * streak)

    return at


def striped(first: Color, second: Color, period: float = 0.14, axes: tuple[float, float, float] = (1.0, 1.0, 0.0)) -> Material:
    """Cloth with soft-edged stripes across the direction ``axes``."""
    a, b, w = linear(first), linear(second), np.asarray(axes, np.float64)

    def at(s: Surfels) -> Look:
        wave = np.sin(s.texture @ w * 2 * np.pi / period)
        fuzz = 1 + 0.12 * fbm(s.texture, 70.0, 2, 5)
        return look(mix(a, b, smoothstep(-0.12, 0.12, wave)) * fuzz[:, None])

    return at


def checked(first: Color, second: Color, period: float = 0.16) -> Material:
    """A plaid of crossing bands."""
    a, b = linear(first), linear(second)

    def at(s: Surfels) -> Look:
        t = s.texture / period
        u = smoothstep(-0.1, 0.1, np.sin(2 * np.pi * (t[:, 0] + 0.5 * t[:, 2])))
        v = smoothstep(-0.1, 0.1, np.sin(2 * np.pi * t[:, 1]))
        return look(mix(a, b, (u + v) / 2) * (1 + 0.12 * fbm(s.texture, 80.0, 2, 5))[:, None])

    return at


def dotted(first: Color, second: Color, period: float = 0.09) -> Material:
    """Round spots of the second colour."""
    a, b = linear(first), linear(second)

    def at(s: Surfels) -> Look:
        t = s.texture / period
        d = np.sqrt(sum((t[:, k] - np.floor(t[:, k]) - 0.5) ** 2 for k in range(2)))
        return look(mix(b, a, smoothstep(0.26, 0.32, d)) * (1 + 0.08 * fbm(s.texture, 70.0, 2, 5))[:, None])

    return at


def rug(color: Color, half_x: float, half_y: float, style: str = "persian") -> Material:
    """A carpet centred at the texture origin: ``persian`` medallion, ``round`` circles, ``modern`` bands or ``plain`` pile."""
    field = linear(color)
    luminance = float(field @ LUMINANCE)
    ground = linear("#1c2740") if luminance > 0.02 else linear("#7a2320")
    cream, gold = linear("#c9b48a"), linear("#b07a34")

    def at(s: Surfels) -> Look:
        x, y = s.texture[:, 0], s.texture[:, 1]
        pile = fbm(s.texture, (90.0, 140.0, 90.0), 2, 7)
        wobble = 0.006 * fbm(s.texture, 30.0, 2, 3)
        c = np.tile(field, (len(x), 1))

        def put(where: np.ndarray, what: np.ndarray) -> None:
            c[where] = what[where] if np.ndim(what) == 2 else what

        r_in = np.hypot(x / half_x, y / half_y) + wobble * 2
        if style == "round":
            for k, (limit, tint) in enumerate(
                [(0.94, cream), (0.88, field), (0.62, gold), (0.57, ground), (0.3, cream), (0.24, field)]
            ):
                put(r_in + 0.004 * k * np.cos(16 * np.arctan2(y, x)) < limit, tint)
        elif style == "modern":
            band = np.sin((x * 1.3 + 0.35 * np.sin(y * 2.2)) * 5.5) + 0.25 * np.sin(y * 9)
            put(band > 0.35, cream)
            put(np.abs(band - 0.35) < 0.06, gold)
            put(band < -0.75, ground)
        elif style == "persian":
            bx, by = half_x - np.abs(x), half_y - np.abs(y)
            b = np.minimum(bx, by) + wobble
            angle = np.arctan2(y * 1.3, x)
            r = np.hypot(x / (0.48 * half_x), y / (0.48 * half_y)) * (1 + 0.10 * np.cos(8 * angle)) + wobble * 2
            for limit, tint in ((1.12, gold), (1.05, ground), (0.78, cream), (0.72, field)):
                put(r < limit, tint)
            put(r < 0.42 + 0.06 * np.cos(12 * angle), gold)
            put(r < 0.34 + 0.05 * np.cos(12 * angle), ground)
            put(r < 0.14, cream)
            g = 0.16
            u, v = (x / g) % 1 - 0.5, (y / g) % 1 - 0.5
            petals = (np.hypot(u, v) < 0.24 + 0.08 * np.cos(6 * np.arctan2(v, u))) & (r > 1.2) & (b > 0.24)
            put(petals, mix(gold, cream, hash01(np.floor(x / g) * 17 + np.floor(y / g), 2)))
            put(petals & (np.hypot(u, v) < 0.09), ground)
            put(b < 0.22, ground)
            along = np.where(bx < by, y, x)
            diamond = np.abs((along / 0.11) % 1 - 0.5) + np.abs((b - 0.12) / 0.11)
            put((diamond < 0.48) & (b < 0.19) & (b > 0.05), cream)
            put((diamond < 0.3) & (b < 0.19), field)
            put(((b < 0.232) & (b > 0.21)) | ((b < 0.045) & (b > 0.03)), gold)
        weave = 0.5 * np.sin(x * 2 * np.pi / 0.013)
        c = c * (1 + 0.20 * pile + 0.05 * weave + 0.12 * fbm(s.texture, 6.0, 2, 6))[:, None]
        return look(c, 0.003 * pile)

    return at


# -- hard matter ------------------------------------------------------------------------------------------------------------

METALS: dict[str, str] = {
    "metal": "#8d9196", "steel": "#9aa0a6", "iron": "#3c3d40", "wrought iron": "#26272a", "brass": "#b58a3f", "bronze": "#7d5a32",
    "copper": "#b8693f", "gold": "#cf9f3f", "golden": "#cf9f3f", "silver": "#c2c6cb", "chrome": "#c8ccd2", "aluminium": "#b4b8bc",
    "aluminum": "#b4b8bc", "tin": "#a3a7a8", "stainless steel": "#a8adb2", "pewter": "#83868a",
}  # fmt: skip
"""Base colours of metals that have a name."""


def metal(color: Color = "#8d9196", roughness: float = 0.22, brushed: bool = False) -> Material:
    """Metal as a bright coat over its base colour."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        n = fbm(s.texture, (4.0, 4.0, 160.0) if brushed else 12.0, 2, 3)
        return look(base * (0.95 + 0.09 * n)[:, None], None, 1.0, roughness)

    return at


def glass(color: Color = "#b9d4d2") -> Material:
    """Clear matter as far as opaque Gaussians go: pale, very smooth."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        rim = fbm(s.texture, (6.0, 6.0, 14.0), 2, 3)
        return look(base * (0.82 + 0.2 * rim)[:, None], None, 1.0, 0.08)

    return at


def stone(color: Color = "#86837c", frequency: float = 6.0) -> Material:
    """Rough rock or cast concrete."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        clouds = fbm(s.texture, frequency, 4, 3)
        speck = fbm(s.texture, frequency * 12, 2, 9)
        cracks = smoothstep(0.55, 0.8, fbm(s.texture, frequency * 0.6, 3, 17, ridged=True))
        return look(
            base * (0.95 + 0.28 * clouds + 0.14 * speck - 0.25 * cracks)[:, None],
            0.006 * clouds + 0.0015 * speck - 0.003 * cracks,
        )

    return at


def marble(color: Color = "#e4e0d8", vein: Color = "#6f6a66") -> Material:
    """Polished stone with drawn veins."""
    base, dark = linear(color), linear(vein)

    def at(s: Surfels) -> Look:
        warp = np.stack([fbm(s.texture, 2.2, 3, k) for k in (1, 2, 3)], 1)
        veins = fbm(s.texture + 0.22 * warp, 2.4, 3, 7, ridged=True)
        t = smoothstep(0.62, 0.92, veins) * 0.75 + 0.1 * np.clip(warp[:, 0], 0, 1)
        return look(mix(base, dark, t), None, 0.9, 0.15)

    return at


def _along_and_up(s: Surfels, axes: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray]:
    """Where on a wall masonry is laid: along its courses and up."""
    t, n = s.texture, np.abs(s.normals)
    if axes is not None:
        return t[:, axes[0]], t[:, axes[1]]
    return np.where(n[:, 0] > n[:, 1], t[:, 1], t[:, 0]), t[:, 2]


def bricks(color: Color = "#8c4630", mortar: Color = "#a39a8c", size: tuple[float, float] = (0.24, 0.082),
           axes: tuple[int, int] | None = None) -> Material:  # fmt: skip
    """Brickwork; runs along the level texture axis (x or y by the normal) unless ``axes`` says (along, up)."""
    base, joint = linear(color), linear(mortar)
    w, h = size

    def at(s: Surfels) -> Look:
        t = s.texture
        level, v = _along_and_up(s, axes)
        row = np.floor(v / h)
        u = level + (row % 2) * w / 2
        column = np.floor(u / w)
        a = hash01(row * 57 + column, 1)
        edge = np.minimum(w / 2 - np.abs(u - (column + 0.5) * w), h / 2 - np.abs(v - (row + 0.5) * h))
        rough = fbm(t, 45.0, 3, 4)
        gap = smoothstep(0.007, 0.003, edge + 0.0015 * rough)
        color_ = (
            base
            * (0.68 + 0.6 * a + 0.16 * rough)[:, None]
            * mix(np.array([1.06, 0.98, 0.94]), np.array([0.96, 1.0, 1.04]), hash01(row * 13 + column, 5))
        )
        return look(mix(color_, joint, gap), 0.004 * (1 - gap) + 0.001 * rough)

    return at


def blocks(color: Color = "#8a8378", size: tuple[float, float] = (0.52, 0.3), axes: tuple[int, int] | None = None) -> Material:
    """Ashlar masonry: large cut stones with rough faces; ``axes`` as for :func:`bricks`."""
    base = linear(color)
    w, h = size

    def at(s: Surfels) -> Look:
        t = s.texture
        level, v = _along_and_up(s, axes)
        row = np.floor(v / h)
        u = level + hash01(row, 9) * w
        column = np.floor(u / w)
        edge = np.minimum(w / 2 - np.abs(u - (column + 0.5) * w), h / 2 - np.abs(v - (row + 0.5) * h))
        clouds, rough = fbm(t, 5.0, 4, 3), fbm(t, 40.0, 2, 4)
        gap = smoothstep(0.014, 0.004, edge + 0.004 * clouds)
        tone = 0.78 + 0.34 * hash01(row * 57 + column, 1) + 0.16 * clouds + 0.10 * rough
        return look(base * (tone * (1 - 0.55 * gap))[:, None], 0.004 * clouds - 0.008 * gap + 0.001 * rough)

    return at


def tiles(
    color: Color = "#d9dbd6", grout: Color = "#8f8f8a", size: float = 0.2, second: Color | None = None, gloss: float = 0.9
) -> Material:
    """Square glazed tiles on the two texture axes that lie in the surface; ``second`` makes a chessboard."""
    base, joint = linear(color), linear(grout)
    other = base if second is None else linear(second)

    def at(s: Surfels) -> Look:
        t, n = s.texture, np.abs(s.normals)
        flat = n[:, 2] > 0.7
        u = np.where(flat | (n[:, 1] >= n[:, 0]), t[:, 0], t[:, 1])
        v = np.where(flat, t[:, 1], t[:, 2])
        i, j = np.floor(u / size), np.floor(v / size)
        edge = size / 2 - np.maximum(np.abs(u - (i + 0.5) * size), np.abs(v - (j + 0.5) * size))
        gap = 0.5 * smoothstep(0.011, 0.002, edge)  # as wide as a Gaussian: a finer joint would break up into dots
        c = (
            np.where(((i + j) % 2 == 0)[:, None], base, other)
            * (0.93 + 0.12 * hash01(i * 71 + j, 4) + 0.03 * fbm(t, 9.0, 2, 5))[:, None]
        )
        return look(mix(c, joint, gap), -0.0015 * gap, gloss * (1 - gap), 0.2)

    return at


def terracotta(color: Color = "#a5583a") -> Material:
    """Unglazed pottery with faint turning marks."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        rings = fbm(s.texture, (5.0, 5.0, 70.0), 2, 2)
        return look(base * (1 + 0.12 * fbm(s.texture, 9.0, 3, 3) + 0.08 * rings)[:, None], 0.0012 * rings, 0.15, 0.5)

    return at


def soil(color: Color = "#1e130b") -> Material:
    """Potting earth."""
    return plain(color, variation=0.6, frequency=40.0, bump_m=0.01)


# -- paper and leaves --------------------------------------------------------------------------------------------------------


def paper(color: Color = "#e3d6b6", edges: bool = False) -> Material:
    """Paper; with ``edges`` the side of a block of pages."""
    base = linear(color)

    def at(s: Surfels) -> Look:
        lines = 0.12 * np.sin(s.texture[:, 2] * 4200) if edges else 0.0
        return look(base * (1 + lines + 0.05 * fbm(s.texture, 50.0, 2, 1))[:, None])

    return at


def book_cover(color: Color, width: float, height: float) -> Material:
    """Cloth binding with a gilt frame and title, centred at the texture origin in xy."""
    base, gilt = linear(color), linear("#d2b060")

    def at(s: Surfels) -> Look:
        x, y = np.abs(s.texture[:, 0] / width * 2), s.texture[:, 1] / height * 2
        rim = np.maximum(x, np.abs(y))
        ink = ((rim > 0.80) & (rim < 0.86)) | ((np.abs(y - 0.3) < 0.05) & (x < 0.45))
        ink |= ((np.abs(y - 0.1) < 0.03) & (x < 0.3)) | ((np.abs(y + 0.45) < 0.025) & (x < 0.2))
        return look(np.where(ink[:, None], gilt, base) * (1 + 0.15 * fbm(s.texture, 80.0, 2, 3))[:, None], None, 0.4, 0.35)

    return at


def book_spines(palette: Sequence[str], spacing: float = 10.0) -> Material:
    """Rows of books in one solid: each was shifted by ``spacing`` * its number in texture z, and is centred in the others."""
    colors = np.array([linear(c) for c in palette])
    gilt, page = linear("#c9a04a") * 0.9, linear("#d8c9a5")

    def at(s: Surfels) -> Look:
        number = np.round(s.texture[:, 2] / spacing)
        local = s.texture.copy()
        local[:, 2] -= number * spacing
        pick = (hash01(number, 1) * len(colors)).astype(int) % len(colors)
        c = colors[pick] * (0.75 + 0.5 * hash01(number, 4))[:, None]
        t = local[:, 2] / (0.5 * (0.17 + 0.11 * hash01(number, 7)))
        title = (
            (np.abs(t - 0.2) < 0.2) & (hash01(number, 5) > 0.5) & (np.abs(local[:, 0]) < 0.009) & (np.sin(t * 60 + number) > 0.1)
        )
        c = np.where(((np.abs(np.abs(t) - 0.72) < 0.035) | title)[:, None], gilt, c)
        top = (np.abs(t) > 0.97) & (local[:, 1] > -0.06)
        c = np.where(top[:, None], page * (1 + 0.15 * np.sin(local[:, :1] * 2500)), c)
        return look(c * (1 + 0.1 * fbm(local, 60.0, 2, 3))[:, None], None, 0.25, 0.4)

    return at


def foliage(
    dark: Color = "#16391a", light: Color = "#3f7a33", vein: Color = "#a8bf6a", veins: int = 9, gloss: float = 0.5
) -> Material:
    """A leaf whose texture is (along 0..1, across -1..1, seed), as :func:`solids.leaf` makes it."""
    a, b, v = linear(dark), linear(light), linear(vein) * 0.75

    def at(s: Surfels) -> Look:
        u, side = s.texture[:, 0], np.abs(s.texture[:, 1])
        c = mix(a, b, np.clip(0.5 + 0.6 * fbm(s.texture * (3, 3, 1), 1.5, 2, 4), 0, 1))
        ribs = np.abs((u * veins - side * 2.2) % 1 - 0.5)
        k = np.maximum(smoothstep(0.07, 0.015, side), 0.55 * smoothstep(0.09, 0.02, ribs) * (side < 0.95))
        return look(mix(c, v, 0.6 * k) * (1 - 0.25 * smoothstep(0.9, 1.0, side))[:, None], None, gloss, 0.35)

    return at
