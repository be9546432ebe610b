"""Where pieces of work are done: one after the other in this process, or by several at once."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar

from common.cores import count_cores
from common.errors import RequestError
from common.memory import read_free_memory
from common.run_options import WorkOptions
from common.tf_config import read_tf_config
from common.worker_setup import do_nothing

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")

_WORKER_BYTES = 900_000_000  # that one with TensorFlow takes, at most, with small networks


class Executor(Protocol):
    """Does pieces of work."""

    @property
    def is_remote(self) -> bool:
        """Whether it is done in other processes, to which what is given has to be pickled."""
        ...

    def map(
        self, build: Callable[[], State], function: Callable[[State, Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """Yield function(state, item) of every item as they are finished, in any order.

        build: callable () -> state, called once by each worker, before its first item. What they raise is raised here.
        """
        ...


@dataclass(frozen=True)
class SerialExecutor:
    """Does one piece of work after the other, in this process and in the items' order."""

    is_remote: bool = False

    def map(
        self, build: Callable[[], State], function: Callable[[State, Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """Yield function(state, item) of every item, as Executor says."""
        state: Any = None
        for number, item in enumerate(items):
            state = state if number else build()
            yield function(state, item)


def check_work(work: WorkOptions) -> None:
    """Raise RequestError for options of sharing that can't be followed, before anything is imported or started."""
    hosts, _ = read_tf_config()
    if hosts and work.is_shared:
        raise RequestError(
            "--workers and --cluster are for one driver, TF_CONFIG is for hosts that each run the command: take one of "
            "the two."
        )
    if work.gpus and work.is_shared:
        raise RequestError("--gpus are those of one process, and each worker has one: leave it out with workers.")
    if work.cluster not in (None, "auto"):
        found = re.fullmatch(r"([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})", work.cluster)
        if not found or not 0 < int(found[2]) < 65536:
            raise RequestError(
                f"--cluster should be auto or HOST:PORT, of ray start. Got {work.cluster!r:.80} instead."
            )
    if work.is_shared and not find_spec("ray"):
        raise RequestError("--workers and --cluster need the package ray: pip install -r requirements-cluster.txt")


def choose_threads(work: WorkOptions) -> int:
    """Return how many threads each process computes in where the run was not begun with a number: the cores' share."""
    return work.threads or max(1, count_cores() // (work.workers or 1))


def describe_work(work: WorkOptions, threads: int) -> dict[str, str]:
    """Return what a plan says of the processes or GPUs that share the work, {heading: text}; nothing of one alone."""
    if not work.is_shared:
        return {"GPUs": f"{work.gpus}, which share every batch"} if (work.gpus or 1) > 1 else {}
    workers = f"{work.workers} workers" if work.workers else "as many workers as there is room for"
    place = f"on the cluster {work.cluster}" if work.cluster else "on this machine"
    return {"workers": f"{workers} {place}, {threads} thread{'s' * (threads > 1)} each"}


def list_notes(work: WorkOptions, threads: int) -> list[str]:
    """Return what is said of workers on this machine that are more than its cores or its free memory are made for."""
    if work.cluster or not work.is_shared:
        return []
    workers, notes = work.workers or 1, []
    if workers * threads > max(threads, count_cores()):
        notes.append(f"note: {workers} workers of {threads} threads each share {count_cores()} cores")
    free = read_free_memory()
    if free is not None and workers * _WORKER_BYTES > free:
        notes.append(
            f"note: {workers} workers may take {workers * _WORKER_BYTES / 1e9:.1f} GB of memory. {free / 1e9:.1f} GB "
            "are free: fewer are safer"
        )
    return notes


@contextmanager
def open_executor(
    work: WorkOptions,
    threads: int,
    report: Callable[[str], object],
    prepare: Callable[[int], object] = do_nothing,
) -> Iterator[Executor]:
    """Yield what does the work: this process, or workers on Ray that compute in so many threads each.

    prepare: callable (threads), called once in the process of each worker, before what it works with is unpickled.
    Raises RequestError where the cluster can't be joined, or has no room for the workers.
    """
    if not work.is_shared:
        yield SerialExecutor()
        return
    from common.ray_executor import join_ray  # not before it is asked for: Ray is large, and optional

    with join_ray(work, threads, report, prepare) as executor:
        yield executor
