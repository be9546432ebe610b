import io
import sys

import pytest
from tqdm import tqdm

from common.progress import ProgressLines, open_bar


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


def work(seconds, updates, *, postfix=None, **options):
    """Count units of work that take `seconds` each; return the lines."""
    stream, clock = io.StringIO(), Clock()
    with ProgressLines(stream, clock=clock, **{"total": 1000, "desc": "sampling", "unit": "img"} | options) as lines:
        for n in updates:
            clock.seconds += seconds
            if postfix:
                lines.set_postfix(postfix)
            lines.update(n)
    return stream.getvalue().splitlines()


def test_less_than_a_minute_has_no_line():
    assert work(1, [10] * 59) == []


def test_a_long_run_says_a_line_a_minute():
    assert work(10, [25] * 13) == [
        "sampling: 150 of 1,000, 2.5 img/s, 6 min left",
        "sampling: 300 of 1,000, 2.5 img/s, 5 min left",
    ]


def test_what_was_done_before_is_no_part_of_the_rate():
    (line,) = work(60, [60], initial=880)
    assert line == "sampling: 940 of 1,000, 1.0 img/s, 1 min left"


def test_a_line_ends_with_the_last_measurements():
    (line,) = work(60, [500], postfix={"step": 20, "Frechet": "9.50"})
    assert line == "sampling: 500 of 1,000, 8.3 img/s, 1 min left, step 20, Frechet 9.50"


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (120, "cells: 1 of 9, 30.0 cell/h, 16 min left"),
        (3600, "cells: 1 of 9, 1.0 cell/h, 8.0 h left"),
        (60, "cells: 1 of 9, 1.0 cell/min, 8 min left"),
    ],
)
def test_slow_work_has_a_rate_of_its_own_scale(seconds, line):
    assert work(seconds, [1], total=9, desc="cells", unit="cell") == [line]


@pytest.mark.parametrize(("terminal", "quiet", "kind"), [(True, False, tqdm), (False, False, ProgressLines)])
def test_a_terminal_has_a_bar_and_a_log_has_lines(monkeypatch, terminal, quiet, kind):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    with open_bar(quiet=quiet, total=10, desc="sampling", unit="img", unit_scale=True) as bar:
        assert isinstance(bar, kind)


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_has_neither(monkeypatch, terminal):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", stream)
    with open_bar(quiet=True, total=10, desc="sampling", unit="img") as bar:
        bar.set_postfix({"step": 1})
        bar.update(10)
    assert stream.getvalue() == ""
