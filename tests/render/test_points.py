"""Farthest points and nearest neighbours against what they are by definition."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from spatialwm.errors import ShapeError
from spatialwm.render import farthest_points, nearest_neighbors


def cloud(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))


def grid(side: int) -> torch.Tensor:
    """Many equal distances."""
    axis = torch.arange(float(side))
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)


def farthest_by_definition(points: torch.Tensor, count: int, start: int) -> list[int]:
    p = points.numpy()
    left = np.full(len(p), np.inf, np.float32)
    chosen = [start]
    while len(chosen) < count:
        x, y, z = (p - p[chosen[-1]]).T
        left = np.minimum(left, x * x + y * y + z * z)
        left[chosen] = -1
        chosen.append(int(left.argmax()))
    return chosen


@pytest.mark.parametrize("count", [1, 2, 65, 700])
@pytest.mark.parametrize("start", [0, 41])
def test_each_point_is_the_farthest_from_all_before(count, start):
    points = cloud(700)
    assert farthest_points(points, count, start).tolist() == farthest_by_definition(points, count, start)


@pytest.mark.parametrize("bucket", [1, 5, 16])
def test_buckets_are_skipped_only_where_nothing_changes(monkeypatch, bucket):
    monkeypatch.setattr("spatialwm.render.cpu.points._BUCKET", bucket)
    points = cloud(1500, seed=bucket)
    assert farthest_points(points, 900).tolist() == farthest_by_definition(points, 900, 0)


def test_of_equally_far_points_the_first_is_taken():
    points = grid(6)
    assert farthest_points(points, 216, 5).tolist() == farthest_by_definition(points, 216, 5)


def test_points_in_one_place_are_each_taken_once():
    points = torch.ones(300, 3)
    assert farthest_points(points, 300, 2).tolist() == [2, *(i for i in range(300) if i != 2)]


@pytest.mark.parametrize("scale", [1e-30, 1e18, 1e25])
def test_tiny_and_huge_clouds(scale):
    points = cloud(200) * scale
    assert sorted(farthest_points(points, 200).tolist()) == list(range(200))


def test_flat_and_straight_clouds():
    for flat in ([1.0, 1.0, 0.0], [0.0, 1.0, 0.0]):
        points = cloud(400) * torch.tensor(flat)
        assert farthest_points(points, 60).tolist() == farthest_by_definition(points, 60, 0)


def test_a_batch_is_its_clouds():
    clouds = torch.stack([cloud(300, seed=s) for s in range(5)])
    together = farthest_points(clouds, 40)
    assert together.shape == (5, 40)
    assert together.dtype == torch.int64
    for points, chosen in zip(clouds, together, strict=True):
        assert torch.equal(farthest_points(points, 40), chosen)


def test_any_number_of_callers_may_share_the_threads():
    clouds = [torch.stack([cloud(300, seed=s), cloud(300, seed=s + 100)]) for s in range(12)]
    alone = [farthest_points(c, 30) for c in clouds]
    with ThreadPoolExecutor(12) as pool:
        assert all(torch.equal(a, b) for a, b in zip(alone, pool.map(lambda c: farthest_points(c, 30), clouds), strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(4, 2), 1), r"points must be \(n, 3\)"),
        ((torch.zeros(4, 3), 5), "count must be 1 to the number of points, 4; got 5"),
        ((torch.zeros(0, 3), 1), "count must be 1 to the number of points, 0"),
        ((torch.zeros(4, 3), 0), "got 0"),
        ((torch.zeros(4, 3), 1, 4), "start must be the index of one of 4 points; got 4"),
        ((torch.full((4, 3), torch.nan), 1), r"points are not finite in 4 of 4 rows \(first: \[0\]\)"),
    ],
)
def test_bad_farthest_points_are_refused(arguments, message):
    with pytest.raises(ShapeError, match=message):
        farthest_points(*arguments)


@pytest.fixture(params=[10**9, 0], ids=["as given", "in Morton order"])
def sorted_above(request, monkeypatch):
    monkeypatch.setattr("spatialwm.render.points._SORTED_ABOVE", request.param)


def by_definition(points: torch.Tensor, queries: torch.Tensor, k: int, alone: bool) -> tuple[torch.Tensor, torch.Tensor]:
    d = (points[None].double() - queries[:, None].double()).norm(dim=-1)
    if alone:
        d.fill_diagonal_(torch.inf)
    near = d.sort(dim=1, stable=True)
    return near.values[:, :k].float(), near.indices[:, :k]


@pytest.mark.usefixtures("sorted_above")
@pytest.mark.parametrize("k", [1, 3, 70])
def test_neighbors_are_the_nearest_others(k):
    points = cloud(400)
    distances, indices = nearest_neighbors(points, k)
    wanted = by_definition(points, points, k, alone=True)
    torch.testing.assert_close(distances, wanted[0])
    assert torch.equal(indices, wanted[1])
    assert (distances.dtype, indices.dtype) == (torch.float32, torch.int64)


@pytest.mark.usefixtures("sorted_above")
def test_queries_may_be_other_points():
    points, queries = cloud(300), cloud(90, seed=1) * 3
    distances, indices = nearest_neighbors(points, 4, queries)
    wanted = by_definition(points, queries, 4, alone=False)
    torch.testing.assert_close(distances, wanted[0])
    assert torch.equal(indices, wanted[1])
    assert torch.equal(nearest_neighbors(points, 1, points)[1][:, 0], torch.arange(300))


@pytest.mark.usefixtures("sorted_above")
def test_equally_near_points_come_by_index():
    points = grid(4)
    distances, indices = nearest_neighbors(points, 63)  # all others, so that no tie is cut
    wanted = by_definition(points, points, 63, alone=True)
    torch.testing.assert_close(distances, wanted[0])
    assert torch.equal(indices, wanted[1])


@pytest.mark.usefixtures("sorted_above")
def test_a_point_is_never_its_own_neighbor():
    distances, indices = nearest_neighbors(torch.ones(50, 3), 5)
    assert (distances == 0).all()
    assert (indices != torch.arange(50)[:, None]).all()
    assert all(len(set(row)) == 5 for row in indices.tolist())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(4), 1), r"points must be \(n, 3\)"),
        ((torch.zeros(4, 3), 4), "k must be 1 to 3, the number of candidates; got 4"),
        ((torch.zeros(4, 3), 5, torch.zeros(1, 3)), "k must be 1 to 4"),
        ((torch.zeros(4, 3), 1, torch.zeros(1, 2)), r"queries must be \(n, 3\)"),
        ((torch.zeros(4, 3), 1, torch.full((2, 3), torch.inf)), "queries are not finite in 2 of 2"),
    ],
)
def test_bad_neighbors_are_refused(arguments, message):
    with pytest.raises(ShapeError, match=message):
        nearest_neighbors(*arguments)


def test_no_queries_have_no_neighbors():
    distances, indices = nearest_neighbors(cloud(5), 2, torch.zeros(0, 3))
    assert distances.shape == indices.shape == (0, 2)
