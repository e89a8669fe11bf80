"""How long a sentence takes to become splats: wall and processor time, a line each, kernels loaded beforehand."""

from __future__ import annotations

import argparse
import os
import platform
import time

from spatialwm.lift import LiftOptions
from spatialwm.lift.text.lifter import TextLifter

SENTENCES = (
    "a cosy living room at dusk with a red leather sofa, a floor lamp and a coffee table with a mug on it",
    "a small kitchen with a white fridge against the wall and a wooden table with four chairs around it",
    "a log cabin in a misty forest clearing at dawn with a campfire and a small lake",
    "a park bench under a big oak tree",
)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quality", choices=("draft", "standard", "high"), default="standard")
    parser.add_argument("sentences", nargs="*", default=SENTENCES)
    args = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {args.quality}")
    TextLifter().lift("a chair in a room", LiftOptions(quality="draft"))  # compile and load the kernels
    print(f"{'splats':>9} {'wall s':>7} {'cpu s':>7}  sentence")
    for sentence in args.sentences:
        wall, cpu = time.perf_counter(), time.process_time()
        scene = TextLifter().lift(sentence, LiftOptions(quality=args.quality))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"{len(scene):9,} {wall:7.1f} {cpu:7.1f}  {sentence}", flush=True)


if __name__ == "__main__":
    main()
