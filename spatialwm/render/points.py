"""Clouds of points: an even subset, and who is near whom. Exact, on the processor and on NVIDIA GPUs."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import scipy.spatial
import torch
from jaxtyping import Float, Int
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.render.cpu.threads import machine_threads, run

_SORTED_ABOVE = 200_000  # points; with fewer the tree stays in the cache anyway


def farthest_points(points: Float[Tensor, "*b n 3"], count: int, start: int = 0) -> Int[Tensor, "*b count"]:
    """Indices of points that are each the farthest from all before: farthest-point sampling, in float32.

    The same on every device; of equally far points the one of lowest index is taken, and none is taken twice.

    Args:
        points: one cloud, or several of one size, which are sampled in parallel.
        start: index of the first.

    Raises:
        ShapeError: not one cloud or a batch of them, not finite, or fewer points than asked for.

    Source: Eldar et al. 1997; skipping of whole buckets as in Han et al. 2023, "QuickFPS".
    """
    if points.ndim not in (2, 3) or points.shape[-1] != 3:
        raise ShapeError(f"points must be (n, 3) or (b, n, 3); got {tuple(points.shape)}")
    n = points.shape[-2]
    if not 1 <= count <= n:
        raise ShapeError(f"count must be 1 to the number of points, {n}; got {count}")
    if not 0 <= start < n:
        raise ShapeError(f"start must be the index of one of {n} points; got {start}")
    clouds = _finite("points", points).reshape(-1, n, 3)
    if points.is_cuda:
        from spatialwm.render.cuda.points import farthest

        chosen = farthest(clouds, count, start)
    else:
        chosen = _farthest(clouds, count, start)
    return chosen.reshape(*points.shape[:-2], count)


def nearest_neighbors(
    points: Float[Tensor, "n 3"], k: int, queries: Float[Tensor, "m 3"] | None = None
) -> tuple[Float[Tensor, "m k"], Int[Tensor, "m k"]]:
    """Distances to and indices of the ``k`` points nearest to each query, nearest first, equally near by index.

    Which of several equally far points comes last of the ``k`` is not promised.

    Args:
        k: at most 64 on a GPU.
        queries: None: the points themselves, each of which is not its own neighbour.

    Raises:
        ShapeError: wrong shapes, values that are not finite, or fewer points than asked for.
    """
    for name, value in (("points", points), ("queries", queries)):
        if value is not None and (value.ndim != 2 or value.shape[1] != 3):
            raise ShapeError(f"{name} must be (n, 3); got {tuple(value.shape)}")
    most = len(points) - (queries is None)
    if not 1 <= k <= most:
        raise ShapeError(f"k must be 1 to {most}, the number of candidates; got {k}")
    cloud = _finite("points", points)
    asked = None if queries is None else _finite("queries", queries).to(cloud.device)
    if points.is_cuda:
        from spatialwm.render.cuda.points import nearest

        return nearest(cloud, k, asked)
    distances, indices = _nearest(cloud.numpy(), k, None if asked is None else asked.numpy())
    return torch.from_numpy(distances), torch.from_numpy(indices)


def _finite(name: str, points: Tensor) -> Tensor:
    points = points.detach().to(torch.float32).contiguous()
    # On the processor torch would wake its own threads, which takes longer than the test.
    if bool(torch.isfinite(points).all() if points.is_cuda else np.isfinite(points.numpy()).all()):
        return points
    bad = ~torch.isfinite(points).all(-1)
    raise ShapeError(f"{name} are not finite in {int(bad.sum())} of {bad.numel()} rows (first: {bad.nonzero()[0].tolist()})")


def _farthest(clouds: Float[Tensor, "b n 3"], count: int, start: int) -> Int[Tensor, "b count"]:
    from spatialwm.render.cpu.points import sample

    chosen = run([partial(sample, cloud, count, start) for cloud in clouds.numpy()], machine_threads())
    return torch.from_numpy(np.stack(chosen))


def _nearest(cloud: np.ndarray, k: int, queries: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """In float64 from float32 points; the tree of a large cloud is walked in Morton order."""
    from spatialwm.render.cpu.points import morton_order

    alone = queries is None
    asked = cloud if queries is None else queries
    # At a million points sorting takes 0.4 s of processor time, and the walk 1.2 s where it took 4.0.
    order, rows = (morton_order(a) if len(a) > _SORTED_ABOVE else np.arange(len(a)) for a in (cloud, asked))
    tree: Any = scipy.spatial.cKDTree(cloud[order])  # pyright: ignore[reportAttributeAccessIssue]
    distances, places = tree.query(asked[rows], k=np.arange(1, k + 1 + alone), workers=machine_threads())
    indices = order[places]
    tied = (distances[:, 1:] == distances[:, :-1]).any(1).nonzero()[0]
    indices[tied] = np.take_along_axis(indices[tied], np.lexsort((indices[tied], distances[tied]), axis=-1), axis=-1)
    if alone:
        own = indices == rows[:, None]
        own[~own.any(1), -1] = True  # crowded out by more than k points in the same place
        distances, indices = distances[~own].reshape(-1, k), indices[~own].reshape(-1, k)
    by_query = np.empty((len(rows), k), np.float32), np.empty((len(rows), k), np.int64)
    for out, value in zip(by_query, (distances, indices), strict=True):
        out[rows] = value
    return by_query
