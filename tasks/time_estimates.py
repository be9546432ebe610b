"""How long training takes, from rates of this machine, or from those of 2 cores without a GPU at 28 x 28 pixels."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from common.cores import count_cores
from common.run_options import WorkOptions
from models.classifier import count_epoch_images, find_stride
from models.monitor import list_own_classifiers
from models.recipes import Recipe
from models.training_rate import CLASSIFIER_BATCH, recall_classifier_speed, recall_speed
from real.datasets import Dataset

ImageShape = tuple[int, int, int]
_CLASSIFIER_IMAGES_PER_SECOND = 8900  # the classifier cnn
# relative; benchmarks.classifiers gave 7 to 8 for strong, and 11 to 16 for resnet20
_CLASSIFIER_COSTS = {"cnn": 1, "lenet5": 1, "strong": 9, "resnet20": 12}
_GAN_IMAGES_PER_SECOND = {"dcgan": 1040, "mlp": 4500}  # in float32; dcgan: at 32 channels in both networks
_BFLOAT16_SPEEDUP = 1.25
_FEATURES_SLOWDOWN = 0.84  # by the second discriminator, at 32 channels
_CLASSIFIER_START_SECONDS = 6  # to build and trace it, and to score it on 10,000 images


@dataclass(frozen=True)
class Estimates:
    """How long trainings take: at the rates of this machine in so many `threads`, or, if None, of 2 cores."""

    threads: int | None = None

    def count_gan_minutes(self, recipe: Recipe, dataset: Dataset) -> float:
        """Return the minutes of all GANs of a recipe."""
        train_count, class_count = len(dataset.train), len(dataset.class_names)
        if self.threads is None:
            return estimate_gan_minutes(recipe, train_count, class_count, dataset.image_shape)
        gans, images = recipe.plan_gans(class_count, train_count)
        return gans * recipe.total_steps(images) / recall_speed(dataset, recipe, self.threads) / 60

    def count_judge_minutes(self, recipe: Recipe, dataset: Dataset) -> float:
        """Return the minutes of the classifiers that a run fits on its train part, to measure and filter its GANs."""
        fitted = list_own_classifiers(recipe) if dataset.has_classifier else {}
        steps = count_epoch_images(len(dataset.train)) / CLASSIFIER_BATCH  # of an epoch
        return sum(
            self.count_classifier_minutes(len(epochs), round(sum(epochs) * steps), dataset, kind)
            for kind, epochs in fitted.items()
        )

    def count_classifier_minutes(self, classifiers: int, steps: int, dataset: Dataset, name: str) -> float:
        """Return the minutes of so many classifiers of this name, with so many optimiser steps in all."""
        if not classifiers:
            return 0.0
        if self.threads is None:
            return estimate_classifier_minutes(classifiers, steps, dataset.image_shape, name)
        seconds = steps / recall_classifier_speed(dataset, name, self.threads)
        return (seconds + classifiers * _CLASSIFIER_START_SECONDS) / 60

    def describe(self) -> str:
        """Return which machine the estimates are for."""
        if self.threads is None:
            return "on 2 free cores"
        return f"in {self.threads} thread{'s' * (self.threads > 1)}, at rates measured here"


def estimate_classifier_minutes(classifiers: int, steps: int, image_shape: ImageShape, name: str = "cnn") -> float:
    """Estimate the minutes of so many classifiers, with so many optimiser steps in all, on images [H, W, C]."""
    images_per_second = _CLASSIFIER_IMAGES_PER_SECOND / _CLASSIFIER_COSTS[name]
    size = _relative_size(image_shape)
    size = size / find_stride(image_shape) ** 2 if name == "resnet20" else size
    seconds = steps * CLASSIFIER_BATCH / images_per_second * size
    return (seconds + classifiers * _CLASSIFIER_START_SECONDS) / 60


def estimate_gan_minutes(recipe: Recipe, train_count: int, class_count: int, image_shape: ImageShape) -> float:
    """Estimate the minutes of all GANs of a recipe (models.recipes.Recipe) on so many train images [H, W, C]."""
    rate = _GAN_IMAGES_PER_SECOND[recipe.network]
    if recipe.network == "dcgan":
        rate *= 64 / (recipe.generator_width + recipe.discriminator_width) / (1 + recipe.residual_blocks)
    if recipe.feature_weight and class_count > 1:
        rate *= _FEATURES_SLOWDOWN
    if recipe.dtype != "float32":  # "auto" is taken for bfloat16
        rate *= _BFLOAT16_SPEEDUP
    gans, images = recipe.plan_gans(class_count, train_count)
    images = gans * recipe.total_steps(images) * recipe.images_per_step
    return images / rate * _relative_size(image_shape) / 60


def count_useful_workers(work: WorkOptions, threads: int) -> float:
    """Return how many times as fast as one process the workers may be: those of this machine share its cores."""
    if not work.is_shared or not work.workers:
        return 1.0
    return work.workers if work.cluster else max(1.0, min(work.workers, count_cores() / threads))


def measure_rate(draw_block: Callable[[], object], images: int, seconds: float = 2.0) -> float:
    """Return images per second of drawing blocks of so many, over some seconds behind the first, which is slower."""
    draw_block()
    blocks, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        draw_block()
        blocks += 1
    return blocks * images / (time.perf_counter() - start)


def describe_duration(minutes: float) -> str:
    """Return "40 seconds", "12 minutes", "3.5 hours" or "12 days"; two seconds at least."""
    for unit, length in (("days", 1440.0), ("hours", 60.0), ("minutes", 1.0)):
        if minutes >= 1.5 * length:
            return f"{minutes / length:.{0 if minutes >= 10 * length else 1}f} {unit}"
    return f"{max(2, 60 * minutes):.0f} seconds"


def _relative_size(image_shape: ImageShape) -> float:
    return image_shape[0] * image_shape[1] / 28**2
