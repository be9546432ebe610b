import numpy as np
import pytest
from scipy.stats import multivariate_normal

from evaluation.likelihood import _compute_log_likelihood, _fit_variances, compute_likelihood_divergences

MODES, DIMENSIONS = 4, 16


def draw(seed, count=400, modes=MODES, spread=1.0):
    centres = 5 * np.eye(DIMENSIONS)[np.arange(count) % modes]
    return centres + spread * np.random.default_rng(seed).standard_normal((count, DIMENSIONS))


TRAIN, REAL, FLOOR = draw(0), draw(1), draw(2)


def diverge(**runs):
    return compute_likelihood_divergences(TRAIN, REAL, FLOOR, runs)


def test_new_images_are_as_good_as_other_real_ones_and_these_are_at_0():
    found = diverge(floor=FLOOR, fresh=draw(3))
    assert found["floor"] == 0
    assert abs(found["fresh"]) < 1


def test_copies_dropped_modes_and_noise_cost():
    near_copies = TRAIN + 0.01 * np.random.default_rng(3).standard_normal(TRAIN.shape)
    half = np.concatenate([TRAIN[:200], draw(4, 200)])
    found = diverge(copies=TRAIN, near=near_copies, half=half, dropped=draw(4, modes=3), noisy=draw(4, spread=1.5))
    assert found["copies"] > found["near"] > 100
    assert 1 < found["half"] < 100
    assert found["dropped"] > 1
    assert found["noisy"] > 1


def test_units_and_offsets_of_the_features_do_not_matter_and_constant_ones_are_left_out():
    def change(features):
        return np.hstack([7 * features + 3, np.ones((len(features), 2))])

    changed = compute_likelihood_divergences(
        change(TRAIN), change(REAL), change(FLOOR), {"a": change(draw(4, modes=3))}
    )
    assert changed["a"] == pytest.approx(diverge(a=draw(4, modes=3))["a"], rel=1e-6)


def test_the_likelihood_is_that_of_a_mixture_of_gaussians():
    centres, variances, images = draw(0, 3), np.array([0.5, 1.0, 2.0]), draw(1, 5)
    squares = ((images[:, None] - centres) ** 2).sum(axis=2)
    densities = [
        multivariate_normal(c, v * np.eye(DIMENSIONS)).pdf(images) for c, v in zip(centres, variances, strict=True)
    ]
    expected = np.log(np.mean(densities, axis=0))
    assert _compute_log_likelihood(squares, variances, DIMENSIONS) == pytest.approx(expected)


def test_no_other_variances_make_the_train_images_likelier():
    centres, train = draw(0, 6), draw(1, 60)
    squares = ((train[:, None] - centres) ** 2).sum(axis=2)
    fitted = _fit_variances(centres, train)
    best = _compute_log_likelihood(squares, fitted, DIMENSIONS).mean()
    for k in range(6):
        for factor in (0.9, 1.1):
            others = fitted * np.where(np.arange(6) == k, factor, 1)
            assert _compute_log_likelihood(squares, others, DIMENSIONS).mean() < best + 1e-3


def test_features_that_do_not_vary_say_nothing():
    same = np.ones((9, 4))
    assert compute_likelihood_divergences(same, same, same, {"a": same}) == {"a": None}
