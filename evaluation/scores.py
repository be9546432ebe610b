"""How near a set of synthetic images is to real ones, in the features of one extractor; no network is known here."""

from collections.abc import Sequence

import numpy as np

from evaluation.metrics import (
    Gaussian,
    compute_frechet_distance,
    compute_kernel_distance,
    compute_prdc,
    compute_sliced_wasserstein,
    draw_directions,
    fit_gaussian,
)
from evaluation.statistics import compute_bootstrap_error, compute_t_quantile, compute_wilson_half_width

MEASURES = ("frechet", "kernel", "precision", "recall", "density", "coverage", "sliced_wasserstein")
BETTER_LOW = ("frechet", "kernel", "sliced_wasserstein")
# Images per dimension from which on the distance falls with 1 / count, and those that it takes to follow it.
_LINEAR_FROM, _TRACED_FROM = 2.5, 4
_NORMAL_95 = 1.96
_SIZES = 10


def score_features(
    real_features: np.ndarray,
    real_labels: np.ndarray,
    real_gaussian: Gaussian,
    fake_features: np.ndarray,
    fake_labels: np.ndarray,
    *,
    neighbours: int,
    bootstrap: int,
    seed: int,
) -> dict[str, dict]:
    """Return {measure: {"value": score, "interval": half-width of its 95 % interval}}; None where it is not known.

    real_features [N, D] with their classes [N] and Gaussian; fake_features [M, D] with their classes [M]; the classes
    have fixed proportions and take turns. The intervals say how the scores vary with the images that were drawn, not
    with the GAN's training. frechet, sliced_wasserstein: over `bootstrap` resamples of the fake images, which is too
    wide where they are not many times the dimensions. kernel: over blocks. precision, density: over the fake images;
    recall, coverage: over the real ones, for these fake ones (Wilson 1927 for the shares). These four are left out
    (None) where a set has too few images for them.
    """
    directions = draw_directions(real_features.shape[1])
    distances = {
        "frechet": lambda features: compute_frechet_distance(real_gaussian, fit_gaussian(features)),
        "sliced_wasserstein": lambda features: compute_sliced_wasserstein(real_features, features, directions),
    }
    scores = {}
    for name, distance in distances.items():
        error = (
            compute_bootstrap_error(distance, fake_features, fake_labels, bootstrap, seed) if bootstrap > 1 else None
        )
        scores[name] = _with_interval(distance(fake_features), error)
    value, error, blocks = compute_kernel_distance(
        real_features, fake_features, real_strata=real_labels, fake_strata=fake_labels
    )
    scores["kernel"] = {"value": value, "interval": None if error is None else error * compute_t_quantile(blocks)}
    if min(len(real_features), len(fake_features)) > neighbours:
        for name, values in compute_prdc(real_features, fake_features, neighbours).items():
            share = float(values.mean())
            half_width = _NORMAL_95 * float(values.std() / len(values) ** 0.5)
            interval = half_width if name == "density" else compute_wilson_half_width(share, len(values))
            scores[name] = {"value": share, "interval": interval}
    return {name: scores.get(name, _with_interval(None, None)) for name in MEASURES}


def can_trace(features: np.ndarray) -> bool:
    """Whether there are enough features [N, D] to follow the Frechet distance over their number."""
    return len(features) >= _TRACED_FROM * features.shape[1]


def trace_sizes(real_gaussian: Gaussian, fake_features: np.ndarray) -> tuple[list[int], list[float]]:
    """Return (counts, distances): Frechet distances of the first `count` fake features, evenly spaced in 1 / count.

    The smallest is a tenth of all, but at least 2.5 times the dimensions: with fewer the distance is no line in
    1 / count.
    """
    smallest, largest = max(len(fake_features) // 10, int(_LINEAR_FROM * fake_features.shape[1])), len(fake_features)
    counts = np.unique(np.rint(1 / np.linspace(1 / smallest, 1 / largest, _SIZES)).astype(int))
    distances = [compute_frechet_distance(real_gaussian, fit_gaussian(fake_features[:n])) for n in counts]
    return counts.tolist(), distances


def extrapolate(counts: Sequence[int], distances: Sequence[float]) -> float:
    """Frechet distance at infinitely many fake images: the intercept of a line in 1 / count (Chong and Forsyth 2020).

    arXiv:1911.07023. The bias from the number of real images stays.
    """
    return float(np.polyfit(1 / np.asarray(counts, np.float64), distances, 1)[1])


def _with_interval(value: float | None, error: float | None) -> dict:
    return {"value": value, "interval": None if error is None else _NORMAL_95 * error}
