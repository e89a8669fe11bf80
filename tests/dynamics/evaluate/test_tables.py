"""Simulated tables are judged and shown by their true shapes."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.dynamics.episode import Episode
from spatialwm.dynamics.evaluate.contact import Contact, hulls
from spatialwm.dynamics.evaluate.tables import look_at_table, table_solids
from spatialwm.dynamics.table import make_episode
from spatialwm.errors import ActionError


@pytest.fixture(scope="module", params=["push", "drawer"])
def episode(request: pytest.FixtureRequest) -> Episode:
    return make_episode(request.param, 7, steps=12)


def test_samples_of_the_surface_lie_on_the_true_solids(episode: Episode) -> None:
    for points, pieces in zip(episode.cast.points, table_solids(episode), strict=True):
        corners = np.concatenate(pieces)
        assert (points.min(0) >= corners.min(0) - 1e-6).all()
        assert (points.max(0) <= corners.max(0) + 1e-6).all()
        assert np.abs(points.max(0) - corners.max(0)).max() < 0.02


def test_what_was_simulated_hardly_overlaps(episode: Episode) -> None:
    contact = Contact(episode.cast, table_solids(episode))
    assert max(contact.depth_m(p) for p in episode.track.poses[::4]) < 0.0015
    assert Contact(episode.cast, hulls(episode)).depth_m(episode.track.poses[0]) < 0.1


def test_the_whole_table_is_seen(episode: Episode) -> None:
    look = look_at_table(episode)
    frame = look.draw(episode.track.poses[0], episode.track.part_poses[0])
    for name in (*look.object_ids, *look.part_ids):
        assert frame.mask_of(name).sum() > 100, name


def test_other_episodes_have_no_true_solids(sliding) -> None:
    with pytest.raises(ActionError, match="not simulated on a table"):
        table_solids(sliding([0.1]))
