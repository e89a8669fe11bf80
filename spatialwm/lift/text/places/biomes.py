"""What grows, lies and rises around an outdoor place, by its name. Data only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from spatialwm.lift.text.graph import SceneGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Colours of bare ground: two tones, and two of what grows on it in patches."""

    dark: str = "#352a20"
    light: str = "#6b5540"
    patch_dark: str = "#4c6026"
    patch_light: str = "#80893a"
    cover: float = 0.55
    """Share of the area that the patches take."""
    pattern: Literal["natural", "sand", "paving", "asphalt", "snow"] = "natural"
    bump: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Biome:
    """A sort of landscape."""

    ground: Ground = Ground()
    grass: float = 1.0
    """Blades relative to a lush meadow."""
    grass_m: float = 0.16
    """Height of tall blades."""
    grass_dark: str = "#4a5a22"
    grass_light: str = "#a8a24e"
    flowers: float = 0.3
    relief_m: float = 3.0
    """Height of the swells beyond the clearing."""
    rise_m: float = 3.0
    """How much the land climbs towards the horizon."""
    mountains_m: float = 40.0
    """Height of the peaks behind; 0 for none."""
    snow_line: float = 0.55
    """Share of that height above which snow lies."""
    peak: tuple[str, str] = ("#4a4550", "#8d8580")
    """Rock of the peaks."""
    foothill: tuple[str, str] = ("#1c2b20", "#3a4c2e")
    trees: tuple[tuple[str, float], ...] = (("pine", 1.0),)
    """Species around the clearing and their shares."""
    tree_count: int = 60
    """Trees within 26 m of the edge."""
    woods: int = 110
    """Coarser trees farther away."""
    stones: int = 14
    sea: bool = False
    """Water up to the horizon in front."""
    buildings: int = 0
    """House fronts around a square or along a street."""
    snow: float = 0.0
    """Cover on everything, 0..1."""


_FOREST = Biome(tree_count=74, woods=130, flowers=0.2)
_MEADOW = Biome(
    trees=(("oak", 0.6), ("birch", 0.4)),
    tree_count=16,
    woods=60,
    flowers=1.6,
    rise_m=2.0,
    grass=1.25,
    grass_m=0.2,
    ground=Ground(cover=0.8),
    grass_light="#b8b45a",
    mountains_m=34.0,
)
_LAWN = Ground(cover=0.95, patch_dark="#4c6032", patch_light="#7c8a4c")
_SAND = Ground(dark="#a07c50", light="#cba874", patch_dark="#b4905e", patch_light="#d8b888", cover=0.4, pattern="sand")
_PAVING = Ground(dark="#6e6a64", light="#a8a298", pattern="paving", cover=0.0)

BIOMES: dict[str, Biome] = {
    "forest clearing": _FOREST,
    "forest": replace(_FOREST, tree_count=96, woods=150, grass=0.8, ground=Ground(cover=0.4)),
    "lakeside": replace(_FOREST, tree_count=50, mountains_m=60.0),
    "meadow": _MEADOW,
    "landscape": _MEADOW,
    "garden": Biome(
        ground=_LAWN,
        grass=1.0,
        grass_m=0.1,
        grass_dark="#4a5f30",
        grass_light="#98a660",
        flowers=2.2,
        relief_m=1.0,
        rise_m=1.5,
        trees=(("oak", 0.5), ("birch", 0.25), ("blossom", 0.25)),
        tree_count=30,
        woods=50,
        stones=5,
        mountains_m=0.0,
    ),
    "park": Biome(
        ground=_LAWN,
        grass=1.0,
        grass_m=0.11,
        grass_dark="#4a5f30",
        grass_light="#94a05c",
        flowers=0.9,
        relief_m=1.6,
        rise_m=1.5,
        trees=(("oak", 0.7), ("birch", 0.3)),
        tree_count=30,
        woods=70,
        stones=4,
        mountains_m=0.0,
    ),
    "mountain": Biome(
        trees=(("pine", 1.0),),
        tree_count=34,
        woods=80,
        stones=30,
        mountains_m=110.0,
        snow_line=0.42,
        grass=0.9,
        grass_m=0.13,
        relief_m=5.0,
        rise_m=6.0,
        flowers=1.0,
    ),
    "village": Biome(
        ground=Ground(cover=0.45, dark="#5a4a38", light="#8a7558"),
        grass=0.6,
        grass_m=0.1,
        trees=(("oak", 0.7), ("birch", 0.3)),
        tree_count=30,
        woods=70,
        mountains_m=36.0,
    ),
    "farm": replace(_MEADOW, tree_count=12, woods=60, flowers=0.5, mountains_m=0.0, rise_m=4.0, grass_light="#c4b45c"),
    "beach": Biome(
        ground=_SAND,
        grass=0.0,
        flowers=0.0,
        relief_m=0.8,
        rise_m=0.5,
        trees=(("palm", 1.0),),
        tree_count=18,
        woods=26,
        stones=10,
        mountains_m=0.0,
        sea=True,
    ),
    "desert": Biome(
        ground=_SAND,
        grass=0.05,
        grass_m=0.2,
        grass_dark="#7a6a3c",
        grass_light="#b8a468",
        flowers=0.0,
        relief_m=4.5,
        rise_m=3.0,
        trees=(("cactus", 0.7), ("shrub", 0.3)),
        tree_count=16,
        woods=16,
        stones=26,
        mountains_m=46.0,
        snow_line=9.0,
        peak=("#7a4a32", "#c08a5e"),
        foothill=("#8a5c3a", "#c49a68"),
    ),
    "mars": Biome(
        ground=Ground(dark="#6a3420", light="#a85c38", patch_dark="#8a4428", patch_light="#c07a50", cover=0.4, pattern="sand"),
        grass=0.0,
        flowers=0.0,
        relief_m=4.0,
        trees=(),
        tree_count=0,
        woods=0,
        stones=60,
        mountains_m=40.0,
        snow_line=9.0,
        peak=("#5a2c1c", "#a05a3a"),
        foothill=("#6a3420", "#a05c3c"),
    ),
    "street": Biome(
        ground=Ground(dark="#46474a", light="#6a6b6d", pattern="asphalt", cover=0.0),
        grass=0.0,
        flowers=0.0,
        relief_m=0.0,
        rise_m=0.0,
        trees=(),
        tree_count=0,
        woods=0,
        stones=0,
        mountains_m=0.0,
        buildings=16,
    ),
    "square": Biome(
        ground=_PAVING,
        grass=0.0,
        flowers=0.0,
        relief_m=0.0,
        rise_m=0.0,
        trees=(("oak", 1.0),),
        tree_count=6,
        woods=20,
        stones=0,
        mountains_m=0.0,
        buildings=14,
    ),
    "graveyard": Biome(
        trees=(("oak", 0.4), ("dead", 0.6)),
        tree_count=22,
        woods=60,
        mountains_m=0.0,
        grass=1.0,
        grass_m=0.15,
        flowers=0.1,
        stones=8,
        grass_dark="#3c4a24",
        grass_light="#87864c",
    ),
    "playground": Biome(
        ground=_LAWN,
        grass=0.9,
        grass_m=0.08,
        trees=(("oak", 0.7), ("birch", 0.3)),
        tree_count=26,
        woods=60,
        stones=2,
        mountains_m=0.0,
        relief_m=1.0,
    ),
    "harbor": Biome(
        ground=_PAVING,
        grass=0.0,
        flowers=0.0,
        relief_m=0.6,
        rise_m=0.5,
        trees=(("oak", 1.0),),
        tree_count=6,
        woods=20,
        stones=12,
        mountains_m=0.0,
        sea=True,
    ),
    "swamp": replace(_FOREST, grass=1.1, grass_m=0.3, trees=(("oak", 0.5), ("dead", 0.5)), mountains_m=0.0, flowers=0.0),
    "snowfield": replace(_FOREST, tree_count=50, mountains_m=70.0, snow=1.0),
}
"""Keys are the names of the settings that the language module knows, and a few finer ones."""

_FINER: tuple[tuple[str, str], ...] = (
    ("mars", "mars"),
    ("moon", "mars"),
    ("square", "square"),
    ("plaza", "square"),
    ("market", "square"),
    ("town", "square"),
    ("canyon", "desert"),
    ("savanna", "farm"),
    ("jungle", "forest"),
    ("orchard", "garden"),
    ("snow", "snowfield"),
    ("tundra", "snowfield"),
)
"""Words of a place or prompt that settle the biome where the place's own name is broad."""


def biome_of(graph: SceneGraph) -> Biome:
    """The biome of a graph's place, with snow over it when the weather or the words say so."""
    place = graph.place.lower()
    prompt = graph.prompt.lower()
    name = next((b for word, b in _FINER if word in place), None)
    if name is None and place in ("desert", "village"):
        name = next((b for word, b in _FINER[:6] if word in prompt), None)
    name = name or (place if place in BIOMES else next((b for b in BIOMES if b in place or place in b), "meadow"))
    wintry = "snow" in (graph.weather or "").lower() or any(
        w in prompt for w in ("snowy", "winter", "snow-covered", "covered in snow")
    )
    if wintry and name in ("meadow", "mountain", "forest clearing"):
        name = "snowfield"
    biome = BIOMES[name]
    if any(w in prompt for w in ("oak forest", "deciduous", "birch")) and biome.trees == (("pine", 1.0),):
        biome = replace(biome, trees=(("birch", 1.0),) if "birch" in prompt else (("oak", 1.0),))
    if "autumn" in prompt or "fall foliage" in prompt:
        biome = replace(biome, trees=tuple(("autumn" if s in ("oak", "birch") else s, w) for s, w in biome.trees))
    return snowed(biome) if wintry or biome.snow > 0 else biome


def snowed(biome: Biome) -> Biome:
    """The same landscape under snow."""
    ground = Ground(dark="#ccd6e4", light="#eef2f8", patch_dark="#dde5f0", patch_light="#f8fafd", pattern="snow")
    return replace(
        biome,
        ground=ground,
        grass=biome.grass * 0.09,
        grass_light="#c8b888",
        grass_dark="#80724e",
        flowers=0.0,
        snow=1.0,
        snow_line=0.12,
        foothill=("#8a98a8", "#c4d0dc"),
    )
