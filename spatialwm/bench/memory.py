"""How much memory a job holds, those it started included."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path


def resident_bytes() -> int | None:
    """Held now by this process and all that it started; elsewhere than on Linux the most that this process ever held.

    None where the system does not say.
    """
    if Path("/proc/self/status").is_file():
        return sum(_status_bytes(process, "VmRSS") for process in _family("self"))
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _family(process: str) -> Iterator[str]:
    """A process and its descendants; they may end while we look."""
    yield process
    for listed in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = listed.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _family(child)


def _status_bytes(process: str, field: str) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(f"{field}:")), 0)
