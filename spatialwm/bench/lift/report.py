"""What an evaluation found, as values, as a Markdown page and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from spatialwm.bench.depth_metrics import MetricError, RelativeError
from spatialwm.bench.lift.stages import Stage
from spatialwm.report import headline, markdown_table, number_text, plain_json

SCHEMA = "spatialwm.evaluate.lift/1"
_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way of showing the held-out views, means over them; None where it shows no such thing."""

    method: str
    psnr: float | None = None
    psnr_fitted: float | None = None
    """After the best gain and offset per colour and view."""
    ssim: float | None = None
    depth: MetricError | None = None
    """Of all pixels of all held-out views together."""
    relative: RelativeError | None = None
    """Of a single picture, aligned."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Shown:
    """A held-out view as it is and as it was shown."""

    name: str
    truth: UInt8[np.ndarray, "h w 3"]
    ours: UInt8[np.ndarray, "h w 3"]
    caption: str
    depth_m: tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]] | None = None
    """Truth and ours, where there is a truth."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SourceReport:
    """One source."""

    source: str
    kind: str
    """``capture`` or ``photo``."""
    refused: str | None = None
    """Why there is no world, in the words a user gets; everything below is empty then."""
    given: int = 0
    used: int = 0
    """Pictures that found their cameras."""
    held_out: tuple[str, ...] = ()
    gaussians: int = 0
    scale: str = ""
    rows: tuple[Row, ...] = ()
    """Ours first."""
    stages: tuple[Stage, ...] = ()
    notes: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = field(default=(), repr=False)

    @property
    def seconds(self) -> float:
        """Of all stages."""
        return sum(s.seconds for s in self.stages)

    @property
    def peak_mb(self) -> float | None:
        """The most that any stage held."""
        return max((s.peak_mb for s in self.stages if s.peak_mb is not None), default=None)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; numbers that are none are null."""
        told = {
            name: getattr(self, name)
            for name in ("source", "kind", "refused", "given", "used", "held_out", "gaussians", "scale", "notes")
        }
        told |= {"registered_share": self.used / self.given if self.given else None}
        told |= {"seconds": self.seconds, "peak_mb": self.peak_mb}
        told |= {"rows": [asdict(r) for r in self.rows], "stages": [asdict(s) for s in self.stages]}
        return plain_json(told)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LiftReport:
    """All sources, and what they were lifted on."""

    machine: dict[str, Any]
    quality: str
    budget: str
    """Of training, in words."""
    sources: tuple[SourceReport, ...]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        told = {"schema": SCHEMA, "machine": self.machine, "quality": self.quality, "budget": self.budget}
        return {**told, "sources": [s.to_dict() for s in self.sources]}

    def markdown(self, sheet: str | None = None) -> str:
        """The page; ``sheet`` is the name of the contact sheet beside it."""
        lines = ["# How good the lifts are", "", f"Quality {self.quality}, {self.budget}. {headline(self.machine)}.", ""]
        if sheet:
            lines += [f"![held-out views: truth, ours, error]({sheet})", ""]
        for source in self.sources:
            lines += _section(source)
        return "\n".join(lines)


def _section(s: SourceReport) -> list[str]:
    lines = [f"## {s.source}", ""]
    if s.refused:
        return [*lines, f"No world: {s.refused}", ""]
    peak = "" if s.peak_mb is None else f", at most {s.peak_mb:,.0f} MB"
    if s.kind == "capture":
        names = ", ".join(s.held_out[:_NAMED]) + (" and so on" if len(s.held_out) > _NAMED else "")
        kept_aside = f"{len(s.held_out)} of them were held out: {names}" if names else "too few to hold any out"
        lines += [f"{s.used} of {s.given} pictures found their cameras; {kept_aside}."]
    lines += [f"{s.gaussians:,} Gaussians in {s.seconds:.0f} s{peak}. Scale: {s.scale}.", ""]
    columns = _columns(s.rows)
    titles = ("held-out views" if s.kind == "capture" else "the picture", *(title for title, _ in columns))
    lines += markdown_table(titles, [(r.method, *(text(r) for _, text in columns)) for r in s.rows])
    if s.stages:
        header = ("stage", "seconds", "processor s", "peak MB")
        cells = [(t.name, f"{t.seconds:.1f}", f"{t.processor_s:.1f}", number_text(t.peak_mb, ",.0f")) for t in s.stages]
        lines += ["", *markdown_table(header, cells)]
    return [*lines, "", *(f"- {note}" for note in s.notes), *([""] if s.notes else [])]


def _columns(rows: Sequence[Row]) -> list[tuple[str, Any]]:
    """Titles with what to write below; columns that nobody fills are left out."""

    def of(part: str, name: str, spec: str, k: float = 1.0) -> Any:
        def text(row: Row) -> str:
            owner = getattr(row, part) if part else row
            value = None if owner is None else getattr(owner, name)
            return number_text(None if value is None else k * value, spec)

        return text

    every = [
        ("PSNR dB", of("", "psnr", ".2f")), ("after colour fit", of("", "psnr_fitted", ".2f")), ("SSIM", of("", "ssim", ".3f")),
        ("depth error mm: median", of("depth", "median_m", ".1f", 1e3)), ("90 %", of("depth", "p90_m", ".0f", 1e3)),
        ("depth / truth", of("depth", "bias", "+.2%")), ("covered", of("depth", "cover", ".0%")),
        ("AbsRel", of("relative", "abs_rel", ".3f")), ("delta 1.25", of("relative", "delta_125", ".3f")),
        ("scale to fit", of("relative", "factor", ".3f")),
    ]  # fmt: skip
    return [(title, text) for title, text in every if any(text(row) != "-" for row in rows)]
