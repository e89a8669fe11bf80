"""Actions survive the trip through JSON."""

from __future__ import annotations

import json

import pytest

from spatialwm.dynamics import Action, EndEffectorPath, GraspPlace, JointTargets, OpenClose, Pull, Push, Walk
from spatialwm.dynamics.files import action_to_dict, parse_actions
from spatialwm.geometry.se3 import Pose


@pytest.mark.parametrize(
    "action",
    [
        Push(object="mug-1", by=(0.3, -0.1), speed_m_s=0.2),
        GraspPlace(object="mug-1", target=(0.1, 0.2, 0.3)),
        EndEffectorPath(waypoints=(Pose((0.0, 0.0, 1.0)), Pose((0.0, 0.0, 0.5), (0.0, 1.0, 0.0, 0.0))), closed=(False, True)),
        Pull(object="mug-1", by=(0.3, -0.1)),
        OpenClose(object="drawer-1", to=0.5),
        JointTargets(robot="so101-1", targets=((0.1, 0.2), (0.3, 0.4)), dt_s=0.05, gripper=(0.0, 1.0)),
        JointTargets(robot="so101-1", targets=((0.1,),)),
        Walk(waypoints=((0.0, 0.0), (1.0, 2.0)), radius_m=0.3),
    ],
)
def test_an_action_reads_back_as_written(action: Action) -> None:
    assert parse_actions(json.loads(json.dumps([action_to_dict(action)]))) == [action]
