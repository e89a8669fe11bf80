"""Prediction beside truth, as a film: where things were meant to go, where they went, and how sure the model was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from spatialwm.dynamics.evaluate.certainty import interval_factor
from spatialwm.dynamics.evaluate.pictures import Look
from spatialwm.dynamics.evaluate.results import Shown
from spatialwm.dynamics.evaluate.windows import point_distance, world_points
from spatialwm.geometry.camera import Camera
from spatialwm.progress import Progress, silent
from spatialwm.render import Frame, write_mp4
from spatialwm.render.images import to_bytes

HEADER_PX, FOOTER_PX, GAP_PX = 44, 34, 10
PAPER, INK, FAINT = (255, 255, 255), (31, 36, 48), (110, 117, 135)
HALO, TRUTH = np.array([51, 102, 204]), np.array([20, 24, 32])
HOLD_S = 1.2
"""How long the last picture stays."""
FPS = 20


def write_film(shown: Shown, look: Look, models: Sequence[str], path: Path, progress: Progress = silent) -> Path:
    """The truth on the left, then each model's forecast from the first instant on; returns the path.

    In a forecast a thin line shows where things truly are, and a blue field on the table where, by the model's own account, the
    object's points should be with 90 % certainty.

    Raises:
        ExportError: the file cannot be written.
    """
    steps = len(shown.truth) - 1
    each = max(1, round(FPS * shown.dt_s))
    instants = [(step, part / each) for step in range(steps) for part in range(each)]
    rest = round(HOLD_S * FPS)

    def pictures() -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        for step, part in instants:
            yield _sheet(shown, look, models, step, part)
        yield from [still(shown, look, models)] * rest

    return write_mp4(path, pictures(), FPS, progress, len(instants) + rest)


def still(shown: Shown, look: Look, models: Sequence[str]) -> UInt8[np.ndarray, "h w 3"]:
    """The last picture of the film."""
    return _sheet(shown, look, models, len(shown.truth) - 1, 0.0)


def _sheet(shown: Shown, look: Look, models: Sequence[str], step: int, part: float) -> UInt8[np.ndarray, "h w 3"]:
    parts = _between(shown.part_poses, step, part)
    truth = _between(shown.truth, step, part)
    real = look.draw(truth, parts)
    seconds = (step + part) * shown.dt_s
    panels = [_panel(to_bytes(real.rgb), "what happened", f"{seconds:.1f} s")]
    for name in models:
        poses, sigma = shown.forecasts[name]
        path = np.concatenate([shown.truth[:1], poses])
        said = _between(path, step, part)
        sure = _between(np.concatenate([np.zeros_like(sigma[:1]), sigma])[..., None], step, part)[:, 0]
        frame = look.draw(said, parts)
        picture = _halo(to_bytes(frame.rgb), frame, look.camera, shown.cast.points, said, sure)
        picture = _outline(picture, real, look.object_ids)
        off = point_distance(world_points(shown.cast.points, said[None]), world_points(shown.cast.points, truth[None]))[0]
        worst = 1e3 * float(off.max()) if len(off) else 0.0
        expected = f", expected {1e3 * float(sure[int(off.argmax())]):.0f} mm" if len(off) and np.isfinite(sure).all() else ""
        panels.append(_panel(picture, name, f"largest error {worst:.0f} mm{expected}"))
    gap = np.full((panels[0].shape[0], GAP_PX, 3), PAPER, np.uint8)
    return np.concatenate([p for panel in panels for p in (panel, gap)][:-1], axis=1)


def _between(values: Float[np.ndarray, "t n c"], step: int, part: float) -> Float[np.ndarray, "n c"]:
    """Values between two steps; quaternions of poses turn the short way."""
    a = np.asarray(values[step], np.float64)
    if part == 0 or step + 1 == len(values):
        return a
    b = np.asarray(values[step + 1], np.float64).copy()
    if a.shape[-1] == 7:
        b[:, 3:] *= np.where((a[:, 3:] * b[:, 3:]).sum(-1, keepdims=True) < 0, -1, 1)
    return a + part * (b - a)


def _halo(
    picture: UInt8[np.ndarray, "h w 3"], frame: Frame, camera: Camera, points: Float[np.ndarray, "k p 3"],
    poses: Float[np.ndarray, "k 7"], sigma: Float[np.ndarray, " k"],
) -> UInt8[np.ndarray, "h w 3"]:  # fmt: skip
    """Tint the ground around each object as far as its points may be; what stands on it stays untinted."""
    height, width = picture.shape[:2]
    field = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(field)
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    for p, pose, s in zip(points, poses, sigma, strict=True):
        if not (np.isfinite(pose).all() and s > 5e-4):  # NaN too: the model does not say
            continue
        radius = float(np.quantile(np.linalg.norm(p[:, :2], axis=1), 0.9)) + interval_factor(0.9) * float(s)
        ring = np.stack([pose[0] + radius * np.cos(angle), pose[1] + radius * np.sin(angle), np.zeros_like(angle)], 1)
        x, y, z = camera.world_from_cam.inverse().apply(ring).T
        if (z > 0.05).all():
            pen.polygon([*zip(x / z * camera.fx + camera.cx, y / z * camera.fy + camera.cy, strict=True)], fill=255)
    inside = np.asarray(field) > 0
    edge = inside & np.logical_not(ndimage.binary_erosion(inside, iterations=2))
    ground = (frame.object_index < 0) | frame.mask_of("ground")
    weight = np.where(edge, 0.75, np.where(inside, 0.22, 0.0))[..., None] * ground[..., None]
    return (picture * (1 - weight) + HALO * weight).astype(np.uint8)


def _outline(picture: UInt8[np.ndarray, "h w 3"], truth: Frame, object_ids: Sequence[str]) -> UInt8[np.ndarray, "h w 3"]:
    """Where things truly are, as lines."""
    weight = np.zeros(picture.shape[:2])
    for name in object_ids:
        mask = ndimage.binary_opening(truth.mask_of(name))
        weight = np.maximum(weight, 0.7 * np.logical_xor(ndimage.binary_dilation(mask), mask))
    return (picture * (1 - weight[..., None]) + TRUTH * weight[..., None]).astype(np.uint8)


def _panel(picture: UInt8[np.ndarray, "h w 3"], title: str, note: str) -> UInt8[np.ndarray, "h2 w 3"]:
    height, width = picture.shape[:2]
    sheet = Image.new("RGB", (width, height + HEADER_PX + FOOTER_PX), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((14, HEADER_PX - 13), title, fill=INK, font=ImageFont.load_default(20), anchor="ls")
    sheet.paste(Image.fromarray(picture), (0, HEADER_PX))
    pen.text((14, HEADER_PX + height + 23), note, fill=FAINT, font=ImageFont.load_default(16), anchor="ls")
    return np.asarray(sheet)
