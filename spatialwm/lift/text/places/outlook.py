"""What a window shows and lets in at each time of day and weather."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spatialwm.lift.text.model import Look, Material, Surfels
from spatialwm.lift.text.surface.materials import look
from spatialwm.lift.text.surface.noise import fbm, hash01, linear, mix, ramp, smoothstep

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Light and view of one hour."""

    sky: tuple[tuple[float, str], ...]
    """Colour at rising elevation in radians."""
    cloud: str
    hill: tuple[str, str]
    """Far (hazy) and near colour."""
    tree: str
    gain: float
    """Emission of a white sky at the reference exposure."""
    portal: Rgb
    """Radiance of the window seen from inside."""
    sun: Rgb | None = None
    """Irradiance of a sun that stands before the window."""
    sun_height: float = 0.5
    """Sine-like slope of its rays."""
    key: float = 0.1
    """Brightness the room is exposed to."""
    lamp: float = 1.0
    """Factor on lamps, against daylight."""
    stars: bool = False


OUTLOOKS: dict[str, Outlook] = {
    "dusk": Outlook(
        sky=((-0.25, "#1a1418"), (-0.02, "#f08a4a"), (0.03, "#f6a55f"), (0.10, "#e08a78"), (0.22, "#a4708f"), (0.4, "#5a5c94"),
             (0.7, "#2b3a6e")),
        cloud="#f0946a", hill=("#6a5570", "#3b3450"), tree="#0e1016", gain=0.42, portal=(1.6, 1.6, 2.9), key=0.055,
    ),
    "night": Outlook(
        sky=((-0.25, "#05070d"), (0.0, "#27345c"), (0.2, "#141d3c"), (0.7, "#0a1026")),
        cloud="#2a3658", hill=("#10182c", "#080c16"), tree="#030407", gain=0.5, portal=(0.16, 0.24, 0.55), key=0.045, stars=True,
    ),
    "day": Outlook(
        sky=((-0.25, "#9fb4c4"), (0.0, "#dfeaf0"), (0.15, "#b4d0ea"), (0.5, "#6f9fd4"), (0.9, "#4a7fc0")),
        cloud="#f6f4ee", hill=("#9db4bf", "#6f9460"), tree="#3f5f2c", gain=0.62, portal=(7.0, 7.6, 8.6), sun=(34.0, 30.0, 24.0),
        sun_height=0.95, key=0.15, lamp=0.8,
    ),
    "afternoon": Outlook(
        sky=((-0.25, "#a8a294"), (0.0, "#f3e3c0"), (0.12, "#dcd8cc"), (0.4, "#92b0d0"), (0.9, "#5c86ba")),
        cloud="#fbeed6", hill=("#b7ab98", "#7d8a50"), tree="#4a4c22", gain=0.6, portal=(4.6, 4.5, 4.6), sun=(40.0, 27.0, 14.0),
        sun_height=0.52, key=0.115, lamp=0.9,
    ),
    "morning": Outlook(
        sky=((-0.25, "#b09a8c"), (0.0, "#fbd9b0"), (0.1, "#f3cdb8"), (0.3, "#b9c3d8"), (0.8, "#7fa2cc")),
        cloud="#ffe9cf", hill=("#c4b4ac", "#84926a"), tree="#4c5230", gain=0.58, portal=(4.4, 4.4, 5.0), sun=(32.0, 24.0, 15.0),
        sun_height=0.4, key=0.125, lamp=0.85,
    ),
}  # fmt: skip

_HOURS: dict[str, str] = {
    "sunset": "dusk", "evening": "dusk", "twilight": "dusk", "golden hour": "afternoon", "midnight": "night",
    "nighttime": "night",
    "noon": "day", "midday": "day", "daytime": "day", "daylight": "day", "dawn": "morning", "sunrise": "morning",
    "early morning": "morning",
}  # fmt: skip


def outlook_of(time: str | None, weather: str | None, lamps: bool) -> Outlook:
    """The outlook of a stated time; unstated, dusk where a lamp can glow against it and a sunny afternoon elsewhere."""
    word = (time or "").lower()
    name = next((n for n in (*OUTLOOKS, *_HOURS) if n in word), None)
    if name is None and any(w in (weather or "") for w in ("sun", "clear")):
        name = "afternoon"
    found = OUTLOOKS[_HOURS.get(name, name)] if name else OUTLOOKS["dusk" if lamps else "afternoon"]
    if weather and any(w in weather for w in ("rain", "storm", "overcast", "cloud", "fog", "mist", "snow")):
        grey = tuple((e, "#aeb6bc" if found.gain > 0.55 else c) for e, c in found.sky)
        portal = tuple(v * 0.6 for v in found.portal)
        white = ("#d6dade", "#e6e9ec") if "snow" in weather else found.hill
        return replace(found, sky=grey, sun=None, portal=portal, hill=white, stars=False)
    return found


def view(outlook: Outlook, wall_x: float) -> Material:
    """Emissive backdrop of sky, clouds, hills and trees, painted for an eye inside a west window at ``wall_x``."""

    def at(s: Surfels) -> Look:
        p = s.points
        level = p * (1, 1, 0)
        away = np.maximum(wall_x - p[:, 0], np.abs(p[:, 1]) - 0.5)
        elevation = np.arctan2(p[:, 2] - 1.4, away + 0.001)
        c = ramp(elevation, outlook.sky)
        cloud = fbm(p, (0.2, 0.25, 1.4), 4, 3)
        c = mix(c, linear(outlook.cloud), 0.6 * smoothstep(0.05, 0.5, cloud) * smoothstep(-0.02, 0.08, elevation))
        if outlook.stars:
            cell = np.floor(p[:, 1:] / 0.09)
            centre = (cell + 0.5) * 0.09
            star = (
                (hash01(cell[:, 0] * 173 + cell[:, 1], 5) > 0.93) & (np.hypot(*(p[:, 1:] - centre).T) < 0.03) & (elevation > 0.05)
            )
            c = np.where(star[:, None], linear("#dfe6ff"), c)
            moon = np.hypot(p[:, 1] - 1.1, p[:, 2] - 4.3)
            c = mix(c, linear("#f4efdc"), smoothstep(0.42, 0.37, moon))
            c = c + linear("#5a6690") * (0.35 * np.exp(-((moon / 0.9) ** 2)))[:, None]
        far = 2.1 + 0.5 * fbm(level, 0.22, 2, 9)
        near = 1.0 + 0.9 * fbm(level, 0.35, 2, 5) + 0.8 * np.abs(fbm(level, 1.6, 3, 6)) + 0.25 * fbm(p, 6.0, 2, 8)
        hill = mix(linear(outlook.hill[0]), linear(outlook.hill[1]), smoothstep(0, 1.2, far - p[:, 2]))
        c = np.where((p[:, 2] < far)[:, None], hill, c)
        leaves = linear(outlook.tree) * (1 + 0.35 * fbm(p, 3.0, 3, 12))[:, None]
        c = np.where((p[:, 2] < near)[:, None], leaves, c)
        return look(np.full_like(c, 0.01), emission=c * outlook.gain)

    return at
