"""World models trained by name, from a data set or from tables made for it; an interrupted training goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from spatialwm.dynamics.episode import Episode
from spatialwm.errors import ActionError, DataError
from spatialwm.progress import Progress, part_of, silent

EPISODES: dict[str, int] = {"hybrid": 1000, "learned": 2000, "gwm": 400}
"""From which each is trained by default; a tenth of them is kept aside to calibrate and to measure on."""
_ASIDE = 0.1


def episodes_from(
    source: str, count: int, *, first: int = 0, steps: int = 100, workers: int | None = None, progress: Progress = silent
) -> list[Episode]:
    """Episodes of a data set's folder, or as many simulated tables of a variant.

    Args:
        first: seed of the first table, or number of the first episode; the others follow.
        steps: of each, where tables are made.

    Raises:
        ActionError: neither a folder nor a variant.
        DataError: fewer episodes than asked for.
    """
    if Path(source).is_dir():
        from spatialwm.dynamics.data import read_dataset

        held = read_dataset(Path(source))
        if len(held) < first + count:
            raise DataError(f"{source} holds {len(held)} episodes; {count} from number {first} on are asked for")
        return [replace(held.episode(i), truth=held.truth(i)) for i in range(first, first + count)]
    from spatialwm.dynamics.data.pools import open_pool
    from spatialwm.dynamics.table import VARIANTS, make_episode

    if source not in VARIANTS:
        raise ActionError(f"{source!r} is neither the folder of a data set nor a table; tables are: {', '.join(VARIANTS)}")
    made: list[Episode] = []
    with open_pool(min(workers or os.cpu_count() or 1, count)) as pool:
        for start in range(first, first + count, pool.ahead):
            results = [pool.submit(make_episode, source, s, steps) for s in range(start, min(start + pool.ahead, first + count))]
            made += [result() for result in results]
            progress("making tables", len(made) / count)
    return made


def train_model(
    name: str,
    out: Path,
    *,
    source: str = "push",
    episodes: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    command: str = "",
    progress: Progress = silent,
) -> Path:
    """Train to weights in the folder ``out``; the same call goes on where an interrupted one stopped.

    Args:
        source: a variant of the table, or a data set's folder.
        steps: of the last stage, where a hybrid is trained; of all of it for gwm. None: as the package's own weights.
        command: for the model card.

    Raises:
        ActionError: an unknown model or source.
        DataError: too few episodes.
        FormatError: ``out`` holds the checkpoints of another training.
    """
    if name not in EPISODES:
        raise ActionError(f"there is no model {name!r} to train; there are: {', '.join(EPISODES)}")
    count = EPISODES[name] if episodes is None else episodes
    if count < 10:
        raise DataError(f"a training needs at least 10 episodes; got {count}")
    out.mkdir(parents=True, exist_ok=True)
    made = episodes_from(source, count, workers=workers, progress=part_of(progress, 0.0, 0.1))
    facts = {"command": command, "source": source, "episodes": count, "seed": seed}
    rest = part_of(progress, 0.1, 1.0)
    if name == "gwm":
        from spatialwm.dynamics.gwm import TINY, train

        return train(TINY, made, out, steps=steps or 9000, seed=seed, progress=rest, facts=facts).weights
    return _train_hybrid(name, out, made, steps, seed, facts, rest)


def _train_hybrid(
    name: str, out: Path, made: Sequence[Episode], steps: int | None, seed: int, facts: dict[str, object], progress: Progress
) -> Path:
    import torch

    from spatialwm.dynamics.hybrid import HybridConfig, Networks, Recipe, calibrate, lessons_of, save_hybrid, train

    torch.manual_seed(seed)
    config = HybridConfig(prior="physics" if name == "hybrid" else "hold")
    recipe = Recipe(seed=seed) if name == "hybrid" else Recipe(seed=seed, corrector_steps=2400, unroll=(3, 8, 16))
    if steps is not None:
        recipe = Recipe(**{**asdict(recipe), "corrector_steps": steps})
    aside = max(round(_ASIDE * len(made)), 1)
    lessons = lessons_of(made[:-aside], config, part_of(progress, 0.0, 0.2))
    networks = Networks(config)
    with (out / "loss.jsonl").open("a") as file:

        def log(stage: str, step: int, loss: float) -> None:
            file.write(json.dumps({"stage": stage, "step": step, "loss": loss}) + "\n")

        train(networks, lessons, recipe, out / f"{name}.checkpoint", part_of(progress, 0.2, 0.9), log)
    calibrate(networks, made[-aside:], part_of(progress, 0.9, 1.0))
    weights = out / f"{name}.safetensors"
    save_hybrid(weights, networks, {**facts, "recipe": asdict(recipe)})
    (out / f"{name}.checkpoint").unlink()
    return weights
