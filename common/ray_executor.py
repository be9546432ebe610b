"""Work that is shared among processes, here or on other machines: actors of Ray that are built once and take items.

Of Ray no more than this is used. Ray Data would choose files and their order itself; Ray Train sets
TF_USE_LEGACY_KERAS=1 in its workers. This process alone writes files, so that the machines need no common disk.
"""

import importlib.abc
import os
import signal
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from common.errors import RequestError, RunError, describe_cause
from common.output_folder import installed_versions
from common.run_options import WorkOptions
from common.worker_setup import do_nothing

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("common", "real", "synth", "evaluation", "models", "tasks")  # whose sources the workers are given
_QUEUED = 2  # items at a worker: the one that it works on, and the next
_TRIES = 3  # of an item whose workers die
_BEAT = 60.0  # seconds without any result, after which it is said that workers are waited for
_CONNECT_SECONDS = 5
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
_QUIET |= {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_enable_metrics_collection": "0"}


@contextmanager
def join_ray(
    work: WorkOptions, threads: int, report: Callable[[str], object], prepare: Callable[[int], object]
) -> Iterator["RayExecutor"]:
    """Start Ray on this machine, or join the cluster of --cluster, and yield an executor; leave it at the end.

    Where this process is connected to Ray already, as in a notebook, that is used and left as it is. prepare: as of
    common.executors.open_executor.
    """
    ray = _import_ray()
    begun_here = not ray.is_initialized()
    if begun_here:
        _connect(ray, work, threads)
    try:
        nodes = [node for node in ray.nodes() if node["Alive"]]
        workers, gpus = choose_workers(nodes, work, threads)
        yield RayExecutor(workers, threads, report, prepare, gpus=gpus)
    finally:
        if begun_here:
            ray.shutdown()


def _import_ray() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    return ray


def _connect(ray: Any, work: WorkOptions, threads: int) -> None:
    """Connect this process; RequestError where that can't be. Its signals stay what they were."""
    address = work.cluster
    if address not in (None, "auto"):
        check_address(address)
    here = {"address": "local", "num_cpus": (work.workers or 1) * threads, "include_dashboard": False}
    place = {"address": address} if address else here
    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**place, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:  # nothing there, or of other versions
        where = f"--cluster {address} can't be joined." if address else "Ray could not be started on this machine."
        raise RequestError(f"{where} {describe_cause(error)}") from error
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, handler)


def check_address(address: str) -> None:
    """Raise RequestError where nobody answers at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        advice = "It should be the address that ray start has named."
        raise RequestError(f"--cluster {address} can't be reached. {advice} {describe_cause(error)}") from error


def choose_workers(nodes: list[dict[str, Any]], work: WorkOptions, threads: int) -> tuple[int, int]:
    """Return the number of workers, and how many GPUs each has to itself: one, where the machines have any.

    nodes: the machines that are alive, as ray.nodes() lists them. RequestError where there is no room for so many.
    """
    gpus = int(any(node["Resources"].get("GPU") for node in nodes))
    room = sum(_count_room(node["Resources"], threads, gpus) for node in nodes)
    workers = work.workers or room
    if not 0 < workers <= room:
        there = ", ".join(_describe_node(node) for node in nodes)
        raise RequestError(
            f"--workers should be at most {room}, as many as there is room for with {threads} threads "
            f"{'and a GPU ' * gpus}each ({there:.200}). Got {workers} instead."
        )
    return workers, gpus


def _count_room(resources: dict[str, float], threads: int, gpus: int) -> int:
    """Return how many workers a machine has room for."""
    cores = int(resources.get("CPU", 0)) // threads
    return min(cores, int(resources.get("GPU", 0))) if gpus else cores


def _describe_node(node: dict[str, Any]) -> str:
    cores, gpus = (node["Resources"].get(name, 0) for name in ("CPU", "GPU"))
    return f"{node['NodeManagerHostname']}: {cores:g} cores" + (f", {gpus:g} GPUs" if gpus else "")


class RayExecutor:
    """Actors of Ray Core, each in a process of its own that computes in so many threads.

    A worker that dies is replaced, and its items are done again, _TRIES times at most. What a worker raises ends the
    work at once.
    """

    is_remote = True

    def __init__(
        self,
        workers: int,
        threads: int,
        report: Callable[[str], object],
        prepare: Callable[[int], object] = do_nothing,
        *,
        gpus: int = 0,
    ) -> None:
        self.workers, self.threads, self.gpus = workers, threads, gpus
        self._report = report
        self._prepare = prepare

    def map(
        self, build: Callable[[], State], function: Callable[[State, Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """Yield function(state, item) of every item, as common.executors.Executor says."""
        import ray

        versions = {name: version for name, version in installed_versions().items() if name != "python"}
        prepare, work = (
            ray.cloudpickle.dumps(part) for part in (partial(self._prepare, self.threads), (build, function))
        )
        order = ray.put((_pack_sources(), prepare, work, versions))
        place = {"num_cpus": self.threads, "num_gpus": self.gpus}
        crew = _Crew(self.workers, lambda: _define_worker(ray).options(**place).remote(order))
        try:
            yield from self._work(ray, crew, iter(items))
        finally:
            for worker in crew.members:
                ray.kill(worker)

    def _work(self, ray: Any, crew: "_Crew", items: Iterator[Any]) -> Iterator[Any]:
        again: deque[tuple[Any, int]] = deque()
        running: dict[Any, tuple[Any, Any, int]] = {}  # {reference: (worker, item, how often it was tried)}
        while True:
            while crew.has_room():
                item, tries = again.popleft() if again else (next(items, _NONE), 0)
                if item is _NONE:
                    break
                worker = crew.take()
                running[worker.work.remote(ray.cloudpickle.dumps(item))] = (worker, item, tries + 1)
            if not running:
                return
            done, _ = ray.wait(list(running), timeout=_BEAT)
            if not done:
                self._report(f"note: no result for a minute, from {len(crew.members)} workers: waiting")
            for reference in done:
                worker, item, tries = running.pop(reference)
                crew.give_back(worker)
                try:
                    result = ray.get(reference)
                except ray.exceptions.RayTaskError as error:
                    raise (error.cause or error) from error
                except ray.exceptions.RayError as error:
                    crew.dismiss(worker)
                    if tries == _TRIES:
                        raise RunError(
                            f"{tries} workers died of the same work. {describe_cause(error)} Is their memory full?"
                        ) from error
                    self._report("note: a worker has died. Its work is done again by another one")
                    again.append((item, tries))
                    continue
                yield result


_NONE = object()  # no item is left


class _Crew:
    """The workers that live, and how many items each has."""

    def __init__(self, size: int, hire: Callable[[], Any]) -> None:
        self._size, self._hire = size, hire
        self._items: Counter[Any] = Counter()
        self.members: list[Any] = []

    def has_room(self) -> bool:
        """Whether a worker can take an item."""
        return len(self.members) < self._size or any(self._items[member] < _QUEUED for member in self.members)

    def take(self) -> Any:
        """Return the worker with the fewest items, which has one more now: a new one while there are too few."""
        if len(self.members) < self._size and all(self._items[member] for member in self.members):
            self.members.append(self._hire())
        worker = min(self.members, key=self._items.__getitem__)
        self._items[worker] += 1
        return worker

    def give_back(self, worker: Any) -> None:
        """Count an item less."""
        self._items[worker] -= 1

    def dismiss(self, worker: Any) -> None:
        """Forget a worker that has died; its other items come back as it did."""
        if worker in self.members:
            self.members.remove(worker)


def _pack_sources() -> dict[str, tuple[str, str]]:
    """Return the project's sources, {module: (path, text)}: other machines may have none, or others."""
    found = {}
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            place = path.parent if path.stem == "__init__" else path.with_suffix("")
            found[".".join(place.relative_to(_ROOT).parts)] = (str(path), path.read_text(encoding="utf-8"))
    return found


def _define_worker(ray: Any) -> Any:
    """Return the actor's class: defined in a function it is sent as it is, where a module would have to be there.

    Items reach it pickled: what they are made of can be imported once it has the sources.
    """

    class Sources(importlib.abc.ExecutionLoader):
        """Imports the driver's modules from memory, so that no file is left behind by a worker that is killed."""

        def __init__(self, sources: dict[str, tuple[str, str]]) -> None:
            self._sources = sources

        def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
            import importlib.util

            return importlib.util.spec_from_loader(name, self) if name in self._sources else None

        def is_package(self, name: str) -> bool:
            return self._sources[name][0].endswith("__init__.py")

        def get_filename(self, name: str) -> str:
            return self._sources[name][0]

        def get_source(self, name: str) -> str:
            return self._sources[name][1]

    @ray.remote(max_restarts=0, max_task_retries=0)
    class Worker:
        """Does the items that it is given, after it has built what it needs for them."""

        def __init__(self, order: Any) -> None:
            self._order = order
            self._ready: tuple[Any, Any] | None = None

        def work(self, item: bytes) -> Any:
            import pickle

            if self._ready is None:
                self._ready = self._open_order()
            state, function = self._ready
            return function(state, pickle.loads(item))

        def _open_order(self) -> tuple[Any, Any]:
            import platform
            import sys

            sources, prepare, work, versions = self._order
            sys.meta_path.insert(0, Sources(sources))  # type: ignore[arg-type]
            from common.worker_setup import open_order

            return open_order(prepare, work, versions, platform.node())

    return Worker
