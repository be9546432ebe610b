"""Progress: a bar on a terminal and in a notebook, a line a minute where the output goes to a log."""

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from tqdm import tqdm

_INTERVAL = 60.0  # seconds from line to line: a night's log stays readable, and what takes less has none


class ProgressLines:
    """What a tqdm bar is used for here, as lines of a log: "quick: 128,000 of 320,000, 210 img/s, 15 min left".

    total: units in all, of which `initial` were done before. clock: callable () -> seconds.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        total: int,
        desc: str,
        unit: str,
        initial: int = 0,
        unit_scale: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._clock = stream, clock
        self._total, self._title, self._unit = total, desc, unit
        self._initial = self._done = initial
        self._start = self._last = clock()
        self._postfix = ""

    def __enter__(self) -> "ProgressLines":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def update(self, n: int = 1) -> None:
        """Count `n` units more, and say so where the last line is a minute old."""
        self._done += n
        now = self._clock()
        if now - self._last >= _INTERVAL:
            self._last = now
            print(self._describe(now - self._start), file=self._stream, flush=True)

    def set_postfix(self, values: dict[str, object]) -> None:
        """Have the coming lines end with the last measurements."""
        self.set_postfix_str(", ".join(f"{name} {value}" for name, value in values.items()))

    def set_postfix_str(self, text: str) -> None:
        """Have the coming lines end with a text."""
        self._postfix = text

    def close(self) -> None:
        """Say no more: what is finished is reported elsewhere."""

    def _describe(self, seconds: float) -> str:
        rate = (self._done - self._initial) / seconds
        left = _describe_duration(max(0, self._total - self._done) / rate) if rate else "unknown time"
        parts = [f"{self._done:,} of {self._total:,}", _describe_rate(rate, self._unit)]
        return f"{self._title}: " + ", ".join([*parts, f"{left} left", *filter(None, [self._postfix])])


def open_bar(*, quiet: bool = False, **options: Any) -> tqdm | ProgressLines:
    """Return a bar that shows rate and time left, or lines that do where stderr is a log; neither with `quiet`.

    options: total, desc, unit, initial and unit_scale, as of tqdm.
    """
    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(disable=quiet, **options) if watched or quiet else ProgressLines(sys.stderr, **options)


def _describe_rate(rate: float, unit: str) -> str:
    """Return units per second, or per minute or hour where that is less than one."""
    for period, seconds in (("s", 1), ("min", 60)):
        if rate * seconds >= 1:
            return f"{rate * seconds:,.{0 if rate * seconds >= 10 else 1}f} {unit}/{period}"
    return f"{rate * 3600:,.1f} {unit}/h"


def _describe_duration(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
