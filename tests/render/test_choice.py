"""Which backend draws: the fastest that can, by name, and never another in silence."""

from __future__ import annotations

import pytest
import torch

from spatialwm.errors import SpatialwmError
from spatialwm.render import BACKENDS, available, choose

NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


def test_gpus_come_first_and_the_oracle_last():
    assert list(BACKENDS) == ["cuda", "gsplat", "cpu", "reference"]


def test_auto_is_the_first_that_can_run():
    assert choose()[0] == available()[0]
    assert available()[-2:] == ("cpu", "reference")


@NO_GPU
def test_without_a_gpu_auto_is_the_processor():
    assert choose("auto")[0] == "cpu"


@NO_GPU
@pytest.mark.parametrize("name", ["cuda", "gsplat"])
def test_a_backend_that_cannot_run_here_is_refused_by_name(name):
    with pytest.raises(SpatialwmError, match=f"the {name} render backend cannot run here: .*GPU"):
        choose(name)


def test_an_unknown_backend_lists_the_known():
    with pytest.raises(SpatialwmError, match=r"backend .vulkan.; choose auto or one of cuda, gsplat, cpu, reference"):
        choose("vulkan")


@pytest.mark.parametrize("name", available())
def test_a_backend_signs_its_work(name):
    one = torch.ones(1)
    info = choose(name)[1](
        torch.tensor([[0.0, 0, 1]]), torch.ones(1, 4), torch.ones(1, 3), one, torch.ones(1, 3), torch.eye(4)[None],
        torch.eye(3)[None], 2, 2,
    )[2]  # fmt: skip
    assert info["backend"] == name
