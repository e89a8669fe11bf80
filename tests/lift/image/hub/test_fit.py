"""Which way a network is run follows from the memory there is; when memory runs out, the next way down is taken and said."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from spatialwm.errors import LiftError
from spatialwm.lift.image.hub.fit import Device, Plan, climb, free_bytes, ladder, out_of_memory
from spatialwm.lift.image.hub.kept import Kept
from spatialwm.lift.image.hub.models import MASKS, MODELS, WORDS

LARGE = MODELS["depth-anything-v2-metric-indoor-large"]


def plenty(device: Device) -> int:
    return 10**15


def test_the_ladder_goes_from_whole_to_tiles_to_lower_resolution_to_offloading_to_the_processor() -> None:
    assert [str(plan) for plan in ladder(LARGE, ["cuda", "cpu"])] == [
        "on cuda",
        "on cuda, in float16",
        "on cuda, in float16, in 2 x 2 tiles",
        "on cuda, in float16, in 2 x 2 tiles, at 70% of its resolution",
        "on cuda, in float16, in 2 x 2 tiles, at 50% of its resolution",
        "on cuda, in float16, in 2 x 2 tiles, at 50% of its resolution, with its weights in main memory",
        "on cpu",
        "on cpu, in 2 x 2 tiles",
        "on cpu, in 2 x 2 tiles, at 70% of its resolution",
        "on cpu, in 2 x 2 tiles, at 50% of its resolution",
    ]


@pytest.mark.parametrize("model", [*MODELS.values(), MASKS, WORDS], ids=lambda m: m.name)
def test_every_step_down_needs_less_of_its_device(model) -> None:
    plans = ladder(model, ["cuda", "mps", "cpu"])
    for above, below in pairwise(plans):
        if above.device == below.device:
            assert below.memory_bytes(model) < above.memory_bytes(model)
    assert plans[-1].device == "cpu"


def test_the_first_plan_that_fits_by_its_estimate_is_run() -> None:
    first, half, tiled, *_ = ladder(LARGE, ["cuda", "cpu"])
    there = (half.memory_bytes(LARGE) + first.memory_bytes(LARGE)) // 2
    made, plan, notes = climb(LARGE, ladder(LARGE, ["cuda", "cpu"]), str, lambda device: there)
    assert (made, plan) == (str(half), half)
    assert len(notes) == 1
    assert "on cuda needs" in notes[0]
    assert climb(LARGE, [first, half, tiled], str, lambda device: None)[1] == first  # unknown memory is tried


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory."), MemoryError(), RuntimeError("MPS backend out of memory"),
              RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"),
              RuntimeError("CUDNN_STATUS_ALLOC_FAILED")], ids=str
)  # fmt: skip
def test_running_out_of_memory_is_recognised_on_every_device(error: BaseException) -> None:
    assert out_of_memory(error)


@pytest.mark.parametrize("failures", [1, 3, 6, 9])
def test_each_injected_failure_takes_one_step_down_and_is_said(failures: int) -> None:
    plans, tried = ladder(LARGE, ["cuda", "cpu"]), []

    def run(plan: Plan) -> str:
        tried.append(plan)
        if len(tried) <= failures:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return "done"

    made, plan, notes = climb(LARGE, plans, run, plenty)
    assert (made, plan) == ("done", plans[failures])
    assert tried == list(plans[: failures + 1])
    assert notes == tuple(f"{LARGE.name} {p} ran out of memory" for p in plans[:failures])


def test_when_nothing_fits_the_error_says_what_was_needed_and_what_to_choose() -> None:
    with pytest.raises(LiftError, match=r"needs \d+\.\d GB, and 0\.1 GB are free; choose a smaller model, or the embedded depth"):
        climb(LARGE, ladder(LARGE, ["cpu"]), str, lambda device: 10**8)


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    def run(plan: Plan) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        climb(LARGE, ladder(LARGE, ["cpu"]), run, plenty)


def test_a_network_is_opened_once_and_its_own_memory_does_not_push_it_down() -> None:
    opened: list[Plan] = []
    whole = ladder(LARGE, ["cpu"])[0]
    there = [whole.memory_bytes(LARGE) + 1]
    kept = Kept(LARGE, lambda plan: opened.append(plan), ["cpu"], lambda device: there[0])
    assert kept.run(lambda network, plan: plan)[0] == whole
    there[0] -= whole.weights_bytes(LARGE)  # it is open now
    assert kept.run(lambda network, plan: plan)[0] == whole
    assert opened == [whole]


def test_memory_of_this_machine_is_known() -> None:
    free = free_bytes("cpu")
    assert free is None or 10**8 < free < 10**14
