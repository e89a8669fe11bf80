"""What this machine can do, and what to do about what it cannot."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from spatialwm.errors import SpatialwmError

if TYPE_CHECKING:
    from spatialwm.render.renderer import Backend


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    required: bool = True


def examine() -> list[Finding]:
    """Look at the interpreter, the machine, all dependencies, the studio, rasterisers and learned models; touches no network."""
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
    if all(r.ok for r in rows if r.required):  # else asking would only fail on what is missing
        from spatialwm.render.renderer import BACKENDS

        rows.append(_gpu())
        rows += [_backend(name, backend) for name, backend in BACKENDS.items()]
        rows += _learned()
    return rows


def _package(name: str, module: str, mend: str, *, required: bool) -> Finding:
    if importlib.util.find_spec(module) is None:
        return Finding(name, False, "not installed", mend, required)
    try:
        return Finding(name, True, version(name), required=required)
    except PackageNotFoundError:
        return Finding(name, True, "installed, version unknown", required=required)


def _learned() -> list[Finding]:
    """Learned depth, masks and words: what each may be used for, what it needs, and whether it can run here."""
    from spatialwm.lift.image.hub.models import MASKS, MODELS, WORDS
    from spatialwm.lift.image.hub.weights import mend

    purpose = "for learned depth, masks and words"
    rows = [_package("transformers", "transformers", f"pip install 'spatialwm[hub]' {purpose}", required=False)]
    for kind, model in (*(("depth", m) for m in MODELS.values()), ("masks", MASKS), ("words", WORDS)):
        terms = model.licence if model.commercial else f"{model.licence}, not for commercial use"
        where = "" if model.place == "anywhere" else f" {model.place}"
        found = f"{model.gives}{where}; {terms}; {model.memory_bytes / 1e9:.1f} GB of memory"
        command = mend(model)
        rows.append(Finding(f"{kind} {model.name}", command is None, found, command or "", required=False))
    return rows


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


def _backend(name: str, backend: Backend) -> Finding:
    """Whether a rasteriser can run here, and what it will run on."""
    title, needed = f"render {name}", name == "cpu"
    missing = backend.missing()
    if missing is not None:
        return Finding(title, False, "cannot run here", missing, needed)
    try:
        return Finding(title, True, _BACKEND_DETAILS.get(name, lambda: "can run")(), required=needed)
    except SpatialwmError as e:
        return Finding(title, False, "cannot run here", str(e), needed)


def _cpu_details() -> str:
    from spatialwm.render.cpu.threads import machine_threads
    from spatialwm.render.cpu.vectors import machine_lanes
    from spatialwm.render.kernel_cache import writable_cache_dir

    lanes = machine_lanes()
    vectors = f"vectors of {lanes} floats" if lanes > 1 else "plain loops, no vectors"
    return f"{vectors}, {machine_threads()} threads, kernels kept in {writable_cache_dir('')}"


def _cuda_details() -> str:
    import torch

    from spatialwm.render.cuda.compile import compiler_version, nvidia
    from spatialwm.render.kernel_cache import writable_cache_dir

    compiler = compiler_version()
    _, driver = nvidia("cuda.bindings.driver").cuDriverGetVersion()
    if driver // 1000 < int(compiler.split(".")[0]):
        raise SpatialwmError(f"the driver is for CUDA {driver // 1000} and NVRTC is {compiler}: update the driver")
    major, minor = torch.cuda.get_device_capability(0)
    return f"sm_{major}{minor}, NVRTC {compiler}, kernels kept in {writable_cache_dir('cubin')}"


_BACKEND_DETAILS: dict[str, Callable[[], str]] = {
    "cpu": _cpu_details,
    "cuda": _cuda_details,
    "gsplat": lambda: version("gsplat"),
    "reference": lambda: "float64, slow on purpose",
}
