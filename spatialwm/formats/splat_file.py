"""What reading a splat file gives, and the last step that all readers share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spatialwm.errors import FormatError
from spatialwm.formats.frames import FileFrame
from spatialwm.gaussians import Gaussians


@dataclass(frozen=True, slots=True)
class SplatFile:
    """Gaussians of a file, with where they came from."""

    gaussians: Gaussians
    """In the world frame: right-handed, +Z up, lengths as the file gives them."""
    format: str
    """``"ply"``, ``"compressed.ply"``, ``"spz"``, ``"splat"`` or ``"sog"``."""
    notes: tuple[str, ...] = ()
    """What a user may want to know: the version, splats left out, colour detail that was reduced."""


def assemble(
    frame: FileFrame,
    format: str,
    means: Float[np.ndarray, "n 3"],
    quats: Float[np.ndarray, "n 4"],
    scales: Float[np.ndarray, "n 3"],
    opacities: Float[np.ndarray, " n"],
    sh: Float[np.ndarray, "n k 3"],
    notes: tuple[str, ...] = (),
) -> SplatFile:
    """Carry stored arrays into the world frame; splats that no renderer can draw are left out and noted.

    Args:
        quats: wxyz of any length; a zero quaternion, which some tools write, is read as no rotation.

    Raises:
        FormatError: more than half of the splats are NaN or infinite, so the file is broken rather than blemished.
    """
    quats = _unit(quats)
    world_quats = np.concatenate([quats[:, :1], frame.vectors_to_world(quats[:, 1:])], axis=1)
    gaussians = Gaussians.from_numpy(
        frame.vectors_to_world(means), world_quats, frame.scales_to_world(scales), opacities, sh=frame.sh_to_world(sh)
    )
    kept = gaussians.drop_invalid()
    lost = len(gaussians) - len(kept)
    if lost:
        fields = ", ".join(f"{name} of {int(bad.sum())}" for name, bad in gaussians.invalid().items() if bool(bad.any()))
        if 2 * lost > len(gaussians):
            raise FormatError(f"{lost} of {len(gaussians)} splats are NaN or infinite ({fields}): export the file again")
        notes = (*notes, f"{lost} of {len(gaussians)} splats left out, NaN or infinite: {fields}")
    return SplatFile(kept, format, notes)


def _unit(quats: np.ndarray) -> np.ndarray:
    """Unit float32 quaternions; those already unit keep their bits, since normalising twice would change the last one."""
    out = np.array(quats, np.float32)
    norms = np.sqrt((out.astype(np.float64) ** 2).sum(1))
    out[norms == 0] = (1, 0, 0, 0)
    off = np.isfinite(norms) & (norms > 0) & (np.abs(norms - 1) > 2e-7)
    out[off] = out[off] / norms[off, None]
    return out
