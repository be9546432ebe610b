import importlib
from pathlib import Path

import pytest

NAMES = sorted(path.stem for path in Path("benchmarks").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_be_started(name):
    assert importlib.import_module(f"benchmarks.{name}").__doc__


def test_writers_are_compared_on_equal_bytes():
    from benchmarks.writing import measure

    found = measure(repeats=1)
    assert set(found) == {"csv", "npz", "npz on the disk"}
    assert all(value > 0 for values in found.values() for value in values)
