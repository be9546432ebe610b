import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from models.description import list_pairs, load_description, save_description
from models.recipes import Recipe
from tests.models.tiny import TINY


@pytest.fixture
def folder(tmp_path):
    request = {"data": "x.npz", "classes": None, "real_per_class": None, "image_size": (28, 28), "image_shape": None}
    dataset = SimpleNamespace(image_shape=(28, 28, 1), class_names=("a", "b"), label_values=(0, 7), name="x.npz")
    dataset.request, dataset.fingerprint = request | {"seed": 0}, "f" * 64
    dataset.train_hashes = lambda: np.arange(10, dtype=np.uint64)
    dataset.count_train = lambda: np.array([7, 3])
    save_description(tmp_path, Recipe(batch_size=16), dataset, 3)
    return tmp_path


def change(folder, changes):
    path = folder / "recipe.json"
    content = json.loads(path.read_text())
    for name, value in changes.items():
        *outer, name = name.split(".")
        inside = content[outer[0]] if outer else content
        inside[name] = value
    path.write_text(json.dumps(content))


def test_what_was_saved_is_loaded(folder):
    found = load_description(folder)
    assert (found.recipe, found.seed) == (Recipe(batch_size=16), 3)
    assert (found.image_shape, found.class_names, found.label_values) == ((28, 28, 1), ("a", "b"), (0, 7))
    assert found.train_counts == (7, 3)


def test_an_older_run_has_not_recorded_how_many_images_of_each_class_it_had(folder):
    content = json.loads((folder / "recipe.json").read_text())
    del content["train_counts"]
    (folder / "recipe.json").write_text(json.dumps(content))
    assert load_description(folder).train_counts is None


def test_the_recipe_of_an_older_run_has_the_defaults(folder):
    content = json.loads((folder / "recipe.json").read_text())
    content["recipe"] = {"name": "old", "batch_size": 32}
    (folder / "recipe.json").write_text(json.dumps(content))
    assert load_description(folder).recipe == Recipe("old", batch_size=32, flip="off")  # nothing was mirrored then


def test_a_field_of_another_name_in_an_older_run_is_read(folder):
    content = json.loads((folder / "recipe.json").read_text())
    del content["recipe"]["diffaugment"]
    content["recipe"]["augment"] = "translation,cutout"
    (folder / "recipe.json").write_text(json.dumps(content))
    assert load_description(folder).recipe == Recipe(batch_size=16, diffaugment="translation,cutout")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": []}, r"recipe should be an object. Got \[\] instead"),
        ({"recipe.colour": 1}, "the recipe should have fields of this version alone. Got 'colour'"),
        ({"recipe.batch_size": "many"}, "--batch-size should be an integer. Got 'many' instead"),
        ({"recipe.loss": "love"}, "--loss should be one of"),
        ({"recipe.members": 10**9}, r"--members should be in the range \[1, 100\]"),
        ({"image_shape": [28, 28]}, r"image_shape should be a height and a width .* Got \[28, 28\] instead"),
        ({"image_shape": [10**9, 28, 1]}, "image_shape should be a height"),
        ({"class_names": ["a", "a"]}, "class_names should be different names of one class or more"),
        ({"class_names": []}, "class_names should be"),
        ({"class_names": "ab"}, "class_names should be"),
        (
            {"label_values": [0, 1, 2]},
            "should have a label value and a number of images for each class. Got 2 names, 3 values, 2 ",
        ),
        (
            {"train_counts": [7]},
            "should have a label value and a number of images for each class. Got 2 names, 2 values, 1 ",
        ),
        ({"train_counts": [7, "3"]}, "train_counts should be a list of integers, or none. Got"),
        ({"label_values": [7, 0]}, "label_values should be integers in rising order"),
        ({"label_values": [0, 0]}, "label_values should be integers in rising order"),
        ({"label_values": [0, "7"]}, "label_values should be integers in rising order"),
        ({"request": {"data": "x", "seed": 0, "colour": 1}}, "request should be an object with data"),
        ({"request.seed": None}, "request should be an object with data"),
        ({"seed": -1}, r"seed should be an integer in the range"),
        ({"fingerprint": None}, "fingerprint should be a text. Got None instead"),
    ],
)
def test_a_wrong_description_names_the_file_and_what_to_do(folder, changes, message):
    change(folder, changes)
    with pytest.raises(ValueError, match=f"recipe.json: {message}.*Restore it, or remove it"):
        load_description(folder)


def test_a_missing_key_is_named(folder):
    (folder / "recipe.json").write_text("{}")
    with pytest.raises(
        ValueError, match=r"recipe\.json: recipe should be an object. Got 'nothing' instead. Restore it"
    ):
        load_description(folder)


def test_the_pairs_of_classes_with_similar_names_have_folders_of_their_own():
    pairs = list_pairs(replace(TINY, conditional=False), ("Box", "box", "a/b", "a b"))
    assert [str(folder) for _, _, folder in pairs] == ["Box", "box-2", "a-b", "a-b-2"]
    assert [k for k, _, _ in pairs] == [0, 1, 2, 3]
