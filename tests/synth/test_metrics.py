import numpy as np
import pytest

from synth.metrics import compute_frechet_distance, compute_spread


def sample_gaussian(mean, variances, count=1000, seed=0):
    """Samples whose mean and covariance are exactly `mean` and diag(variances)."""
    features = np.random.default_rng(seed).standard_normal((count, len(mean)))
    features -= features.mean(axis=0)
    whiten = np.linalg.cholesky(np.linalg.inv(np.cov(features, rowvar=False)))
    return features @ whiten * np.sqrt(variances) + mean


def test_frechet_distance_of_equal_covariances_is_that_of_the_means():
    real, fake = sample_gaussian([0, 0, 0], [1, 2, 3]), sample_gaussian([3, 0, 4], [1, 2, 3], seed=1)
    assert compute_frechet_distance(real, fake) == pytest.approx(25, abs=1e-6)


def test_frechet_distance_of_diagonal_covariances():
    real, fake = sample_gaussian([0, 0], [1, 4]), sample_gaussian([0, 1], [9, 16], seed=1)
    expected = 1 + (1 - 3) ** 2 + (2 - 4) ** 2
    assert compute_frechet_distance(real, fake) == pytest.approx(expected, abs=1e-6)


def test_frechet_distance_is_symmetric_and_finite_with_fewer_samples_than_dimensions():
    generator = np.random.default_rng(0)
    real, fake = generator.standard_normal((5, 40)), generator.standard_normal((6, 40))
    assert compute_frechet_distance(real, real) == pytest.approx(0, abs=1e-5)
    assert compute_frechet_distance(real, fake) == pytest.approx(compute_frechet_distance(fake, real))


@pytest.mark.parametrize(
    ("features", "message"),
    [(np.zeros((1, 4)), r"N of at least 2. Got \(1, 4\)"), (np.full((3, 4), np.nan), "should be finite")],
)
def test_bad_features_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        compute_frechet_distance(features, np.zeros((3, 4)))


def test_spread_of_a_collapsed_set_is_zero():
    assert compute_spread(np.ones((5, 3))) == 0
    assert compute_spread(sample_gaussian([0, 0], [1, 4])) == pytest.approx(5)
