"""The scalar functions of the CUDA headers, compiled by the host's compiler, against the float64 reference and its autograd."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from spatialwm.geometry.sh import num_bases, sh_to_rgb
from spatialwm.render.reference import MIN_ALPHA, _project

HERE = Path(__file__).parent
W, H, NEAR, FAR, EPS = 97, 61, 0.2, 40.0, 0.3
FX, FY, CX, CY = 80.0, 85.0, 50.0, 29.0
TYPES = [torch.float64, torch.float32]
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}  # relative L2


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler on this machine")
    out = tmp_path_factory.mktemp("cuda") / "scalar.so"
    flags = ["-std=c++17", "-O1", "-Wall", "-shared", "-fPIC", f"-I{HERE.parents[1] / 'cuda'}"]
    subprocess.run([compiler, *flags, "-o", out, HERE / "scalar.cpp"], check=True)
    return ctypes.CDLL(str(out))


def call(library: ctypes.CDLL, name: str, dtype: torch.dtype, *arguments: int | Tensor) -> None:
    function = getattr(library, f"{name}_{str(dtype).removeprefix('torch.')}")
    function(*(ctypes.c_void_p(a.data_ptr()) if isinstance(a, Tensor) else a for a in arguments))


def error(got: Tensor, want: Tensor) -> float:
    """Relative L2."""
    return float((got.double() - want).norm() / want.norm())


def camera_and_lens(view: Tensor, antialiased: bool, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The C structs, as arrays of reals: a bool is read from the lens's last place."""
    margin_x, margin_y = 0.15 * W / FX, 0.15 * H / FY
    limits = [-CX / FX - margin_x, (W - CX) / FX + margin_x, -CY / FY - margin_y, (H - CY) / FY + margin_y]
    eye = torch.linalg.inv(view)[:3, 3].tolist()
    camera = torch.tensor([*view[:3].flatten().tolist(), FX, FY, CX, CY, *limits, *eye, 0.0], dtype=dtype)
    lens = torch.tensor([NEAR, FAR, EPS, 0.0], dtype=dtype)
    lens.view(torch.uint8)[3 * lens.element_size()] = antialiased
    return camera, lens


def scene(n: int, seed: int) -> list[Tensor]:
    """Around and in front of a turned camera: some behind it, many outside its frame, thin and round, faint and opaque."""
    g = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=g, dtype=torch.float64)

    means = uniform(n, 3) * torch.tensor([8.0, 6.0, 10.0]) - torch.tensor([4.0, 3.0, 1.0])
    scales = torch.exp(uniform(n, 3) * 4 - 4.5)
    opacities = uniform(n) * 1.1  # some above 1
    quats = uniform(n, 4) * 2 - 1
    view = torch.eye(4, dtype=torch.float64)
    view[:3, :3] = torch.linalg.qr(torch.eye(3, dtype=torch.float64) + 0.3 * (uniform(3, 3) - 0.5)).Q
    view[:3, :3] *= view[:3, :3].diagonal().sign()
    view[:3, 3] = uniform(3) - 0.5
    # What float32 can hold, so that both types see the same scene.
    return [t.float().double() for t in (means, quats, scales, opacities, view)]


def K() -> Tensor:
    return torch.tensor([[FX, 0, CX], [0, FY, CY], [0, 0, 1]], dtype=torch.float64)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("antialiased", [False, True])
def test_projection_equals_the_reference(library, antialiased, dtype):
    means, quats, scales, opacities, view = scene(2000, seed=1)
    want = _project(means, quats, scales, opacities, view, K(), W, H, NEAR, FAR, EPS, antialiased)
    camera, lens = camera_and_lens(view, antialiased, dtype)
    visible, out = torch.zeros(2000, dtype=torch.int32), torch.zeros(2000, 9, dtype=dtype)
    call(library, "project", dtype, 2000, camera, lens, *(t.to(dtype) for t in (means, quats, scales, opacities)), visible, out)
    assert len(want.index) > 400
    assert bool(visible[want.index].all())
    assert not bool(visible[(means @ view[:3, :3].T + view[:3, 3])[:, 2] < NEAR].any())
    assert not bool(visible[opacities < MIN_ALPHA].any())
    got = out[want.index]
    for key, column in {"means2d": [0, 1], "conics": [3, 4, 5]}.items():
        assert error(got[:, column], getattr(want, key)) < TOLERANCE[dtype], key
    assert error(got[:, 7:], want.extents) < 1e-4  # rounded up on purpose
    assert bool((got[:, 7:] > want.extents * (1 - 1e-6)).all())
    assert error(got[:, 2], want.depths) < TOLERANCE[dtype]
    assert error(got[:, 6], want.opacities) < TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("antialiased", [False, True])
def test_gradients_of_the_projection_equal_autograds(library, antialiased, dtype):
    inputs = [t.requires_grad_() for t in scene(2000, seed=2)]
    means, quats, scales, opacities, view = inputs
    projected = _project(*inputs[:4], view, K(), W, H, NEAR, FAR, EPS, antialiased)
    g = torch.Generator().manual_seed(3)
    outputs = [projected.means2d, projected.depths[:, None], projected.conics, projected.opacities[:, None]]
    # Of the sizes that images send back: a conic's gradient grows with its inverse.
    size = [1, 1, 1 / projected.conics.detach().norm(dim=1, keepdim=True), 1]
    v = [torch.randn(o.shape, generator=g, dtype=torch.float64) * s for o, s in zip(outputs, size, strict=True)]
    want = torch.autograd.grad(outputs, inputs, v)

    index = projected.index
    chosen = [t.detach()[index].to(dtype).contiguous() for t in (means, quats, scales, opacities)]
    camera, lens = camera_and_lens(view.detach(), antialiased, dtype)
    out = torch.zeros(len(index), 23, dtype=dtype)
    call(library, "project_vjp", dtype, len(index), camera, lens, *chosen, torch.cat(v, dim=1).to(dtype).contiguous(), out)
    for name, columns, gradient in (
        ("means", slice(0, 3), want[0][index]), ("quats", slice(3, 7), want[1][index]), ("scales", slice(7, 10), want[2][index]),
        ("opacities", slice(10, 11), want[3][index][:, None]), ("view", slice(11, 23), want[4][None, :3].reshape(1, 12)),
    ):  # fmt: skip
        got = out[:, columns].double()
        assert error(got.sum(0, keepdim=True) if name == "view" else got, gradient) < TOLERANCE[dtype], name


def test_a_zero_quaternion_is_no_rotation_and_gets_no_gradient(library):
    camera, lens = camera_and_lens(torch.eye(4, dtype=torch.float64), False, torch.float64)
    mean, scale, opacity = torch.tensor([0.1, 0.2, 2.0]).double(), torch.tensor([0.1, 0.2, 0.3]).double(), torch.ones(1).double()
    rows = []
    for quat in (torch.zeros(4).double(), torch.tensor([1.0, 0, 0, 0]).double()):
        visible, out = torch.zeros(1, dtype=torch.int32), torch.zeros(9).double()
        call(library, "project", torch.float64, 1, camera, lens, mean, quat, scale, opacity, visible, out)
        rows.append(out)
    torch.testing.assert_close(rows[0], rows[1])
    gradient = torch.zeros(23).double()
    call(library, "project_vjp", torch.float64, 1, camera, lens, mean, torch.zeros(4).double(), scale, opacity,
         torch.ones(7).double(), gradient)  # fmt: skip
    assert gradient[3:7].tolist() == [0, 0, 0, 0]
    assert bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_colors_and_their_gradients_equal_the_reference(library, degree, dtype):
    g = torch.Generator().manual_seed(degree)
    means, eye = torch.randn(64, 3, generator=g).double(), torch.randn(3, generator=g).double()
    sh, v = torch.randn(64, num_bases(degree), 3, generator=g).double(), torch.randn(64, 3, generator=g).double()
    inputs = [sh.requires_grad_(), means.requires_grad_(), eye.requires_grad_()]
    want = sh_to_rgb(sh, torch.nn.functional.normalize(means - eye, dim=-1))
    v_sh, v_means, v_eye = torch.autograd.grad(want, inputs, v, allow_unused=True, materialize_grads=True)
    out, got_sh, got_means = (torch.zeros(t.shape, dtype=dtype) for t in (want, sh, means))
    given = [t.detach().to(dtype) for t in inputs]
    call(library, "colors", dtype, degree, 64, *given, out)
    call(library, "colors_vjp", dtype, degree, 64, *given, v.to(dtype), got_sh, got_means)
    assert error(out, want.detach()) < TOLERANCE[dtype]
    assert error(got_sh, v_sh) < TOLERANCE[dtype]
    if degree:
        assert error(got_means, v_means) < TOLERANCE[dtype]
        assert error(-got_means.sum(0), v_eye) < TOLERANCE[dtype]
    else:
        assert not bool(got_means.any())


def splats(n: int, dtype: torch.dtype) -> Tensor:
    """Ellipses of all shapes on and around the image: x, y, slope, depth, along, across, log_opacity, opacity."""
    g = torch.Generator().manual_seed(5)
    x, y, turn, size, thin, opacity = torch.rand(6, n, generator=g, dtype=torch.float64)
    x, y = x * 2 * W - W / 2, y * 2 * H - H / 2
    long, turn = 0.6 * torch.exp(size * 4), turn * torch.pi
    short = long * torch.exp(-thin * 3)
    opacity = opacity * (1 - MIN_ALPHA) + MIN_ALPHA
    axes = torch.stack([torch.cos(turn), torch.sin(turn), -torch.sin(turn), torch.cos(turn)], -1).reshape(n, 2, 2)
    cov = axes.mT @ torch.diag_embed(torch.stack([long, short], -1) ** 2) @ axes
    k, half = torch.linalg.inv(cov), 0.5 / np.log(2)
    columns = [x, y, k[:, 0, 1] / k[:, 0, 0], x * 0 + 1, half * k[:, 0, 0], half / cov[:, 1, 1], opacity.log2(), opacity]
    return torch.stack(columns, dim=-1).to(dtype)


@pytest.mark.parametrize("dtype", TYPES)
def test_tiles_touched_are_exactly_those_with_a_visible_pixel(library, dtype):
    n, columns, rows = 1500, -(-W // 16), -(-H // 16)
    given = splats(n, dtype)
    alphas = torch.zeros(n, H, W, dtype=torch.float64)
    call(library, "alphas", torch.float64, n, given.double(), W, H, alphas)
    padded = torch.nn.functional.pad(alphas, (0, columns * 16 - W, 0, rows * 16 - H))
    brightest = padded.reshape(n, rows, 16, columns, 16).amax((2, 4))
    touched, corners = (torch.zeros(n, rows, columns, dtype=torch.int32) for _ in range(2))
    counts = torch.zeros(n, dtype=torch.int32)
    call(library, "tiles", dtype, n, given, W, H, touched, counts, corners)
    assert torch.equal(counts, touched.sum((1, 2)).int())
    seen = brightest >= MIN_ALPHA
    assert 2000 < int(seen.sum()) < int(touched.numel()) * 0.5
    assert bool(touched[seen].all())
    assert bool(corners[seen].all())
    # The ellipse may enter a tile between its pixel centres: a few tiles more than strictly needed, never a bounding box's.
    boxes = 0
    for i in range(n):
        lit = seen[i].nonzero()
        if len(lit):
            boxes += int((lit.amax(0) - lit.amin(0) + 1).prod())
    assert int(touched.sum()) < 1.05 * int(seen.sum()) < 0.97 * boxes
    assert int(corners.sum()) < 1.05 * int(seen.sum())
