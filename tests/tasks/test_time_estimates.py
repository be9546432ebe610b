import time
from dataclasses import replace

import pytest

from common.run_options import WorkOptions
from models.classifier import MIN_SIZES, NETWORKS
from models.recipes import RECIPES
from real.datasets import load_dataset
from tasks import time_estimates
from tasks.prediction_options import CLASSIFIERS
from tasks.time_estimates import (
    Estimates,
    count_useful_workers,
    describe_duration,
    estimate_classifier_minutes,
    estimate_gan_minutes,
    measure_rate,
)


@pytest.fixture
def dataset(data):
    return load_dataset(data)


def test_quick_takes_what_was_measured():
    assert estimate_gan_minutes(RECIPES["quick"], 4000, 10, (28, 28, 1)) == pytest.approx(4.9, rel=0.01)


def test_a_residual_block_costs_as_much_as_twice_the_channels():
    quick = RECIPES["quick"]
    residual = replace(quick, residual_blocks=1, generator_width=16, discriminator_width=16)
    plain, deeper = (estimate_gan_minutes(recipe, 4000, 10, (32, 32, 3)) for recipe in (quick, residual))
    assert deeper == pytest.approx(plain)


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


def test_minutes_here_follow_from_the_rates_of_this_machine(monkeypatch, dataset):
    monkeypatch.setattr(time_estimates, "recall_speed", lambda dataset, recipe, threads: 10.0 * threads)
    monkeypatch.setattr(time_estimates, "recall_classifier_speed", lambda dataset, name, threads: 5.0 * threads)
    recipe = replace(RECIPES["quick"], steps=600, members=3)
    here = Estimates(threads=2)
    assert here.count_gan_minutes(recipe, dataset) == pytest.approx(3 * 600 / 20 / 60)
    assert here.count_classifier_minutes(2, 1200, dataset, "cnn") == pytest.approx((1200 / 10 + 2 * 6) / 60)
    assert here.count_classifier_minutes(0, 0, dataset, "cnn") == 0
    assert here.describe() == "in 2 threads, at rates measured here"
    steps = (5 + 10 + 5) * 8 * 112 / 128  # of what measures, filters and is seen through: few images are repeated
    assert here.count_judge_minutes(recipe, dataset) == pytest.approx((steps / 10 + 3 * 6) / 60, rel=0.02)
    assert here.count_judge_minutes(replace(recipe, feature_weight=0.0), dataset) < (steps / 10 + 14) / 60
    assert here.count_judge_minutes(replace(recipe, judge="MobileNetV2"), dataset) == 0
    elsewhere = Estimates()
    assert elsewhere.count_gan_minutes(recipe, dataset) == estimate_gan_minutes(recipe, 112, 2, (28, 28, 1))


@pytest.mark.parametrize(
    ("work", "useful"), [({}, 1), ({"workers": 3}, 2), ({"workers": 3, "cluster": "auto"}, 3), ({"cluster": "auto"}, 1)]
)
def test_workers_of_this_machine_share_its_cores(monkeypatch, work, useful):
    monkeypatch.setattr(time_estimates, "count_cores", lambda: 2)
    assert count_useful_workers(WorkOptions(**work), threads=1) == useful


def test_a_rate_leaves_out_the_first_block():
    calls = []

    def draw():
        calls.append(1)
        time.sleep(0.2 if len(calls) == 1 else 0.01)

    assert 4 * 40 <= measure_rate(draw, 4, seconds=0.1) <= 400


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "2 seconds"), (0.7, "42 seconds"), (12, "12 minutes"), (200, "3.3 hours"), (17_300, "12 days")],
)
def test_a_duration_is_in_the_unit_that_fits(minutes, text):
    assert describe_duration(minutes) == text


def test_every_classifier_has_its_network_size_and_cost():
    assert NETWORKS.keys() == MIN_SIZES.keys() == time_estimates._CLASSIFIER_COSTS.keys() == set(CLASSIFIERS)
