"""How the page looks: one dark palette for Gradio's forms and for the viewer, and no font from the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradio.themes import Base, Font, sizes

CSS = Path(__file__).parent / "studio.css"
_ICON = (
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%23151a22'/%3E"
    "%3Cellipse cx='16' cy='16' rx='10' ry='4.6' fill='%23f2b25c' opacity='.95' transform='rotate(-28 16 16)'/%3E"
    "%3Cellipse cx='16' cy='16' rx='10' ry='4.6' fill='%236cc7d9' opacity='.6' transform='rotate(38 16 16)'/%3E%3C/svg%3E"
)
HEAD = (
    '<meta name="color-scheme" content="dark">'
    f'<link rel="icon" href="data:image/svg+xml,{_ICON}">'
    '<script>document.addEventListener("DOMContentLoaded",()=>document.body.classList.add("dark"))</script>'
)
_FONT = ("Inter", "ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", "monospace")


def studio_theme() -> Any:
    """Gradio's base theme with system fonts only; the colours are in ``studio.css``."""
    return Base(
        font=[Font(name) for name in _FONT],
        font_mono=[Font(name) for name in _MONO],
        radius_size=sizes.radius_md,
        spacing_size=sizes.spacing_md,
    )
