"""Where the sun stands, what the sky looks like in every direction, and how thick the air is, from a time and a weather."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.color import parse_color
from spatialwm.lift.text.surface.noise import fbm, linear, ramp, smoothstep

Array = np.ndarray
Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """Light from above at one time and weather. Colours are linear radiance unless they are ``#rrggbb``."""

    stops: tuple[tuple[float, str], ...]
    """Colour at rising sines of elevation, as seen away from the sun."""
    elevation_deg: float
    azimuth_deg: float
    """Of the sun or moon, counter-clockwise from +X; +90 is straight ahead of the first view."""
    sun: Rgb
    """Irradiance on a surface that faces the sun or moon."""
    glow: Rgb
    """Brightness of the wide halo around it."""
    disc_deg: float = 0.9
    """Apparent radius; larger than life, as a lens would show it. 0 hides it behind clouds."""
    gain: float = 1.0
    """Radiance of a white stop."""
    fill: float = 1.3
    """How much more the sky lights things than it shows: the part of the dome a picture clips away."""
    clouds: float = 0.35
    """Fraction of the sky that clouds cover."""
    cloud_lit: str = "#ffffff"
    cloud_dark: str = "#aab4c4"
    stars: int = 0
    fog_per_m: float = 0.0012
    fog_from_m: float = 12.0
    fog_height_m: float = 30.0
    """Height over which the fog thins by e."""
    exposure: float = 1.0
    snowing: bool = False
    raining: bool = False

    @property
    def sun_direction(self) -> Float[Array, " 3"]:
        """Unit vector towards the sun or moon."""
        el, az = math.radians(self.elevation_deg), math.radians(self.azimuth_deg)
        return np.array([math.cos(el) * math.cos(az), math.cos(el) * math.sin(az), math.sin(el)])

    def gradient(self, directions: Float[Array, "n 3"]) -> Float[Array, "n 3"]:
        """Cloudless linear radiance with the sun's halo but without its disc."""
        sine = np.clip(directions[:, 2], self.stops[0][0], None)
        color = ramp(sine, self.stops) * self.gain
        toward = np.clip(directions @ self.sun_direction, 0, 1)[:, None]
        return color + np.array(self.glow) * (0.5 * toward**10 + 1.1 * toward**90)

    def radiance(self, directions: Float[Array, "n 3"]) -> Float[Array, "n 3"]:
        """Linear radiance with clouds, for the dome that people see."""
        color = self.gradient(directions)
        if self.clouds <= 0:
            return color
        # Projecting on a plane overhead makes clouds shrink towards the horizon as real ones do.
        flat = directions[:, :2] / (np.clip(directions[:, 2:], 0, 1) + 0.22)
        points = np.column_stack([flat * (0.8, 1.5), np.zeros(len(flat))])
        shape = fbm(points, frequency=1.25, octaves=5, seed=4)
        threshold = 0.42 - 0.8 * self.clouds
        cover = smoothstep(threshold, threshold + 0.42, shape) * smoothstep(0.01, 0.16, directions[:, 2])
        thick = smoothstep(threshold + 0.1, threshold + 0.75, shape)[:, None]
        toward = np.clip(directions @ self.sun_direction, 0, 1)[:, None]
        lit, dark = linear(self.cloud_lit), linear(self.cloud_dark)
        cloud = (lit * (1 - 0.6 * thick) + dark * 0.6 * thick) * self.gain * (0.8 + 0.5 * toward**3)
        return color + (cloud - color) * (0.88 * cover)[:, None]

    def illumination(self, directions: Float[Array, "n 3"]) -> Float[Array, "n 3"]:
        """What a surface receives from each direction; the ground's own dim bounce below the horizon."""
        above = self.gradient(directions) * self.fill
        below = np.broadcast_to(self.horizon() * 0.16, above.shape)
        return np.where(directions[:, 2:] < -0.02, below, above).astype(np.float32)

    def horizon(self) -> Float[Array, " 3"]:
        """Linear colour of the sky just above the horizon away from the sun."""
        return linear(self.stops[min(1, len(self.stops) - 1)][1]) * self.gain

    def air(self) -> Float[Array, " 3"]:
        """Linear colour of thick air away from the sun: paler and cooler than the horizon alone."""
        above = ramp(np.array([0.25]), self.stops).reshape(3) * self.gain
        return 0.3 * self.horizon() + 0.6 * above

    def fogged(self, points: Float[Array, "n 3"], radiance: Float[Array, "n 3"], eye: Float[Array, " 3"]) -> Float[Array, "n 3"]:
        """Radiance that reaches ``eye`` through the air: exponential height fog that glows towards the sun."""
        ray = points - eye
        distance = np.linalg.norm(ray, axis=1)
        toward = np.clip((ray / np.maximum(distance, 1e-6)[:, None]) @ self.sun_direction, 0, 1)[:, None]
        rise = np.maximum(points[:, 2] - eye[2], 0.5) / self.fog_height_m
        depth = distance * (1 - np.exp(-rise)) / rise
        veil = 1 - np.exp(-np.maximum(depth - self.fog_from_m, 0) * self.fog_per_m)[:, None]
        air = self.air() + np.array(self.glow) * (0.45 * toward**5 + 0.4 * toward**24)
        return radiance * (1 - veil) + air * veil


_DAWN = Sky(
    stops=((-0.05, "#f2b98a"), (0.03, "#f7c08a"), (0.12, "#f0b79a"), (0.25, "#c3b3c0"), (0.45, "#86a0c8"), (0.8, "#4f78b5")),
    elevation_deg=17.0,
    azimuth_deg=68.0,
    sun=(11.0, 6.8, 3.6),
    glow=(1.2, 0.62, 0.26),
    gain=0.9,
    fill=1.5,
    clouds=0.4,
    cloud_lit="#ffd9b0",
    cloud_dark="#b79aa8",
    fog_per_m=0.0035,
    fog_from_m=10.0,
    fog_height_m=18.0,
    exposure=1.25,
)
_DAY = Sky(
    stops=((-0.05, "#cfdfec"), (0.02, "#d3e3f0"), (0.12, "#b4d2ee"), (0.3, "#86b4e6"), (0.6, "#548fd6"), (1.0, "#3d76c4")),
    elevation_deg=50.0,
    azimuth_deg=-38.0,
    sun=(7.2, 6.5, 5.3),
    glow=(0.30, 0.28, 0.22),
    gain=1.0,
    fill=1.9,
    clouds=0.42,
    cloud_lit="#ffffff",
    cloud_dark="#aebccd",
    fog_per_m=0.0022,
    fog_from_m=16.0,
    fog_height_m=40.0,
)
_NIGHT = Sky(
    stops=((-0.05, "#2b3a5e"), (0.03, "#2f4068"), (0.15, "#25355c"), (0.4, "#182546"), (0.9, "#0e1833")),
    elevation_deg=34.0,
    azimuth_deg=122.0,
    sun=(0.85, 1.05, 1.5),
    glow=(0.10, 0.13, 0.20),
    gain=0.9,
    fill=4.6,
    clouds=0.2,
    cloud_lit="#5a6a92",
    cloud_dark="#26324f",
    disc_deg=1.1,
    stars=2200,
    fog_per_m=0.003,
    fog_from_m=14.0,
    fog_height_m=22.0,
    exposure=2.2,
)

TIMES: dict[str, Sky] = {
    "dawn": _DAWN,
    "morning": replace(_DAY, elevation_deg=27.0, azimuth_deg=18.0, sun=(9.6, 7.7, 5.3), glow=(0.6, 0.45, 0.28), fog_per_m=0.004),
    "day": _DAY,
    "noon": replace(_DAY, elevation_deg=66.0, azimuth_deg=-60.0, sun=(7.2, 6.8, 5.9), clouds=0.25, exposure=0.85),
    "afternoon": replace(_DAY, elevation_deg=34.0, azimuth_deg=160.0, sun=(9.0, 7.7, 5.6)),
    "golden hour": replace(_DAWN, elevation_deg=14.0, azimuth_deg=138.0, sun=(11.0, 7.0, 3.7), fog_per_m=0.0014, exposure=1.0),
    "dusk": replace(
        _DAWN,
        elevation_deg=5.0,
        azimuth_deg=112.0,
        sun=(3.0, 1.5, 1.1),
        glow=(0.95, 0.40, 0.22),
        gain=0.62,
        disc_deg=0.0,
        stops=((-0.05, "#f0925c"), (0.03, "#f4a066"), (0.10, "#dd8a86"), (0.22, "#9a78a6"), (0.45, "#56619c"), (0.9, "#2d3f78")),
        cloud_lit="#f0a890",
        cloud_dark="#6a5d80",
        stars=120,
        exposure=1.4,
        fill=1.7,
    ),
    "night": _NIGHT,
}
"""Skies by the time words of a scene graph; ``day`` when nothing is said."""

_ALIASES = {
    "sunrise": "dawn",
    "daybreak": "dawn",
    "early morning": "dawn",
    "midday": "noon",
    "daytime": "day",
    "sunset": "golden hour",
    "evening": "golden hour",
    "twilight": "dusk",
    "midnight": "night",
    "nighttime": "night",
    "moonlight": "night",
}


def sky_for(time: str | None, weather: str | None) -> Sky:
    """The sky at a time and weather as people name them; unknown words mean a clear day."""
    word = (time or "day").lower()
    sky = TIMES.get(_ALIASES.get(word, word), _DAY)
    weather = (weather or "").lower()
    if any(w in weather for w in ("fog", "mist", "haz")):
        return _misty(sky, 5.0 if "fog" in weather else 3.2)
    if any(w in weather for w in ("rain", "storm", "drizzl", "thunder")):
        return replace(_overcast(sky, 0.62), raining=True, fog_per_m=0.008)
    if "snow" in weather or "blizzard" in weather:
        return replace(_overcast(sky, 0.86), snowing=True, fog_per_m=0.012 if "blizzard" in weather else 0.006)
    if any(w in weather for w in ("overcast", "cloud", "grey", "gray")):
        return _overcast(sky, 0.8)
    return sky


def _misty(sky: Sky, factor: float) -> Sky:
    """Thicker air close to the ground and a softer sun."""
    per_m = max(sky.fog_per_m, 0.0024) * factor
    return replace(
        sky,
        fog_per_m=per_m,
        fog_from_m=7.0,
        fog_height_m=9.0,
        clouds=sky.clouds * 0.6,
        sun=_times(sky.sun, 0.85),
        glow=_times(sky.glow, 1.1),
    )


def _overcast(sky: Sky, brightness: float) -> Sky:
    """A grey lid: hardly any sun, even light, no disc and no stars."""
    gray = np.array([0.62, 0.65, 0.70])
    stops = tuple((s, _mixed(c, gray, 0.72 if sky.stars == 0 else 0.2)) for s, c in sky.stops)
    return replace(
        sky,
        stops=stops,
        sun=_times(sky.sun, 0.16),
        glow=_times(sky.glow, 0.25),
        disc_deg=0.0,
        stars=0,
        clouds=0.75,
        cloud_lit=_mixed(sky.cloud_lit, gray, 0.4),
        cloud_dark=_mixed(sky.cloud_dark, gray * 0.6, 0.5),
        gain=sky.gain * brightness,
        fill=sky.fill * 1.5,
        fog_per_m=max(sky.fog_per_m, 0.004),
    )


def _mixed(color: str, other: Float[Array, " 3"], amount: float) -> str:
    rgb = parse_color(color) * (1 - amount) + other * amount * (0.35 + 0.65 * parse_color(color).max())
    return "#" + "".join(f"{round(float(v) * 255):02x}" for v in np.clip(rgb, 0, 1))


def _times(rgb: Rgb, k: float) -> Rgb:
    return (rgb[0] * k, rgb[1] * k, rgb[2] * k)
