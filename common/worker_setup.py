"""What a worker does before its first item, in its own process and perhaps on another machine."""

import pickle
from collections.abc import Callable
from typing import Any

from common.errors import RequestError
from common.output_folder import installed_versions

_ADVICE = "pip install -r requirements.txt -r requirements-cluster.txt there, or leave that machine out."


def do_nothing(given: object) -> None:
    """Prepare a worker that needs no preparation; say nothing."""


def open_order(
    prepare: bytes, work: bytes, versions: dict[str, str | None], machine: str
) -> tuple[Any, Callable[[Any, Any], Any]]:
    """Prepare this process, unpickle (build, function) and return (what build returns, function).

    prepare: pickled callable (), which comes first: unpickling imports what may have to be set up before. Raises
    RequestError, which names the machine, where its packages are others than those of `versions`.
    """
    here = installed_versions()
    for package, version in versions.items():
        if here[package] != version:
            got = f"{here[package]} instead" if here[package] else "none"
            raise RequestError(f"{machine} should have {package} {version}, as the driver has. Got {got}: {_ADVICE}")
    try:
        pickle.loads(prepare)()
        build, function = pickle.loads(work)
        return build(), function
    except ModuleNotFoundError as error:
        raise RequestError(f"{machine} should have the module {error.name}, as the driver has: {_ADVICE}") from error
