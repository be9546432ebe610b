from dataclasses import replace

import pytest

from models.recipes import RECIPES
from tasks.time_estimates import estimate_classifier_minutes, estimate_gan_minutes


def test_quick_takes_what_was_measured():
    assert estimate_gan_minutes(RECIPES["quick"], 4000, 10, (28, 28, 1)) == pytest.approx(4.9, rel=0.01)


def test_time_grows_with_steps_pixels_images_and_gans():
    quick, dcgan = RECIPES["quick"], RECIPES["dcgan"]
    assert estimate_classifier_minutes(1, 4000, (28, 28, 1)) == pytest.approx((4000 * 128 / 8900 + 6) / 60)
    once = estimate_gan_minutes(quick, 9, 2, (28, 28, 1))
    assert estimate_gan_minutes(quick, 9, 2, (56, 28, 3)) == 2 * once
    assert estimate_gan_minutes(replace(quick, members=3), 9, 2, (28, 28, 1)) == pytest.approx(3 * once)
    assert estimate_gan_minutes(replace(quick, conditional=False), 9, 2, (28, 28, 1)) == pytest.approx(2 * once)
    assert estimate_gan_minutes(replace(quick, feature_weight=0.0), 9, 2, (28, 28, 1)) < once
    few, many = (estimate_gan_minutes(dcgan, count, 1, (28, 28, 1)) for count in (100, 200))
    assert many == pytest.approx(2 * few, rel=0.02)
