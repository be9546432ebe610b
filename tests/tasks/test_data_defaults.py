from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from models.recipes import RECIPES
from synth.datasets import load_dataset
from tasks.data_defaults import choose_filter, fit_batches, fit_recipe, note_copies
from tests.conftest import make_images


@pytest.fixture
def dataset(tmp_path):
    """80 train images, 60 and 20 of two classes."""
    images, labels = make_images(160)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    return load_dataset(tmp_path / "digits.npz", real_per_class="60,20")


def build_counts(*counts):
    names = tuple("abc"[: len(counts)])
    return SimpleNamespace(class_names=names, has_classifier=len(counts) > 1, count_train=lambda: np.array(counts))


def test_batches_follow_the_data_unless_they_are_asked_for(dataset):
    recipe = RECIPES["quick"]
    assert fit_batches(recipe, dataset) == (recipe, [])
    alone = replace(recipe, conditional=False)
    fitted, lines = fit_batches(alone, dataset)
    assert fitted.batch_size == 20
    assert lines == ["note: batches of 20 images in place of 64, as there are few"]
    with pytest.raises(ValueError, match="--batch-size should be at most the number of train images, 80. Got 100"):
        fit_batches(replace(recipe, batch_size=100), dataset)


def test_a_classifier_filters_where_it_can_learn_every_class():
    assert choose_filter("auto", build_counts(10, 90)) == ("classifier", [])
    assert choose_filter("auto", build_counts(90)) == ("discriminator", [])
    assert choose_filter("classifier", build_counts(2, 90)) == ("classifier", [])
    line = "note: the filter is the discriminator: class 'b' has 9 train images, too few for a classifier to learn it"
    assert choose_filter("auto", build_counts(90, 9)) == ("discriminator", [line])


def test_many_images_of_a_class_of_one_or_two_are_copies():
    dataset = build_counts(400, 2, 1)
    assert note_copies(dataset, {"a": 1000, "b": 99}) == []
    assert note_copies(dataset, {"a": 1000, "b": 398, "c": 399}) == [
        "warning: copies at best are to be had of classes with one or two train images: b (2), c (1)"
    ]


def test_a_recipe_is_fitted_to_few_images(dataset):
    recipe = replace(RECIPES["quick"], batch_size=128)
    shared, alone = (fit_recipe(recipe, name, dataset) for name in ("shared:quick", "alone:quick"))
    assert (shared.conditional, shared.batch_size) == (True, 80)
    assert (alone.conditional, alone.batch_size) == (False, 20)


def test_too_few_images_train_no_gan(tmp_path):
    images, labels = make_images(160)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    dataset = load_dataset(tmp_path / "digits.npz", real_per_class="60,15")
    message = (
        r"a GAN \(alone:quick\) should have at least 16 train images and 2 for validation. Got 15 and \d+ of class"
    )
    with pytest.raises(ValueError, match=message):
        fit_recipe(RECIPES["quick"], "alone:quick", dataset)
    assert fit_recipe(RECIPES["quick"], "shared:quick", dataset).conditional
