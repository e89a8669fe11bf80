"""Pushing things to where they are wanted: how often it succeeds, and what the floors do.

    python benchmarks/planning.py --tasks 40 [--model hybrid] [--variant push]

The plant is the true table; the model knows what can be seen. No task is solved at its start.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch loads: tasks run side by side
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from spatialwm.dynamics.hybrid import shipped
from spatialwm.dynamics.planning import NoOp, PushPlanner, RandomPush, RandomWalk, control, make_push_task
from spatialwm.dynamics.table import NominalPhysics
from spatialwm.report import describe_machine, headline, markdown_table

PLANNERS = ("planned", "random push", "random walk", "no-op")


def attempt(task_of: tuple[str, int], planner: str, model: str) -> dict[str, float | bool]:
    """One task by one planner."""
    task = make_push_task(*task_of)
    forecaster = NominalPhysics() if model == "physics" else shipped("hybrid")
    planned = PushPlanner(forecaster=forecaster, goal=task.goal)
    chosen = {"planned": planned, "random push": RandomPush(planned), "random walk": RandomWalk(), "no-op": NoOp()}[planner]
    outcome = control(task.plant(), chosen, task.goal, np.random.default_rng(task_of[1]))
    return {
        "success": outcome.success, "distance_m": next(iter(outcome.distances_m.values())),
        "angle_deg": next(iter(outcome.angles_deg.values())), "plans": outcome.plans,
        "plan_s": float(np.mean(outcome.plan_seconds)) if outcome.plan_seconds else 0.0,
    }  # fmt: skip


def main() -> None:
    """Run every task by every planner."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--first", type=int, default=2_000_000, help="seed of the first task")
    parser.add_argument("--variant", default="push")
    parser.add_argument("--model", choices=("physics", "hybrid"), default="physics")
    parser.add_argument("--workers", type=int, default=1, help="more are faster and make a plan look slower")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    tasks = [(options.variant, options.first + i) for i in range(options.tasks)]
    rows, found = [], {}
    with ProcessPoolExecutor(options.workers) as pool:
        for planner in PLANNERS:
            done = list(pool.map(partial(attempt, planner=planner, model=options.model), tasks))
            found[planner] = done
            share = np.mean([d["success"] for d in done])
            rows.append([
                planner, f"{share:.0%}", f"{100 * np.median([d['distance_m'] for d in done]):.1f}",
                f"{np.median([d['angle_deg'] for d in done]):.1f}", f"{np.mean([d['plans'] for d in done]):.1f}",
                f"{np.mean([d['plan_s'] for d in done]):.1f}",
            ])  # fmt: skip
    print(f"{options.tasks} tasks on {options.variant} tables, {options.model} as the model; {headline(describe_machine())}")
    header = ["", "within 2 cm and 10 degrees", "cm off (median)", "degrees", "plans", "s per plan"]
    print("\n".join(markdown_table(header, rows)))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
