"""Measure in some minutes what the documents claim of speed, and print it beside their figures.

    python -m benchmarks

Ratios of two rates in one run, as they mean the same on another machine. The figures are those of docs/performance.md;
a ratio of 1 says that this machine, today, gives the same. `python -m benchmarks.NAME` measures one thing more closely.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from common.command_line import Parser


@dataclass(frozen=True)
class Claim:
    """What a document says: `figure` of `what`. measure: callable () -> the same, measured here."""

    what: str
    figure: float
    measure: Callable[[], float]


def _compare_csv():
    from benchmarks.writing import measure

    return measure()["csv"][2]


def _compare_distances():
    from benchmarks.distances import measure_frechet

    return measure_frechet(5000, 2048, 1)["scipy_over_ours"]


def _reach_limit(kind):
    from benchmarks.limit import measure
    from models.recipes import RECIPES

    return measure(RECIPES["quick"], (28, 28, 1), 10)[kind][1]


CLAIMS = (
    Claim("writing CSV, times the rate of pandas", 18.9, _compare_csv),
    Claim("Frechet distance, times the rate of scipy.linalg.sqrtm", 6.1, _compare_distances),
    Claim("a training step, share of the rate of its products alone", 0.8, lambda: _reach_limit("training")),
    Claim("drawing, share of the rate of its products alone", 0.69, lambda: _reach_limit("drawing")),
)


def main(argv=None):
    """Measure each claim and print a line for it."""
    Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    print(f"{'':60}{'here':>8}{'document':>10}{'ratio':>8}{'seconds':>9}")
    for claim in CLAIMS:
        start = time.perf_counter()
        found = claim.measure()
        seconds = time.perf_counter() - start
        print(f"{claim.what:60}{found:8.2f}{claim.figure:10.2f}{found / claim.figure:8.2f}{seconds:9.0f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
