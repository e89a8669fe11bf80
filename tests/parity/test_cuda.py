"""The cuda backend against the float64 oracle: its real kernels, run by the emulator where there is no GPU.

90 dB is a maximum pixel error far below one 8-bit step. Gradients agree to 1e-5 mostly; 1e-4 (relative L2) is what single
precision leaves of the worst of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from spatialwm.errors import ShapeError
from spatialwm.render.cuda import rasterization
from spatialwm.render.cuda.device import running_on
from spatialwm.render.reference import rasterization as reference

pytestmark = pytest.mark.usefixtures("emulated", "one_thread")

W, H = 90, 61  # no multiple of a tile
NAMES = ("means", "quats", "scales", "opacities", "colors", "viewmats")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Handing the oracle's tiny tensors to torch's threads costs several times the arithmetic on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(-10 * np.log10(np.mean((a.detach().numpy().astype(np.float64) - b.detach().numpy()) ** 2) + 1e-30))


def error(got: torch.Tensor, want: torch.Tensor) -> float:
    """Relative L2."""
    return float((got.detach().double() - want.detach()).norm() / want.detach().norm())


def both(scene: Any, width: int = W, height: int = H, **options: Any) -> tuple[list[Any], list[Any]]:
    """Results and inputs (with gradients of a random loss) of the backend and of the oracle."""
    sides = []
    for function, dtype in ((rasterization, torch.float32), (reference, torch.float64)):
        inputs = [t.detach().to(dtype).requires_grad_() for t in scene[:6]]
        K = scene[6].to(dtype)
        extra = {k: v.detach().to(dtype).requires_grad_() if isinstance(v, torch.Tensor) else v for k, v in options.items()}
        image, alpha, info = function(*inputs, K, width, height, **extra)
        info["means2d"].retain_grad()
        g = torch.Generator().manual_seed(9)
        v_image, v_alpha = (torch.randn(t.shape, generator=g).to(dtype) for t in (image, alpha))
        ((image * v_image).sum() + (alpha * v_alpha).sum()).backward()
        named = dict(zip(NAMES, inputs, strict=True)) | {k: v for k, v in extra.items() if isinstance(v, torch.Tensor)}
        sides.append([image, alpha, info, named])
    return sides[0], sides[1]


def assert_agree(got: list[Any], want: list[Any], decibels: float = 90, tolerance: float = 1e-4) -> None:
    assert got[0].shape == want[0].shape
    assert psnr(got[0], want[0]) > decibels
    assert psnr(got[1], want[1]) > decibels
    for name, tensor in want[3].items():
        if tensor.grad is None or not bool(tensor.grad.any()):
            mine = got[3][name].grad
            assert mine is None or not bool(mine.any()), name
        else:
            assert error(got[3][name].grad, tensor.grad) < tolerance, name


@pytest.mark.parametrize("mode", ["classic", "antialiased"])
@pytest.mark.parametrize("kind", ["RGB", "D", "ED", "RGB+D", "RGB+ED"])
def test_every_mode_renders_and_differentiates_as_the_oracle(synthetic_scene, kind, mode):
    options = {"backgrounds": torch.tensor([[0.2, 0.9, 0.4]])} if "RGB" in kind else {}
    got, want = both(synthetic_scene(300, W, H), render_mode=kind, rasterize_mode=mode, with_ids=True, **options)
    assert_agree(got, want)
    assert (got[2]["ids"] != want[2]["ids"]).float().mean() < 1e-3


@pytest.mark.parametrize(("degree", "stored"), [(0, 1), (1, 4), (1, 9), (2, 9), (0, 16), (2, 16), (3, 16)])
def test_view_dependent_colors_and_features_in_two_cameras(synthetic_scene, degree, stored):
    means, quats, scales, opacities, _, view, K = synthetic_scene(200, W, H)
    sh = torch.randn(200, stored, 3, generator=torch.Generator().manual_seed(degree)) * 0.4
    other = view.clone()
    other[0, :3, 3] += torch.tensor([0.3, -0.2, 0.5])
    scene = (means, quats, scales, opacities, sh, torch.cat([view, other]), K.repeat(2, 1, 1))
    features = torch.randn(200, 2, generator=torch.Generator().manual_seed(8))
    assert_agree(*both(scene, sh_degree=degree, features=features))


def test_colors_and_background_of_each_camera(synthetic_scene):
    *scene, view, K = synthetic_scene(200, W, H)
    other = view.clone()
    other[0, :3, 3] += 0.3
    colors = torch.stack([scene[4], 1 - scene[4], scene[4] * 0.5])
    scene = (*scene[:4], colors, torch.cat([view, other, view]), K.repeat(3, 1, 1))
    got, want = both(scene, backgrounds=torch.rand(3, 3, generator=torch.Generator().manual_seed(1)), render_mode="RGB+ED")
    assert_agree(got, want)
    assert got[2]["camera_ids"].unique_consecutive().tolist() == [0, 1, 2]


@pytest.mark.parametrize("channels", [1, 2, 5, 8, 19])
def test_any_number_of_channels_with_features_before_depth(synthetic_scene, channels):
    g = torch.Generator().manual_seed(channels)
    *scene, _, view, K = synthetic_scene(150, W, H)
    scene = (*scene, torch.rand(150, channels, generator=g), view, K)
    for kind in ("RGB+D", "RGB+ED"):
        options = {"features": torch.randn(150, 2, generator=g), "backgrounds": torch.rand(1, channels, generator=g)}
        assert_agree(*both(scene, render_mode=kind, absgrad=True, **options))


def test_deep_tiles_pass_in_many_batches(synthetic_scene):
    means, quats, scales, opacities, colors, view, K = synthetic_scene(1200, 40, 33)
    scene = (means, quats, scales * 2, opacities * 0.7 + 0.01, colors, view, K)
    got, want = both(scene, 40, 33, render_mode="RGB+ED", absgrad=True, features=colors.repeat(1, 5) - 0.5)
    assert_agree(got, want)
    got, want = both(scene, 40, 33, absgrad=True)
    assert_agree(got, want)
    full = want[1].detach() > 0.999
    assert 0.02 < full.float().mean() < 0.5


@pytest.mark.slow
def test_a_hundred_thousand_splats_at_vga_stay_above_80_db(synthetic_scene):
    scene = synthetic_scene(100_000, 640, 480)
    with torch.no_grad():
        got, want = rasterization(*scene, 640, 480), reference(*(t.double() for t in scene), 640, 480)
    assert psnr(got[0], want[0]) > 80
    assert psnr(got[1], want[1]) > 80


def test_info_and_the_gradients_of_means2d(synthetic_scene):
    got, want = both(synthetic_scene(300, W, H), absgrad=True)
    place = {int(g): i for i, g in enumerate(want[2]["gaussian_ids"])}
    rows = torch.tensor([place[int(g)] for g in got[2]["gaussian_ids"]])
    assert len(rows) > 0.98 * len(place)  # the kernel also drops splats that fall between pixel centres
    for key in ("means2d", "depths", "conics", "opacities"):
        assert error(got[2][key], want[2][key][rows]) < 1e-5, key
    assert (got[2]["radii"] - want[2]["radii"][rows]).abs().max() <= 1
    assert bool((got[2]["depths"].diff() >= 0).all())
    assert error(got[2]["means2d"].grad, want[2]["means2d"].grad[rows]) < 1e-4
    assert error(got[2]["means2d"].absgrad, want[2]["means2d"].absgrad[rows]) < 1e-4
    assert bool((got[2]["means2d"].absgrad >= got[2]["means2d"].grad.abs() * 0.9999).all())
    for key in ("camera_ids", "gaussian_ids"):
        assert got[2][key].dtype == want[2][key].dtype
    assert got[2]["radii"].dtype == torch.int32


@pytest.mark.parametrize("absgrad", [False, True])
def test_gsplats_densification_reads_info_as_its_own(synthetic_scene, absgrad):
    pytest.importorskip("gsplat", reason="gsplat is not installed: pip install 'spatialwm[cuda]'")
    from gsplat.strategy import DefaultStrategy

    *scene, view, K = synthetic_scene(150, W, H)
    names = ("means", "quats", "scales", "opacities", "colors")
    params = torch.nn.ParameterDict(zip(names, (torch.nn.Parameter(t.clone()) for t in scene), strict=True))
    optimizers: dict[str, Any] = {k: torch.optim.SGD([p], lr=1e-4) for k, p in params.items()}
    strategy = DefaultStrategy(refine_start_iter=0, refine_every=2, grow_grad2d=1e-3, absgrad=absgrad, prune_opa=-100)
    state = strategy.initialize_state(scene_scale=1.0)
    for step in range(5):
        image, _, info = rasterization(*params.values(), view, K, W, H, absgrad=absgrad)
        strategy.step_pre_backward(params, optimizers, state, step, info)
        (image - 0.5).abs().sum().backward()
        strategy.step_post_backward(params, optimizers, state, step, info, packed=True)
    assert len(params["means"]) > 150


def test_equal_depths_keep_the_order_of_the_input():
    n = 40
    means = torch.tensor([[0.0, 0, 2]]).repeat(n, 1)
    colors = torch.rand(n, 3, generator=torch.Generator().manual_seed(4))
    scene = (means, torch.randn(n, 4), torch.full((n, 3), 0.3), torch.full((n,), 0.5), colors, torch.eye(4)[None],
             torch.tensor([[[40.0, 0, 16], [0, 40, 16], [0, 0, 1]]]))  # fmt: skip
    got, want = both(scene, 32, 32)
    assert got[2]["gaussian_ids"].tolist() == list(range(n))
    assert psnr(got[0], want[0]) > 110


def test_order_of_threads_changes_nothing_but_rounding(synthetic_scene, emulated):
    scene = synthetic_scene(200, W, H)
    first, _ = both(scene, render_mode="RGB+D", with_ids=True)
    emulated.backwards = True
    second, _ = both(scene, render_mode="RGB+D", with_ids=True)
    for i in (0, 1):
        assert torch.equal(first[i], second[i])
    assert torch.equal(first[2]["ids"], second[2]["ids"])
    for name in NAMES:
        assert error(second[3][name].grad, first[3][name].grad.double()) < 1e-5


class Aligned:
    """Kernels that, like a GPU, take 16 bytes at a time only from where 16 bytes start."""

    def __init__(self, kernels: Any) -> None:
        self.kernels = kernels

    def launch(self, name: str, grid: Any, block: Any, *arguments: Any) -> None:
        for i, a in enumerate(arguments):
            assert not isinstance(a, torch.Tensor) or a.dtype != torch.float32 or a.data_ptr() % 16 == 0, f"{name}, argument {i}"
        self.kernels.launch(name, grid, block, *arguments)


def test_slices_of_larger_tensors_are_welcome(synthetic_scene, emulated):
    scene = synthetic_scene(100, W, H)
    want = rasterization(*scene, W, H)[0]
    shifted = [torch.cat([torch.zeros(1), t.flatten()])[1:].view(t.shape).requires_grad_() for t in scene[:5]]
    assert all(t.data_ptr() % 16 for t in shifted)
    with running_on(lambda source, device: Aligned(emulated(source, device))):
        got = rasterization(*shifted, *scene[5:], W, H)[0]
        got.sum().backward()
    assert torch.equal(got, want)


@pytest.mark.parametrize("channels", [1, 2, 5, 19])
def test_nothing_comes_from_memory_that_was_never_written(synthetic_scene, channels):
    g = torch.Generator().manual_seed(channels)
    *scene, _, view, K = synthetic_scene(100, W, H)
    inputs = [t.clone().requires_grad_() for t in (*scene, torch.rand(100, channels, generator=g), view)]
    torch.use_deterministic_algorithms(True)  # fills what is allocated with NaN
    try:
        image, alpha, info = rasterization(*inputs, K, W, H, absgrad=True, backgrounds=torch.ones(1, channels))
        (image.sum() + alpha.sum()).backward()
    finally:
        torch.use_deterministic_algorithms(False)
    for tensor in (image, alpha, info["means2d"].absgrad, *(t.grad for t in inputs)):
        assert bool(torch.isfinite(tensor).all())


def test_without_gradients_nothing_is_kept_for_them(synthetic_scene):
    scene = synthetic_scene(200, W, H)
    with torch.no_grad():
        image, _, info = rasterization(*scene, W, H)
    assert not image.requires_grad
    assert not info["means2d"].requires_grad
    learning = [scene[0].clone().requires_grad_(), *scene[1:]]
    assert torch.equal(rasterization(*learning, W, H)[0], image)


CAMERA = (torch.eye(4)[None], torch.tensor([[[30.0, 0, 20], [0, 30, 15], [0, 0, 1]]]))


def gaussians(means, scales=0.2, opacity=0.8) -> list[torch.Tensor]:
    means = torch.tensor(means, dtype=torch.float32).reshape(-1, 3)
    n, g = len(means), torch.Generator().manual_seed(6)
    shape = torch.tensor([[1.0, 0.7, 0.3]]).repeat(n, 1)
    return [means, torch.randn(n, 4, generator=g), shape * scales, torch.full((n,), opacity), torch.rand(n, 3, generator=g)]


@pytest.mark.parametrize(
    "scene",
    [gaussians([]), gaussians([[0, 0, -2.0]]), gaussians([[0, 0, 0.0]]), gaussians([[0, 0, 2.0]], opacity=1e-4)],
    ids=["none", "behind", "at the eye", "too faint"],
)
def test_nothing_to_see_shows_the_background(scene):
    behind = torch.tensor([[0.1, 0.2, 0.3]])
    got, want = both((*scene, *CAMERA), 40, 30, backgrounds=behind, with_ids=True, absgrad=True, render_mode="RGB+ED")
    assert torch.allclose(got[0][..., :3], behind.expand(1, 30, 40, 3))
    assert not bool(got[0][..., 3].any())
    assert not bool(got[1].any())
    assert bool((got[2]["ids"] == -1).all())
    assert len(got[2]["means2d"]) == 0
    assert error(got[3]["backgrounds"].grad, want[3]["backgrounds"].grad) < 1e-5
    for name in ("means", "opacities", "viewmats"):
        gradient = got[3][name].grad
        assert gradient is None or not bool(gradient.any())


def test_one_gaussian_one_pixel():
    K = torch.tensor([[[5.0, 0, 0.4], [0, 5, 0.7], [0, 0, 1]]])
    got, want = both((*gaussians([[0, 0, 2.0]]), CAMERA[0], K), 1, 1)
    assert_agree(got, want, decibels=110)


def test_zero_quaternion_and_opacity_above_one_as_the_oracle():
    scene = gaussians([[0.1, 0, 2.0], [-0.2, 0.1, 3.0]])
    scene[1][0], scene[3][1] = 0, 1.5
    got, want = both((*scene, *CAMERA), 40, 30)
    assert_agree(got, want)
    assert got[3]["quats"].grad[0].tolist() == [0, 0, 0, 0]
    assert float(got[3]["opacities"].grad[1]) == 0


def test_where_alpha_is_clamped_only_colors_get_gradients():
    scene = gaussians([[0.02, 0.01, 2.0], [0.1, 0, 3.0]], scales=3.0, opacity=1.0)
    got, want = both((*scene, *CAMERA), 40, 30)
    assert float(want[1].detach().max()) > 0.9989
    assert_agree(got, want)


def test_a_splat_larger_than_the_image_is_listed_by_its_whole_warp():
    scene = gaussians([[0, 0, 1.0], [0, 0.1, 1.5], [0.3, 0, 2.0]], scales=40, opacity=0.3)
    scene[2][2] = 0.05
    K = torch.tensor([[[200.0, 0, 120], [0, 200, 90], [0, 0, 1]]])
    got, want = both((*scene, CAMERA[0], K), 240, 180, rasterize_mode="antialiased")
    assert_agree(got, want)
    vast = [t.clone() for t in scene]
    vast[2][:2] = 1e25  # its size overflows: not drawn
    assert rasterization(*vast, CAMERA[0], K, 240, 180)[2]["gaussian_ids"].tolist() == [2]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["means", "quats", "scales", "opacities", "colors", "sh", "features"])
def test_a_value_that_is_not_finite_is_named(synthetic_scene, field, value):
    scene = [t.clone() for t in synthetic_scene(100, W, H)]
    options: dict[str, Any] = {"features": torch.rand(100, 2)}
    if field == "sh":
        scene[4], options["sh_degree"] = torch.rand(100, 4, 3), 1
    middle = int(rasterization(*scene, W, H, **options)[2]["gaussian_ids"][0])
    target = options["features"] if field == "features" else scene[4 if field == "sh" else NAMES.index(field)]
    target.view(100, -1)[middle, -1] = value
    with pytest.raises(ShapeError, match=f"{'colors' if field == 'sh' else field} is not finite in 1 of 100"):
        rasterization(*scene, W, H, **options)


def test_numbers_of_any_type_are_welcome(synthetic_scene):
    scene = synthetic_scene(100, W, H)
    plain = rasterization(*scene, W, H, near_plane=1.0, far_plane=5.0, eps2d=1.0)[0]
    other = rasterization(*scene, np.int64(W), np.int32(H), near_plane=1, far_plane=np.float64(5), eps2d=np.float32(1))[0]
    assert torch.equal(plain, other)


def test_cameras_of_another_type_get_their_gradients(synthetic_scene):
    *scene, view, K = synthetic_scene(100, W, H)
    precise = view.double().requires_grad_()
    rasterization(*scene, precise, K, W, H)[0].sum().backward()
    assert precise.grad is not None
    assert precise.grad.dtype == torch.float64


def test_results_do_not_outlive_their_use(synthetic_scene):
    import gc
    import weakref

    scene = [t.clone().requires_grad_() for t in synthetic_scene(50, W, H)[:6]] + [synthetic_scene(50, W, H)[6]]
    gc.disable()
    try:
        image, _, info = rasterization(*scene, W, H, absgrad=True)
        watched = weakref.ref(info["means2d"])
        image.sum().backward()
        del image, info, _
        assert watched() is None  # by reference counts alone: no cycle holds gigabytes until a collection
    finally:
        gc.enable()
