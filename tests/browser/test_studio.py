"""What a person does in the studio, done in a real browser, reaches the world on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from spatialwm_app.collider import VOXEL_M

from spatialwm import studio
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, SceneObject


def scene_of(server: Any) -> Scene:
    with studio.open_world(server.world, read_only=True) as world:
        return world.scene()


def revision(page: Any) -> int:
    return page.evaluate("studio.state.revision")


def wait_for_revision(page: Any, after: int) -> int:
    page.wait_for_function("(r) => studio.state.revision !== r", arg=after, timeout=20_000)
    return revision(page)


def free_object(scene: Scene) -> SceneObject:
    """The crate: on the floor, free to be pushed, and solid, for one clicks the middle of it."""
    return next(o for o in scene.objects if o.category == "crate")


def look_at(page: Any, object_id: str) -> dict[str, float]:
    """Bring an object into view and say where it is on the page."""
    page.evaluate("(id) => { studio.setMode('orbit'); studio.navigation.focus(studio.world.get(id).bounds); }", object_id)
    page.evaluate("studio.navigation.step(0)")
    return page.evaluate("(id) => studio.screenOf(id)", object_id)


def test_points_land_where_python_says_they_are(page: Any, server: Any) -> None:
    scene = scene_of(server)
    for o in [free_object(scene), max(scene.objects, key=lambda o: len(o.gaussians))]:
        pose = o.world_from_object
        turned = pose @ Pose.about_axis((0.3, -0.5, 0.8), 1.1)
        for world_from_object in (pose, turned):
            low, high = page.evaluate(BOUNDS_OF, [o.id, world_from_object.to_list()])
            world = world_from_object.apply(o.gaussians.means.numpy())
            assert np.allclose(low, world.min(0), atol=0.02)
            assert np.allclose(high, world.max(0), atol=0.02)


def test_a_walker_stands_at_eye_height_and_stops_at_the_walls(page: Any, server: Any) -> None:
    room = scene_of(server).environment.room
    assert room is not None
    assert page.evaluate(WALK, [0.0, 0.05])[2] == pytest.approx(1.65, abs=VOXEL_M / 2)
    for yaw in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        x, y, _ = page.evaluate(WALK, [float(yaw), 12.0])
        assert room[0][0] < x < room[1][0]
        assert room[0][1] < y < room[1][1]


def test_keys_walk(page: Any) -> None:
    page.locator(".swm-canvas").focus()
    page.keyboard.press("v")
    assert page.evaluate("studio.navigation.mode") == "walk"
    page.wait_for_function("studio.navigation.walker.grounded", timeout=10_000)
    start = page.evaluate("studio.eye")
    page.keyboard.down("s")
    page.wait_for_function("([x, y]) => Math.hypot(studio.eye[0] - x, studio.eye[1] - y) > 0.2", arg=start[:2], timeout=20_000)
    page.keyboard.up("s")


def test_an_object_is_clicked_moved_and_the_move_undone(page: Any, server: Any) -> None:
    body = free_object(scene_of(server))
    at = look_at(page, body.id)
    page.mouse.click(at["x"], at["y"])
    page.wait_for_function("(id) => studio.selected === id", arg=body.id, timeout=5000)
    assert body.id in page.locator(".swm-inspector").inner_text()
    before = revision(page)
    page.keyboard.press("ArrowRight")
    moved = wait_for_revision(page, before)
    shift = np.subtract(scene_of(server)[body.id].world_from_object.position, body.world_from_object.position)
    assert np.linalg.norm(shift) == pytest.approx(0.05)
    page.keyboard.press("Control+z")
    assert wait_for_revision(page, moved) == before
    assert scene_of(server)[body.id].same_as(body)


def drag_handle(page: Any, object_id: str, key: str, script: str) -> tuple[int, int]:
    """Drag the vertical handle of the gizmo that ``key`` brings; returns the revisions before and after."""
    look_at(page, object_id)
    page.evaluate("(id) => studio.select(id)", object_id)
    page.locator(".swm-canvas").focus()
    page.keyboard.press(key)
    before = revision(page)
    start, end = page.evaluate(script)
    page.mouse.move(start[0] + 60, start[1] + 60)
    page.mouse.move(*start)
    page.wait_for_function("studio.gizmo.controls.axis === 'Y'", timeout=10_000)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()
    return before, wait_for_revision(page, before)


def test_the_handle_that_is_dragged_moves_the_object_by_as_much(page: Any, server: Any) -> None:
    body = free_object(scene_of(server))
    before, moved = drag_handle(page, body.id, "1", UP_HANDLE)
    shift = np.subtract(scene_of(server)[body.id].world_from_object.position, body.world_from_object.position)
    assert shift[:2] == pytest.approx((0, 0), abs=1e-6)
    assert shift[2] == pytest.approx(0.2, rel=0.35)
    page.get_by_role("button", name="Undo").click()
    assert wait_for_revision(page, moved) == before


def test_the_ring_that_is_dragged_turns_the_object_about_the_vertical(page: Any, server: Any) -> None:
    body = free_object(scene_of(server))
    before, turned = drag_handle(page, body.id, "2", RING)
    after = scene_of(server)[body.id]
    w, x, y, z = (after.world_from_object @ body.world_from_object.inverse()).quat
    assert (x, y) == pytest.approx((0, 0), abs=1e-3)
    assert 2 * np.degrees(np.arctan2(abs(z), abs(w))) > 5
    assert after.bounds().mean(0) == pytest.approx(body.bounds().mean(0), abs=0.02)
    page.keyboard.press("Control+z")
    assert wait_for_revision(page, turned) == before


def test_the_block_that_is_pulled_grows_the_object_on_its_spot(page: Any, server: Any) -> None:
    body = free_object(scene_of(server))
    before, grown = drag_handle(page, body.id, "3", UP_HANDLE)
    (low, high), (old_low, old_high) = scene_of(server)[body.id].bounds(), body.bounds()
    factors = (high - low) / (old_high - old_low)
    assert factors[2] > 1.05
    assert factors == pytest.approx(factors[2], rel=0.02), "sizes stay in proportion"
    assert low[2] == pytest.approx(old_low[2], abs=0.01)
    page.keyboard.press("Control+z")
    assert wait_for_revision(page, grown) == before
    page.keyboard.press("1")


def test_a_discarded_prediction_closes_and_leaves_nothing(page: Any, server: Any) -> None:
    body = free_object(scene_of(server))
    page.evaluate("(id) => studio.select(id)", body.id)
    steps = page.evaluate("studio.state.history.length")
    page.evaluate("studio.startPush()")
    page.get_by_role("button", name="Predict", exact=True).click()
    page.wait_for_function("studio.timeline.prediction", timeout=60_000)
    assert f"{page.evaluate('studio.world.get(studio.selected).name')} may be off by" in page.locator(".swm-sure").inner_text()
    page.get_by_role("button", name="Discard").click()
    page.wait_for_selector(".swm-timeline", state="hidden")
    assert page.evaluate("studio.state.history.length") == steps
    with studio.open_world(server.world, read_only=True) as world:
        assert max(r.id for r in world.history()) not in world.branches().values(), "no branch stands at what was predicted"


def test_a_push_is_predicted_scrubbed_and_committed(page: Any, server: Any) -> None:
    body = free_object(scene_of(server))
    look_at(page, body.id)
    page.evaluate("(id) => studio.select(id)", body.id)
    before = revision(page)
    page.get_by_role("button", name="Push it").click()
    page.get_by_role("button", name="Push right").click()
    page.get_by_role("button", name="Predict", exact=True).click()
    page.wait_for_function("studio.timeline.prediction", timeout=60_000)
    assert revision(page) == before, "a prediction is not the truth"
    assert "physics" in page.locator(".swm-banner").inner_text()
    page.evaluate("studio.timeline.playing = false")
    page.locator(".swm-scrub").focus()
    positions = [page.evaluate(SEEK, [body.id, t]) for t in (0.0, 1e9)]
    assert positions[0] == pytest.approx(body.world_from_object.position, abs=1e-3)
    assert np.linalg.norm(np.subtract(positions[1], positions[0])) > 0.05
    page.get_by_role("button", name="Commit").click()
    wait_for_revision(page, before)
    assert scene_of(server)[body.id].world_from_object.position == pytest.approx(positions[1], abs=1e-3)
    page.wait_for_function("!studio.timeline.prediction")
    page.get_by_role("button", name="Undo").click()


def test_a_glb_is_downloaded_and_opens(page: Any, server: Any, tmp_path: Path) -> None:
    with page.expect_download(timeout=60_000) as download:
        page.locator("#swm-export").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    names = {name.split("_")[0] for name in trimesh.load(file, force="scene").geometry}
    assert file.suffix == ".glb"
    assert names


def test_tabs_and_other_processes_stay_in_step(page: Any, open_tab: Callable[..., Any], server: Any) -> None:
    one, two = page, open_tab()
    before = revision(two)
    body = free_object(scene_of(server))
    one.evaluate("(id) => studio.edit({ op: 'rename', object: id, name: 'Renamed here' })", body.id)
    wait_for_revision(two, before)
    assert "Renamed here" in two.locator(".swm-objects").inner_text()
    with studio.open_world(server.world) as world:
        studio.edit(world, f'rename {body.id} "Renamed elsewhere"')
    for tab in (one, two):
        tab.wait_for_function("document.querySelector('.swm-objects').innerText.includes('Renamed elsewhere')", timeout=10_000)
    two.context.close()


def test_a_refused_command_is_explained_in_plain_words(page: Any) -> None:
    page.evaluate("studio.edit({ op: 'move', object: 'unicorn-1', by: [1, 0, 0] })")
    page.wait_for_selector(".swm-toast-error")
    assert "object 'unicorn-1'" in page.locator(".swm-toast-error").inner_text()


def test_a_phone_shows_the_world_first_and_nothing_sticks_out(open_tab: Callable[..., Any]) -> None:
    page = open_tab({"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".swm-canvas").bounding_box()["y"] == 0
    page.get_by_role("button", name="Objects").tap()
    page.locator(".swm-row").first.tap()
    assert page.locator(".swm-inspector").is_visible()
    page.evaluate("studio.setMode('walk')")
    assert not page.locator(".swm-stick").is_visible(), "nothing lies over the card"
    page.evaluate("studio.select('crate-1'); studio.startPush(); studio.predict()")
    page.wait_for_function("studio.timeline.prediction", timeout=60_000)
    stick, banner = (page.locator(part).bounding_box() for part in (".swm-stick", ".swm-timeline"))
    assert stick["y"] + stick["height"] <= banner["y"]
    page.get_by_role("button", name="Discard").tap()
    page.wait_for_selector(".swm-timeline", state="hidden")
    page.context.close()


def test_the_prompt_is_there_to_be_typed_into_in_a_low_window(page: Any) -> None:
    box = page.locator("#swm-prompt textarea").bounding_box()
    assert box["height"] > 50
    assert box["y"] >= 0


def test_a_world_that_is_being_made_can_be_given_up(open_tab: Callable[..., Any], server: Any) -> None:
    page = open_tab()
    page.locator("#swm-prompt textarea").fill("A large library with twelve bookshelves and a table")
    page.locator("#swm-create").click()
    page.locator("#swm-cancel").click(timeout=20_000)
    assert "%" in page.locator("#swm-status").inner_text()
    page.wait_for_function("document.querySelector('#swm-status').innerText.includes('Stopped')", timeout=60_000)
    page.wait_for_function("!document.querySelector('#swm-create').disabled")
    assert not list(server.world.parent.glob("worlds/*library*"))
    page.context.close()


def test_a_sentence_becomes_a_world_and_its_unknown_words_are_told(open_tab: Callable[..., Any]) -> None:
    page = open_tab()
    page.locator("#swm-prompt textarea").fill("A small room with a table and a flibbertigibbet")
    page.locator("#swm-create-row input").click()
    page.get_by_role("option", name="Draft").click()
    page.locator("#swm-create").click()
    page.wait_for_function("studio.state?.title.startsWith('small-room')", timeout=60_000)
    page.wait_for_function("document.querySelector('#swm-status').innerText.includes('flibbertigibbet')", timeout=20_000)
    page.wait_for_function("document.querySelector('.swm-loading').hidden", timeout=30_000)
    page.reload()
    page.wait_for_selector(".swm-notes", timeout=30_000)
    assert "flibbertigibbet" in page.locator(".swm-notes").inner_text(), "a world that is opened again tells it again"
    page.wait_for_function("document.querySelector('.swm-host').studio?.state")
    page.evaluate("globalThis.studio = document.querySelector('.swm-host').studio")
    page.wait_for_function("document.querySelector('.swm-loading').hidden", timeout=30_000)
    assert page.evaluate("[...studio.world.objects.values()].every((o) => o.mesh || !o.content)")
    page.wait_for_function(f"({COLORS})() > 30", timeout=60_000, polling=500)  # the canvas shows a world; sorting takes its time
    page.context.close()


COLORS = """() => {
  studio.viewer.renderer.render(studio.viewer.scene, studio.viewer.camera);
  const small = Object.assign(document.createElement('canvas'), { width: 64, height: 40 }).getContext('2d');
  small.drawImage(studio.viewer.canvas, 0, 0, 64, 40);
  const { data } = small.getImageData(0, 0, 64, 40);
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add((data[i] >> 4) + ',' + (data[i + 1] >> 4) + ',' + (data[i + 2] >> 4));
  return seen.size;
}"""

# Of an object at a given pose: the world bounds of the splat centres that Spark holds, by the viewer's own matrices.
BOUNDS_OF = """([id, pose]) => {
  const { mesh } = studio.world.get(id);
  studio.world.preview(id, pose);
  mesh.updateMatrixWorld(true);
  const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  mesh.forEachSplat((_, center) => {
    const p = center.clone().applyMatrix4(mesh.matrixWorld);
    [p.x, -p.z, p.y].forEach((v, i) => { low[i] = Math.min(low[i], v); high[i] = Math.max(high[i], v); });
  });
  studio.world.restore(id);
  return [low, high];
}"""

# Physics stepped by hand, so that the outcome does not depend on the machine's frame rate.
WALK = """([yaw, metres]) => {
  const { walker, collider } = studio.navigation;
  walker.place(collider, studio.eye);
  const speed = 3, dt = 1 / 30;
  for (let t = 0; t < metres / speed; t += dt) walker.step(collider, [speed * Math.cos(yaw), speed * Math.sin(yaw)], false, dt);
  return walker.eye;
}"""

SEEK = """([id, time]) => {
  studio.timeline.seek(time);
  const { x, y, z } = studio.world.get(id).mesh.position;
  return [x, -z, y];
}"""

# Where the upward handle of the gizmo is, and where a point 20 cm higher is.
UP_HANDLE = """() => {
  const { gizmo, viewer } = studio;
  viewer.camera.updateMatrixWorld();
  gizmo.helper.updateMatrixWorld(true);
  const pivot = gizmo.pivot.position;
  const lens = Math.min(1.9 * Math.tan((Math.PI * viewer.camera.fov) / 360), 7);
  const handle = (pivot.distanceTo(viewer.camera.position) * lens * gizmo.controls.size) / 4 * 0.4;
  const at = (up) => { const p = viewer.screenOf(pivot.clone().setY(pivot.y + up)); return [p.x, p.y]; };
  return [at(handle), at(handle + 0.2)];
}"""

# A point of the ring that turns about the vertical, on the side of the camera and between the axes, and one further along.
RING = """() => {
  const { gizmo, viewer } = studio;
  viewer.camera.updateMatrixWorld();
  gizmo.helper.updateMatrixWorld(true);
  const pivot = gizmo.pivot.position;
  const lens = Math.min(1.9 * Math.tan((Math.PI * viewer.camera.fov) / 360), 7);
  const radius = (pivot.distanceTo(viewer.camera.position) * lens * gizmo.controls.size) / 4 * 0.5;
  const sight = viewer.camera.position.clone().sub(pivot);
  const angle = Math.PI / 4 + Math.floor(Math.atan2(sight.z, sight.x) / (Math.PI / 2)) * (Math.PI / 2);
  const at = (a) => {
    const p = viewer.screenOf(pivot.clone().set(pivot.x + radius * Math.cos(a), pivot.y, pivot.z + radius * Math.sin(a)));
    return [p.x, p.y];
  };
  return [at(angle), at(angle + 0.5)];
}"""
