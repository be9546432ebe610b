import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from common.errors import RequestError
from common.files import mark_folder
from common.run_folder import RunFolder
from common.run_options import RunOptions
from models.description import save_description
from models.recipes import RECIPES, GANRequest
from real.data_options import ClassOptions
from real.datasets import load_dataset
from synth.shard_options import FilterOptions
from tasks.data_defaults import choose_filter, describe_fit, fit_recipe, note_tiny_classes, settle_recipe
from tasks.study_design import load_setting
from tasks.study_options import ReducedOptions
from tasks.study_plans import plan_reduced
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
    assert fit_recipe(recipe, "quick", dataset) == recipe
    alone = replace(recipe, conditional=False)
    fitted = fit_recipe(alone, "quick", dataset)
    assert fitted == replace(alone, batch_size=20)
    assert describe_fit(alone, fitted, dataset) == {"  fitted": "to 80 images of 28 x 28 pixels: --batch-size 20"}
    assert describe_fit(alone, alone, dataset) == {}
    message = "--batch-size should be at most the number of train images, {}. Got {}"
    with pytest.raises(ValueError, match=message.format(80, 100)):
        fit_recipe(replace(recipe, batch_size=100), "quick", dataset, ["batch_size"])
    with pytest.raises(ValueError, match=message.format(20, 64)):
        fit_recipe(alone, "quick", dataset, ["batch_size"])
    assert fit_recipe(alone, "quick", dataset, ["batch_size"], limit_given=True).batch_size == 20


@pytest.fixture
def photos(tmp_path):
    """40 colour images of 64 x 64."""
    images = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), dtype=np.uint8)
    np.savez(tmp_path / "photos.npz", images=images, labels=np.arange(40) % 2)
    return load_dataset(tmp_path / "photos.npz")


def settle(dataset, out, recipe=RECIPES["quick"], given=()):
    """Return (recipe, settings of the training) of a request, on which a run in `out` begins or goes on."""
    recipe, training = settle_recipe(GANRequest(recipe=recipe, given=given), dataset, dict(dataset.identity), out)
    return recipe, training


def test_networks_and_steps_follow_the_size_of_the_images(photos, tmp_path):
    fitted, training = settle(photos, tmp_path)
    assert (fitted.steps, fitted.round_steps, fitted.generator_width, fitted.batch_size) == (2625, 262, 16, 32)
    assert (training["recipe"]["steps"], "kept" in training) == (5000, False)
    fixed, training = settle(photos, tmp_path, given=("noise", "steps"))
    assert (fixed, training["kept"]) == (replace(fitted, steps=5000), ["steps"])
    (text,) = describe_fit(RECIPES["quick"], fitted, photos).values()
    flags = "--generator-width 16 --discriminator-width 16 --steps 2625"
    assert text.startswith(f"to 32 images of 64 x 64 pixels in colour: {flags}")


def test_what_was_asked_for_is_recorded_not_what_it_was_fitted_to(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (200, 28, 28, 3), dtype=np.uint8)
    np.savez(tmp_path / "small.npz", images=images, labels=np.arange(200) % 2)
    fitted, training = settle(load_dataset(tmp_path / "small.npz"), tmp_path)
    assert (fitted.batch_size, training["recipe"]["batch_size"]) == (32, 64)  # else no run of before would go on


def test_a_training_that_has_begun_keeps_its_recipe_unless_another_is_asked_for(photos, tmp_path):
    fitted, training = settle(photos, tmp_path)
    model = RunFolder(tmp_path).model
    model.path.mkdir()
    begun = replace(fitted, steps=700)  # as an earlier version may have fitted it
    save_description(model.path, begun, photos, seed=0)
    assert settle(photos, tmp_path)[0] == fitted
    mark_folder(tmp_path, "generate_data.py", {"training": json.loads(json.dumps(training))})
    assert settle(photos, tmp_path) == (begun, training)
    for other in ({"recipe": replace(RECIPES["quick"], noise=False)}, {"given": ("steps",)}):
        assert settle(photos, tmp_path, **other)[0].steps in (2625, 5000)
    others = load_dataset(tmp_path / "photos.npz", real_per_class=14)
    assert settle(others, tmp_path)[0].steps == 2625


def test_a_classifier_filters_where_it_can_learn_every_class():
    assert choose_filter(FilterOptions(filter="auto"), build_counts(10, 90)) == ("classifier", [])
    assert choose_filter(FilterOptions(filter="auto"), build_counts(90)) == ("discriminator", [])
    assert choose_filter(FilterOptions(filter="classifier"), build_counts(2, 90)) == ("classifier", [])
    line = "note: the filter is the discriminator: class 'b' has 9 train images, too few for a classifier to learn it"
    assert choose_filter(FilterOptions(filter="auto"), build_counts(90, 9)) == ("discriminator", [line])
    unknown = SimpleNamespace(has_classifier=True, count_train=lambda: None)  # a GAN of an earlier version
    assert choose_filter(FilterOptions(filter="auto"), unknown) == ("classifier", [])
    with pytest.raises(RequestError, match=r"Got --latent-std 1\.25: leave one of the two out"):
        choose_filter(FilterOptions(filter="density-ratio", latent_std=1.25), build_counts(90, 90))


def test_many_images_of_a_class_of_one_or_two_are_copies():
    dataset = build_counts(400, 2, 1)
    assert note_tiny_classes(dataset, {"a": 1000, "b": 99}) == []
    assert note_tiny_classes(SimpleNamespace(count_train=lambda: None), {"a": 1000}) == []
    assert note_tiny_classes(dataset, {"a": 1000, "b": 398, "c": 399}) == [
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


def test_a_batch_that_a_study_is_given_at_its_named_value_does_not_follow_the_colour(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "photos.npz", images=images, labels=np.arange(200) % 2)
    options = ReducedOptions(recipe_fields={"batch_size": 64}, gans=("shared:quick",), real=(50,))
    data = ClassOptions(data=tmp_path / "photos.npz", no_cache=True)
    study = plan_reduced(data, options, FilterOptions(), RunOptions(out=tmp_path / "out", quiet=True))
    dataset = load_setting(study, "50 real", 0)
    recipe = study.recipes["shared:quick"]
    assert fit_recipe(recipe, "shared:quick", dataset, study.given, limit_given=True).batch_size == 64
    assert study.request["no_cache"]
