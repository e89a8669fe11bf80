"""Where episodes are made: here, on all cores, or on a Ray cluster; callers see one way to hand work out."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from spatialwm.errors import DataError, MissingDependencyError

Result = Callable[[], Any]
"""Waits for what was handed out, and gives it or raises what it raised."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Somewhere to work."""

    submit: Callable[..., Result]
    """``submit(function, *arguments)``; all of them picklable."""
    ahead: int
    """How many may be under way at once; more would fill memory with results that wait for their turn."""


@contextmanager
def open_pool(workers: int, cluster: str | None = None) -> Iterator[Pool]:
    """Somewhere to work, until the block ends; what is under way then is dropped.

    Args:
        workers: processes; 1 works in this one.
        cluster: None for this machine; else a Ray address: ``local`` starts Ray here, ``auto`` joins the cluster that this
            machine is part of, ``ray://host:10001`` a remote one.

    Raises:
        MissingDependencyError: a cluster without ray.
        DataError: the cluster cannot be reached.
    """
    if cluster is not None:
        with _ray(workers, cluster) as pool:
            yield pool
    elif workers == 1:
        yield Pool(lambda function, *arguments: lambda: function(*arguments), 1)
    else:
        # Not fork: the caller may hold threads of torch and numba, whose locks a forked child would never see released.
        executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)

        def submit(function: Callable[..., Any], *arguments: Any) -> Result:
            return _unbroken(executor.submit(function, *arguments).result)

        try:
            yield Pool(submit, 2 * workers + 2)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def _unbroken(result: Result) -> Result:
    def wait() -> Any:
        try:
            return result()
        except BrokenExecutor as error:
            mend = "try fewer workers; the same call goes on where this one stopped"
            raise DataError(f"a worker died, most likely of too little memory: {mend}") from error

    return wait


def _begin() -> None:
    """In every worker, before its first task."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent alone answers it
    import torch

    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A killed parent cannot tell its workers, and they would wait for it for ever.
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


@contextmanager
def _ray(workers: int, address: str) -> Iterator[Pool]:
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError:
        raise MissingDependencyError("ray", "ray", "generating on a cluster") from None
    mine = not ray.is_initialized()
    if mine:
        _check_answers(address)
        here = {"num_cpus": workers, "include_dashboard": False} if address == "local" else {"address": address}
        try:
            ray.init(log_to_driver=False, **here)
        except Exception as error:  # Ray raises that itself where a node does not come up
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise DataError(f"no Ray cluster answers at {address!r}: {why}") from error
    remote = ray.remote(_carried_out)

    def submit(function: Callable[..., Any], *arguments: Any) -> Result:
        reference = remote.remote(function, arguments)

        def wait() -> Any:
            try:
                return ray.get(reference)
            except ray.exceptions.RayTaskError as error:
                raise error.cause or error from None  # as a local worker would have raised it

        return wait

    try:
        yield Pool(submit, 2 * int(ray.cluster_resources().get("CPU", 1)) + 2)
    finally:
        if mine:
            ray.shutdown()


def _check_answers(address: str) -> None:
    """Knock at ``host:port`` first: Ray itself waits for minutes before it says that nobody is there."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise DataError(f"no Ray cluster answers at {address!r}: {error}") from error


def _carried_out(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return function(*arguments)
