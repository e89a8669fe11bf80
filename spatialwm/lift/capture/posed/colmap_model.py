"""COLMAP's own files: cameras, images and points3D, as text and as binary.

Source: COLMAP documentation, "Output Format".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8

from spatialwm.errors import LiftError, ShapeError
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.posed import files
from spatialwm.lift.pictures.lens import COLMAP_NUMBERS, PARAMETER_COUNT, Optics, colmap_optics


@dataclass(frozen=True, slots=True)
class ModelImage:
    """One registered picture."""

    number: int
    name: str
    camera: int
    world_from_cam: Pose


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A reconstruction as stored."""

    cameras: dict[int, Optics]
    images: tuple[ModelImage, ...]
    means: Float[np.ndarray, "n 3"]
    rgb: UInt8[np.ndarray, "n 3"]
    tracks: Int[np.ndarray, "k 2"]
    """Pairs of point (index into ``means``) and image number."""


def read_model(folder: Path) -> Model:
    """The model in ``folder``, binary where both forms are there; points3D may be absent.

    Raises:
        LiftError: malformed or truncated; the message names the file.
    """
    kind = "bin" if (folder / "cameras.bin").is_file() and (folder / "images.bin").is_file() else "txt"
    cameras, images, points = (folder / f"{name}.{kind}" for name in ("cameras", "images", "points3D"))
    readers = (_cameras_bin, _images_bin, _points_bin) if kind == "bin" else (_cameras_txt, _images_txt, _points_txt)
    read_cameras, read_images, read_points = readers
    reading = cameras
    try:
        known = read_cameras(cameras)
        reading = images
        shots = read_images(images)
        reading = points
        means, rgb, tracks = read_points(points) if points.is_file() else _no_points()
    except (struct.error, ValueError, IndexError, OverflowError, MemoryError, ShapeError) as error:
        raise LiftError(f"{reading} is damaged or truncated ({error}); export the COLMAP model again") from error
    if not shots:
        raise LiftError(f"{images} lists no registered picture; the reconstruction failed, give more overlapping pictures")
    return Model(known, shots, means, rgb, tracks)


PointArrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def _no_points() -> PointArrays:
    return np.zeros((0, 3)), np.zeros((0, 3), np.uint8), np.zeros((0, 2), np.int64)


def _image(number: int, name: str, camera: int, quat: tuple[float, ...], shift: tuple[float, ...]) -> ModelImage:
    w, x, y, z = quat
    a, b, c = shift
    return ModelImage(number, name, camera, Pose((a, b, c), (w, x, y, z)).inverse())


def _cameras_txt(path: Path) -> dict[int, Optics]:
    return {
        int(row[0]): colmap_optics(row[1], int(row[2]), int(row[3]), tuple(map(float, row[4:]))) for row in files.read_rows(path)
    }  # fmt: skip


def _images_txt(path: Path) -> tuple[ModelImage, ...]:
    """Two lines each: the pose, then its 2D points, which may be an empty line."""
    lines = [line for line in files.read_text(path).splitlines() if not line.lstrip().startswith("#")]
    while lines and not lines[0].strip():
        lines.pop(0)
    out: list[ModelImage] = []
    for line in lines[::2]:
        if not line.strip():
            continue
        number, *pose = line.split(maxsplit=9)  # the name may hold blanks
        if len(pose) != 9:
            raise ValueError(f"expected an id, 7 numbers of a pose, a camera and a name; got {line[:60]!r}")
        values = tuple(map(float, pose[:7]))
        out.append(_image(int(number), pose[8].strip(), int(pose[7]), values[:4], values[4:]))
    return tuple(out)


def _points_txt(path: Path) -> PointArrays:
    means: list[list[float]] = []
    rgb: list[list[int]] = []
    tracks: list[tuple[int, int]] = []
    for row in files.read_rows(path):
        if len(row) < 8:
            raise ValueError(f"expected an id, a place, a colour and an error; got {' '.join(row)[:60]!r}")
        tracks.extend((len(means), int(number)) for number in row[8::2])
        means.append([float(v) for v in row[1:4]])
        rgb.append([int(v) for v in row[4:7]])
    if not means:
        return _no_points()
    return np.array(means), np.array(rgb).clip(0, 255).astype(np.uint8), np.array(tracks, np.int64).reshape(-1, 2)


class _Bytes:
    """A binary file and how far it was read; counts in it are believed only as far as its size allows."""

    def __init__(self, path: Path) -> None:
        try:
            self.data = path.read_bytes()
        except OSError as error:
            raise LiftError(f"{path} cannot be read ({error.strerror}); check that it may be opened") from error
        self.at = 0

    def take(self, layout: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def count(self, least_bytes: int) -> int:
        number = int(self.take("Q")[0])
        if number * least_bytes > len(self.data) - self.at:
            raise ValueError(f"claims {number} entries in {len(self.data) - self.at} bytes")
        return number

    def skip(self, size: int) -> None:
        self.at += size
        if self.at > len(self.data):
            raise ValueError(f"ends {self.at - len(self.data)} bytes early")

    def text(self) -> str:
        end = self.data.index(b"\0", self.at)
        value = self.data[self.at : end].decode("utf-8", "surrogateescape")
        self.at = end + 1
        return value

    def integers(self, number: int) -> np.ndarray:
        start = self.at
        self.skip(4 * number)
        return np.frombuffer(self.data, "<u4", number, start)


def _cameras_bin(path: Path) -> dict[int, Optics]:
    stream = _Bytes(path)
    cameras: dict[int, Optics] = {}
    for _ in range(stream.count(24)):
        number, model, width, height = (int(v) for v in stream.take("IiQQ"))
        if model not in COLMAP_NUMBERS:
            raise LiftError(f"{path}: camera model number {model} is not known; undistort the pictures first")
        name = COLMAP_NUMBERS[model]
        cameras[number] = colmap_optics(name, width, height, tuple(stream.take("d" * PARAMETER_COUNT[name])))
    return cameras


def _images_bin(path: Path) -> tuple[ModelImage, ...]:
    stream = _Bytes(path)
    out: list[ModelImage] = []
    for _ in range(stream.count(73)):
        number, *pose, camera = stream.take("I7dI")
        name = stream.text()
        stream.skip(24 * stream.count(24))  # its 2D points: x, y and a point's number each
        out.append(_image(int(number), name, int(camera), tuple(pose[:4]), tuple(pose[4:])))
    return tuple(out)


def _points_bin(path: Path) -> PointArrays:
    stream = _Bytes(path)
    number = stream.count(51)
    means, rgb = np.zeros((number, 3)), np.zeros((number, 3), np.uint8)
    tracks: list[np.ndarray] = []
    for i in range(number):
        _, x, y, z, r, g, b, _ = stream.take("Q3d3Bd")
        means[i], rgb[i] = (x, y, z), (r, g, b)
        seen_by = stream.integers(2 * stream.count(8))[::2].astype(np.int64)
        tracks.append(np.stack([np.full(len(seen_by), i), seen_by], 1))
    return means, rgb, np.concatenate(tracks) if tracks else np.zeros((0, 2), np.int64)
