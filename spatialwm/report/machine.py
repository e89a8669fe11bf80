"""What a figure was measured on; without it a figure says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("spatialwm", "torch", "numpy", "numba", "gsplat", "cuda-core", "matplotlib")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, vector width (float32 lanes), memory, GPU or None, versions, commit and time (UTC); ready for JSON."""
    import torch

    from spatialwm.render.cpu.threads import machine_threads
    from spatialwm.render.cpu.vectors import machine_lanes

    return {
        "cpu": _cpu_model(),
        "cores": machine_threads(),
        "vector_lanes": machine_lanes(),
        "memory_gb": _memory_gb(),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        "os": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
        "commit": commit(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def headline(machine: dict[str, Any]) -> str:
    """The machine in a line, for a table or below a picture."""
    vectors = f"{machine['vector_lanes']}-lane vectors" if machine["vector_lanes"] > 1 else "plain loops"
    commit = f"commit {machine['commit']}" if machine["commit"] else f"version {machine['versions'].get('spatialwm', 'unknown')}"
    parts = [machine["cpu"], f"{machine['cores']} cores", vectors]
    if machine["memory_gb"]:
        parts.append(f"{machine['memory_gb']:.0f} GB")
    return ", ".join([*parts, machine["gpu"] or "no GPU", commit])


def commit() -> str | None:
    """Abbreviated commit of the checkout this package lies in, ``+changes`` where its code differs; None outside one."""
    package = Path(__file__).resolve().parents[1]

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(package), *words], capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # A virtual environment may lie inside somebody else's repository: the package must be tracked by the one found.
    if git("ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    revision = git("rev-parse", "--short=10", "HEAD")
    # The results of earlier benchmarks are no reason to doubt those of the next.
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":(top)", ":(top,exclude)benchmarks/results")
    return f"{revision}+changes" if revision and changed else revision


def _cpu_model() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        for line in listed.read_text(errors="replace").splitlines():
            if line.lower().startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        done = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
