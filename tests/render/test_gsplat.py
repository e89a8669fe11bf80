"""The gsplat backend without a GPU.

gsplat's kernels need CUDA, but its Python does not: here its own ``rasterization`` runs unchanged, with the calls to its kernels
answered by its own torch implementations. What is tested is therefore our use of it: arguments, ``info``, ids, refusals, and that
its conventions are those of our reference. Its kernels are tested where a GPU is, by the tests of every backend.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from spatialwm.errors import ShapeError, SpatialwmError
from spatialwm.geometry.sh import sh_to_rgb
from spatialwm.render import choose
from spatialwm.render import gsplat as backend
from spatialwm.render.reference import rasterization as reference

NEEDS = "gsplat is not installed: pip install 'spatialwm[cuda]'"
W, H = 37, 26
K = torch.tensor([[[30.0, 0, 17.0], [0, 31.0, 12.0], [0, 0, 1]]])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The tensors are small: torch's threads would cost more than they do, on a busy machine twenty times."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def views(count: int) -> torch.Tensor:
    out = torch.eye(4).repeat(count, 1, 1)
    out[:, 0, 3] = torch.arange(count) * 0.2
    return out


def scene(n: int = 40, seed: int = 0, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    g = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=g, dtype=dtype)

    means = uniform(n, 3) * torch.tensor([2.4, 1.8, 2.0]).to(dtype) + torch.tensor([-1.2, -0.9, 1.0]).to(dtype)
    return [means, uniform(n, 4) - 0.5, uniform(n, 3) * 0.2 + 0.03, uniform(n) * 0.9 + 0.05, uniform(n, 3)]


@pytest.fixture
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """gsplat's torch implementations in place of its kernels, packed as those pack."""
    rendering = pytest.importorskip("gsplat.rendering", reason=NEEDS)
    torch_impl = pytest.importorskip("gsplat.cuda._torch_impl", reason=NEEDS)

    def project(means, covars, quats, scales, viewmats, Ks, width, height, *, eps2d, near_plane, far_plane, calc_compensations,
                opacities, **_: Any):  # fmt: skip
        covars = torch_impl._quat_scale_to_covar_preci(quats, scales, True, False)[0]
        radii, means2d, depths, conics, ratios = torch_impl._fully_fused_projection(
            means, covars, viewmats, Ks, width, height, eps2d, near_plane, far_plane, calc_compensations
        )
        cameras, gaussians = ((radii > 0).all(-1) & (opacities >= 1 / 255)).nonzero(as_tuple=True)
        at = (cameras, gaussians)
        packed = (radii[at], means2d[at], depths[at], conics[at], None if ratios is None else ratios[at])
        return (torch.zeros_like(cameras), cameras, gaussians, *packed)

    def tiles(means2d, radii, depths, size, columns, rows, *, n_images, image_ids, **_: Any):
        # Unpacked, the torch implementation wants as many Gaussians in each image: the others get no radius.
        mine = torch.arange(n_images)[:, None] == image_ids
        counts, keys, listed = torch_impl._isect_tiles(
            means2d.detach().expand(n_images, -1, 2), radii * mine[..., None], depths.detach().expand(n_images, -1), size,
            columns, rows, False,
        )  # fmt: skip
        order = torch.sort(keys, stable=True).indices  # the kernel's sort is stable, the torch implementation's is not
        return counts, keys[order], (listed[order] % max(len(means2d), 1)).int()

    class Blend(torch.autograd.Function):
        """The dense sum, its ``means2d`` saved as the kernel's wrapper saves it, so that absgrad is found in the same place."""

        @staticmethod
        def forward(ctx, means2d, conics, colors, opacities, behind, width, height, size, offsets, listed, absgrad):
            ctx.save_for_backward(means2d, conics, colors, opacities, behind)
            ctx.rest = (width, height, size, offsets, listed, absgrad)
            with torch.no_grad():
                return blend(means2d, conics, colors, opacities, behind, *ctx.rest[:-1])

        @staticmethod
        def backward(ctx, *gradients):
            means2d = ctx.saved_tensors[0]
            with torch.enable_grad():
                inputs = [None if t is None else t.detach().requires_grad_() for t in ctx.saved_tensors]
                outputs = blend(*inputs, *ctx.rest[:-1])
                kept = [t for t in inputs if t is not None]
                found = iter(torch.autograd.grad(outputs, kept, gradients, allow_unused=True))
            found = [None if t is None else next(found) for t in inputs]
            if ctx.rest[-1]:
                means2d.absgrad = torch.ones_like(means2d)
            return (*found, *([None] * 6))

    def blend(means2d, conics, colors, opacities, behind, width, height, size, offsets, listed):
        cameras, rows, columns = offsets.shape
        edges = [*offsets.flatten().tolist(), len(listed)]
        images = []
        for tile in range(cameras * rows * columns):
            y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
            x, y = x + tile % columns * size, y + tile // columns % rows * size
            T, value = torch.ones(size, size), torch.zeros(size, size, colors.shape[-1])
            is_open = torch.ones(size, size, dtype=torch.bool)
            for g in listed[edges[tile] : edges[tile + 1]].tolist():
                a, b, c = conics[g]
                dx, dy = means2d[g, 0] - x, means2d[g, 1] - y
                sigma = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
                alpha = (opacities[g] * torch.exp(-sigma)).clamp(max=0.999)
                seen = (sigma >= 0) & (alpha >= 1 / 255)
                is_open = is_open & ~(seen & (T * (1 - alpha) <= 1e-4))
                alpha = torch.where(seen & is_open, alpha, 0.0)
                value = value + (alpha * T)[..., None] * colors[g]
                T = T * (1 - alpha)
            behind_here = 0 if behind is None else T[..., None] * behind[tile // (rows * columns)]
            images.append(torch.cat([value + behind_here, 1 - T[..., None]], dim=-1))
        whole = torch.stack(images).reshape(cameras, rows, columns, size, size, -1).transpose(2, 3)
        whole = whole.reshape(cameras, rows * size, columns * size, -1)[:, :height, :width]
        return whole[..., :-1], whole[..., -1:]

    def rasterize(means2d, conics, colors, opacities, width, height, size, offsets, listed, *, backgrounds, packed, absgrad):
        return Blend.apply(means2d, conics, colors, opacities, backgrounds, width, height, size, offsets, listed, absgrad)

    monkeypatch.setattr(rendering, "fully_fused_projection", project)
    monkeypatch.setattr(rendering, "isect_tiles", tiles)
    monkeypatch.setattr(rendering, "isect_offset_encode", torch_impl._isect_offset_encode)
    monkeypatch.setattr(rendering, "rasterize_to_pixels", rasterize)
    monkeypatch.setattr(
        rendering, "spherical_harmonics", lambda degree, dirs, sh, masks: torch_impl._spherical_harmonics(degree, dirs, sh)
    )
    monkeypatch.setattr(backend, "_gpu", lambda means: means.device)


def same(got: torch.Tensor, want: torch.Tensor, atol: float = 2e-5) -> None:
    """float32 arithmetic of some forty blends apart."""
    torch.testing.assert_close(got, want.float(), rtol=1e-4, atol=atol)


@pytest.mark.usefixtures("on_the_cpu")
class TestThroughGsplatsOwnPython:
    @pytest.mark.parametrize("mode", ["RGB", "D", "ED", "RGB+D", "RGB+ED"])
    @pytest.mark.parametrize("featured", [False, True])
    def test_every_mode_with_and_without_features(self, mode, featured):
        given = [*scene(), views(2), K.repeat(2, 1, 1)]
        options = {
            "render_mode": mode, "backgrounds": torch.tensor([[0.2, 0.5, 0.9], [1.0, 0.1, 0.3]]),
            "features": torch.linspace(-1, 1, 80).reshape(40, 2) if featured else None,
        }  # fmt: skip
        got, want = backend.rasterization(*given, W, H, **options), reference(*given, W, H, **options)
        same(got[0], want[0], 1e-4)
        same(got[1], want[1])

    @pytest.mark.parametrize("degree", [0, 1, 2, 3])
    @pytest.mark.parametrize("featured", [False, True])
    def test_every_degree_with_and_without_features(self, degree, featured):
        given = [*scene(), views(2), K.repeat(2, 1, 1)]
        given[4] = torch.randn(40, 16, 3, generator=torch.Generator().manual_seed(1)) * 0.3
        options = {"sh_degree": degree, "features": scene(seed=2)[4] if featured else None, "backgrounds": torch.rand(2, 3)}
        got, want = backend.rasterization(*given, W, H, **options), reference(*given, W, H, **options)
        same(got[0], want[0])

    def test_the_mip_filter_and_a_wider_blur(self):
        given = [*scene(), views(1), K]
        options = {"rasterize_mode": "antialiased", "eps2d": 0.8}
        same(backend.rasterization(*given, W, H, **options)[0], reference(*given, W, H, **options)[0])

    def test_colors_of_each_camera(self):
        given = [*scene(), views(2), K.repeat(2, 1, 1)]
        given[4] = torch.stack([given[4], 1 - given[4]])
        for features in (None, given[4][0]):
            got = backend.rasterization(*given, W, H, features=features)[0]
            same(got, reference(*given, W, H, features=features)[0])

    def test_ids_are_those_of_the_reference(self, monkeypatch):
        monkeypatch.setattr(backend, "_DEPTH", 3)  # many passes, few tiles each
        monkeypatch.setattr(backend, "_TILES", 2)
        given = [*scene(90), views(2), K.repeat(2, 1, 1)]
        given[3][:8] = 1.0  # some pixels fill up
        got = backend.rasterization(*given, W, H, with_ids=True)[2]["ids"]
        want = reference(*(t.double() for t in given), W, H, with_ids=True)[2]["ids"]
        assert got.dtype == torch.int32
        assert (got >= 0).any()
        assert (got != want).float().mean() < 2e-3  # near ties fall either way in float32

    def test_info_is_our_packed_contract(self):
        given = [*scene(), views(2), K.repeat(2, 1, 1)]
        _, _, info = backend.rasterization(*given, W, H)
        want = reference(*given, W, H)[2]
        assert set(info) == set(want)
        assert (info["width"], info["height"], info["n_cameras"], info["backend"]) == (W, H, 2, "gsplat")
        place = {pair: i for i, pair in enumerate(zip(info["camera_ids"].tolist(), info["gaussian_ids"].tolist(), strict=True))}
        rows = [place[pair] for pair in zip(want["camera_ids"].tolist(), want["gaussian_ids"].tolist(), strict=True)]
        for key in ("means2d", "depths", "conics", "opacities"):
            torch.testing.assert_close(info[key][rows], want[key], rtol=1e-4, atol=1e-4)
        assert info["radii"].dtype == torch.int32
        assert info["radii"].shape == (len(place), 2)

    def test_gradients_reach_every_input_and_means2d(self):
        tensors = [*scene(20), views(1), scene(20, seed=5)[4], torch.ones(1, 6)[:, :3]]
        weights = torch.linspace(0.1, 1, W * H * 7).reshape(1, H, W, 7)

        def gradients(rasterization):
            inputs = [t.clone().requires_grad_() for t in tensors]
            means, quats, scales, opacities, colors, view, features, behind = inputs
            image, alpha, info = rasterization(means, quats, scales, opacities, colors, view, K, W, H, features=features,
                                               backgrounds=behind, render_mode="RGB+D", absgrad=True)  # fmt: skip
            info["means2d"].retain_grad()
            ((image * weights).sum() + alpha.square().sum()).backward()
            return [t.grad for t in inputs], info

        (got, info), (want, _) = gradients(backend.rasterization), gradients(reference)
        for a, b in zip(got, want, strict=True):
            assert (a - b).norm() <= 2e-3 * b.norm()  # float32 sums over all pixels
        assert info["means2d"].grad.abs().max() > 0
        assert info["means2d"].absgrad.shape == info["means2d"].shape

    def test_absgrad_of_many_channels_comes_from_one_pass(self):
        given = [*scene(6), views(1), K]
        given[4] = torch.rand(6, 40)
        given[0].requires_grad_()
        image = backend.rasterization(*given, W, H, absgrad=True)[0]
        assert image.shape[-1] == 40
        assert type(image.grad_fn).__name__ == "BlendBackward"  # not the CatBackward of several passes

    @pytest.mark.parametrize("colors", [torch.zeros(0, 3), torch.zeros(0, 4, 3), torch.zeros(2, 0, 3)])
    def test_no_gaussians_show_the_background(self, colors):
        behind = torch.tensor([[0.2, 0.4, 0.6], [1.0, 0.0, 0.5]])
        empty = [torch.zeros(0, 3), torch.zeros(0, 4), torch.zeros(0, 3), torch.zeros(0), colors]
        degree = 1 if colors.shape[-2] == 4 else None
        image, alpha, info = backend.rasterization(
            *empty, views(2), K.repeat(2, 1, 1), W, H, backgrounds=behind, sh_degree=degree, with_ids=True
        )
        assert torch.equal(image, behind[:, None, None].expand_as(image))
        assert alpha.max() == 0
        assert (info["ids"] == -1).all()
        assert len(info["gaussian_ids"]) == 0

    def test_a_zero_quaternion_is_no_rotation_and_an_opacity_above_one_is_one(self):
        given = [*scene(10), views(1), K]
        given[1][3], given[3][4] = 0, 1.7
        plain = [t.clone() for t in given]
        plain[1][3], plain[3][4] = torch.tensor([1.0, 0, 0, 0]), 1.0
        assert torch.equal(backend.rasterization(*given, W, H)[0], backend.rasterization(*plain, W, H)[0])


def test_gsplats_projection_is_the_references_in_float64():
    torch_impl = pytest.importorskip("gsplat.cuda._torch_impl", reason=NEEDS)

    means, quats, scales, opacities, colors = scene(300, dtype=torch.float64)
    view, Ks = views(1).double(), K.double()
    covars = torch_impl._quat_scale_to_covar_preci(quats, scales, True, False)[0]
    radii, means2d, depths, conics, ratios = torch_impl._fully_fused_projection(
        means, covars, view, Ks, W, H, calc_compensations=True
    )
    info = reference(means, quats, scales, opacities, colors, view, Ks, W, H, rasterize_mode="antialiased")[2]
    seen = info["gaussian_ids"]
    assert len(seen) > 200
    assert ratios is not None
    for mine, theirs in (("means2d", means2d), ("depths", depths), ("conics", conics), ("opacities", opacities * ratios)):
        torch.testing.assert_close(info[mine], theirs[0, seen], rtol=1e-9, atol=1e-11)
    # Ours end where alpha falls below 1/255, theirs at the 3.33 sigma where that happens to the most opaque.
    assert (info["radii"] <= radii[0, seen]).all()
    assert bool((radii[0] > 0).all(-1)[seen].all())


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_gsplats_spherical_harmonics_are_ours_in_float64(degree):
    torch_impl = pytest.importorskip("gsplat.cuda._torch_impl", reason=NEEDS)

    g = torch.Generator().manual_seed(degree)
    towards = torch.randn(200, 3, generator=g, dtype=torch.float64)
    sh = torch.randn(200, (degree + 1) ** 2, 3, generator=g, dtype=torch.float64)
    theirs = (torch_impl._spherical_harmonics(degree, towards, sh) + 0.5).clamp(min=0)
    torch.testing.assert_close(sh_to_rgb(sh, torch.nn.functional.normalize(towards, dim=-1)), theirs, rtol=1e-9, atol=1e-9)


def test_bad_values_are_refused_before_gsplat_is_asked():
    given = [*scene(5), views(1), K]
    given[0][2] = float("nan")
    with pytest.raises(ShapeError, match="means is not finite in 1 of 5"):
        backend.rasterization(*given, W, H)
    with pytest.raises(ShapeError, match="at least 1x1"):
        backend.rasterization(*scene(5), views(1), K, 0, H)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_it_says_so():
    assert "NVIDIA GPU" in (backend.missing() or "")
    with pytest.raises(SpatialwmError, match="gsplat render backend cannot run here: it needs an NVIDIA GPU"):
        choose("gsplat")


def test_with_a_gpu_but_no_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    assert backend.missing() == "gsplat is not installed: pip install 'spatialwm[cuda]'"


def test_asking_whether_it_can_run_does_not_import_it():
    code = "import sys; from spatialwm.render import available; available(); print('gsplat' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
