"""What the cuda backend says where it cannot run."""

from __future__ import annotations

import pytest
import torch

from spatialwm.errors import SpatialwmError
from spatialwm.render.cuda import missing, rasterization


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_one_sentence_says_so():
    assert "GPU" in (missing() or "")
    one = torch.ones(1)
    three, camera = one.expand(1, 3), (torch.eye(4)[None], torch.eye(3)[None])
    with pytest.raises(SpatialwmError, match="cuda render backend cannot run here: torch finds no CUDA GPU"):
        rasterization(three, one.expand(1, 4), three, one, three, *camera, 4, 4)
