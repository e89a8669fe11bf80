"""The kernels of points.cu, run by the emulator, against the processor's functions."""

from __future__ import annotations

import pytest
import torch

from spatialwm.errors import ShapeError
from spatialwm.render import farthest_points, nearest_neighbors
from spatialwm.render.cuda.points import farthest, nearest

pytestmark = pytest.mark.usefixtures("emulated")


def cloud(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))


def grid(side: int) -> torch.Tensor:
    axis = torch.arange(float(side))
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)


@pytest.mark.parametrize("n", [1, 31, 200])
def test_farthest_points_are_the_same_to_the_last(n):
    points = cloud(n)
    assert torch.equal(farthest(points[None], n, n // 2)[0], farthest_points(points, n, n // 2))


def test_ties_and_copies_fall_the_same_way():
    for points in (grid(4), torch.ones(70, 3)):
        assert torch.equal(farthest(points[None], len(points), 3)[0], farthest_points(points, len(points), 3))


def test_more_buckets_than_threads():
    points = cloud(33_000)
    assert torch.equal(farthest(points[None], 4, 0)[0], farthest_points(points, 4))


def test_a_batch_is_sampled_cloud_by_cloud():
    clouds = torch.stack([cloud(100, seed=s) for s in range(3)])
    assert torch.equal(farthest(clouds, 12, 5), farthest_points(clouds, 12, 5))


def test_the_order_of_threads_does_not_matter(emulated):
    points = cloud(150)
    chosen, (_, near) = farthest(points[None], 40, 0), nearest(points, 5, None)
    emulated.backwards = True
    assert torch.equal(farthest(points[None], 40, 0), chosen)
    assert torch.equal(nearest(points, 5, None)[1], near)


@pytest.mark.parametrize("k", [1, 4, 5, 16, 17, 64])
def test_neighbors_are_the_same_to_the_last(k):
    points = cloud(500)
    distances, indices = nearest(points, k, None)
    wanted = nearest_neighbors(points, k)
    assert torch.equal(indices, wanted[1])
    torch.testing.assert_close(distances, wanted[0], rtol=1e-6, atol=0)


@pytest.mark.parametrize("m", [0, 1, 300])
def test_neighbors_of_other_points(m):
    points, queries = cloud(400), cloud(m, seed=1) * 4  # most of them outside the cloud's box
    distances, indices = nearest(points, 3, queries)
    wanted = nearest_neighbors(points, 3, queries)
    assert torch.equal(indices, wanted[1])
    torch.testing.assert_close(distances, wanted[0], rtol=1e-6, atol=0)


def test_equally_near_points_come_by_index_and_never_oneself():
    points = grid(4)
    assert torch.equal(nearest(points, 63, None)[1], nearest_neighbors(points, 63)[1])
    distances, indices = nearest(torch.ones(40, 3), 6, None)
    assert (distances == 0).all()
    assert (indices != torch.arange(40)[:, None]).all()


def test_too_many_neighbors_are_refused():
    with pytest.raises(ShapeError, match="on a GPU k must be 1 to 64; got 65"):
        nearest(cloud(100), 65, None)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_on_a_gpu_large_clouds_are_the_same():
    points, queries = cloud(100_000), cloud(5000, seed=1)
    assert torch.equal(farthest_points(points.cuda(), 2000).cpu(), farthest_points(points, 2000))
    for asked in (None, queries):
        got, want = (nearest_neighbors(points.to(d), 8, None if asked is None else asked.to(d)) for d in ("cuda", "cpu"))
        # float32 distances there, float64 here: near ties may fall either way.
        assert (got[1].cpu() != want[1]).float().mean() < 1e-4
        torch.testing.assert_close(got[0].cpu(), want[0], rtol=1e-5, atol=0)
