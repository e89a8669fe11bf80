"""What the formats are written in: JSON, rows of numbers, pictures and depth maps, each read with errors that name the file."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.pictures.picture import open_picture

_ROTATION_TOLERANCE = 0.02
"""Rows rounded to three digits still pass; a matrix with shear or mixed-up rows does not."""


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key by which ``frame-10`` comes after ``frame-9``."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        LiftError: unreadable, not JSON, or not an object.
    """
    try:
        value = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise LiftError(f"{path} is not valid JSON ({error.msg} in line {error.lineno}); export it again") from error
    except RecursionError as error:
        raise LiftError(f"{path} is nested too deeply to be a list of cameras; export it again") from error
    if not isinstance(value, dict):
        raise LiftError(f"{path} must hold a JSON object; it holds a {type(value).__name__}")
    return value


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        LiftError: unreadable or not text.
    """
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise LiftError(f"{path} cannot be read ({error.strerror}); check that it exists and may be opened") from error
    except UnicodeDecodeError as error:
        raise LiftError(f"{path} is not a text file; export it again") from error


def read_rows(path: Path) -> list[list[str]]:
    """The words of every line that is neither empty nor a ``#`` comment."""
    lines = (line.strip() for line in read_text(path).splitlines())
    return [line.replace(",", " ").split() for line in lines if line and not line.startswith("#")]


def numbers(values: Any, shape: Sequence[int], what: str) -> Float[np.ndarray, ...]:
    """Nested or flat values as float64 of ``shape``.

    Raises:
        LiftError: not numbers, or not so many; the message starts with ``what``.
    """
    try:
        out = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise LiftError(f"{what} must be {'x'.join(map(str, shape))} numbers; got {str(values)[:60]!r}") from error
    if out.size != int(np.prod(shape)):
        raise LiftError(f"{what} must be {'x'.join(map(str, shape))} numbers; got {out.size}")
    return out.reshape(shape)


def number(values: dict[str, Any], key: str, path: Path, default: float | None = None) -> float:
    """One finite number of a JSON object.

    Raises:
        LiftError: absent without a default, or not a finite number.
    """
    value = values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise LiftError(f"{path}: {key} must be a finite number; got {value!r}")
    return float(value)


def camera_pose(matrix: Float[np.ndarray, "r c"], what: str, axes: Literal["opencv", "opengl"] = "opencv") -> Pose | None:
    """``world_from_cam`` in OpenCV axes of a camera-to-world matrix (3x4 or 4x4); None where tracking was lost (NaN, infinity).

    Args:
        what: names the matrix in errors.
        axes: ``opengl`` cameras look along -Z with +Y up.

    Raises:
        LiftError: the matrix is no rotation and shift.
    """
    top = matrix[:3, :4]
    if not np.isfinite(top).all():
        return None
    rotation = top[:, :3]
    scale = np.cbrt(np.linalg.det(rotation))
    if not scale > 1e-9 or np.abs(rotation @ rotation.T / scale**2 - np.eye(3)).max() > _ROTATION_TOLERANCE:
        raise LiftError(f"{what} is not a rotation and a position; expected a camera-to-world matrix without mirror or shear")
    flip = np.diag([1.0, -1.0, -1.0]) if axes == "opengl" else np.eye(3)
    return Pose.from_matrix(np.column_stack([_nearest_rotation(rotation @ flip), top[:, 3]]))


def _nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    u, _, vt = np.linalg.svd(matrix)
    return u @ vt


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height as stored, from the header alone.

    Raises:
        LiftError: not a picture.
    """
    with open_picture(path) as image:
        return image.size


def read_grey(path: Path) -> Float[np.ndarray, "h w"]:
    """Raw values of a one-channel picture (8 or 16 bit), of a ``.npy`` or of the only array of a ``.npz`` file, as float32.

    Raises:
        LiftError: damaged, or not one channel.
    """
    try:
        if path.suffix in (".npy", ".npz"):
            loaded = np.load(path, allow_pickle=False)
            values = np.asarray(loaded if path.suffix == ".npy" else loaded[loaded.files[0]], np.float32)
        else:
            with open_picture(path) as image:
                values = np.asarray(image, np.float32)
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, zipfile.BadZipFile, Image.DecompressionBombError) as error:
        raise LiftError(f"{path} is damaged ({error}); copy it again") from error
    values = values.squeeze()
    if values.ndim != 2 or not values.size:
        raise LiftError(f"{path} must hold one channel; its shape is {values.shape}")
    return values


def listed(names: Iterable[str], shown: int = 3) -> str:
    """``a, b, c and 4 more``."""
    all_names = list(names)
    more = len(all_names) - shown
    return ", ".join(all_names[:shown]) + (f" and {more} more" if more > 0 else "")
