"""What this machine can do, and what to do about what it cannot."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    required: bool = True


def examine() -> list[Finding]:
    """Look at the interpreter, the machine, every dependency and the studio; touches no network."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    rows = [
        Finding("python", (3, 11) <= sys.version_info[:2] <= (3, 13), platform.python_version()),
        Finding("machine", True, f"{platform.machine()}, {cores} cores"),
    ]
    for package, module in (
        ("numpy", "numpy"), ("torch", "torch"), ("numba", "numba"), ("trimesh", "trimesh"), ("embreex", "embreex"),
        ("mujoco", "mujoco"), ("av", "av"), ("safetensors", "safetensors"),
    ):  # fmt: skip
        rows.append(_package(package, module, "pip install spatialwm", required=True))
    rows.append(_package("gradio", "gradio", "pip install 'spatialwm[app]' for the studio", required=False))
    rows.append(_viewer())
    rows.append(_gpu())
    return rows


def _package(name: str, module: str, mend: str, *, required: bool) -> Finding:
    if importlib.util.find_spec(module) is None:
        return Finding(name, False, "not installed", mend, required)
    try:
        return Finding(name, True, version(name), required=required)
    except PackageNotFoundError:
        return Finding(name, True, "installed, version unknown", required=required)


def _viewer() -> Finding:
    spec = importlib.util.find_spec("spatialwm_app")
    places = list(spec.submodule_search_locations or []) if spec else []
    built = any(os.path.isfile(os.path.join(p, "static", "viewer.js")) for p in places)
    mend = "" if built else "pip install -e . builds it from npm; it is only needed for the studio"
    return Finding("viewer", built, "bundled" if built else "not built", mend, required=False)


def _gpu() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("gpu", True, torch.cuda.get_device_name(0), required=False)
    return Finding("gpu", False, "none: rendering runs on the processor", required=False)
