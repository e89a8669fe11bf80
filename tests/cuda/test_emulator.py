"""The emulator does what CUDA does, and reports what CUDA would punish."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spatialwm.errors import SpatialwmError

ROOT = Path(__file__).resolve().parents[2]
SOURCE = r"""
extern "C" __global__ void __launch_bounds__(256) sum(const float *__restrict__ in, float *__restrict__ out, int n) {
    __shared__ float partial[8];
    const int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    float v = i < n ? in[i] : 0.0f;
    for (int d = 16; d; d >>= 1) v += __shfl_down_sync(0xffffffffu, v, d);
    if (lane == 0) partial[warp] = v;
    __syncthreads();
    if (warp == 0) {
        v = lane < 8 ? partial[lane] : 0.0f;
        for (int d = 4; d; d >>= 1) v += __shfl_xor_sync(0xffffffffu, v, d);
        if (lane == 0) atomicAdd(out, v);
    }
}

extern "C" __global__ void meetings(int *ballots, int *matches, int *ups, int *segments, int *counts) {
    const int t = threadIdx.x;
    ballots[t] = int(__ballot_sync(0xffffffffu, t % 3 == 0));
    matches[t] = int(__match_any_sync(0xffffffffu, t / 10));
    ups[t] = __shfl_up_sync(0xffffffffu, t, 2);
    segments[t] = __shfl_sync(0xffffffffu, t, 9, 8);
    counts[t] = __syncthreads_count(t % 5 == 0);
}

// Half a warp meets on its own, threads leave early, and the rest still meets.
extern "C" __global__ void partial(int *out) {
    const int t = threadIdx.x;
    if (t >= 48) return;
    const unsigned mask = t & 16 ? 0xffff0000u : 0x0000ffffu;
    if (t & 16) out[t] = __shfl_xor_sync(mask, t, 1);
    else out[t] = __shfl_xor_sync(mask, t, 2);
    __syncthreads();
    if (t < 16) out[t] += out[t + 32];
}

extern "C" __global__ void positions(int *out, int width) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    out[y * width + x] = int(gridDim.x) * 10000 + x * 100 + y;
}

extern "C" __global__ void divergent_barrier(int *out) {
    if (threadIdx.x < 32) __syncthreads();
    else __syncthreads();
    out[threadIdx.x] = 1;
}

extern "C" __global__ void warp_waits_for_block(int *out) {
    if (threadIdx.x == 3) __syncthreads();
    out[threadIdx.x] = __shfl_sync(0xffffffffu, threadIdx.x, 0);
}

extern "C" __global__ void divergent_shuffle(int *out) {
    if (threadIdx.x == 3) out[3] = __shfl_sync(0xffffffffu, 1, 0);
    else out[threadIdx.x] = __shfl_sync(0xffffffffu, 2, 0);
}

extern "C" __global__ void reads_a_lane_that_left(int *out) {
    if (threadIdx.x == 3) return;
    out[threadIdx.x] = __shfl_sync(0xffffffffu, threadIdx.x, 3);
}

extern "C" __global__ void not_in_its_mask(int *out) {
    out[threadIdx.x] = __ballot_sync(0xffu, 1);
}

extern "C" __global__ void forgets_to_initialise(float *out) {
    __shared__ float memory[32];
    out[threadIdx.x] = memory[threadIdx.x];
}

extern "C" __global__ void forgets_the_barrier(int *out) {
    __shared__ int memory[64];
    memory[threadIdx.x] = threadIdx.x;
    out[threadIdx.x] = memory[63 - threadIdx.x];
}

// Each block waits for the one before it, whatever the order in which they started.
extern "C" __global__ void chain(volatile int *flags) {
    if (threadIdx.x == 5) {
        if (blockIdx.x > 0) while (!flags[blockIdx.x - 1]) __nanosleep(20);
        flags[blockIdx.x] = blockIdx.x + 1;
    }
}

extern "C" __global__ void keeps_its_shared_memory(int *out) {
    __shared__ int memory[32];
    memory[threadIdx.x] = blockIdx.x * 32 + threadIdx.x;
    __syncthreads();
    const int other = memory[31 - threadIdx.x];
    __syncthreads();
    out[blockIdx.x * 32 + threadIdx.x] = other;
}

extern "C" __global__ void types(const float *a, const int *b, const unsigned char *c, long long d,
                                 unsigned e, float f, double *out) {
    *out = a[0] + b[0] + c[0] + double(d) + e + f;
}

extern "C" __global__ void null_pointer(const float *a, int *out) { *out = a == nullptr; }
"""


@pytest.fixture(scope="module")
def kernels(emulator: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("source") / "probe.cu"
    path.write_text(SOURCE)
    return emulator(str(path), torch.device("cpu"))


@pytest.fixture(params=[(False, 1), (True, 1), (False, 3)], ids=["forwards", "backwards", "in turns"])
def order(request: pytest.FixtureRequest, emulator: Any) -> Any:
    emulator.backwards, emulator.residents = request.param
    yield
    emulator.backwards, emulator.residents = False, 1


def ints(n: int) -> torch.Tensor:
    return torch.full((n,), -7, dtype=torch.int32)


@pytest.mark.parametrize("n", [1, 255, 256, 10_000])
@pytest.mark.usefixtures("order")
def test_a_reduction_by_shuffles_shared_memory_and_an_atomic_adds_up(kernels: Any, n: int) -> None:
    values, out = torch.arange(n, dtype=torch.float32), torch.zeros(1)
    kernels.launch("sum", (n + 255) // 256, 256, values, out, n)
    assert out.item() == pytest.approx(n * (n - 1) / 2, rel=1e-6)


@pytest.mark.usefixtures("order")
def test_warp_collectives_give_what_the_programming_guide_says(kernels: Any) -> None:
    results = [ints(64) for _ in range(5)]
    kernels.launch("meetings", 1, 64, *results)
    ballots, matches, ups, segments, counts = (r.numpy().view(np.uint32) for r in results)
    t = np.arange(64)
    for warp in (0, 32):
        lanes = t[warp : warp + 32]
        assert ballots[lanes].tolist() == [sum(1 << i for i in range(32) if (warp + i) % 3 == 0)] * 32
        for lane in lanes:
            assert matches[lane] == sum(1 << i for i in range(32) if (warp + i) // 10 == lane // 10)
    assert np.array_equal(ups, np.where(t % 32 < 2, t, t - 2))
    assert np.array_equal(segments, t // 8 * 8 + 1)
    assert np.array_equal(counts, np.full(64, 13))


@pytest.mark.usefixtures("order")
def test_threads_may_leave_early_and_halves_of_a_warp_may_meet_apart(kernels: Any) -> None:
    out = ints(64)
    kernels.launch("partial", 1, 64, out)
    t = np.arange(64)
    expected = np.where(t & 16, t ^ 1, t ^ 2)
    expected[:16] += expected[32:48]
    expected[48:] = -7
    assert out.tolist() == expected.tolist()


def test_indices_run_over_grid_and_block(kernels: Any) -> None:
    out = ints(12 * 6)
    kernels.launch("positions", (3, 2, 1), (4, 3, 1), out, 12)
    assert out.reshape(6, 12).tolist() == [[30000 + x * 100 + y for x in range(12)] for y in range(6)]


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("divergent_barrier", r"divergent barrier: thread .* at __syncthreads, probe.cu:\d+; thread .* probe.cu:\d+"),
        ("warp_waits_for_block", r"wait for each other for ever: .*__shfl_sync.*__syncthreads"),
        ("divergent_shuffle", r"divergent warp collective"),
        ("reads_a_lane_that_left", r"reads lane 3, which takes no part"),
        ("not_in_its_mask", r"not in its own mask"),
    ],
)
def test_what_would_hang_or_corrupt_is_an_error(kernels: Any, kernel: str, message: str) -> None:
    with pytest.raises(SpatialwmError, match=message):
        kernels.launch(kernel, 1, 64, ints(64))
    out = torch.zeros(1)
    kernels.launch("sum", 1, 256, torch.ones(5), out, 5)  # and the emulator is as good as new
    assert out.item() == 5


def test_shared_memory_starts_as_garbage_in_every_block(kernels: Any) -> None:
    kernels.launch("sum", 1, 256, torch.ones(5), torch.zeros(1), 5)
    out = torch.zeros(32)
    kernels.launch("forgets_to_initialise", 1, 32, out)
    assert bool(out.isnan().all())


def test_a_missing_barrier_shows_in_one_of_both_orders(kernels: Any, emulator: Any) -> None:
    for emulator.backwards in (False, True):
        out = ints(64)
        kernels.launch("forgets_the_barrier", 1, 64, out)
        assert out.tolist() != [63 - i for i in range(64)]
    emulator.backwards = False


def test_blocks_in_flight_may_wait_for_each_other(kernels: Any, emulator: Any) -> None:
    flags = torch.zeros(4, dtype=torch.int32)
    emulator.backwards, emulator.residents = True, 4
    kernels.launch("chain", 4, 32, flags)
    emulator.backwards, emulator.residents = False, 1
    assert flags.tolist() == [1, 2, 3, 4]


def test_a_wait_that_never_ends_is_an_error(kernels: Any, emulator: Any) -> None:
    emulator.backwards = True
    with pytest.raises(SpatialwmError, match="waits for ever for another thread's write"):
        kernels.launch("chain", 4, 32, torch.zeros(4, dtype=torch.int32))
    emulator.backwards = False


@pytest.mark.usefixtures("order")
def test_blocks_in_flight_keep_their_own_shared_memory(kernels: Any) -> None:
    out = ints(320)
    kernels.launch("keeps_its_shared_memory", 10, 32, out)
    assert out.tolist() == [b * 32 + 31 - t for b in range(10) for t in range(32)]


def test_arguments_arrive_as_their_types(kernels: Any) -> None:
    out = torch.zeros(1, dtype=torch.float64)
    given = [torch.tensor([0.5]), torch.tensor([2], dtype=torch.int32), torch.tensor([3], dtype=torch.uint8)]
    kernels.launch("types", 1, 1, *given, np.int64(2**40), np.uint32(2**32 - 1), 0.25, out)
    assert out.item() == 5.5 + 2**40 + 2**32 - 1 + 0.25
    flag = ints(1)
    for nothing in (None, torch.zeros(0)):
        flag[:] = 0
        kernels.launch("null_pointer", 1, 1, nothing, flag)
        assert flag.item() == 1


@pytest.mark.parametrize(
    ("position", "wrong", "message"),
    [
        (0, torch.zeros(1, dtype=torch.float64), r"argument 0 is float\*; got a tensor of torch.float64"),
        (1, torch.zeros(1), r"argument 1 is int32\*; got a tensor of torch.float32"),
        (3, 5, r"argument 3 is int64; got int 5"),
        (5, 1, r"argument 5 is float; got int 1"),
        (0, torch.zeros(4, 4).T, "not contiguous"),
        (3, 2**31, "beyond 32 bits"),
        (4, True, "expected a tensor, an int, a float or a numpy scalar"),
    ],
)
def test_a_wrong_argument_is_named(kernels: Any, position: int, wrong: Any, message: str) -> None:
    arguments: list[Any] = [torch.zeros(1), ints(1), torch.zeros(1, dtype=torch.uint8), np.int64(0), np.uint32(0), 0.0]
    arguments.append(torch.zeros(1, dtype=torch.float64))
    arguments[position] = wrong
    with pytest.raises(SpatialwmError, match=message):
        kernels.launch("types", 1, 1, *arguments)


def test_a_source_that_does_not_compile_says_why(emulator: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.cu").write_text('extern "C" __global__ void f(int *out) { *out = nonsense; }')
    with pytest.raises(SpatialwmError, match=r"bad.cu does not compile[\s\S]*nonsense"):
        emulator(str(tmp_path / "bad.cu"), torch.device("cpu"))


def test_a_wrong_name_or_a_grid_of_nothing_is_an_error(kernels: Any) -> None:
    with pytest.raises(SpatialwmError, match="has no kernel 'nonsense'"):
        kernels.launch("nonsense", 1, 1)
    with pytest.raises(SpatialwmError, match="cannot be launched"):
        kernels.launch("null_pointer", 0, 1, None, ints(1))


def sanitized(*words: str) -> subprocess.CompletedProcess[str]:
    """pytest with every kernel compiled to stop at an access outside of an array."""
    library = subprocess.run(["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    environment = os.environ | {
        "LD_PRELOAD": library, "ASAN_OPTIONS": "detect_leaks=0", "SPATIALWM_EMULATOR_FLAGS": "-fsanitize=address",
        "PYTHONPATH": str(ROOT / "tests"),
    }  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-s", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=False)


needs_sanitizer = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("g++") is None, reason="preloads the address sanitizer of g++ on Linux"
)


@needs_sanitizer
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_kernel_leaves_its_arrays() -> None:
    done = sanitized("tests/cuda", "tests/parity/test_cuda.py", "--deselect", "tests/cuda/test_emulator.py", "--timeout", "900",
                     "--deselect", "tests/cuda/test_compile.py")  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


@needs_sanitizer
@pytest.mark.slow
@pytest.mark.parametrize("array", ["global", "shared"])
def test_an_access_outside_of_an_array_would_be_seen(tmp_path: Path, array: str) -> None:
    (tmp_path / "beyond.cu").write_text("""
extern "C" __global__ void f(int *global, int n) {
    __shared__ int shared[32];
    shared[threadIdx.x] = 0;
    __syncthreads();
    if (threadIdx.x == 0) ARRAY[n] = shared[0];
}""".replace("ARRAY", array))
    (tmp_path / "test_beyond.py").write_text(f"""
import torch
def test_beyond(emulator):
    emulator({str(tmp_path / "beyond.cu")!r}, torch.device("cpu")).launch("f", 1, 32, torch.zeros(32, dtype=torch.int32), 32)
""")
    done = sanitized(str(tmp_path / "test_beyond.py"), "-p", "conftest", "--rootdir", str(ROOT))
    assert done.returncode != 0
    assert "beyond.cu:6" in done.stdout + done.stderr
    assert "overflow" in done.stdout + done.stderr
