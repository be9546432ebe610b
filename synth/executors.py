"""Where pieces of work are done: one after the other in this process, or by several at once."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from synth.options import WorkOptions

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")


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


@contextmanager
def open_executor(work: WorkOptions, threads: int, report: Callable[[str], object]) -> Iterator[Executor]:
    """Yield what does the work: this process, or workers on Ray that compute in so many threads each.

    Raises RequestError where the cluster can't be joined, or has no room for the workers.
    """
    if not work.is_shared:
        yield SerialExecutor()
        return
    from synth.ray_executor import join_ray  # not before it is asked for: Ray is large, and optional

    with join_ray(work, threads, report) as executor:
        yield executor
