"""All that only a GPU can tell, in one call of at most ten minutes: parity, speed against gsplat, a training step.

    pip install -c constraints.txt -e '.[cuda]'     # beside a torch built for CUDA
    python benchmarks/gpu.py

Where nothing can be downloaded, carry wheels of what is not there yet (often av, cuda-core, cuda-pathfinder, gsplat) in a folder:

    python3 -m pip install -q --no-index --no-deps --target /tmp/site wheels/*.whl &&
    PYTHONPATH=/tmp/site:. python3 benchmarks/gpu.py --out "$OUT" --commit "$COMMIT"

The script installs nothing. What was measured is written after every stage to benchmarks/results/gpu-<name>-<commit>.json; called
again at the same commit, it goes on where it stopped. gsplat compiles itself for minutes while the first stages run; with a built
checkout of its main branch, ``--gsplat-main PATH`` times that as well. A rehearsal without a GPU:

    python benchmarks/gpu.py --backends cpu --device cpu --sizes tiny --out /tmp/rehearsal
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from agreement import MIN_DB, Call, agreement, cases, decibels, refusals, scene_of
from torch import Tensor

from spatialwm.errors import SpatialwmError
from spatialwm.geometry.sh import rgb_to_dc
from spatialwm.render.adam import Adam
from spatialwm.render.cuda import compile as nvrtc
from spatialwm.render.cuda.device import kernels, runs_on
from spatialwm.render.cuda.sort import exclusive_scan, sort_pairs
from spatialwm.render.photometric import photometric_loss
from spatialwm.render.photometric import reference as torch_loss
from spatialwm.render.reference import rasterization as oracle
from spatialwm.render.renderer import BACKENDS
from spatialwm.report import describe_machine, headline, write_json

SCHEMA = "spatialwm.bench.gpu/1"
RESULTS = Path(__file__).parent / "results"
NEED_A_GPU = tuple(name for name, backend in BACKENDS.items() if backend.device == "cuda")
LEARNING_RATES = (1.6e-4, 1e-3, 5e-3, 5e-2, 2.5e-3)

AFTER_A_CRASH = "--after-a-crash"
SPEED_S = 150.0
"""What the speed tables need."""

Job = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is rendered."""

    splats: tuple[int, ...]
    """Of the speed tables."""
    size: tuple[int, int]
    parity: tuple[int, int, int]
    """Splats, width and height where gradients are compared."""
    pictures: tuple[int, ...]
    """Splats of the larger scenes of which only the image is compared."""
    picture_size: tuple[int, int]
    training_splats: int
    pairs: int
    """To sort."""
    runs: tuple[int, int]
    """At least and at most."""


SIZES = {
    "full": Sizes((500_000, 1_000_000, 3_000_000), (1920, 1080), (1500, 256, 192), (100_000, 500_000), (640, 480),
                  1_000_000, 10_000_000, (5, 30)),
    "tiny": Sizes((60,), (48, 32), (40, 40, 24), (120,), (40, 30), 60, 9000, (1, 2)),
}  # fmt: skip


@dataclass(slots=True)
class Sitting:
    """One call: what it is to do, what it found, and how long it may go on."""

    device: torch.device
    backends: tuple[str, ...]
    sizes: Sizes
    path: Path
    deadline: float
    told: dict[str, Any]
    words: tuple[str, ...] = ()
    """The command line, to start again with."""
    building: subprocess.Popen[str] | None = None
    build_log: Path | None = None
    failed: list[str] = field(default_factory=list)

    def run(self, name: str, stage: Callable[[], dict[str, Any]]) -> None:
        """Run a stage unless an earlier call did; its result, or why there is none, is written at once."""
        stages = self.told["stages"]
        before = stages.get(name, {})
        if before.get("done"):
            print(f"{name}: done before", flush=True)
            return
        if AFTER_A_CRASH in self.words and before.get("broke_the_gpu"):
            self.failed.append(name)
            return
        if time.monotonic() > self.deadline:
            stages[name] = {"done": False, "error": "no time left: call again"}
        else:
            started = time.monotonic()
            try:
                stages[name] = {"done": True, **stage()}
            except Exception as e:  # the next stage may still tell something
                stages[name] = {"done": False, "error": f"{type(e).__name__}: {e}", "traceback": traceback.format_exc()[-4000:]}
            stages[name]["seconds"] = round(time.monotonic() - started, 1)
        broken = is_broken(self.device)
        if broken:
            stages[name] |= {"done": False, "broke_the_gpu": True, "error": stages[name].get("error", broken)}
        if not stages[name]["done"] or not stages[name].get("passed", True):
            self.failed.append(name)
        write_json(self.path, self.told)
        print(f"{name}: {summary(stages[name])}", flush=True)
        if broken:
            self.start_again()

    def start_again(self) -> None:
        """After a fault in a kernel nothing more runs in this process: the other stages get a fresh one."""
        if self.building is not None:  # started anew, gsplat would compile from the beginning
            with suppress(subprocess.TimeoutExpired):
                self.building.wait(max(1.0, self.deadline - time.monotonic() - SPEED_S))
        words = [*self.words, "--seconds", str(self.deadline - time.monotonic())]
        os.execv(sys.executable, [sys.executable, __file__, *words, *([] if AFTER_A_CRASH in words else [AFTER_A_CRASH])])


def is_broken(device: torch.device) -> str | None:
    """What a kernel did that ended the GPU's work for this process."""
    try:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except RuntimeError as e:
        return f"{type(e).__name__}: {e}"
    return None


def summary(stage: Mapping[str, Any]) -> str:
    """A stage in a line."""
    if not stage["done"]:
        return stage["error"].splitlines()[0]
    rest = {k: v for k, v in stage.items() if k not in ("done", "seconds", "cases", "jobs", "kernels", "profile")}
    jobs = {name: f"{job['ms']} ms" for name, job in stage.get("jobs", {}).items()}
    return ", ".join(f"{k} {v}" for k, v in {**rest, **jobs}.items()) or "done"


# ------------------------------------------------------------------------------------------------ kernels alone
def build(sitting: Sitting) -> dict[str, Any]:
    """Every kernel compiled and loaded; registers, local and shared memory of each."""
    told = {}
    for path in sorted(nvrtc.sources().glob("*.cu")):
        started = time.perf_counter()
        loaded: Any = kernels(path.name, sitting.device)
        row: dict[str, Any] = {"seconds": round(time.perf_counter() - started, 2)}
        for name in re.findall(r"__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(", path.read_text("utf-8")):
            if sitting.device.type == "cuda":
                attributes = loaded.load(name).attributes
                row[name] = {k: getattr(attributes, k) for k in ("num_regs", "local_size_bytes", "shared_size_bytes")}
        told[path.name] = row
    return {"sources": len(told), "kernels": told}


def order(sitting: Sitting) -> dict[str, Any]:
    """Prefix sum and sort against torch's, in value and in time."""
    n, device = sitting.sizes.pairs, sitting.device
    generator = torch.Generator().manual_seed(0)
    keys = torch.randint(0, 2**31 - 1, (n,), generator=generator, dtype=torch.int32).to(device)
    few, counts = keys % 8160, keys % 7  # as many as there are tiles at 1080p
    cases = {}
    for label, given, bits in (("32 bits", keys, 32), ("13 bits", few, 13), ("all equal", torch.zeros_like(keys), 32)):
        wanted, order = torch.sort(given, stable=True)
        got, places = sort_pairs(given, None, bits)
        cases[label] = bool(torch.equal(got, wanted) and torch.equal(places.long(), order))
    offsets, total = exclusive_scan(counts)
    sums = torch.cumsum(counts, 0)
    cases["prefix sum"] = bool(torch.equal(offsets, sums - counts) and total[0] == sums[-1])
    jobs = timed(sitting, {
        "sort 32 bits": partial(sort_pairs, keys, None, 32), "torch.sort 32 bits": partial(torch.sort, keys, stable=True),
        "sort 13 bits": partial(sort_pairs, few, None, 13), "prefix sum": partial(exclusive_scan, counts),
        "torch.cumsum": partial(torch.cumsum, counts, 0),
    })  # fmt: skip
    return {"passed": all(cases.values()), "pairs": n, "cases": cases, "jobs": jobs}


# ------------------------------------------------------------------------------------------------ parity
def parity(sitting: Sitting, name: str) -> dict[str, Any]:
    """Every mode and edge, broken input, and calls from many threads at once."""
    rasterize: Call = BACKENDS[name].load()
    told: dict[str, Any] = {}
    for label, scene, size, options in cases(*sitting.sizes.parity, sitting.device):
        try:
            told[label] = agreement(rasterize, scene, size, options)
        except (SpatialwmError, RuntimeError) as e:
            told[label] = {"passed": False, "error": f"{type(e).__name__}: {e}"[:600]}
    for label, refused in refusals(rasterize, sitting.device).items():
        told[label] = {"passed": refused}
    scene = scene_of(sitting.device, *sitting.sizes.parity)
    alone = rasterize(*scene, *sitting.sizes.parity[1:])[0]
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(rasterize, *scene, *sitting.sizes.parity[1:]) for _ in range(100 if alone.is_cuda else 8)]
        told["threads at once"] = {"passed": all(torch.equal(c.result()[0], alone) for c in calls)}
    wrong = [label for label, case in told.items() if not case["passed"]]
    return {"passed": not wrong, "cases_passed": f"{len(told) - len(wrong)} of {len(told)}", "wrong": wrong, "cases": told}


@torch.no_grad()
def picture(sitting: Sitting, name: str, n: int) -> dict[str, Any]:
    """The image of a larger scene against the reference."""
    size = sitting.sizes.picture_size
    scene = scene_of(sitting.device, n, *size)
    wanted = oracle(*(t.double() for t in scene), *size)[0]
    rasterize: Call = BACKENDS[name].load()
    db = decibels(rasterize(*scene, *size)[0], wanted)
    return {"passed": db >= MIN_DB, "image_db": db}


# ------------------------------------------------------------------------------------------------ speed
def timed(sitting: Sitting, jobs: Mapping[str, Job]) -> dict[str, dict[str, Any]]:
    """Median ms of jobs that take turns, by events on the GPU; its memory above what was there before."""
    on_gpu = sitting.device.type == "cuda"

    def once(job: Job) -> float:
        if not on_gpu:
            started = time.perf_counter()
            job()
            return (time.perf_counter() - started) * 1e3
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        start.record()
        job()
        end.record()
        end.synchronize()
        return start.elapsed_time(end)

    told: dict[str, dict[str, Any]] = {}
    warm: dict[str, float] = {}
    for name, job in jobs.items():
        try:
            once(job)
            before = torch.cuda.memory_allocated() if on_gpu else 0
            if on_gpu:
                torch.cuda.reset_peak_memory_stats()
            warm[name] = once(job)
            told[name] = {"memory_mb": round((torch.cuda.max_memory_allocated() - before) / 2**20)} if on_gpu else {}
        except (SpatialwmError, RuntimeError) as e:  # an out-of-memory among them
            told[name] = {"ms": None, "error": f"{type(e).__name__}: {e}"[:600]}
    low, high = sitting.sizes.runs
    runs: dict[str, list[float]] = {name: [] for name in warm}
    for turn in range(high):
        for name, took in warm.items():
            if turn < max(low, 1500 / max(took, 1e-3)):
                runs[name].append(once(jobs[name]))
    for name, took in runs.items():
        told[name] |= {"ms": round(statistics.median(took), 3), "ms_min": round(min(took), 3), "runs": len(took)}
    return told


def contestants(backends: Sequence[str]) -> dict[str, Callable[..., Tensor]]:
    """Calls that give an image; gsplat directly, in both its manners, without our checks around it."""
    made: dict[str, Callable[..., Tensor]] = {}
    for name in backends:
        if name == "gsplat":
            call: Call = import_module("gsplat").rasterization
            made["gsplat packed"] = partial(image_of, call, packed=True)
            made["gsplat unpacked"] = partial(image_of, call, packed=False)
        else:
            made[name] = partial(image_of, BACKENDS[name].load())
    return made


def image_of(call: Call, *arguments: Any, **options: Any) -> Tensor:
    """The first of what a rasterizer gives."""
    return call(*arguments, **options)[0]


def camera_for(name: str, scene: Sequence[Tensor]) -> list[Tensor]:
    """Ours checks cameras in main memory; gsplat wants them on the GPU."""
    return [t.cpu() for t in scene[5:7]] if name == "cuda" else list(scene[5:7])


def speed(sitting: Sitting, n: int, sh_degree: int | None) -> dict[str, Any]:
    """Forward, and forward with the gradients of all that describes a Gaussian."""
    width, height = sitting.sizes.size
    scene = scene_of(sitting.device, n, width, height)
    options: dict[str, Any] = {}
    if sh_degree is not None:
        rest = torch.randn(n, (sh_degree + 1) ** 2 - 1, 3, generator=torch.Generator().manual_seed(2)).to(sitting.device)
        scene[4] = torch.cat([rgb_to_dc(scene[4])[:, None], 0.1 * rest], dim=1)
        options["sh_degree"] = sh_degree
    inputs = [t.clone().requires_grad_() for t in scene[:5]]
    upstream = torch.randn(1, height, width, 3, generator=torch.Generator().manual_seed(0)).to(sitting.device)
    jobs: dict[str, Job] = {}
    for name, call in contestants(sitting.backends).items():
        camera = camera_for(name, scene)

        @torch.no_grad()
        def forward(call: Callable[..., Tensor] = call, camera: list[Tensor] = camera) -> None:
            call(*scene[:5], *camera, width, height, **options)

        def both(call: Callable[..., Tensor] = call, camera: list[Tensor] = camera) -> None:
            torch.autograd.grad(call(*inputs, *camera, width, height, **options), inputs, upstream)

        jobs |= {f"{name} forward": forward, f"{name} forward+backward": both}
    told = timed(sitting, jobs)
    return {"splats": n, "size": [width, height], "sh_degree": sh_degree, **times_faster(told), "jobs": told}


def times_faster(jobs: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """How many times faster ours is than the faster manner of gsplat."""
    told = {}
    for passes in ("forward", "forward+backward"):
        theirs = [j["ms"] for n, j in jobs.items() if n.startswith("gsplat") and n.endswith(f" {passes}") and j["ms"]]
        ours = jobs.get(f"cuda {passes}", {}).get("ms")
        if theirs and ours:
            told[f"{passes} times faster"] = round(min(theirs) / ours, 2)
    return told


def training(sitting: Sitting) -> dict[str, Any]:
    """A step with SH of degree 3 by each backend with our loss and Adam, by gsplat with torch's as well; loss and Adam alone."""
    width, height = sitting.sizes.size
    scene = scene_of(sitting.device, sitting.sizes.training_splats, width, height)
    coefficients = torch.cat([rgb_to_dc(scene[4])[:, None], torch.zeros(len(scene[4]), 15, 3, device=sitting.device)], dim=1)
    target = torch.rand(1, height, width, 3, generator=torch.Generator().manual_seed(3)).to(sitting.device)
    start = [scene[0], scene[1], torch.log(scene[2]), torch.logit(scene[3]), coefficients]

    def step_of(name: str, call: Callable[..., Tensor], loss: Callable[..., Tensor], optimizer: Callable[..., Any]) -> Job:
        parameters = [t.clone().requires_grad_() for t in start]
        groups = [{"params": [p], "lr": lr} for p, lr in zip(parameters, LEARNING_RATES, strict=True)]
        made, camera = optimizer(groups, eps=1e-15), camera_for(name, scene)

        def step() -> None:
            means, quats, log_scales, logits, sh = parameters
            physical = (means, quats, torch.exp(log_scales), torch.sigmoid(logits), sh)
            loss(call(*physical, *camera, width, height, sh_degree=3), target).backward()
            made.step()
            made.zero_grad(set_to_none=True)

        return step

    def plain(image: Tensor, wanted: Tensor) -> Tensor:
        return torch_loss(image, wanted, 0.8, 0.2, 0)

    jobs: dict[str, Job] = {}
    for name, call in contestants(sitting.backends).items():
        jobs[f"step, {name}"] = step_of(name, call, photometric_loss, Adam)
        if name.startswith("gsplat"):
            jobs[f"step, {name}, loss and Adam by torch"] = step_of(name, call, plain, partial(torch.optim.Adam, fused=True))
    image = torch.rand_like(target).requires_grad_()
    for label, loss in (("ours", photometric_loss), ("torch", plain)):
        jobs[f"L1+SSIM, {label}"] = lambda loss=loss: torch.autograd.grad(loss(image, target), image)
    for label, optimizer in (("ours", Adam), ("torch", partial(torch.optim.Adam, fused=True))):
        parameters = [t.clone().requires_grad_() for t in start]
        for p in parameters:
            p.grad = torch.randn_like(p)
        jobs[f"Adam, {label}"] = optimizer(parameters).step
    return {"splats": len(scene[0]), "size": [width, height], "jobs": timed(sitting, jobs)}


def profile(sitting: Sitting, name: str) -> dict[str, Any]:
    """Which kernels of a forward and backward take how long."""
    width, height = sitting.sizes.size
    scene = scene_of(sitting.device, sitting.sizes.training_splats, width, height)
    inputs = [t.clone().requires_grad_() for t in scene[:5]]
    call, camera = next(iter(contestants([name]).values())), camera_for(name, scene)

    def both() -> None:
        torch.autograd.grad(call(*inputs, *camera, width, height).sum(), inputs)

    both()
    kinds = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=kinds[: 1 + (sitting.device.type == "cuda")]) as seen:
        both()
        if sitting.device.type == "cuda":
            torch.cuda.synchronize()
    rows = []
    for event in seen.key_averages():
        took = getattr(event, "self_device_time_total", 0) if sitting.device.type == "cuda" else event.self_cpu_time_total
        if took > 0:
            rows.append({"name": event.key[:100], "calls": event.count, "us": round(took, 1)})
    return {"profile": sorted(rows, key=lambda row: -row["us"])[:40]}


# ------------------------------------------------------------------------------------------------ gsplat
def start_building_gsplat(device: torch.device) -> tuple[subprocess.Popen[str], Path]:
    """gsplat compiles itself when first imported: in a process of its own, while the GPU is busy with parity."""
    major, minor = torch.cuda.get_device_capability(device)
    os.environ.setdefault("TORCH_CUDA_ARCH_LIST", f"{major}.{minor}")  # else for every architecture: many times as long
    os.environ.setdefault("MAX_JOBS", str(os.cpu_count() or 4))
    code = "from gsplat.cuda._backend import _C; assert _C is not None, 'gsplat could not be compiled'"
    with tempfile.NamedTemporaryFile("w", suffix=".log", delete=False) as log:
        return subprocess.Popen([sys.executable, "-c", code], stdout=log, stderr=subprocess.STDOUT, text=True), Path(log.name)


def wait_for_gsplat(sitting: Sitting) -> dict[str, Any]:
    """Drops gsplat from the race where it does not get ready."""
    if sitting.building is None:
        return {"note": "not asked for"}
    left = max(1.0, sitting.deadline - time.monotonic() - SPEED_S)
    try:
        code = sitting.building.wait(left)
    except subprocess.TimeoutExpired:
        sitting.building.kill()
        code = -1
    if code != 0:
        sitting.backends = tuple(b for b in sitting.backends if b != "gsplat")
        log = sitting.build_log.read_text(errors="replace")[-3000:] if sitting.build_log else ""
        raise SpatialwmError(f"gsplat did not get ready (exit {code}); without it there is nothing to compare with\n{log}")
    return {"version": installed("gsplat")}


def gsplat_main(sitting: Sitting, path: Path, words: Sequence[str]) -> dict[str, Any]:
    """The speed tables once more, with the gsplat found at a path, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(path), *sys.path[1:]])}
        command = [sys.executable, __file__, *words, "--stages", "speed", "--out", folder]
        subprocess.run(command, env=environment, check=True, timeout=max(1.0, sitting.deadline - time.monotonic()))
        (file,) = Path(folder).glob("*.json")
        return {"path": path.name, "stages": json.loads(file.read_text())["stages"]}


def installed(package: str) -> str | None:
    """Its version."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


# ------------------------------------------------------------------------------------------------ the call
def describe(commit: str | None) -> dict[str, Any]:
    """Machine, driver and versions."""
    machine = describe_machine()
    machine["commit"] = commit or machine["commit"]
    machine["torch_cuda"] = torch.version.cuda
    machine["versions"] |= {p: v for p in ("cuda-bindings", "nvidia-cuda-nvrtc") if (v := installed(p))}
    if torch.cuda.is_available() and shutil.which("nvidia-smi"):
        asked = "name,driver_version,memory.total,clocks.max.sm,power.limit"
        done = subprocess.run(["nvidia-smi", f"--query-gpu={asked}", "--format=csv,noheader"], capture_output=True, text=True)
        machine["nvidia_smi"] = done.stdout.strip().splitlines()
    return machine


@contextmanager
def sitting_of(args: argparse.Namespace) -> Iterator[Sitting]:
    """Ready to run, with what earlier calls found."""
    device = torch.device(args.device)
    machine = describe(args.commit)
    gpu = re.sub(r"[^a-z0-9]+", "-", (machine["gpu"] or device.type).lower()).strip("-")
    path = args.out / f"gpu-{gpu}-{(machine['commit'] or 'unknown').replace('+', '-')}.json"
    told: dict[str, Any] = {"schema": SCHEMA, "machine": machine, "sizes": args.sizes, "stages": {}}
    if path.is_file() and "changes" not in path.name:
        before = json.loads(path.read_text())
        if before["schema"] == SCHEMA and before["sizes"] == args.sizes:
            told["stages"] = before["stages"]
    args.out.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + args.seconds
    made = Sitting(device, tuple(args.backends), SIZES[args.sizes], path, deadline, told, tuple(args.words))
    print(headline(machine), flush=True)
    if "gsplat" in made.backends and device.type == "cuda":
        made.building, made.build_log = start_building_gsplat(device)
    try:
        yield made
    finally:
        if made.building is not None and made.building.poll() is None:
            made.building.kill()


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """The words of the command line, checked against this machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", default=",".join(NEED_A_GPU), help="cuda, gsplat, cpu, reference; separated by commas")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", choices=sorted(SIZES), default="full")
    parser.add_argument("--stages", help="only these, separated by commas: " + ", ".join(STAGES))
    parser.add_argument("--seconds", type=float, default=540, help="no stage begins later than this")
    parser.add_argument("--commit", help="where git cannot tell")
    parser.add_argument("--gsplat-main", type=Path, metavar="PATH")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument(AFTER_A_CRASH, action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    args.words = sys.argv[1:] if argv is None else list(argv)
    args.backends = args.backends.split(",")
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        parser.exit(2, "torch sees no GPU: nothing was measured; to rehearse: --backends cpu --device cpu --sizes tiny\n")
    wanted = [b for b in args.backends if not (b in NEED_A_GPU and runs_on(torch.device(args.device)) and args.device == "cpu")]
    for name in wanted:
        missing = BACKENDS[name].missing() if name in BACKENDS else "there is no such backend"
        if missing is not None:
            print(f"{name} is left out: {missing}", flush=True)
            args.backends.remove(name)
    if not args.backends:
        parser.exit(2, "no backend can run here: nothing was measured\n")
    args.stages = args.stages.split(",") if args.stages else list(STAGES)
    unknown = set(args.stages) - set(STAGES)
    if unknown:
        parser.error(f"no stage {', '.join(sorted(unknown))}; choose from {', '.join(STAGES)}")
    return args


STAGES = ("build", "order", "parity", "gsplat", "speed", "training", "profile", "pictures")


def main(argv: Sequence[str] | None = None) -> int:
    """0 where every stage ran and agreed with the reference."""
    args = parsed(argv)
    with sitting_of(args) as sitting:
        sizes, ours = sitting.sizes, "cuda" in sitting.backends
        if ours and "build" in args.stages:
            sitting.run("build", partial(build, sitting))
        if ours and "order" in args.stages:
            sitting.run("order", partial(order, sitting))
        if "parity" in args.stages:
            for name in (b for b in sitting.backends if b not in ("reference", "gsplat")):
                sitting.run(f"parity {name}", partial(parity, sitting, name))
        if "gsplat" in sitting.backends and sitting.building is not None:
            sitting.run("gsplat", partial(wait_for_gsplat, sitting))
        if "speed" in args.stages:
            for n in sizes.splats:
                sitting.run(f"speed {n}", partial(speed, sitting, n, None))
            sitting.run(f"speed {sizes.training_splats} SH3", partial(speed, sitting, sizes.training_splats, 3))
        if "training" in args.stages:
            sitting.run("training", partial(training, sitting))
        for name in sitting.backends:
            if "profile" in args.stages and name != "reference":
                sitting.run(f"profile {name}", partial(profile, sitting, name))
        if "gsplat" in sitting.backends and "parity" in args.stages:
            sitting.run("parity gsplat", partial(parity, sitting, "gsplat"))
        for name in (b for b in sitting.backends if b != "reference"):
            for n in sizes.pictures if "pictures" in args.stages else ():
                sitting.run(f"picture {name} {n}", partial(picture, sitting, name, n))
        if args.gsplat_main:
            words = ["--backends", ",".join(args.backends), "--device", args.device, "--sizes", args.sizes]
            sitting.run("gsplat main", partial(gsplat_main, sitting, args.gsplat_main, words))
        write_json(sitting.path, sitting.told)
        print(f"{sitting.path}" + (f"; not as it should be: {', '.join(sitting.failed)}" if sitting.failed else ""))
        return 1 if sitting.failed else 0


if __name__ == "__main__":
    sys.exit(main())
