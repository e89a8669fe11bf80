"""A sentence becomes a world; an action changes it; files come out. `make demo` runs this."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import spatialwm
from spatialwm import studio
from spatialwm.dynamics import Push
from spatialwm.lift import LiftOptions

SENTENCE = (
    "A cosy living room at dusk with a red leather sofa, a floor lamp next to it, a coffee table in front of the sofa with a "
    "blue mug and three books on it, a patterned rug, a plant in the corner and two pictures on the wall above the sofa."
)


def main() -> None:
    """Write everything under ``--out`` and print each path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    parser.add_argument("--sentence", default=SENTENCE)
    parser.add_argument("--push", default="mug", help="category of the object to push")
    parser.add_argument("--quality", choices=("draft", "standard", "high"), default="standard")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()

    print(f"“{args.sentence}”", flush=True)
    world_path = args.out / "living-room.world"
    options = LiftOptions(quality=args.quality)
    with studio.create(args.sentence, world_path, options=options, progress=show, overwrite=True) as world:
        told = studio.info(world)
        say("world", world_path, f"{told['gaussians']:,} Gaussians, {len(told['objects'])} objects")
        if told["unrecognized"]:
            print(f"  not recognised: {', '.join(told['unrecognized'])}")

        scene = world.scene()
        backend = studio.render_still(scene, args.out / "still.png")
        say("still", args.out / "still.png", f"rendered by {backend}")

        target = next(o for o in scene.objects if o.category == args.push)
        prediction = studio.predict(world, [Push(object=target.id, by=push_direction(scene, target))], progress=show)
        studio.render_rollout(scene, prediction.rollout, args.out / "push.mp4", progress=show)
        say("push", args.out / "push.mp4", f"{target.id} pushed, {prediction.rollout.backend}, on branch {prediction.branch}")

        for name in ("world.glb", "world.ply", "world.spz"):
            studio.export(scene, args.out / name, progress=show)
            say(name.split(".")[1], args.out / name, f"{(args.out / name).stat().st_size / 1e6:.1f} MB")
    print(f"done in {time.monotonic() - start:.0f} s; walk through it: make app")


def push_direction(scene: spatialwm.Scene, target: spatialwm.SceneObject) -> tuple[float, float]:
    """Half a metre along the camera's right, so that the film shows the motion from the side."""
    assert scene.spawn is not None
    x, y, _ = scene.spawn.world_from_cam.rotation()[:, 0]
    return (0.5 * float(x), 0.5 * float(y))


def show(stage: str, fraction: float) -> None:
    """One self-overwriting line on a terminal, nothing in a log."""
    if sys.stderr.isatty():
        print(f"\r  {stage:<24} {fraction:4.0%}", end="\r", file=sys.stderr, flush=True)


def say(what: str, path: Path, detail: str) -> None:
    """One line for each file."""
    print(f"  {what:<6} {path}  ({detail})", flush=True)


if __name__ == "__main__":
    main()
