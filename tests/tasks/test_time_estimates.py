import time
from dataclasses import replace

import pytest

from models.recipes import RECIPES
from tasks.time_estimates import describe_duration, estimate_classifier_minutes, estimate_gan_minutes, measure_rate


def test_quick_takes_what_was_measured():
    assert estimate_gan_minutes(RECIPES["quick"], 4000, 10, (28, 28, 1)) == pytest.approx(4.9, rel=0.01)


def test_time_grows_with_steps_pixels_images_and_gans():
    quick, dcgan = RECIPES["quick"], RECIPES["dcgan"]
    resnet20 = [estimate_classifier_minutes(0, 100, (side, side, 3), "resnet20") for side in (28, 64, 128)]
    assert resnet20[0] == pytest.approx(12 * estimate_classifier_minutes(0, 100, (28, 28, 3)))
    assert resnet20[0] < resnet20[1] == resnet20[2]
    assert estimate_classifier_minutes(1, 4000, (28, 28, 1)) == pytest.approx((4000 * 128 / 8900 + 6) / 60)
    once = estimate_gan_minutes(quick, 9, 2, (28, 28, 1))
    assert estimate_gan_minutes(quick, 9, 2, (56, 28, 3)) == 2 * once
    assert estimate_gan_minutes(replace(quick, members=3), 9, 2, (28, 28, 1)) == pytest.approx(3 * once)
    assert estimate_gan_minutes(replace(quick, conditional=False), 9, 2, (28, 28, 1)) == pytest.approx(2 * once)
    assert estimate_gan_minutes(replace(quick, feature_weight=0.0), 9, 2, (28, 28, 1)) < once
    few, many = (estimate_gan_minutes(dcgan, count, 1, (28, 28, 1)) for count in (100, 200))
    assert many == pytest.approx(2 * few, rel=0.02)


def test_a_rate_leaves_out_the_first_block():
    calls = []

    def draw():
        calls.append(1)
        time.sleep(0.2 if len(calls) == 1 else 0.01)

    assert 4 * 40 <= measure_rate(draw, 4, seconds=0.1) <= 400


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "1 seconds"), (0.7, "42 seconds"), (12, "12 minutes"), (200, "3.3 hours"), (17_300, "12 days")],
)
def test_a_duration_is_in_the_unit_that_fits(minutes, text):
    assert describe_duration(minutes) == text
