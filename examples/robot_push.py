"""A robot on a table made from a sentence pushes the mug past the book: predicted and simulated truth side by side.

    python examples/robot_push.py --out demo [--model physics]

The prediction knows what the scene says of the mug; in the truth it weighs twice as much and slides better. The ring around the
mug is the standard deviation of its predicted place.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spatialwm import studio
from spatialwm.dynamics import JointTargets, Physics, Rollout
from spatialwm.dynamics.robots import load_robot
from spatialwm.errors import ActionError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift import LiftOptions
from spatialwm.render import film, subject_view, write_mp4
from spatialwm.scene import Scene, SceneObject, edits

SENTENCE = "a small room with a wooden table, a red mug and a book on the table"
REACH_M, HEIGHT_M = 0.30, 0.045
ROBOT = f"""
<mujoco><compiler angle="radian"/>
  <asset><material name="paint" rgba=".95 .62 .15 1"/><material name="dark" rgba=".15 .16 .18 1"/></asset>
  <worldbody><body name="base">
    <geom type="cylinder" size=".055 .012" pos="0 0 .012" material="dark"/>
    <geom type="cylinder" size=".032 .035" pos="0 0 .05" material="paint"/>
    <body name="arm" pos="0 0 {HEIGHT_M + 0.05}">
      <joint name="pan" type="hinge" axis="0 0 1" range="-3.1 3.1" damping="1"/>
      <geom type="cylinder" size=".036 .012" material="dark" mass=".2"/>
      <geom type="capsule" size=".014" fromto="0 0 0 {REACH_M - 0.03} 0 0" material="paint" mass=".3"/>
      <geom type="cylinder" size=".018 .02" pos="{REACH_M - 0.02} 0 0" material="dark" mass=".1"/>
      <geom type="box" size=".008 .03 .035" pos="{REACH_M} 0 -.05" material="paint" mass=".1"/>
    </body>
  </body></worldbody>
  <actuator><position name="pan" joint="pan" kp="60" kv="6"/></actuator>
</mujoco>
"""


def main() -> None:
    """Write the world and the film."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    parser.add_argument("--model", default="hybrid", help="hybrid or physics")
    parser.add_argument("--quality", choices=("draft", "standard", "high"), default="standard")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "arm.xml"
    file.write_text(ROBOT)
    options = LiftOptions(quality=args.quality)
    with studio.create(SENTENCE, args.out / "table.world", options=options, overwrite=True) as world:
        scene = world.scene()
        mug, book = (next(o for o in scene.objects if o.category == c) for c in ("mug", "book"))
        base, start, sweep = stand(scene, mug, book)
        world.apply(load_robot(file, "arm-1", at=base, positions={"pan": start}).insertion)
        scene = world.scene()
        rows = tuple((start + sweep * min(i / 20, 1.0),) for i in range(26))
        action = JointTargets(robot="arm-1", targets=rows, dt_s=0.1)
        predicted = studio.predict(world, [action], model=args.model).rollout
        weighs = edits.SetPhysics(mug.id, mass_kg=2 * (mug.mass_kg or 0.3), friction=0.5 * mug.friction)
        truth = Physics(spread=0.0).rollout(scene.apply(weighs), [action])
        camera = subject_view(scene, (mug.id, book.id, "arm-1"), bounds(scene, predicted, truth, mug.id), 640, 540)
        steps = min(predicted.horizon, truth.horizon)
        write_mp4(args.out / "robot_push.mp4", side_by_side(scene, predicted, truth, mug.id, camera, steps), total=steps)
    off_m = float(np.linalg.norm(place(predicted, mug.id, steps) - place(truth, mug.id, steps)))
    k = predicted.object_ids.index(mug.id)
    print(f"{args.out / 'robot_push.mp4'}  {predicted.backend}")
    print(f"the mug went {float(np.linalg.norm(place(truth, mug.id, steps) - place(truth, mug.id, 0))):.3f} m; predicted within "
          f"{off_m:.3f} m, expected within {predicted.uncertainty[steps, k]:.3f} m")  # fmt: skip


def stand(scene: Scene, mug: SceneObject, book: SceneObject) -> tuple[Pose, float, float]:
    """Where on the table the arm stands so that its sweep takes the mug past the book: base, first angle, sweep."""
    low, high = scene[mug.supported_by or "table-1"].bounds()
    at, other = (np.mean(o.bounds()[:, :2], axis=0) for o in (mug, book))
    for angle in np.linspace(0, 2 * math.pi, 48, endpoint=False):
        base = at - 0.93 * REACH_M * np.array([math.cos(angle), math.sin(angle)])
        clear = np.linalg.norm(base - other) > 0.2
        if clear and (base > low[:2] + 0.07).all() and (base < high[:2] - 0.07).all():
            toward = np.arctan2(*(other - base)[::-1]) - angle
            side = 1.0 if math.sin(toward) > 0 else -1.0
            return Pose((float(base[0]), float(base[1]), float(high[2]) + 5e-4)), angle - side * 0.75, side * 1.15
    raise ActionError(f"the table around {mug.id} has no room for an arm of {REACH_M} m; try another sentence")


def place(rollout: Rollout, object_id: str, step: int) -> np.ndarray:
    """Where an object is at a step."""
    return rollout.poses[step, rollout.object_ids.index(object_id), :3]


def bounds(scene: Scene, predicted: Rollout, truth: Rollout, object_id: str) -> np.ndarray:
    """Corners of what shall be in the picture."""
    boxes = [scene[i].bounds() for i in (object_id, "arm-1")]
    boxes += [r.scene_at(scene, -1)[object_id].bounds() for r in (predicted, truth)]
    return np.concatenate(boxes)


def side_by_side(
    scene: Scene, predicted: Rollout, truth: Rollout, object_id: str, camera: Camera, steps: int
) -> Iterator[np.ndarray]:
    """Frames: the prediction with its ring, beside the truth."""
    k = predicted.object_ids.index(object_id)
    pairs = [film(scene, (r.poses_at(scene, i) for i in range(steps)), camera) for r in (predicted, truth)]
    for i, (left, right) in enumerate(zip(*pairs, strict=True)):
        sigma = float(predicted.uncertainty[i, k])
        one = captioned(left.rgb, f"predicted: within {1000 * sigma:.0f} mm")
        ring(one, camera, place(predicted, object_id, i), max(sigma, 0.002))
        yield np.concatenate([np.asarray(one), np.asarray(captioned(right.rgb, "simulated truth"))], 1)


def captioned(rgb: np.ndarray, text: str) -> Image.Image:
    """The picture with a line of text in its corner."""
    picture = Image.fromarray(np.rint(rgb.clip(0, 1) * 255).astype(np.uint8))
    ImageDraw.Draw(picture).text((16, 12), text, "white", ImageFont.load_default(22), stroke_width=2, stroke_fill="black")
    return picture


def ring(picture: Image.Image, camera: Camera, center: np.ndarray, radius_m: float) -> None:
    """A level circle around a place of the world."""
    angle = np.linspace(0, 2 * math.pi, 65)
    circle = center + (radius_m + 0.06) * np.c_[np.cos(angle), np.sin(angle), 0 * angle]
    seen = camera.world_from_cam.inverse().apply(circle) @ camera.K().double().numpy().T
    ImageDraw.Draw(picture).line([tuple(p) for p in seen[:, :2] / seen[:, 2:]], "white", 3)


if __name__ == "__main__":
    main()
