"""Where the pictures of recordings lie: in videos, in encoded frames, in plain arrays."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from spatialwm.errors import FormatError


@dataclass(frozen=True, slots=True)
class Video:
    """A stretch of a video file."""

    path: Path
    count: int
    dt_s: float
    start_s: float = 0.0

    def __len__(self) -> int:
        return self.count

    def frame(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        """One picture; decodes from the key frame before it."""
        return next(self._from(_checked(index, self.count)))

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        return self._from(0)

    def _from(self, index: int) -> Iterator[np.ndarray]:
        given = index
        try:
            with av.open(str(self.path)) as container:
                stream = container.streams.video[0]
                first_s = float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
                wanted_s = first_s + self.start_s + index * self.dt_s
                container.seek(int(max(wanted_s - self.dt_s / 2, 0) * av.time_base), backward=True)
                for picture in container.decode(stream):
                    if picture.time is None or picture.time < wanted_s - self.dt_s / 2:
                        continue
                    yield picture.to_ndarray(format="rgb24")
                    given += 1
                    wanted_s += self.dt_s
                    if given == self.count:
                        return
        except (av.error.FFmpegError, OSError, IndexError) as error:
            raise FormatError(f"{self.path} cannot be read as a video: {error}") from error
        raise FormatError(f"{self.path} ends before frame {given} of the {self.count} that its recording has")


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFrames:
    """Pictures that are each a JPEG or PNG."""

    files: Sequence[bytes]
    dt_s: float

    def __len__(self) -> int:
        return len(self.files)

    def frame(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        """One picture."""
        try:
            with Image.open(io.BytesIO(self.files[_checked(index, len(self))])) as picture:
                return np.array(picture.convert("RGB"))
        except (UnidentifiedImageError, OSError) as error:
            raise FormatError(f"frame {index} of a recording is no picture: {error}") from error

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        return (self.frame(i) for i in range(len(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Pictures in memory."""

    pictures: UInt8[np.ndarray, "n h w 3"]
    dt_s: float

    def __len__(self) -> int:
        return len(self.pictures)

    def frame(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        """One picture."""
        return self.pictures[_checked(index, len(self))]

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        return iter(self.pictures)


def _checked(index: int, count: int) -> int:
    if not 0 <= index < count:
        raise IndexError(f"there are {count} frames; no frame {index}")
    return index
