"""Where the weights of a model lie on this machine, and how to get them there."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from spatialwm.errors import MissingDependencyError, SpatialwmError
from spatialwm.lift.image.hub.models import HubModel
from spatialwm.render.kernel_cache import platform_cache_dir

_PACKAGES: dict[str, tuple[str, str]] = {
    "moge": ("moge", "pip install git+https://github.com/microsoft/MoGe"),
    "depth-anything-3": ("depth_anything_3", "pip install git+https://github.com/ByteDance-Seed/Depth-Anything-3"),
    "sharp": ("sharp", "pip install git+https://github.com/apple/ml-sharp"),
}
"""Import name and installation of what is not in transformers."""


class MissingModelError(MissingDependencyError):
    """A learned model lacks its package or its weights; the message says how to get them."""

    def __init__(self, model: HubModel, why: str) -> None:
        SpatialwmError.__init__(self, f"{model.name} cannot run here: {why}")
        self.package, self.extra = _PACKAGES.get(model.architecture, ("transformers", ""))[0], "hub"


def weights_dir() -> Path:
    """The folder of weights: SPATIALWM_WEIGHTS, else one in the user's cache; it may not exist."""
    named = os.environ.get("SPATIALWM_WEIGHTS")
    return Path(named).expanduser() if named else platform_cache_dir() / "spatialwm" / "weights"


def located(model: HubModel) -> Path | None:
    """The folder of its configuration and weights: ours, by its name, else the newest in Hugging Face's cache."""
    ours = weights_dir() / model.name
    cached = _hugging_face_cache() / f"models--{model.repo.replace('/', '--')}" / "snapshots"
    snapshots = sorted(cached.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True) if cached.is_dir() else []
    return next((folder for folder in (ours, *snapshots) if _complete(folder, model)), None)


def mend(model: HubModel) -> str | None:
    """The command that installs its package or fetches its weights, whichever is missing first; None where it can run."""
    package, install = _PACKAGES.get(model.architecture, ("transformers", "pip install 'spatialwm[hub]'"))
    if importlib.util.find_spec(package) is None:
        return install
    if located(model) is not None:
        return None
    fetch = f"hf download {model.repo} --local-dir '{weights_dir() / model.name}'"
    return f"{fetch} --exclude '{model.twice}'" if model.twice else fetch


def missing(model: HubModel) -> str | None:
    """What keeps it from running here and how to mend that, in one line; None where it can run."""
    command = mend(model)
    if command is None:
        return None
    if command.startswith("pip"):
        return f"{_PACKAGES.get(model.architecture, ('transformers', ''))[0]} is not installed: {command}"
    return (
        f"its weights are not on this machine: where there is a network, run `{command}` "
        f"({model.download_mb} MB, {model.licence}), or copy that folder there (SPATIALWM_WEIGHTS names another parent)"
    )


def weights_of(model: HubModel) -> Path:
    """The folder of a model that can run here.

    Raises:
        MissingModelError: its package or its weights are missing; one line says how to get them.
    """
    why, folder = missing(model), located(model)
    if why is not None or folder is None:
        raise MissingModelError(model, why or "its weights are not on this machine")
    return folder


def _hugging_face_cache() -> Path:
    """By the rules of huggingface_hub, without importing it."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def _complete(folder: Path, model: HubModel) -> bool:
    """Whether a download has ended; a link to what is gone is not there. Only safetensors count but where none are published."""
    try:
        if model.architecture in ("moge", "sharp"):
            return any(p.is_file() for p in folder.glob("*.pt"))
        return (folder / "config.json").is_file() and any(p.is_file() for p in folder.glob("*.safetensors"))
    except OSError:
        return False
