import json
import os
import time
from dataclasses import replace

import pytest

from models import training_rate
from models.training_rate import measure_classifier_speed, measure_speed, recall_classifier_speed, recall_speed
from tests.models.tiny import TINY


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """The recipes that are measured, each at one more step per second; what is kept lies in tmp_path."""
    recipes = []
    monkeypatch.setattr(training_rate, "find_cache_folder", lambda name: tmp_path / name)
    monkeypatch.setattr(
        training_rate, "measure_speed", lambda dataset, recipe, seconds: recipes.append(recipe) or float(len(recipes))
    )
    return recipes


def test_a_speed_is_measured_once(dataset, measured):
    assert [recall_speed(dataset, TINY, 1), recall_speed(dataset, TINY, 1)] == [1.0, 1.0]
    assert recall_speed(dataset, replace(TINY, steps=9, name="longer", members=3), 1) == 1.0


@pytest.mark.parametrize("change", [{"batch_size": 8}, {"generator_width": 4}, {"dtype": "mixed_bfloat16"}])
def test_another_network_batch_or_dtype_is_measured_anew(dataset, measured, change):
    assert [recall_speed(dataset, TINY, 1), recall_speed(dataset, replace(TINY, **change), 1)] == [1.0, 2.0]


def test_other_threads_and_versions_are_measured_anew(dataset, measured, monkeypatch):
    assert [recall_speed(dataset, TINY, 1), recall_speed(dataset, TINY, 2)] == [1.0, 2.0]
    monkeypatch.setattr(training_rate, "installed_versions", lambda: {"tensorflow": "9"})
    assert recall_speed(dataset, TINY, 1) == 3.0


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"steps_per_second": -1.0})])
def test_what_is_damaged_is_measured_anew(dataset, measured, tmp_path, content):
    recall_speed(dataset, TINY, 1)
    (path,) = tmp_path.rglob("*.json")
    path.write_text(content)
    assert [recall_speed(dataset, TINY, 1), recall_speed(dataset, TINY, 1)] == [2.0, 2.0]


def test_a_speed_of_another_day_is_measured_anew(dataset, measured, tmp_path):
    recall_speed(dataset, TINY, 1)
    (path,) = tmp_path.rglob("*.json")
    os.utime(path, (time.time() - 25 * 3600,) * 2)
    assert [recall_speed(dataset, TINY, 1), recall_speed(dataset, TINY, 1)] == [2.0, 2.0]


def test_without_a_cache_each_time_is_measured(dataset, measured, monkeypatch):
    monkeypatch.setattr(training_rate, "find_cache_folder", lambda name: None)
    assert [recall_speed(dataset, TINY, 1), recall_speed(dataset, TINY, 1)] == [1.0, 2.0]


def test_classifiers_are_remembered_beside_gans(dataset, measured, monkeypatch):
    monkeypatch.setattr(training_rate, "measure_classifier_speed", lambda dataset, name, seconds: float(len(name)))
    assert recall_speed(dataset, TINY, 1) == 1.0
    assert [recall_classifier_speed(dataset, name, 1) for name in ("cnn", "strong", "cnn")] == [3.0, 6.0, 3.0]


def test_the_speed_of_a_classifier_is_that_of_real_steps(dataset):
    assert 0.01 < measure_classifier_speed(dataset, "cnn", seconds=0.0) < 1e5


@pytest.mark.slow
@pytest.mark.parametrize("change", [{}, {"conditional": False}])
def test_a_speed_is_that_of_real_steps(dataset, change):
    assert 0.01 < measure_speed(dataset, replace(TINY, **change), seconds=0.0) < 1e5
