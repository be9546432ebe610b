"""Whether training images are mirrored: as asked, or by a test on held-out images."""

import math
import os
from dataclasses import dataclass, replace

import numpy as np

from common.errors import RequestError
from models.classifier import compute_probabilities, draw_folds, fit_classifier
from models.recipes import Recipe
from real.datasets import Dataset, Labelled

_MAX_PIXELS = 2**25  # of the images that the test is fitted on: 32,768 images of 32 x 32
_ENOUGH = 1000  # validation images to test it on: of 80 chance decides
_Z = 1.96  # of a 95 % interval
MEASURED = "as a test on held-out images says"  # before it was made
_KEPT = 0.9  # of the accuracy above chance, by mirrored images


@dataclass(frozen=True)
class FlipDecision:
    """Whether half of the training images are mirrored, and why, in words with the numbers; "" where none was asked."""

    flip: bool
    reason: str

    def settle(self, recipe: Recipe) -> Recipe:
        """Return a recipe with what "auto" means; one that says on or off keeps it."""
        return replace(recipe, flip="on" if self.flip else "off") if recipe.flip == "auto" else recipe

    def describe(self) -> dict[str, str]:
        """Return what a plan says of it, {heading: text}."""
        return {"flips": self.reason} if self.reason else {}


def decide_flip(asked: str, dataset: Dataset, seed: int = 0, *, dry: bool = False) -> FlipDecision:
    """Decide what --flip means for these data.

    asked: "on", "off" or "auto": off for grey images, and by a measurement (measure_flip) for colour, which is only
    announced if `dry`. Raises RequestError where several hosts would measure, each for itself.
    """
    if asked != "auto":
        return FlipDecision(asked == "on", f"{asked}, as the recipe or --flip says")
    if dataset.image_shape[2] == 1:
        return FlipDecision(False, "")  # they may be digits or letters
    if not dataset.has_classifier or not len(dataset.validation):
        return FlipDecision(False, "off: it takes two classes and validation images to test them")
    if os.environ.get("TF_CONFIG"):
        raise RequestError("--flip should be on or off with several hosts, as each would measure. Got auto instead.")
    return FlipDecision(False, MEASURED) if dry else measure_flip(dataset, seed)


def measure_flip(dataset: Dataset, seed: int) -> FlipDecision:
    """Fit the `cnn` on images as they are, and see whether it recognises mirrored held-out ones as well.

    Held out is the validation part; where that is small, each half of train and validation part in turn.
    """
    train, validation = dataset.part("train"), dataset.part("validation")
    if len(validation[1]) >= _ENOUGH:
        folds = [(train, validation)]
    else:
        images, labels = (np.concatenate(pair) for pair in zip(train, validation, strict=True))
        is_first = draw_folds(len(labels), seed, 2) == 0
        halves = [(images[fold], labels[fold]) for fold in (is_first, ~is_first)]
        folds = [(halves[0], halves[1]), (halves[1], halves[0])]
    found = [_recognise(fitted, held_out, len(dataset.class_names), seed) for fitted, held_out in folds]
    return compare_mirrored(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _recognise(fitted: Labelled, held_out: Labelled, class_count: int, seed: int) -> tuple[np.ndarray, ...]:
    """Return which held-out images a `cnn` recognises, as they are and mirrored, bool [n] each, and their labels."""
    images, labels = fitted
    some = np.random.default_rng(seed).permutation(len(labels))[: _MAX_PIXELS // math.prod(images.shape[1:3])]
    classifier = fit_classifier(images[some], labels[some], class_count, seed=seed, repeat_few=True)
    images, labels = held_out
    sides = (images, images[:, :, ::-1])
    right, mirrored = (compute_probabilities(classifier, side).argmax(axis=1) == labels for side in sides)
    return right, mirrored, labels


def compare_mirrored(right: np.ndarray, right_mirrored: np.ndarray, labels: np.ndarray) -> FlipDecision:
    """Decide by which images were recognised, bool [n] each, as they are and mirrored, and their class indices [n].

    Flips are on where at least nine tenths are kept of what the balanced accuracy is above chance: a mirrored letter
    loses far more. A classifier that is not above chance (in its 95 % interval) can't tell.
    """
    _, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = 1 / (len(counts) * counts[index])
    accuracy, mirrored, chance = weights @ right, weights @ right_mirrored, 1 / len(counts)
    learnt = accuracy - _Z * math.sqrt(accuracy * (1 - accuracy) * (weights**2).sum()) > chance
    flip = bool(learnt and mirrored - chance >= _KEPT * (accuracy - chance))
    return FlipDecision(
        flip,
        f"{'on' if flip else 'off'}: a cnn recognises {accuracy:.1%} of {len(labels):,} held-out images, "
        f"{mirrored:.1%} of them mirrored{'' if learnt else ', too few to tell'}",
    )
