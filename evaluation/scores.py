"""How near a set of synthetic images is to real ones, in the features of one extractor; no network is known here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

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
from evaluation.statistics import compute_bootstrap_error, compute_wilson_error
from evaluation.two_sample import compute_two_sample_accuracy

BETTER_LOW = ("frechet", "kernel", "sliced_wasserstein", "two_sample")
# Images per dimension from which on the distance falls with 1 / count, and those that it takes to follow it.
_LINEAR_FROM, _TRACED_FROM = 2.5, 4
_NORMAL_95 = 1.96
_SIZES = 10


@dataclass(frozen=True)
class Score:
    """A measure with the half-width of its 95 % interval; None where they are not known."""

    value: float | None
    interval: float | None


@dataclass(frozen=True)
class Distance(Score):
    """A measure that any two images of each side have."""

    value: float


@dataclass(frozen=True)
class Scores:
    """The measures of one set of synthetic images."""

    frechet: Distance
    kernel: Distance
    precision: Score
    recall: Score
    density: Score
    coverage: Score
    sliced_wasserstein: Distance
    two_sample: Score


MEASURES = tuple(field.name for field in fields(Scores))


@dataclass(frozen=True)
class Reference:
    """Real images to compare with: features [N, D], class indices [N], and the Gaussian of the features."""

    features: np.ndarray
    labels: np.ndarray
    gaussian: Gaussian


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How scores are computed: neighbours that make an image's ball, resamples for the intervals, the seed of these."""

    neighbours: int
    bootstrap: int
    seed: int


def score_features(real: Reference, fake_features: np.ndarray, fake_labels: np.ndarray, scoring: Scoring) -> Scores:
    """Return the scores of fake_features [M, D] with their classes [M].

    The classes have fixed proportions and take turns. The intervals say how the scores vary with the images that were
    drawn, not with the GAN's training. frechet, sliced_wasserstein: over resamples of the fake images, which is too
    wide where they are not many times the dimensions. kernel: over both. precision, density: over the fake images;
    recall, coverage: over the real ones, for these fake ones (Wilson 1927 for the shares). These four, and two_sample,
    are not known where a set has too few images for them.
    """

    def measure(distance: Callable[[np.ndarray], float]) -> Distance:
        value, error = distance(fake_features), None
        if scoring.bootstrap > 1:
            error = compute_bootstrap_error(distance, fake_features, fake_labels, scoring.bootstrap, scoring.seed)
        return Distance(value, None if error is None else _NORMAL_95 * error)

    directions = draw_directions(real.features.shape[1])
    return Scores(
        frechet=measure(lambda features: compute_frechet_distance(real.gaussian, fit_gaussian(features))),
        kernel=_score_kernel(real, fake_features, fake_labels),
        sliced_wasserstein=measure(lambda features: compute_sliced_wasserstein(real.features, features, directions)),
        two_sample=_score_two_sample(real.features, fake_features),
        **_score_neighbours(real.features, fake_features, scoring.neighbours),
    )


def _score_kernel(real: Reference, fake_features: np.ndarray, fake_labels: np.ndarray) -> Distance:
    value, error = compute_kernel_distance(
        real.features, fake_features, real_strata=real.labels, fake_strata=fake_labels
    )
    return Distance(value, _NORMAL_95 * error)


def _score_two_sample(real_features: np.ndarray, fake_features: np.ndarray) -> Score:
    found = compute_two_sample_accuracy(real_features, fake_features)
    return Score(found[0], compute_wilson_error(*found)) if found else Score(None, None)


def _score_neighbours(real_features: np.ndarray, fake_features: np.ndarray, neighbours: int) -> dict[str, Score]:
    """Return precision, recall, density and coverage by name."""
    if min(len(real_features), len(fake_features)) <= neighbours:
        return dict.fromkeys(("precision", "recall", "density", "coverage"), Score(None, None))
    scores = {}
    for name, values in compute_prdc(real_features, fake_features, neighbours).items():
        share = float(values.mean())
        half_width = _NORMAL_95 * float(values.std() / len(values) ** 0.5)
        scores[name] = Score(share, half_width if name == "density" else compute_wilson_error(share, len(values)))
    return scores


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
