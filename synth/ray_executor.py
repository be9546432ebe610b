"""Work that is shared among processes, here or on other machines: actors of Ray that are built once and take items.

Of Ray no more than this is used. Ray Data would choose files and their order itself; Ray Train sets
TF_USE_LEGACY_KERAS=1 in its workers. This process alone writes files, so that the machines need no common disk.
"""

import io
import os
import re
import signal
import socket
import threading
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from synth.errors import RequestError, RunError, describe_cause
from synth.options import WorkOptions
from synth.output_folder import installed_versions

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("synth", "evaluation", "models", "tasks")  # whose sources the workers are given
_QUEUED = 2  # items at a worker: the one that it works on, and the next
_TRIES = 3  # of an item whose workers die
_BEAT = 60.0  # seconds without any result, after which it is said that workers are waited for
_CONNECT_SECONDS = 5
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
_QUIET |= {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_enable_metrics_collection": "0"}


@contextmanager
def join_ray(work: WorkOptions, threads: int, report: Callable[[str], object]) -> Iterator["RayExecutor"]:
    """Start Ray on this machine, or join the cluster of --cluster, and yield an executor; leave it at the end.

    Where this process is connected to Ray already, as in a notebook, that is used and left as it is.
    """
    ray = _import_ray()
    begun_here = not ray.is_initialized()
    if begun_here:
        _connect(ray, work, threads)
    try:
        workers = _choose_workers(ray, work, threads)
        yield RayExecutor(workers, threads, report)
    finally:
        if begun_here:
            ray.shutdown()


def _import_ray() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise RequestError(
            "--workers and --cluster need the package ray: pip install -r requirements-cluster.txt"
        ) from error
    return ray


def _connect(ray: Any, work: WorkOptions, threads: int) -> None:
    """Connect this process; RequestError where that can't be. Its signals stay what they were."""
    address = work.cluster
    if address not in (None, "auto"):
        _check_address(address)
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


def _check_address(address: str) -> None:
    """Raise RequestError for what is no HOST:PORT, and where nobody answers: Ray itself would try for minutes."""
    found = re.fullmatch(r"([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})", address)
    if not found or not 0 < int(found[2]) < 65536:
        raise RequestError(f"--cluster should be auto or HOST:PORT, of ray start. Got {address!r:.80} instead.")
    try:
        socket.create_connection((found[1].strip("[]"), int(found[2])), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        advice = "It should be the address that ray start has named."
        raise RequestError(f"--cluster {address} can't be reached. {advice} {describe_cause(error)}") from error


def _choose_workers(ray: Any, work: WorkOptions, threads: int) -> int:
    """Return the number of workers; RequestError where the machines have no room for so many."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    room = sum(int(node["Resources"].get("CPU", 0)) // threads for node in nodes)
    workers = work.workers or room
    if not 0 < workers <= room:
        cores = ", ".join(f"{node['NodeManagerHostname']} {node['Resources'].get('CPU', 0):g}" for node in nodes)
        raise RequestError(
            f"--workers should be at most {room}, as many as there is room for with {threads} threads each on the "
            f"machines' cores ({cores:.200}). Got {workers} instead."
        )
    return workers


class RayExecutor:
    """Actors of Ray Core, each in a process of its own that computes in so many threads.

    A worker that dies is replaced, and its items are done again, _TRIES times at most. What a worker raises ends the
    work at once.
    """

    is_remote = True

    def __init__(self, workers: int, threads: int, report: Callable[[str], object]) -> None:
        self.workers, self.threads = workers, threads
        self._report = report

    def map(
        self, build: Callable[[], State], function: Callable[[State, Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """Yield function(state, item) of every item, as synth.executors.Executor says."""
        import ray

        versions = {name: version for name, version in installed_versions().items() if name != "python"}
        order = ray.put((_pack_sources(), ray.cloudpickle.dumps((build, function)), versions))
        crew = _Crew(self.workers, lambda: _define_worker(ray).options(num_cpus=self.threads).remote(order))
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
                running[worker.work.remote(item)] = (worker, item, tries + 1)
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


def _pack_sources() -> bytes:
    """Return the project's sources as a ZIP, from which Python imports: other machines may have none, or others."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for package in _PACKAGES:
            for path in sorted((_ROOT / package).glob("*.py")):
                file.write(path, path.relative_to(_ROOT))
    return archive.getvalue()


def _define_worker(ray: Any) -> Any:
    """Return the actor's class: defined in a function it is sent as it is, where a module would have to be there."""

    @ray.remote(max_restarts=0, max_task_retries=0)
    class Worker:
        """Does the items that it is given, after it has built what it needs for them."""

        def __init__(self, order: Any) -> None:
            self._order = order
            self._ready: tuple[Any, Any] | None = None

        def work(self, item: Any) -> Any:
            if self._ready is None:
                self._ready = self._prepare()
            state, function = self._ready
            return function(state, item)

        def _prepare(self) -> tuple[Any, Any]:
            import platform
            import sys
            import tempfile

            sources, work, versions = self._order
            with tempfile.NamedTemporaryFile(suffix=".zip", delete=False) as file:
                file.write(sources)
            sys.path.insert(0, file.name)
            from synth.worker_setup import open_order

            return open_order(work, versions, platform.node())

    return Worker
