"""What the functions that notebooks call have in common: what they take, and what they leave as it was."""

import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from common.errors import RequestError

_RUNNING = threading.RLock()


def called_with(config_class: type) -> Callable[[Callable], Callable]:
    """Return a decorator for a function of one config, which raises RequestError for a config of another class.

    In a process one call runs at a time. Afterwards the caller's random numbers (of `random` and NumPy) go on where
    they were, and the settings of Keras and Matplotlib are the caller's again.
    """

    def decorate(function: Callable) -> Callable:
        @wraps(function)
        def call(config: Any) -> Any:
            if not isinstance(config, config_class):
                wanted, got = (f"{kind.__module__}.{kind.__qualname__}" for kind in (config_class, type(config)))
                raise RequestError(f"{function.__name__} should be called with a {wanted}. Got {got} instead.")
            from common.figures import plain_text  # not at the start: --help should be quick

            with _RUNNING, _keeping_random(), _keeping_keras(), plain_text():
                return function(config)

        return call

    return decorate


@contextmanager
def _keeping_random() -> Iterator[None]:
    import numpy as np

    kept, of_numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(kept)
        np.random.set_state(of_numpy)


@contextmanager
def _keeping_keras() -> Iterator[None]:
    if "keras" not in sys.modules:
        yield
        return
    config = sys.modules["keras"].config
    names = ("floatx", "epsilon", "image_data_format", "dtype_policy")
    kept = {name: getattr(config, name)() for name in names}
    try:
        yield
    finally:
        for name, value in kept.items():
            getattr(config, f"set_{name}")(value)
