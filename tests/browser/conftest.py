"""A real studio in a process of its own, and a real Chromium that fails a test on anything it complains about."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spatialwm.gaussians import Gaussians, concatenate
from spatialwm.geometry.camera import Camera
from spatialwm.lift import LiftOptions, lifter_for
from spatialwm.scene import ScaleSource, Scene, SceneObject
from spatialwm.world import World

CHROMIUM = os.environ.get("SPATIALWM_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
SENTENCE = "A small room with a wooden table, a red chair and a blue crate"
DESKTOP = {"width": 1000, "height": 640}
SPLATS = 6_000
"""What Chromium draws at some ten frames a second without a GPU; a lifted room of 100,000 takes seconds a frame."""


@dataclass(frozen=True)
class Server:
    url: str
    world: Path
    captured: Path


def thinned(scene: Scene) -> Scene:
    """The same objects, meshes and physics with fewer and larger splats."""
    step = max(1, len(scene) // SPLATS)
    objects = []
    for o in scene.objects:
        keep = torch.arange(0, len(o.gaussians), step)
        few = o.gaussians.select(keep)
        few = replace(few, scales=few.scales * step**0.5)
        albedo = None if o.albedo is None else o.albedo[keep]
        confidence = None if o.confidence is None else o.confidence[keep]
        objects.append(replace(o, gaussians=few, albedo=albedo, confidence=confidence))
    return scene.with_objects(objects)


def face(center: tuple[float, float, float], u: tuple[float, float, float], v: tuple[float, float, float], rgb: str) -> Gaussians:
    """A flat patch: ``u`` and ``v`` are its half axes, along two of the world's."""
    spacing = 0.09
    half = np.array([u, v], np.float64)
    counts = np.maximum(2, np.ceil(2 * np.linalg.norm(half, axis=1) / spacing)).astype(int)
    a, b = np.meshgrid(*(np.linspace(-1, 1, n) for n in counts), indexing="ij")
    means = np.array(center) + a.reshape(-1, 1) * half[0] + b.reshape(-1, 1) * half[1]
    scales = np.where(np.abs(half).max(0) > 0, 0.6 * spacing, 0.004)
    color = np.array([int(rgb[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    n = len(means)
    return Gaussians.from_numpy(
        means, np.tile([1.0, 0, 0, 0], (n, 1)), np.tile(scales, (n, 1)), np.full(n, 0.95), rgb=np.tile(color, (n, 1))
    )  # fmt: skip


def hall() -> Scene:
    """A place as photographs would bring it: floor, a wall and a red crate, all of it one thing, its metre a guess."""
    x, y, z, half = 0.0, 0.6, 0.35, 0.35
    sides = [((x + s * half, y, z), (0, half, 0), (0, 0, half), "#a03024") for s in (-1, 1)]
    sides += [((x, y + s * half, z), (half, 0, 0), (0, 0, half), "#c0392b") for s in (-1, 1)]
    crate = [face(*side) for side in sides] + [face((x, y, 2 * half), (half, 0, 0), (0, half, 0), "#d8503c")]
    floor = face((0, 0, 0), (3, 0, 0), (0, 3, 0), "#8a8378")
    wall = face((0, 3, 1.3), (3, 0, 0), (0, 0, 1.3), "#b9c3cc")
    behind = face((0, -3, 1.3), (3, 0, 0), (0, 0, 1.3), "#70675c")
    seen = concatenate([floor, wall, *crate])
    return Scene(
        objects=(
            SceneObject("capture-1", "capture", seen, name="hall", mobility="static", provenance="measured"),
            SceneObject("unseen-1", "unseen", behind, role="structure", mobility="static", provenance="invented"),
        ),
        scale=ScaleSource("prior", 0.2, "cameras are taken to be held 1.6 m above the floor"),
        spawn=Camera.look_at((0.0, -2.4, 1.6), (0.0, 0.8, 0.5), 1280, 720),
        walkable=((-0.5, -3.0), (0.5, -3.0), (0.5, 3.0), (-0.5, 3.0)),
        notes=("2 pictures that training never saw are shown at 27.1 dB",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pytest.importorskip("gradio", reason="the studio needs spatialwm[app]")
    from spatialwm_app.server import VIEWER

    if not VIEWER.is_file():
        pytest.skip("the viewer bundle is not built: pip install -e .")
    folder = tmp_path_factory.mktemp("studio")
    world = folder / "room.world"
    scene = lifter_for(SENTENCE).lift(SENTENCE, LiftOptions(quality="draft"))
    World.create(world, thinned(scene), command={"op": "create", "source": SENTENCE}).close()
    captured = folder / "hall.world"
    World.create(captured, hall(), command={"op": "create", "source": "hall"}).close()
    options = ["--port", "7960", "--worlds-dir", str(folder / "worlds")]
    command = [sys.executable, "-m", "spatialwm_app", str(captured), str(world), *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address, "the studio ended before it said where it is"
        yield Server(address.group(), world, captured)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright")
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"no Chromium at {CHROMIUM}: install it or set SPATIALWM_CHROMIUM")
    with playwright.sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def complaints() -> list[str]:
    """What pages complained of since the last look."""
    return []


@pytest.fixture(autouse=True)
def nothing_to_complain_of(complaints: list[str]) -> Iterator[None]:
    """No page may have met an error, or asked anything of another host."""
    complaints.clear()
    yield
    assert not complaints


@pytest.fixture(scope="session")
def open_tab(server: Server, browser: Any, complaints: list[str]) -> Iterator[Callable[..., Any]]:
    """Opens tabs on the studio."""
    contexts = []

    def open_page(viewport: dict[str, int] = DESKTOP, **options: Any) -> Any:
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("console", lambda m: complaints.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("request", lambda r: None if _is_local(r.url) else complaints.append(f"request to {r.url}"))
        page.goto(server.url)
        page.wait_for_function("document.querySelector('.swm-host')?.studio?.state", timeout=30_000)
        page.wait_for_function("document.querySelector('.swm-loading').hidden", timeout=30_000)
        page.evaluate("globalThis.studio = document.querySelector('.swm-host').studio")
        page.wait_for_function("studio.navigation.collider", timeout=30_000)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def page(open_tab: Callable[..., Any]) -> Any:
    """The tab that most tests share: opening one takes longer than most of them. Each leaves the world as it found it."""
    return open_tab()


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))
