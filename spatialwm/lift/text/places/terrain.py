"""The ground: level where things stand, rolling beyond, hollowed for lakes, and what it looks like up close."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.kinds.waterside import shore
from spatialwm.lift.text.model import Look, Material, Solid, Surfels
from spatialwm.lift.text.places.biomes import Biome
from spatialwm.lift.text.places.place import Standing
from spatialwm.lift.text.surface.materials import look
from spatialwm.lift.text.surface.noise import fbm, hash01, linear, mix, smoothstep, worley
from spatialwm.lift.text.surface.solids import sheet

Array = np.ndarray
Plane = Float[Array, " n"]

Rectangle = tuple[float, float, float, float]
"""x low, x high, y low, y high."""

LAKE_KINDS = ("lake", "pond")
_TRODDEN = ("path", "log cabin", "house", "barn")
"""Grass does not grow under these."""
_ANGLES = np.linspace(0, 2 * np.pi, 361)
_SPAN = (float(np.ptp(shore(_ANGLES) * np.cos(_ANGLES))), float(np.ptp(shore(_ANGLES) * np.sin(_ANGLES))))
"""Width and depth of the shore curve around unit half axes."""


@dataclass(frozen=True, slots=True, eq=False)
class Lake:
    """A water surface that found its place."""

    standing: Standing

    def reach(self, x: Plane, y: Plane) -> Plane:
        """0 in the middle, 1 on the shore, larger outside."""
        local = self.standing.world_from_object.inverse().apply(np.column_stack([x, y, np.zeros(len(x))]))
        width, depth = self.standing.extent
        u, v = local[:, 0] / (width / _SPAN[0]), local[:, 1] / (depth / _SPAN[1])
        return np.hypot(u, v) / shore(np.arctan2(v, u))

    def point(self, angle: float, reach: float) -> tuple[float, float]:
        """World xy at a ``reach`` of the shore curve in a direction of the lake's own frame."""
        width, depth = self.standing.extent
        r = reach * float(shore(np.array([angle]))[0])
        local = np.array([[width / _SPAN[0] * r * np.cos(angle), depth / _SPAN[1] * r * np.sin(angle), 0.0]])
        x, y, _ = self.standing.world_from_object.apply(local)[0]
        return float(x), float(y)

    @property
    def level_m(self) -> float:
        """World height of the water."""
        return self.standing.world_from_object.position[2]

    @property
    def frozen(self) -> bool:
        """Ice mirrors nothing."""
        return self.standing.material == "ice"


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """Height and look of the ground around a level rectangle."""

    biome: Biome
    half_m: float
    """Half side of the level square around the origin."""
    seed: int
    standing: tuple[Standing, ...] = ()
    viewed: tuple[float, float, float, float] | None = None
    """Where the first view stands and the unit direction it looks in, ``(x, y, dx, dy)``: its foreground is finer."""

    @property
    def lakes(self) -> tuple[Lake, ...]:
        """All water surfaces that stand here."""
        return tuple(Lake(s) for s in self.standing if s.kind in LAKE_KINDS)

    def height(self, x: Plane, y: Plane) -> Plane:
        """Metres above the level square."""
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        flat = np.column_stack([x, y, np.full(len(x), 3.7 * (self.seed % 97))])
        outside = np.maximum(np.hypot(np.maximum(np.abs(x) - self.half_m, 0), np.maximum(np.abs(y) - self.half_m, 0)), 0)
        b = self.biome
        swell = b.relief_m * (0.75 * fbm(flat, 0.035, 3, 3) + 0.25 * fbm(flat, 0.13, 3, 1))
        z = smoothstep(0.0, 34.0, outside) * (swell + b.rise_m) + smoothstep(0, 5, outside) * 0.12 * fbm(flat, 0.35, 3, 2)
        if b.sea:
            # The beach falls away in front, ever so gently, and the sea floor stays below the water.
            ahead = y - self.half_m
            z = np.where(ahead > 0, z * smoothstep(14.0, -4.0, ahead) - 0.055 * np.clip(ahead, 0, 40), z)
        for lake in self.lakes:
            q = lake.reach(x, y)
            z = z * smoothstep(0.95, 1.6, q) - 1.0 * smoothstep(1.06, 0.72, q)
        return z

    def at(self, x: float, y: float) -> float:
        """Height at one point; the arranger asks 100 000 times, mostly on the level square."""
        if not self.standing and max(abs(x), abs(y)) <= self.half_m:
            return 0.0
        return float(self.height(np.array([x]), np.array([y]))[0])

    def covered(self, x: Plane, y: Plane, margin_m: float = 0.0, kinds: tuple[str, ...] | None = None) -> Float[Array, " n"]:
        """Signed metres to the nearest footprint's border, negative inside; lakes use their shore."""
        best = np.full(len(x), 1e3)
        for s in self.standing:
            if kinds is not None and s.kind not in kinds:
                continue
            if s.kind in LAKE_KINDS:
                best = np.minimum(best, (Lake(s).reach(x, y) - 1.03) * 0.5 * min(s.extent))
                continue
            cx, cy = (s.low[0] + s.high[0]) / 2, (s.low[1] + s.high[1]) / 2
            forward = s.world_from_object.rotate(np.array([1.0, 0.0, 0.0]))
            c, n = float(forward[0]), float(forward[1])
            dx = np.abs(c * (x - cx) + n * (y - cy)) - s.extent[0] / 2
            dy = np.abs(c * (y - cy) - n * (x - cx)) - s.extent[1] / 2
            best = np.minimum(best, np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0))
        return best - margin_m

    def sheets(self) -> list[tuple[str, Solid, float, float]]:
        """Rings of ground from fine to coarse: ``(name, solid, spacing_m, detail)``; detail is for :meth:`material`."""
        h, inner = self.half_m, self.half_m + 3.0
        front = (-0.62 * h, 0.62 * h, -h - 1.5, -0.1 * h)
        near, middle, far = ((-r, r, -r, r) for r in (inner, inner + 16.0, 90.0))
        rings: list[tuple[str, Solid, float, float]] = []
        hole = None
        if self.viewed is not None:
            x, y, dx, dy = self.viewed
            mx, my = x + 3.6 * dx, y + 3.6 * dy
            edge = inner - 0.4
            hole = (max(mx - 3.4, -edge), min(mx + 3.4, edge), max(my - 2.8, -edge), min(my + 2.8, edge))
            rings.append(("foreground", self._sheet(hole, None, 0.4), 0.06, 1.0))
        return [
            *rings,
            ("front", self._sheet(front, hole, 0.4), 0.105, 1.0),
            ("near", self._sheet(near, front, 0.4), 0.19, 0.6),
            ("middle", self._sheet(middle, near, 0.9), 0.42, 0.15),
            ("far", self._sheet(far, middle, 3.0), 1.7, 0.0),
        ]

    def _sheet(self, area: Rectangle, hole: Rectangle | None, cell: float) -> Solid:
        x0, x1, y0, y1 = area
        nu, nv = math.ceil((x1 - x0) / cell) + 1, math.ceil((y1 - y0) / cell) + 1
        s = sheet(
            lambda u, v: (x0 + u * (x1 - x0), y0 + v * (y1 - y0), self.height(x0 + u * (x1 - x0), y0 + v * (y1 - y0))), nu, nv
        )
        x, y, _ = s.vertices[s.faces].mean(1).T
        keep = np.ones(len(x), bool)
        if hole is not None:  # rings overlap by half a cell, so that no seam opens
            a0, a1, b0, b1 = hole
            m = 0.6 * cell
            keep = ~((x > a0 + m) & (x < a1 - m) & (y > b0 + m) & (y < b1 - m))
        for lake in self.lakes:
            if not lake.frozen:
                # No bed under water: what one sees there is the mirrored world.
                keep &= lake.reach(x, y) > 0.62
        return Solid(s.vertices, s.faces[keep], s.texture)

    def material(self, detail: float = 1.0) -> Material:
        """Soil, litter, moss, sand, snow or paving, with bare earth around fires, trodden by doors and wet at the shore.

        Args:
            detail: 0..1 strength of what is smaller than coarse Gaussians could show; it would only cost their number.
        """
        g = self.biome.ground

        def at(s: Surfels) -> Look:
            p = s.points
            flat = p * (1, 1, 0)
            fine, middle = detail * fbm(p, 40.0, 2, 7), min(1.0, 2 * detail + 0.15) * fbm(p, 9.0, 3, 6)
            if g.pattern == "paving":
                c, bump = _paving(flat, fine, linear(g.dark), linear(g.light))
            elif g.pattern == "asphalt":
                c = mix(
                    linear(g.dark), linear(g.light), np.clip(0.4 + 0.5 * fbm(p, 90.0, 2, 3) + 0.3 * fbm(flat, 0.6, 3, 4), 0, 1)
                )
                bump = 0.001 * fine
            elif g.pattern == "sand":
                warp = fbm(flat, 0.5, 3, 5)
                ripple = (
                    detail
                    * np.sin((flat[:, 0] * 0.5 + flat[:, 1]) * 26 + 9 * warp)
                    * smoothstep(-0.3, 0.4, fbm(flat, 0.22, 2, 8))
                )
                c = mix(linear(g.dark), linear(g.light), np.clip(0.55 + 0.35 * warp + 0.16 * ripple + 0.2 * fine, 0, 1))
                patch = smoothstep(0.1, 0.5, fbm(flat, 0.3, 3, 9))
                c = mix(c, mix(linear(g.patch_dark), linear(g.patch_light), np.clip(0.5 + fine, 0, 1)), 0.6 * patch)
                bump = 0.008 * ripple + 0.004 * fine
            elif g.pattern == "snow":
                drift = fbm(flat, 0.45, 4, 5)
                c = mix(linear(g.dark), linear(g.light), np.clip(0.6 + 0.5 * drift + 0.2 * fine, 0, 1))
                bump = 0.07 * drift + 0.012 * middle + 0.002 * fine
            else:
                growth = smoothstep(-0.15, 0.15, fbm(flat, 0.7, 4, 5) + 0.25 * middle + 2 * (g.cover - 0.5) * 0.6)
                soil = mix(linear(g.dark), linear(g.light), np.clip(0.5 + 0.7 * fine + 0.3 * middle, 0, 1))
                green = mix(linear(g.patch_dark), linear(g.patch_light), np.clip(0.5 + 0.8 * middle, 0, 1))
                c = mix(soil, green, growth) * (1 + 0.25 * fine)[:, None]
                bump = 0.02 * middle + 0.006 * fine
            c = self._worn(c, flat, fine, middle)
            return look(c, g.bump * bump)

        return at

    def _worn(self, c: Array, p: Array, fine: Array, middle: Array) -> Array:
        x, y = p[:, 0], p[:, 1]
        natural = self.biome.ground.pattern in ("natural", "snow")
        earth = mix(linear("#4a3827"), linear("#8a7355"), np.clip(0.5 + 0.6 * fine + 0.3 * middle, 0, 1))
        fires = [s for s in self.standing if s.kind == "campfire"]
        for s in fires:
            r = np.hypot(x - (s.low[0] + s.high[0]) / 2, y - (s.low[1] + s.high[1]) / 2) + 0.15 * middle
            size = max(s.extent) / 1.5
            c = mix(c, earth * 0.8, smoothstep(1.8 * size, 1.0 * size, r))
            c = mix(c, linear("#15100c"), smoothstep(0.8 * size, 0.4 * size, r))
        if natural and any(s.kind in _TRODDEN for s in self.standing):
            near = self.covered(x, y, 0.0, _TRODDEN) + 0.14 * fbm(p, 2.5, 2, 8)
            trodden = 0.3 if self.biome.snow > 0 else 1.0
            c = mix(c, earth, trodden * smoothstep(0.12, -0.12, near))
        for lake in self.lakes:
            q = lake.reach(x, y) + 0.02 * middle
            mud = mix(linear("#3f3628"), linear("#7d6f57"), np.clip(0.5 + fine + 0.4 * middle, 0, 1))
            c = mix(c, mud, smoothstep(1.16, 1.05, q) * (0.4 if self.biome.snow > 0 else 1.0))
            c = c * (1 - 0.45 * smoothstep(1.06, 0.99, q))[:, None]
        if self.biome.sea:
            wet = smoothstep(self.half_m - 0.5, self.half_m + 3.0, y + 0.5 * fbm(p, 0.4, 2, 3))
            c = c * (1 - 0.45 * wet)[:, None]
        return c


def _paving(p: Array, fine: Array, dark: Array, light: Array) -> tuple[Array, Array]:
    """Cobbles: rounded cells with sunken joints."""
    first, second, cell = worley(p * (1, 1, 0) + (0, 0, 0.5), (3.2, 3.2, 1.0), 5)
    joint = smoothstep(0.16, 0.02, second - first)
    tone = np.clip(0.25 + 0.55 * cell + 0.3 * fine + 0.1 * hash01(np.floor(p[:, 0]), 3), 0, 1)
    return mix(mix(dark, light, tone), linear("#3a352e"), 0.75 * joint), 0.012 * (1 - joint) + 0.002 * fine
