"""What follows the data: batches, the filter, and what is to be known of very small classes.

Not the steps: fewer are no better for 40 images either (docs/log.md, 2026-11-26).
"""

from dataclasses import replace

import numpy as np

from models.recipes import RECIPES, Recipe
from models.training import check_recipe
from synth.datasets import Dataset
from synth.errors import RequestError
from synth.filters import resolve_filter

_MIN_GAN_IMAGES = 16
_MIN_FILTER_IMAGES = 10  # train images of a class from which on a classifier can learn to recognise it
_COPIES_BELOW = 3  # train images of a class: of fewer a GAN learns the images themselves
_MANY = 100  # synthetic images of such a class that are worth a warning
_SHOWN = 5


def fit_recipe(recipe: Recipe, name: str, dataset: Dataset) -> Recipe:
    """Return the recipe as it is used on so few images: one GAN per class if "alone", batches no larger than the data.

    Raises RequestError where there are too few images to train a GAN on.
    """
    recipe = replace(recipe, conditional=recipe.conditional and not name.startswith("alone"))
    counts = dataset.count_train()
    held_out = np.bincount(dataset.labels[dataset.validation], minlength=len(counts))
    available, validation = (part.sum() if recipe.conditional else part.min() for part in (counts, held_out))
    if available < _MIN_GAN_IMAGES or validation < 2:
        which = "all classes together" if recipe.conditional else f"class {dataset.class_names[counts.argmin()]!r}"
        raise RequestError(
            f"a GAN ({name}) should have at least {_MIN_GAN_IMAGES} train images and 2 for validation. Got {available} "
            f"and {validation} of {which} instead: take more real images, or classic augmentation alone "
            "(predict.py --real-only --augment; in a study --arms real classic)."
        )
    recipe = replace(recipe, batch_size=min(recipe.batch_size, int(available)))
    check_recipe(recipe, dataset)
    return recipe


def fit_batches(recipe: Recipe, dataset: Dataset) -> tuple[Recipe, list[str]]:
    """Return the recipe with batches that the data can fill, unless --batch-size has asked for others, and lines on it.

    Raises RequestError where there are too few images to train a GAN on, or the recipe does not fit them.
    """
    named = RECIPES.get(recipe.name)
    if named is None or recipe.batch_size != named.batch_size:
        check_recipe(recipe, dataset)
        return recipe, []
    fitted = fit_recipe(recipe, recipe.name, dataset)
    if fitted.batch_size == recipe.batch_size:
        return fitted, []
    return fitted, [f"note: batches of {fitted.batch_size} images in place of {recipe.batch_size}, as there are few"]


def choose_filter(filter: str, dataset: Dataset) -> tuple[str, list[str]]:
    """Return the filter that --filter means for a GAN of these data, and lines on it."""
    counts = dataset.count_train()
    if filter != "auto" or not dataset.has_classifier or counts.min() >= _MIN_FILTER_IMAGES:
        return resolve_filter(filter, has_classifier=dataset.has_classifier), []
    few = f"class {dataset.class_names[counts.argmin()]!r} has {counts.min()} train images"
    return "discriminator", [f"note: the filter is the discriminator: {few}, too few for a classifier to learn it"]


def note_copies(dataset: Dataset, added: dict[str, int]) -> list[str]:
    """Return a line where classes of one or two images are to be filled up to many. added: {class name: images}."""
    counts = dict(zip(dataset.class_names, dataset.count_train().tolist(), strict=True))
    tiny = [name for name, count in added.items() if counts[name] < _COPIES_BELOW and count >= _MANY]
    if not tiny:
        return []
    shown = ", ".join(f"{name} ({counts[name]})" for name in tiny[:_SHOWN]) + ", ..." * (len(tiny) > _SHOWN)
    return [f"warning: copies at best are to be had of classes with one or two train images: {shown}"]
