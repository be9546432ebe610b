"""What follows the data: networks, steps, batches, the filter, and what is to be known of very small classes.

The steps follow the images' size, not their number: fewer are no better for 40 images either (docs/log.md, 2026-11-26).
"""

from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import RequestError
from common.output_folder import list_same_sections
from common.run_folder import RunFolder
from models.description import load_description
from models.recipe_fitting import FITTED, fit_to_images
from models.recipes import RECIPES, GANRequest, Recipe, write_flags
from models.trained_gan import TrainedGAN
from models.training import check_recipe
from real.datasets import Dataset
from synth.filters import resolve_filter
from synth.shard_options import FilterOptions

_MIN_GAN_IMAGES = 16
_COPIES_BELOW = 3  # train images of a class: of fewer a GAN learns the images themselves
_MANY = 100  # synthetic images of such a class that are worth a warning
_SHOWN = 5


def fit_recipe(
    recipe: Recipe, name: str, dataset: Dataset, given: Collection[str] = (), *, limit_given: bool = False
) -> Recipe:
    """Return the recipe as it is used on these images.

    One GAN per class if the name begins with "alone"; what models.recipe_fitting says for size and colour of the
    images, unless `given` names it; batches no larger than their number, given ones only if `limit_given`, as for a
    study, whose settings differ in it. Raises RequestError where there are too few images to train on, or for batches
    that are larger.
    """
    recipe = replace(recipe, conditional=recipe.conditional and not name.startswith("alone"))
    counts = dataset.count_train()
    held_out = np.bincount(dataset.labels[dataset.validation], minlength=len(counts))
    available, validation = (_count_for_one(recipe, part) for part in (counts, held_out))
    if available < _MIN_GAN_IMAGES or validation < 2:
        which = "all classes together" if recipe.conditional else f"class {dataset.class_names[counts.argmin()]!r}"
        raise RequestError(
            f"a GAN ({name}) should have at least {_MIN_GAN_IMAGES} train images and 2 for validation. Got {available} "
            f"and {validation} of {which} instead: take more real images, or classic augmentation alone "
            "(predict.py --real-only --augment; in a study --arms real classic)."
        )
    recipe = fit_to_images(recipe, given, dataset.image_shape, available)
    recipe = _limit_batch(recipe, dataset, () if limit_given else given)
    check_recipe(recipe, dataset)
    return recipe


def _limit_batch(recipe: Recipe, dataset: Dataset, given: Collection[str]) -> Recipe:
    """Return the recipe with batches no larger than the number of images of a GAN, unless they are given."""
    available = _count_for_one(recipe, dataset.count_train())
    return recipe if "batch_size" in given else replace(recipe, batch_size=min(recipe.batch_size, available))


def _count_for_one(recipe: Recipe, counts: np.ndarray) -> int:
    """Return how many images each GAN has at least, of so many in each class."""
    return int(counts.sum() if recipe.conditional else counts.min())


def settle_recipe(
    gan: GANRequest, dataset: Dataset, training: dict[str, Any], out: str | Path
) -> tuple[Recipe, dict[str, Any]]:
    """Fit the recipe to the images, or take it as the same training in `out` has recorded it.

    training: what else identifies the training; it is returned with what was asked for, behind the recipe.
    """
    recipe = fit_recipe(gan.recipe, gan.recipe.name, dataset, gan.given)
    training = training | {"recipe": asdict(_limit_batch(gan.recipe, dataset, gan.given))}
    if gan.given:  # a field given at its named value, as --steps 5000, is not fitted: then it is another training
        without = fit_recipe(gan.recipe, gan.recipe.name, dataset)
        kept = [name for name in FITTED if getattr(without, name) != getattr(recipe, name)]
        training |= {"kept": kept} if kept else {}
    model = RunFolder(out).model
    if "training" in list_same_sections(out, {"training": training}) and model.description.exists():
        recipe = load_description(model.path).recipe
    return recipe, training


def refuse_training(gan: GANRequest) -> None:
    """Raise RequestError for options of a training beside --model."""
    if gan.recipe != RECIPES["quick"] or gan.given or gan.max_minutes:
        raise RequestError("--model is trained already: leave out --recipe, its fields' flags and --max-minutes.")


def describe_fit(asked: Recipe, fitted: Recipe, dataset: Dataset) -> dict[str, str]:
    """Return what a plan says of a recipe that is other than was asked for, {heading: text}."""
    values = {name: getattr(fitted, name) for name in FITTED}
    changed = {name: value for name, value in values.items() if value != getattr(asked, name)}
    height, width, channels = dataset.image_shape
    images = f"{len(dataset.train):,} images of {height} x {width} pixels{' in colour' if channels > 1 else ''}"
    return {"  fitted": f"to {images}: {' '.join(write_flags(changed))}"} if changed else {}


def choose_filter(filtering: FilterOptions, source: Dataset | TrainedGAN) -> tuple[str, list[str]]:
    """Return the filter that --filter means for a GAN of these data, or for this one, and lines on it."""
    filter = filtering.filter
    if filter == "density-ratio" and filtering.latent_std != 1:
        raise RequestError(
            "--filter density-ratio is fitted to images of latents with a standard deviation of 1. Got --latent-std "
            f"{filtering.latent_std:g}: leave one of the two out."
        )
    counts = source.count_train()
    fewest = None if counts is None else int(counts.min())
    chosen = resolve_filter(filter, has_classifier=source.has_classifier, fewest=fewest)
    if counts is None or filter != "auto" or not source.has_classifier or chosen == "classifier":
        return chosen, []
    few = f"class {source.class_names[counts.argmin()]!r} has {fewest} train images"
    return chosen, [f"note: the filter is the discriminator: {few}, too few for a classifier to learn it"]


def note_tiny_classes(source: Dataset | TrainedGAN, added: dict[str, int]) -> list[str]:
    """Return a line where classes of one or two images are to be filled up to many. added: {class name: images}."""
    found = source.count_train()
    counts = {} if found is None else dict(zip(source.class_names, found.tolist(), strict=True))
    tiny = [name for name, few in counts.items() if few < _COPIES_BELOW and added.get(name, 0) >= _MANY]
    if not tiny:
        return []
    shown = ", ".join(f"{name} ({counts[name]})" for name in tiny[:_SHOWN]) + ", ..." * (len(tiny) > _SHOWN)
    return [f"warning: copies at best are to be had of classes with one or two train images: {shown}"]
