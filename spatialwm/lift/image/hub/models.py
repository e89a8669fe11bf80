"""The learned models that are known: whose they are, what may be done with them, what they need and what they return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Architecture = Literal["depth-anything", "depth-pro", "zoedepth", "moge", "depth-anything-3", "sharp", "sam2", "grounding-dino"]

TRANSFORMERS = ("depth-anything", "depth-pro", "zoedepth", "sam2", "grounding-dino")
"""What the transformers library runs; each of the others is a package of its own."""

WORKSPACE_BYTES = 200_000_000
"""What the libraries take for themselves: on a CPU 162 and 178 MB more than all tensors, for Depth Anything small and base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """One set of weights."""

    name: str
    repo: str
    """Its id on the Hugging Face hub."""
    architecture: Architecture
    licence: str
    """Of the weights, as their authors state it."""
    commercial: bool
    """Whether that licence permits commercial use; where sources disagree, the stricter one is taken."""
    gives: str
    parameters_m: float
    """Millions."""
    size: tuple[int, int]
    """Width and height at which a 16:9 picture is processed, px."""
    bytes_per_px: float
    """Peak of what is held beside the weights, per processed pixel, in float32; from the real class at its real configuration."""
    download_mb: int
    twice: str = ""
    """Files that hold the same weights once more in another format, and need not be fetched."""
    place: Literal["indoors", "outdoors", "anywhere"] = "anywhere"
    sky_beyond_m: float | None = None
    """It has no notion of sky and puts it this far away or farther; None: nothing is sky."""
    scale_sigma: float = 0.15
    """Relative error of its metre on pictures it has not seen."""

    @property
    def memory_bytes(self) -> int:
        """Peak of a 16:9 picture in float32, weights included."""
        return round(self.parameters_m * 4e6 + self.size[0] * self.size[1] * self.bytes_per_px) + WORKSPACE_BYTES


def _depth_anything(
    size: str, place: Literal["indoors", "outdoors"], parameters_m: float, bytes_per_px: float, mb: int
) -> HubModel:
    indoors, small = place == "indoors", size == "small"
    return HubModel(
        name=f"depth-anything-v2-metric-{place.removesuffix('s')}-{size}",
        repo=f"depth-anything/Depth-Anything-V2-Metric-{place.removesuffix('s').title()}-{size.title()}-hf",
        architecture="depth-anything",
        licence="Apache-2.0" if small else "CC-BY-NC-4.0",
        commercial=small,
        gives="metric depth",
        parameters_m=parameters_m,
        size=(924, 518),
        bytes_per_px=bytes_per_px,
        download_mb=mb,
        place=place,
        sky_beyond_m=None if indoors else 72.0,  # it ends at 80 m, where it puts the sky
    )


MODELS: dict[str, HubModel] = {
    m.name: m
    for m in (
        HubModel(
            name="moge-2", repo="Ruicheng/moge-2-vitl-normal", architecture="moge", licence="MIT", commercial=True,
            gives="metric depth, focal length, sky", parameters_m=331, size=(910, 504), bytes_per_px=2500, download_mb=1320,
            scale_sigma=0.10,
        ),
        HubModel(
            name="depth-anything-3-metric", repo="depth-anything/DA3METRIC-LARGE", architecture="depth-anything-3",
            licence="Apache-2.0", commercial=True, gives="metric depth, sky", parameters_m=350, size=(504, 280),
            bytes_per_px=2500, download_mb=1400, scale_sigma=0.12,
        ),
        _depth_anything("large", "indoors", 335.3, 1300, 1340),
        _depth_anything("base", "indoors", 97.5, 720, 390),
        _depth_anything("small", "indoors", 24.8, 440, 99),
        _depth_anything("large", "outdoors", 335.3, 1300, 1340),
        _depth_anything("base", "outdoors", 97.5, 720, 390),
        _depth_anything("small", "outdoors", 24.8, 440, 99),
        HubModel(
            name="depth-pro", repo="apple/DepthPro-hf", architecture="depth-pro", licence="Apple ML Research (research only)",
            commercial=False, gives="metric depth, focal length", parameters_m=952, size=(1536, 1536), bytes_per_px=1850,
            download_mb=1900, sky_beyond_m=500.0, scale_sigma=0.12,
        ),
        HubModel(
            name="zoedepth", repo="Intel/zoedepth-nyu-kitti", architecture="zoedepth", licence="MIT", commercial=True,
            gives="metric depth", parameters_m=345, size=(704, 416), bytes_per_px=3000, download_mb=1380,
            sky_beyond_m=72.0, scale_sigma=0.2,
        ),
        HubModel(
            name="sharp", repo="apple/Sharp", architecture="sharp", licence="Apple ML Research (research only)", commercial=False,
            gives="metric depth in two layers", parameters_m=702, size=(1536, 1536), bytes_per_px=2000, download_mb=2810,
            sky_beyond_m=500.0, scale_sigma=0.12,
        ),
    )
}  # fmt: skip
"""Depth, in the order in which ``auto`` prefers them."""

MASKS = HubModel(
    name="sam2", repo="facebook/sam2.1-hiera-tiny", architecture="sam2", licence="Apache-2.0", commercial=True,
    gives="the mask of what is clicked or boxed", parameters_m=31.4, size=(1024, 1024), bytes_per_px=330,
    download_mb=156, twice="*.pt",
)  # fmt: skip
WORDS = HubModel(
    name="grounding-dino", repo="IDEA-Research/grounding-dino-tiny", architecture="grounding-dino", licence="Apache-2.0",
    commercial=True, gives="boxes of what is named", parameters_m=172, size=(1333, 750), bytes_per_px=1450,
    download_mb=689, twice="*.bin",
)  # fmt: skip
