"""Pictures come in by drop and choice, a capture is watched while it forms, and what came of it is measured and taken apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatialwm import studio
from spatialwm.geometry.camera import Camera
from spatialwm.render import render_scene
from spatialwm.scene import Scene

TRAY = "document.querySelector('.swm-tray').tray.tray"
READY = f"{TRAY}.told && {TRAY}.progress === null"


@pytest.fixture
def tab(open_tab: Callable[..., Any]) -> Iterator[Any]:
    page = open_tab()
    page.wait_for_selector(".swm-invite")
    yield page
    page.context.close()


def picture_of(scene: Scene, path: Path, camera: Camera) -> Path:
    Image.fromarray((render_scene(scene, camera).rgb * 255).astype(np.uint8)).save(path, quality=92)
    return path


def captured_scene(server: Any) -> Scene:
    with studio.open_world(server.captured, read_only=True) as world:
        return world.scene(1)


def choose(page: Any, *paths: Path, folder: bool = False) -> None:
    page.locator(".swm-tray input").nth(1 if folder else 0).set_input_files(str(paths[0]) if folder else [str(p) for p in paths])
    page.wait_for_function(READY, timeout=30_000)


def open_hall(page: Any) -> None:
    page.locator("#swm-worlds input").click()
    page.get_by_role("option", name="hall").click()
    page.wait_for_function("studio.state?.title === 'hall' && document.querySelector('.swm-loading').hidden", timeout=60_000)
    page.wait_for_function("[...studio.world.objects.values()].every((o) => o.mesh)", timeout=60_000)


def place_on_page(page: Any, point: tuple[float, float, float]) -> tuple[float, float]:
    return tuple(page.evaluate(PLACE, list(point)))


def test_pictures_dropped_anywhere_are_shown_counted_and_removed(tab: Any) -> None:
    tab.evaluate(DROP, ["dragenter", ["a.png", "b.png"]])
    tab.wait_for_selector(".swm-drop-veil", state="visible")
    tab.evaluate(DROP, ["drop", ["a.png", "b.png", ".DS_Store"]])
    tab.wait_for_function(READY, timeout=30_000)
    assert not tab.locator(".swm-drop-veil").is_visible()
    tab.wait_for_function("document.querySelector('.swm-tray-card header b').textContent === '2 photos'")
    tab.wait_for_function("document.querySelectorAll('.swm-thumb canvas').length === 2")
    assert not tab.locator("#swm-prompt").is_visible(), "what does not matter now is not shown"
    tab.get_by_role("button", name="Remove b.png").click()
    tab.wait_for_function("document.querySelector('.swm-tray-card header b').textContent === 'One picture'", timeout=20_000)
    assert "second" in tab.locator(".swm-meaning").inner_text()
    tab.get_by_role("button", name="Remove all").click()
    tab.wait_for_selector("#swm-prompt", state="visible")


def test_what_cannot_be_used_is_one_clear_line(tab: Any, tmp_path: Path) -> None:
    (tmp_path / "fake.jpg").write_bytes(b"no picture")
    choose(tab, tmp_path / "fake.jpg")
    tab.wait_for_selector(".swm-tray-error", state="visible")
    assert "fake.jpg is not a picture" in tab.locator(".swm-tray-error").text_content()
    tab.locator("#swm-create").click()
    tab.wait_for_function("document.querySelector('#swm-status').innerText.includes('did not work')", timeout=60_000)
    assert "not a picture" in tab.locator("#swm-status").inner_text()
    assert "spatialwm-tray" not in tab.locator("#swm-status").inner_text()


def test_hints_are_drawn_on_a_picture_and_it_becomes_a_world(tab: Any, server: Any, tmp_path: Path) -> None:
    scene = captured_scene(server)
    assert scene.spawn is not None
    choose(tab, picture_of(scene, tmp_path / "corner.jpg", scene.spawn.resized(320, 240)))
    tab.locator(".swm-hints-open").click()
    tab.wait_for_function("!document.querySelector('.swm-hints-veil').getAnimations({ subtree: true }).length")
    tab.wait_for_function("document.querySelector('.swm-hint-sheet img').complete")
    box = tab.locator(".swm-hint-sheet > svg").bounding_box()

    def at(u: float, v: float) -> tuple[float, float]:
        return box["x"] + u * box["width"], box["y"] + v * box["height"]

    tab.mouse.move(*at(0.2, 0.2))
    tab.mouse.down()
    tab.mouse.move(*at(0.8, 0.2), steps=4)
    tab.mouse.up()
    tab.get_by_role("button", name="Floor line").click()
    for corner in ((0.05, 0.3), (0.95, 0.3)):
        tab.mouse.click(*at(*corner))
    tab.get_by_role("button", name="Distances").click()
    tab.mouse.move(*at(0.45, 0.6))
    tab.mouse.down()
    tab.mouse.move(*at(0.55, 0.6), steps=4)
    tab.mouse.up()
    tab.keyboard.type("2.5")
    tab.get_by_role("button", name="Done").click()
    hints = tab.evaluate(f"{TRAY}.choices.hints")
    assert np.allclose(hints["horizon"], [[0.2, 0.2], [0.8, 0.2]], atol=0.01)
    assert np.allclose(hints["corners"], [[0.05, 0.3], [0.95, 0.3]], atol=0.01)
    assert {metres for _, metres in hints["depths"]} == {2.5}
    tab.get_by_role("button", name="Draft").click()
    tab.locator("#swm-create").click()
    tab.wait_for_function("studio.state?.title === 'corner'", timeout=120_000)
    tab.wait_for_function("document.querySelector('.swm-loading').hidden", timeout=60_000)
    assert not tab.locator(".swm-notes").is_visible(), "facts wait behind their button"
    tab.get_by_role("button", name="About this world").click()
    assert "made from one picture" in tab.locator(".swm-notes").inner_text().lower()


def test_a_capture_is_seen_while_it_forms_and_kept_when_stopped_early(tab: Any, server: Any, tmp_path: Path) -> None:
    folder = capture_of(captured_scene(server), tmp_path / "crypt")
    choose(tab, folder, folder=True)
    tab.wait_for_function("document.querySelector('.swm-tray-card header').innerText.includes('8 pictures with cameras')")
    tab.get_by_role("button", name="High").click()
    tab.locator("#swm-create").click()
    tab.wait_for_function("studio.state?.forming", timeout=120_000)
    tab.wait_for_function("studio.world.get('capture-1')?.mesh && studio.navigation.collider", timeout=60_000)
    assert tab.locator(".swm-forming").is_visible()
    assert not tab.locator(".swm-side").is_visible(), "what is not done yet cannot be edited"
    tab.evaluate("studio.setMode('fly'); studio.viewer.camera.position.x += 0.2")
    eye = tab.evaluate("studio.eye")
    tab.get_by_role("button", name="Stop and keep").click()
    tab.wait_for_function("studio.state && !studio.state.forming && studio.state.title === 'crypt'", timeout=120_000)
    assert tab.evaluate("studio.eye") == pytest.approx(eye), "one goes on standing where one stood"
    assert not tab.locator(".swm-forming").is_visible()
    assert "that training never saw" in tab.locator("#swm-status").inner_text()
    assert not list(server.world.parent.glob("worlds/*.unfinished"))


def test_two_clicks_and_a_length_fix_the_scale(tab: Any, server: Any) -> None:
    open_hall(tab)
    assert "metre ± 20 %" in tab.locator(".swm-title").inner_text()
    tab.get_by_role("button", name="Fix the scale").click()
    for point in ((-0.35, 0.25, 0.35), (0.35, 0.25, 0.35)):
        tab.mouse.click(*place_on_page(tab, point))
    tab.wait_for_selector(".swm-length-row")
    assert tab.evaluate("studio.measure.length") == pytest.approx(0.7, abs=0.05)
    before = tab.evaluate("[studio.eye[2], studio.measure.length]")
    tab.keyboard.type("1,40")
    tab.keyboard.press("Enter")
    tab.wait_for_function("studio.state.scale.method === 'measured'", timeout=30_000)
    assert tab.evaluate("studio.eye[2]") == pytest.approx(before[0] * 1.4 / before[1], rel=1e-3), "the view stays what it was"
    assert "metre ± 20 %" not in tab.locator(".swm-title").inner_text()
    with studio.open_world(server.captured, read_only=True) as world:
        scale = world.scene().scale
        assert scale.method == "measured"
        assert scale.sigma < 0.03
    tab.get_by_role("button", name="Undo").click()
    tab.wait_for_function("studio.state.scale.method === 'prior'", timeout=30_000)


def test_a_thing_is_boxed_outlined_and_becomes_an_object(tab: Any, server: Any) -> None:
    open_hall(tab)
    tab.get_by_role("button", name="Take a thing out").click()
    corners = [place_on_page(tab, (x, y, z)) for x in (-0.4, 0.4) for y in (0.2, 1.0) for z in (0.0, 0.75)]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    tab.mouse.move(*low)
    tab.mouse.down()
    tab.mouse.move(*high, steps=4)
    tab.mouse.up()
    tab.wait_for_function("studio.cutout.found", timeout=120_000)
    assert tab.locator(".swm-mark-edge").count() == 1
    assert tab.evaluate("studio.navigation.frozen"), "what was pointed at is where it was pointed at"
    tab.locator(".swm-thing").fill("red crate")
    tab.get_by_role("button", name="Make it an object").click()
    tab.wait_for_function("studio.selected?.startsWith('crate')", timeout=120_000)
    tab.wait_for_function("!studio.cutout.active")
    assert "crate-1" in tab.locator(".swm-inspector").inner_text()
    with studio.open_world(server.captured, read_only=True) as world:
        crate = world.scene()["crate-1"]
        assert crate.mass_kg is not None
    size = np.ptp(crate.bounds(), axis=0)
    assert np.allclose(size, 0.7, atol=0.25)
    tab.get_by_role("button", name="Undo").click()
    tab.wait_for_function("!studio.world.get('crate-1')", timeout=30_000)


def test_what_lies_beyond_the_pictures_is_said(tab: Any) -> None:
    open_hall(tab)
    tab.evaluate("studio.setMode('fly')")
    assert not tab.locator(".swm-beyond").is_visible()
    tab.evaluate("studio.viewer.camera.position.x += 1.5")
    tab.wait_for_selector(".swm-beyond", state="visible")
    tab.get_by_role("button", name="About this world").click()
    tab.locator(".swm-invented input").check()
    assert tab.evaluate("studio.world.get('unseen-1').mesh.recolor.getHexString()") == "ff7ad9"
    assert tab.evaluate("studio.world.get('capture-1').mesh.recolor.getHexString()") == "ffffff"


def capture_of(scene: Scene, folder: Path) -> Path:
    """Eight small pictures of a scene with their cameras, as a ``transforms.json`` folder."""
    (folder / "images").mkdir(parents=True)
    frames = []
    for i, x in enumerate(np.linspace(-1.2, 1.2, 8)):
        camera = Camera.look_at((float(x), -1.9, 1.5), (0.0, 0.8, 0.3), 96, 72)
        picture_of(scene, folder / "images" / f"{i}.png", camera)
        opengl = camera.world_from_cam.matrix() @ np.diag([1.0, -1.0, -1.0, 1.0])
        frames.append({"file_path": f"images/{i}.png", "transform_matrix": opengl.tolist()})
    lens = {"w": 96, "h": 72, "fl_x": camera.fx, "fl_y": camera.fy, "cx": camera.cx, "cy": camera.cy}
    (folder / "transforms.json").write_text(json.dumps({**lens, "frames": frames}))
    return folder


# Where a place of the world appears on the page.
PLACE = """([x, y, z]) => {
  const { viewer } = studio;
  const p = viewer.screenOf(viewer.camera.position.clone().set(x, z, -y));
  return [p.x, p.y];
}"""

# What a drag of files from the desktop does, with small pictures.
DROP = """async ([kind, names]) => {
  const transfer = new DataTransfer();
  const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
  canvas.getContext('2d').fillRect(5, 5, 20, 10);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
  for (const name of names) transfer.items.add(new File([blob], name, { type: 'image/png' }));
  const event = new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.querySelector('.swm-canvas').dispatchEvent(event);
}"""
