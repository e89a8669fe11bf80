"""The yardstick on the development prompts must not fall, and must beat a layout without a solver."""

from __future__ import annotations

import importlib.util
import json
import sys

import numpy as np
import pytest

from spatialwm.geometry.se3 import Pose
from spatialwm.lift.text.arrange import Arrangement, arrange, choose_room
from spatialwm.lift.text.graph import SceneGraph
from spatialwm.lift.text.language import parse
from spatialwm.lift.text.places.shell import Shell


def shell_of(graph, models, kinds) -> Shell:
    if graph.family == "outdoor":
        return Shell(low=(-11, -11), high=(11, 11), ceiling_m=None, ground_height=lambda x, y: 0.0, entry=(0, -10))
    width, length, height = choose_room(graph, models, kinds)
    low, high = (-width / 2, -length / 2), (width / 2, length / 2)
    return Shell(low=low, high=high, ceiling_m=height, ground_height=lambda x, y: 0.0, entry=(0, low[1] + 0.4))


def described(graph: SceneGraph, models, shell: Shell, result: Arrangement) -> dict:
    objects = []
    for item in graph.items:
        if item.key not in result.poses:
            continue
        pose, model = result.poses[item.key], models[item.key]
        lo, hi = model.bounds()
        corners = pose.apply(np.array([(x, y, z) for x in (lo[0], hi[0]) for y in (lo[1], hi[1]) for z in (lo[2], hi[2])]))
        front = pose.rotate(np.array([0.0, -1.0, 0.0]))[:2].tolist() if model.has_front else None
        objects.append({
            "id": item.key, "category": item.noun, "labels": list(item.labels), "color": item.color, "material": item.material,
            "aabb": [corners.min(0).tolist(), corners.max(0).tolist()], "front": front,
            "supported_by": result.supported_by[item.key], "provenance": item.provenance,
        })  # fmt: skip
    room = {"min": [*shell.low, 0], "max": [*shell.high, shell.ceiling_m]} if shell.indoor else None
    return {
        "schema": 1, "units": "m", "up": "+Z", "camera": {"position": [*shell.entry, 1.6], "forward": [0, 1, 0]}, "room": room,
        "environment": graph.place, "time": graph.time, "weather": graph.weather, "unrecognized": list(graph.unrecognized),
        "objects": objects,
    }  # fmt: skip


def scattered(graph: SceneGraph, models, shell: Shell, rng: np.random.Generator) -> Arrangement:
    """The baseline: everything on the floor, anywhere."""
    poses = {}
    for key, model in models.items():
        reach = np.abs(model.bounds()[:, :2]).max()
        low, high = np.array(shell.low) + reach, np.array(shell.high) - reach
        x, y = rng.uniform(np.minimum(low, high), np.maximum(low, high))
        poses[key] = Pose.about_axis((0.0, 0.0, 1.0), float(rng.integers(4)) * np.pi / 2, (float(x), float(y), 0.0))
    return Arrangement(poses, dict.fromkeys(poses, "floor"))


@pytest.fixture(scope="module")
def score(shared_dir, kinds, tmp_path_factory):
    prompts = shared_dir / "prompts" / "prompts_dev.jsonl"
    spec = importlib.util.spec_from_file_location("prompt_evaluation", shared_dir / "prompts" / "evaluate.py")
    assert spec is not None
    assert spec.loader is not None
    evaluation = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    spec.loader.exec_module(evaluation)
    sys.dont_write_bytecode = before

    def run(layout) -> dict[str, float]:
        folder = tmp_path_factory.mktemp("scenes")
        for line in prompts.read_text(encoding="utf-8").splitlines():
            prompt = json.loads(line)
            graph = parse(" ".join([*prompt.get("history", []), prompt["prompt"]]), kinds)
            rng = np.random.default_rng(0)
            models = {i.key: kinds[i.kind].build(i, rng) for i in graph.items}
            shell = shell_of(graph, models, kinds)
            scene = described(graph, models, shell, layout(graph, models, shell, rng))
            (folder / f"{prompt['id']}.json").write_text(json.dumps(scene), encoding="utf-8")
        overall = evaluation.evaluate(prompts, folder)["overall"]
        return {name: row["rate"] for name, row in overall.items()}

    return run


def test_the_score_stays_above_its_floor_and_the_solver_earns_it(score, kinds):
    solved = score(lambda graph, models, shell, rng: arrange(graph, models, shell, rng, kinds=kinds))
    chance = score(scattered)
    floors = {
        "object_recall": 0.66, "relation": 0.52, "environment": 0.95, "time": 0.95, "weather": 0.95, "honesty": 0.93,
        "plausible_scene": 0.95, "full_satisfaction": 0.3,
    }  # fmt: skip
    assert {k: solved[k] for k, floor in floors.items() if solved[k] < floor} == {}
    assert solved["relation"] > chance["relation"] + 0.3
    assert solved["plausible_scene"] > chance["plausible_scene"] + 0.3
