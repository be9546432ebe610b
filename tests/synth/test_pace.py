import pytest

from models.recipes import RECIPES
from synth.pace import estimate_classifier_minutes, estimate_gan_minutes


def test_quick_takes_what_was_measured():
    assert estimate_gan_minutes(RECIPES["quick"], 4000, (28, 28, 1)) == pytest.approx(4.6, rel=0.01)


def test_time_grows_with_steps_pixels_and_images():
    assert estimate_classifier_minutes(1, 4000, (28, 28, 1)) == pytest.approx((4000 * 128 / 8900 + 6) / 60)
    assert estimate_gan_minutes(RECIPES["quick"], 9, (56, 28, 3)) == 2 * estimate_gan_minutes(
        RECIPES["quick"], 9, (28, 28, 1)
    )
    assert estimate_gan_minutes(RECIPES["dcgan"], 200, (28, 28, 1)) == pytest.approx(
        2 * estimate_gan_minutes(RECIPES["dcgan"], 100, (28, 28, 1)), rel=0.02
    )
