"""What LeRobot wants to know of every column: smallest, largest, mean, standard deviation, count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Shaped

Statistics = dict[str, dict[str, list[Any]]]


def statistics(columns: Mapping[str, Shaped[np.ndarray, "n ..."]]) -> Statistics:
    """Of the rows of some columns, each ``(n,)`` or ``(n, d)``."""
    out: Statistics = {}
    for name, column in columns.items():
        values = column.reshape(len(column), -1).astype(np.float64)
        out[name] = {
            "min": values.min(0).tolist(), "max": values.max(0).tolist(), "mean": values.mean(0).tolist(),
            "std": values.std(0).tolist(), "count": [len(values)],
        }  # fmt: skip
    return out


def merged(first: Statistics, second: Statistics) -> Statistics:
    """Of two disjoint sets of rows together (Chan, Golub and LeVeque 1979)."""
    out: Statistics = {}
    for name in first:
        a, b = ({k: np.asarray(v, np.float64) for k, v in s[name].items()} for s in (first, second))
        n, m = a["count"][0], b["count"][0]
        away = b["mean"] - a["mean"]
        variance = (n * a["std"] ** 2 + m * b["std"] ** 2) / (n + m) + away**2 * n * m / (n + m) ** 2
        out[name] = {
            "min": np.minimum(a["min"], b["min"]).tolist(), "max": np.maximum(a["max"], b["max"]).tolist(),
            "mean": (a["mean"] + away * m / (n + m)).tolist(), "std": np.sqrt(variance).tolist(), "count": [int(n + m)],
        }  # fmt: skip
    return out
