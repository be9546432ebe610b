"""Whether training images are mirrored: as asked, or by a test on validation images."""

import math
import os
from dataclasses import dataclass, replace

import numpy as np

from models.classifier import compute_probabilities, fit_classifier
from models.recipes import Recipe
from synth.datasets import Dataset
from synth.errors import RequestError

_MAX_PIXELS = 2**25  # of the images that the test is fitted on: 32,768 images of 32 x 32
_Z = 1.96  # of a 95 % interval
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
        return FlipDecision(asked == "on", f"{asked}, as --flip says")
    if dataset.image_shape[2] == 1:
        return FlipDecision(False, "")  # they may be digits or letters
    if not dataset.has_classifier or not len(dataset.validation):
        return FlipDecision(False, "off: it takes two classes and validation images to test them")
    if os.environ.get("TF_CONFIG"):
        raise RequestError("--flip should be on or off with several hosts, as each would measure. Got auto instead.")
    return FlipDecision(False, "as a test on validation images says") if dry else measure_flip(dataset, seed)


def measure_flip(dataset: Dataset, seed: int) -> FlipDecision:
    """Fit the `cnn` on train images as they are, and see whether it recognises mirrored validation images as well."""
    images, labels = dataset.part("train")
    some = np.random.default_rng(seed).permutation(len(labels))[: _MAX_PIXELS // math.prod(dataset.image_shape[:2])]
    classifier = fit_classifier(images[some], labels[some], len(dataset.class_names), seed=seed)
    images, labels = dataset.part("validation")
    right, right_mirrored = (
        compute_probabilities(classifier, side).argmax(axis=1) == labels for side in (images, images[:, :, ::-1])
    )
    return compare_mirrored(right, right_mirrored, np.bincount(labels).max() / len(labels))


def compare_mirrored(right: np.ndarray, right_mirrored: np.ndarray, chance: float) -> FlipDecision:
    """Decide by which images were recognised, bool [n] each, as they are and mirrored.

    Flips are on where at least nine tenths are kept of what the accuracy is above `chance`, the share of the largest
    class: a mirrored letter loses far more. A classifier that is not above it (in its 95 % interval) can't tell.
    """
    count, accuracy, mirrored = len(right), right.mean(), right_mirrored.mean()
    learnt = accuracy - _Z * math.sqrt(accuracy * (1 - accuracy) / count) > chance
    flip = bool(learnt and mirrored - chance >= _KEPT * (accuracy - chance))
    return FlipDecision(
        flip,
        f"{'on' if flip else 'off'}: a cnn recognises {accuracy:.1%} of {count:,} validation images, "
        f"{mirrored:.1%} of them mirrored{'' if learnt else ', too few to tell'}",
    )
