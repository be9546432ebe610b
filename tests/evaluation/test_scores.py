import numpy as np
import pytest

from evaluation.metrics import Gaussian, compute_frechet_distance, fit_gaussian
from evaluation.scores import MEASURES, Reference, Score, Scoring, can_trace, extrapolate, score_features, trace_sizes


def score(real, fake, labels=None, *, bootstrap=10):
    labels = np.zeros(len(real)) if labels is None else labels
    reference = Reference(real, labels, fit_gaussian(real))
    return score_features(reference, fake, labels, Scoring(neighbours=5, bootstrap=bootstrap, seed=0))


def test_scores_of_the_same_distribution_hold_zero_in_their_intervals():
    real, fake = np.random.default_rng(0).standard_normal((2, 2500, 3))
    scores = score(real, fake)
    assert tuple(vars(scores)) == MEASURES
    assert abs(scores.kernel.value) < 2 * scores.kernel.interval
    assert scores.precision.value == pytest.approx(0.95, abs=0.05)


@pytest.mark.slow
def test_kernel_distance_of_classes_in_fixed_proportions_is_unbiased():
    generator = np.random.default_rng(0)
    labels = np.arange(8000) % 10
    real, fake = generator.standard_normal((2, 8000, 3)) + 3 * labels[:, np.newaxis]
    kernel = score(real, fake, labels).kernel
    assert abs(kernel.value) < 1.5 * kernel.interval
    plain = score(real, fake).kernel  # misses the pairs of one image with itself
    assert plain.value < -5 * kernel.interval


def test_too_few_images_have_no_neighbours():
    scores = score(*np.random.default_rng(0).standard_normal((2, 5, 3)))
    assert scores.recall == Score(None, None)
    assert scores.frechet.value > 0


def test_no_bootstrap_no_interval():
    assert score(*np.random.default_rng(0).standard_normal((2, 50, 3)), bootstrap=0).frechet.interval is None


def test_extrapolation_is_exact_on_a_line():
    counts = np.array([10, 20, 50, 100])
    assert extrapolate(counts, 3 + 40 / counts) == pytest.approx(3)


def test_extrapolation_removes_the_bias_of_small_samples():
    real, fake = np.random.default_rng(0).standard_normal((2, 4000, 20))
    counts, distances = trace_sizes(fit_gaussian(real), fake[:2000])
    assert (min(counts), max(counts)) == (200, 2000)
    assert abs(extrapolate(counts, distances)) < min(distances)


def test_extrapolation_leaves_out_what_is_too_few_for_a_line():
    real, fake = np.random.default_rng(0).standard_normal((2, 4000, 50))
    counts, distances = trace_sizes(fit_gaussian(real), fake[:400])
    assert min(counts) == 125
    exact = compute_frechet_distance(fit_gaussian(real), Gaussian(4000, np.zeros(50), np.eye(50)))
    assert extrapolate(counts, distances) == pytest.approx(exact, abs=0.1 * max(distances))
    assert can_trace(fake[:200])
    assert not can_trace(fake[:199])
