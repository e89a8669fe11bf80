"""The contact sheet: every held-out view as it is, as we show it, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from spatialwm.bench.lift.report import LiftReport, Shown
from spatialwm.render.images import write_png

TILE_PX = 300
"""Width of a picture."""
MARGIN_PX, LINE_PX = 14, 22
MOST_VIEWS = 12
"""Of each source, spread evenly."""
ERROR_GAIN = 4.0
"""Colours differ by a few percent, which nobody sees in black."""
DEPTH_OFF = 0.05
"""Relative error of depth that is drawn in full colour."""
INK, FAINT, PAPER = (31, 36, 48), (122, 129, 148), (255, 255, 255)
NEAR, FAR = np.array([51, 102, 204]), np.array([194, 71, 43])
"""What is shown nearer than it is, and farther."""


def draw_sheet(report: LiftReport, path: Path) -> Path | None:
    """Write the PNG and return its path; None when no source has held-out views.

    Raises:
        ExportError: the file cannot be written.
    """
    blocks: list[np.ndarray] = []
    wide = max((_columns(s) for source in report.sources for s in source.shown), default=0)
    for source in report.sources:
        if not source.shown:
            continue
        blocks.append(_line(Path(source.source).name or source.source, wide, large=True))
        ours = source.rows[0] if source.rows else None
        if ours is not None and ours.psnr is not None:
            told = f"{source.used} of {source.given} pictures, {source.gaussians:,} Gaussians, {source.seconds:.0f} s"
            blocks.append(_line(told, wide))
        chosen = np.linspace(0, len(source.shown) - 1, min(MOST_VIEWS, len(source.shown))).round().astype(int)
        for i in chosen.tolist():
            blocks += [_line(source.shown[i].caption, wide), _strip(source.shown[i], wide)]
    if not blocks:
        return None
    titles = ["as photographed", "as shown", f"difference x{ERROR_GAIN:g}", "measured depth", "shown depth", "nearer / farther"]
    blocks.insert(0, _header(titles[:wide]))
    return write_png(path, np.concatenate(blocks))


def _columns(shown: Shown) -> int:
    return 3 if shown.depth_m is None else 6


def _width(columns: int) -> int:
    return columns * (TILE_PX + MARGIN_PX) + MARGIN_PX


def _strip(shown: Shown, columns: int) -> UInt8[np.ndarray, "h w 3"]:
    off = np.abs(shown.truth.astype(np.float32) - shown.ours) * ERROR_GAIN
    tiles = [shown.truth, shown.ours, off.clip(0, 255).astype(np.uint8)]
    if shown.depth_m is not None:
        truth, ours = shown.depth_m
        known = truth > 0
        low, high = (float(v) for v in np.quantile(truth[known], (0.01, 0.99))) if known.any() else (0.0, 1.0)
        tiles += [_depth_picture(truth, low, high), _depth_picture(ours, low, high), _depth_error(truth, ours)]
    height = max(1, round(TILE_PX * shown.truth.shape[0] / shown.truth.shape[1]))
    sheet = np.full((height + MARGIN_PX, _width(columns), 3), PAPER, np.uint8)
    for i, tile in enumerate(tiles):
        left = MARGIN_PX + i * (TILE_PX + MARGIN_PX)
        sheet[:height, left : left + TILE_PX] = np.asarray(Image.fromarray(tile).resize((TILE_PX, height), Image.Resampling.BOX))
    return sheet


def _depth_picture(depth: Float[np.ndarray, "h w"], low: float, high: float) -> UInt8[np.ndarray, "h w 3"]:
    """Near is light; what is unknown is white."""
    share = ((depth - low) / max(high - low, 1e-9)).clip(0, 1)[..., None]
    colors = (1 - share) * (253, 231, 160) + share * (38, 34, 92)
    return np.where(depth[..., None] > 0, colors, 255).astype(np.uint8)


def _depth_error(truth: Float[np.ndarray, "h w"], ours: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    both = (truth > 0) & (ours > 0)
    off = np.where(both, (ours - truth) / np.where(truth > 0, truth, 1) / DEPTH_OFF, 0).clip(-1, 1)[..., None]
    colors = 245 + np.abs(off) * (np.where(off > 0, FAR, NEAR) - 245)
    return np.where(both[..., None], colors, 255).astype(np.uint8)


def _line(text: str, columns: int, *, large: bool = False) -> UInt8[np.ndarray, "h w 3"]:
    height = round(1.7 * LINE_PX) if large else LINE_PX
    line = Image.new("RGB", (_width(columns), height), PAPER)
    font = ImageFont.load_default(20 if large else 13)
    ImageDraw.Draw(line).text((MARGIN_PX, height - 6), text, fill=INK if large else FAINT, font=font, anchor="ls")
    return np.asarray(line)


def _header(titles: Sequence[str]) -> UInt8[np.ndarray, "h w 3"]:
    line = Image.new("RGB", (_width(len(titles)), 2 * LINE_PX), PAPER)
    pen, font = ImageDraw.Draw(line), ImageFont.load_default(14)
    for i, title in enumerate(titles):
        pen.text((MARGIN_PX + i * (TILE_PX + MARGIN_PX), 2 * LINE_PX - 8), title, fill=INK, font=font, anchor="ls")
    return np.asarray(line)
