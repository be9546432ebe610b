import numpy as np
import pytest

from evaluation import two_sample
from evaluation.two_sample import compute_two_sample_accuracy


def draw(seed, count=500, spread=1.0, shift=0.0):
    return shift + spread * np.random.default_rng(seed).standard_normal((count, 8))


@pytest.mark.parametrize(
    ("fake", "low", "high"),
    [
        (draw(1), 0.44, 0.56),
        (draw(1, shift=0.5), 0.7, 0.9),
        (draw(1, spread=1.5), 0.65, 0.9),
        (np.abs(draw(1)), 0.95, 1.0),
    ],
)
def test_what_differs_in_mean_or_spread_is_told_apart(fake, low, high):
    accuracy, count = compute_two_sample_accuracy(draw(0), fake)
    assert low <= accuracy <= high
    assert count == 1000


def test_sides_are_as_large_and_few_images_are_not_judged():
    assert compute_two_sample_accuracy(draw(0, 30), draw(1, 500))[1] == 60
    assert compute_two_sample_accuracy(draw(0, 4), draw(1, 500)) is None


def test_many_dimensions_are_projected(monkeypatch):
    monkeypatch.setattr(two_sample, "_MOST_DIMENSIONS", 4)
    assert compute_two_sample_accuracy(draw(0), draw(1, shift=0.5))[0] > 0.6
