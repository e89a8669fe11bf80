"""Which views are matched with which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.dense.overlap import Seen, depth_range, ranked_sources


def test_sources_stand_apart_and_share_points(corner):
    cameras = corner.cameras()
    turned = replace(cameras[0], world_from_cam=cameras[0].world_from_cam @ Pose.about_axis((0.0, 1.0, 0.0), 0.05))
    every = [*cameras, turned]
    seen = Seen.of(corner.points(every), range(len(every)))
    sources = ranked_sources(seen, every, 10)
    assert all(2 <= len(s) <= 6 for s in sources)
    assert ranked_sources(seen, every, 2)[3] == sources[3][:2]
    assert sources[0][0] == 1  # 7 degrees away
    assert 6 not in sources[0]  # in the same place: nothing to triangulate
    assert 0 not in sources[6]


def test_planes_span_what_the_points_of_a_view_span(corner):
    cameras = corner.cameras()
    seen = Seen.of(corner.points(cameras), range(6))
    depth = corner.hit(cameras[2])[0]
    near, far = depth_range(seen, 2, cameras[2])
    assert 0.5 * depth.min() <= near <= np.quantile(depth, 0.05)
    assert np.quantile(depth, 0.95) <= far <= 2.5 * depth.max()
    assert depth_range(Seen(np.zeros((0, 3)), np.zeros((6, 0), bool), np.zeros(0, int)), 2, cameras[2]) is None
