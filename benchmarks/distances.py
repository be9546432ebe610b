"""Time the distances: Frechet against TF-GAN's and scipy's matrix square root, and the neighbour-based measures.

    python -m benchmarks.distances

One run, in turn, on random features; prints one line of JSON with seconds (the best of --rounds) and ratios.
"""

import argparse
import json
import resource
import sys
import time

import numpy as np
import tensorflow as tf
from scipy import linalg

from common.command_line import Parser
from evaluation.metrics import compute_frechet_distance, compute_prdc, fit_gaussian
from models.tfgan import import_tfgan


def measure_frechet(count, dimensions, rounds):
    """Return seconds and values of the Frechet distance, statistics included, three ways."""
    real, fake = _draw_features(count, dimensions)
    evaluation = import_tfgan().eval
    tensors = tf.constant(real, tf.float32), tf.constant(fake, tf.float32)
    ways = {
        "ours": lambda: compute_frechet_distance(fit_gaussian(real), fit_gaussian(fake)),
        "scipy": lambda: _compute_by_square_root(fit_gaussian(real), fit_gaussian(fake)),
        "tfgan": lambda: float(evaluation.frechet_classifier_distance_from_activations(*tensors)),
    }
    found = {name: _time(way, rounds) for name, way in ways.items()}
    result = {name: {"seconds": round(seconds, 2), "value": value} for name, (seconds, value) in found.items()}
    return result | {f"{name}_over_ours": round(found[name][0] / found["ours"][0], 1) for name in ("scipy", "tfgan")}


def measure_prdc(count, dimensions, rounds):
    """Return seconds of precision, recall, density and coverage, and the megabytes by which the peak grew."""
    real, fake = _draw_features(count, dimensions)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, _ = _time(lambda: compute_prdc(real, fake), rounds)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": round(seconds, 2), "megabytes": round((after - before) / 1024)}


def _compute_by_square_root(real, fake):
    root = np.real(linalg.sqrtm(real.covariance @ fake.covariance))
    traces = np.trace(real.covariance) + np.trace(fake.covariance) - 2 * np.trace(root)
    return float(((real.mean - fake.mean) ** 2).sum() + traces)


def _draw_features(count, dimensions):
    generator = np.random.default_rng(0)
    real, fake = generator.standard_normal((2, count, dimensions))
    return real * np.geomspace(2, 0.1, dimensions), fake * np.geomspace(1.9, 0.12, dimensions)


def _time(function, rounds):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        value = function()
        times.append(time.perf_counter() - start)
    return min(times), value


def main():
    """Parse the command line, measure and print."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    prdc = measure_prdc(10_000, 128, rounds)  # first: its peak memory should be its own
    print(json.dumps({"prdc_10000x128": prdc, "frechet_5000x2048": measure_frechet(5000, 2048, rounds)}))


if __name__ == "__main__":
    sys.exit(main())
