"""COLMAP reconstructions: a model (text or binary) and the pictures it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spatialwm.errors import LiftError
from spatialwm.lift.capture.capture import Capture, Points
from spatialwm.lift.capture.posed import files
from spatialwm.lift.capture.posed.colmap_model import Model, read_model
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.lift.capture.posed.shots import Shot, develop_all
from spatialwm.lift.pictures.masks import mask_beside
from spatialwm.progress import Progress, part_of, silent

_PICTURE_FOLDERS = ("images", "input", "rgb", "photos", "pictures", "")
"""Where users of COLMAP, 3DGS and nerfstudio keep the pictures, beside or above the model."""
_ABOVE = 3
"""``project/sparse/0`` is two below its pictures, ``project/colmap/sparse/0`` three."""


def find(path: Path) -> Path | None:
    """The folder of the largest model in or below ``path`` (a project, its ``sparse`` folder, or the model itself)."""
    if not path.is_dir():
        return None
    tried = [path, *(path / name for name in ("sparse", "colmap/sparse", "dense/sparse", "dense/0/sparse"))]
    models: list[Path] = []
    for folder in tried:
        models += [f for f in (folder, *_subfolders(folder)) if _is_model(f)]
        if models:
            return max(models, key=_weight)
    return None


def read(path: Path, options: PosedOptions = PosedOptions(), progress: Progress = silent) -> Capture:
    """The capture of a COLMAP project or model.

    Raises:
        LiftError: no model, a damaged one, or its pictures cannot be found.
    """
    folder = find(path)
    if folder is None:
        raise LiftError(f"{path} holds no COLMAP model; expected cameras and images (.bin or .txt) there or in sparse/0")
    progress("reading cameras", 0.0)
    model = read_model(folder)
    order = sorted(range(len(model.images)), key=lambda i: files.natural(model.images[i].name))
    pictures = _pictures_folder(path, folder, [image.name for image in model.images])
    present = [i for i in order if _inside(pictures, model.images[i].name) is not None]
    missing = [model.images[i].name for i in order if _inside(pictures, model.images[i].name) is None]
    notes = [f"{len(missing)} of {len(order)} pictures of the model are missing: {files.listed(missing)}"] if missing else []
    chosen = options.chosen(present)
    shots: list[Shot] = []
    for i in chosen:
        image = model.images[i]
        if image.camera not in model.cameras:
            raise LiftError(f"{folder}: picture {image.name} names camera {image.camera}, which the model lacks; export it again")
        mask = mask_beside(pictures, image.name)
        shots.append(Shot(image.name, pictures / image.name, image.world_from_cam, model.cameras[image.camera], mask=mask))
    views, said = develop_all(shots, options, part_of(progress, 0.1, 1.0))
    index_of_image: dict[int, int] = {}
    for i, view in zip(chosen, views, strict=True):
        if view is not None:
            index_of_image[model.images[i].number] = len(index_of_image)
    return Capture(
        tuple(view for view in views if view is not None),
        _seen_points(model, index_of_image),
        given=len(chosen) + (len(missing) if len(chosen) == len(present) else 0),
        notes=(*notes, *said),
    )


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(f for f in folder.iterdir() if f.is_dir())
    except OSError:
        return []


def _is_model(folder: Path) -> bool:
    return any(all((folder / f"{name}.{kind}").is_file() for name in ("cameras", "images")) for kind in ("bin", "txt"))


def _weight(folder: Path) -> int:
    """Models of one project are compared by the size of their list of pictures."""
    lists = [folder / f"images.{kind}" for kind in ("bin", "txt")]
    return max(file.stat().st_size for file in lists if file.is_file())


def _inside(folder: Path, name: str) -> Path | None:
    try:
        return folder / name if (folder / name).is_file() else None
    except (OSError, ValueError):
        return None


def _pictures_folder(path: Path, model: Path, names: list[str]) -> Path:
    """The folder that holds most of the named pictures."""
    roots = [path, *(model, *model.parents)[: _ABOVE + 1]]
    candidates = [root / name for root in dict.fromkeys(roots) for name in _PICTURE_FOLDERS]
    candidates += _subfolders(path)
    probe = names[:: max(1, len(names) // 50)]
    best = max(candidates, key=lambda folder: sum(_inside(folder, name) is not None for name in probe))
    if not any(_inside(best, name) is not None for name in names):
        raise LiftError(
            f"the pictures of the COLMAP model in {model} are not there ({files.listed(names)}); put them into {path / 'images'}"
        )
    return best


def _seen_points(model: Model, index_of_image: dict[int, int]) -> Points:
    """The points that at least two of the views saw."""
    if not len(model.means) or not index_of_image:
        return Points.none()
    known = np.array(sorted(index_of_image))
    to_view = np.array([index_of_image[int(number)] for number in known])
    at = np.searchsorted(known, model.tracks[:, 1]).clip(max=len(known) - 1)
    ours = known[at] == model.tracks[:, 1]
    tracks = np.unique(np.stack([model.tracks[ours, 0], to_view[at[ours]]], 1), axis=0)
    seen_by = np.bincount(tracks[:, 0], minlength=len(model.means))
    kept = (seen_by >= 2) & np.isfinite(model.means).all(1)
    new_index = np.cumsum(kept) - 1
    tracks = tracks[kept[tracks[:, 0]]]
    tracks[:, 0] = new_index[tracks[:, 0]]
    return Points(model.means[kept], model.rgb[kept], tracks)
