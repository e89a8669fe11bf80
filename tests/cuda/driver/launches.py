"""Run by ``test_launch.py`` with a stand-in for the driver; torch, built without CUDA, is told what it would say with a GPU."""

import faulthandler
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import torch

faulthandler.dump_traceback_later(90, exit=True)
torch.cuda.is_available = lambda: True
torch.cuda.get_device_capability = lambda device=None: (9, 0)
torch.cuda.get_device_name = lambda device=None: "Stand-in"
torch.cuda.device = lambda device: nullcontext()
torch.cuda.current_device = lambda: 0
torch.cuda.current_stream = lambda device=None: SimpleNamespace(cuda_stream=stream)
stream = 0x1234

from spatialwm import doctor  # noqa: E402
from spatialwm.errors import SpatialwmError  # noqa: E402
from spatialwm.render.cuda import device  # noqa: E402


class OnGpu(torch.Tensor):
    """A tensor that says it lies on the GPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    device = torch.device("cuda", 0)


kernels = device.kernels("sort.cu", torch.device("cuda"))
assert kernels is device.kernels("sort.cu", torch.device("cuda", 0))
tensor = torch.zeros(3).as_subclass(OnGpu)
print(f"address {tensor.data_ptr():x}", flush=True)
kernels.launch("f", (5, 2, 1), 256, tensor, -5, 0.25, np.int64(2**40))
stream = 0
kernels.launch("f", 7, (16, 16, 1), None, 5, 0.5, np.int64(1))
thread = threading.Thread(target=kernels.launch, args=("f", 8, 32, None, 6, 1.5, np.int64(2)))
thread.start()
thread.join()
for refused in (("absent", 7, 1), ("f", 0, 256, None, 1, 1.0, np.int64(1)), ("f", 1, 1, torch.zeros(1), 1, 1.0, np.int64(1))):
    try:
        kernels.launch(*refused)
    except SpatialwmError as e:
        print("refused:", " ".join(str(e).split()), flush=True)
print(next(row.found for row in doctor.examine() if row.name == "render cuda"), flush=True)
