import numpy as np
import pytest

from spatialwm.errors import ShapeError
from spatialwm.geometry.camera import Camera
from spatialwm.lift.image.rays import Rays


def angles_to_next(directions: np.ndarray, axis: int) -> np.ndarray:
    a = np.take(directions, range(directions.shape[axis] - 1), axis)
    b = np.take(directions, range(1, directions.shape[axis]), axis)
    return np.arccos(np.clip((a * b).sum(-1), -1, 1))


AHEAD = Camera.look_at((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 64, 48, 80.0)


@pytest.mark.parametrize("rays", [Rays.pinhole(AHEAD), Rays.panorama(128, 64)], ids=["pinhole", "panorama"])
def test_rays_are_unit_and_the_pitch_is_the_angle_to_the_next(rays: Rays) -> None:
    assert np.allclose(np.linalg.norm(rays.directions, axis=-1), 1)
    for axis, which in ((1, 0), (0, 1)):
        angles = angles_to_next(rays.directions, axis)
        stated = rays.pitch_rad[..., which]
        between = (np.take(stated, range(stated.shape[axis] - 1), axis) + np.take(stated, range(1, stated.shape[axis]), axis)) / 2
        assert np.abs(angles / between - 1).max() < 0.03


def test_a_panorama_looks_ahead_in_the_middle_up_at_the_top_and_right_of_the_middle() -> None:
    d = Rays.panorama(512, 256).directions
    assert np.allclose(d[127:129, 255:257].mean((0, 1)), (0, 0, 1), atol=1e-3)
    assert d[0, :, 1].max() < -0.999
    assert d[128, 384, 0] > 0.999


def test_a_panorama_of_another_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match="twice as wide as high; got 300x200"):
        Rays.panorama(300, 200)
