"""Train a recipe on a data set: data -> trained pairs on disk, in this process or shared among workers."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import RequestError
from common.executors import Executor, SerialExecutor
from common.files import read_files, write_files
from common.run_folder import CLASSIFIERS, FILTER, FROZEN, MONITOR, ModelFolder, read_generators_last
from models.building import choose_dtype
from models.checkpoint import remove_checkpoint
from models.classifier import build_classifier, build_feature_extractor, compute_features
from models.cluster import build_strategy, is_chief
from models.description import load_description, save_description
from models.diffaugment import parse_augmentations
from models.feature_networks import check_name
from models.flips import decide_flip
from models.losses import build_loss
from models.monitor import (
    TrainPart,
    fit_classes,
    fit_extractor,
    fit_filter,
    fit_frozen_classifier,
    list_own_classifiers,
    load_or_build_judge,
)
from models.pair_training import Pair, Training, fit_pair
from models.recipes import OWN_JUDGES, Recipe
from real.datasets import Dataset


def fit_gan(
    dataset: Dataset,
    recipe: Recipe,
    folder: str | Path,
    *,
    seed: int = 0,
    max_minutes: float | None = None,
    quiet: bool = False,
    report: Callable[[str], object] = print,
    executor: Executor | None = None,
) -> None:
    """Train what `recipe` says on the train part of `dataset` and leave it in `folder`.

    It leaves generator.keras, discriminator.keras and history.csv there, or in sub-folders where there are several GANs
    (models.description.list_pairs). judge.keras measured them; filter.keras, fitted on other folds, can filter,
    and through frozen.keras, on others again, the second discriminator saw the images. A judge that was trained on
    other pictures is frozen.keras, and measures, too.
    The same call again continues where it stopped and ends with the same weights; what is finished is not redone.
    max_minutes: stop cleanly then (shared out evenly between the GANs).
    report: callable (text) for warnings and results.
    executor: what trains the GANs where there are several; this process, if None. One in a worker that dies, or whose
    driver does, begins again where this call found it.
    With several hosts (models.cluster) `folder` is shared between them, and the first one writes it.
    Raises RequestError for a recipe that does not fit the data and TrainingError when training diverges.
    """
    build_strategy()  # several hosts: before a device is touched
    check_recipe(recipe, dataset)
    model = ModelFolder(folder)
    flip = _settle_flip(recipe, dataset, model, seed, report)
    recipe = replace(recipe, dtype=_settle_dtype(recipe, model), flip=flip)
    training = Training(dataset, recipe, model, model, seed, max_minutes, quiet, report)
    if is_chief():
        model.path.mkdir(parents=True, exist_ok=True)
        save_description(model.path, recipe, dataset, seed)
        _fit_networks(training, executor or SerialExecutor())
    else:
        with tempfile.TemporaryDirectory() as own:
            own_training = replace(training, folder=ModelFolder(own), quiet=True, report=lambda text: None)
            _fit_networks(own_training, SerialExecutor())


def _settle_dtype(recipe: Recipe, model: ModelFolder) -> str:
    """Return the dtype policy to train in: the one that a training in this folder has begun with, or this machine's."""
    begun = model.description.exists()
    return choose_dtype(load_description(model.path).recipe.dtype if begun else recipe.dtype)


def _settle_flip(
    recipe: Recipe, dataset: Dataset, model: ModelFolder, seed: int, report: Callable[[str], object]
) -> str:
    """Return "on" or "off", as a training in this folder has begun, or as is decided now and reported."""
    if model.description.exists():
        return load_description(model.path).recipe.flip
    if recipe.flip != "auto":
        return recipe.flip
    decision = decide_flip(recipe.flip, dataset, seed)
    if decision.reason:
        report(f"flips {decision.reason}")
    return decision.settle(recipe).flip


def _fit_networks(training: Training, executor: Executor) -> None:
    """Fit the classifiers, then the pairs."""
    training = _fit_classifiers(training)
    missing = [pair for pair in training.list_pairs() if not training.is_finished(pair)]
    if executor.is_remote and len(missing) > 1:
        _fit_elsewhere(training, missing, executor)
        return
    for pair in missing:
        fit_pair(training, pair)


def _fit_classifiers(training: Training) -> Training:
    """Fit the classifiers that are not in the folder yet, and return the training with those that it needs."""
    dataset, folder = training.dataset, training.folder
    train = (*dataset.part("train"), len(dataset.class_names))
    recipe = training.recipe
    if not recipe.has_own_judge:
        return _build_judge(training, train)
    options: dict[str, Any] = {"seed": training.seed, "report": training.report, "quiet": training.quiet}
    options["flip"] = recipe.flip == "on"
    extractor, frozen = fit_extractor(train, folder.network(MONITOR), name=recipe.judge, **options), None
    if dataset.has_classifier:
        fit_filter(train, folder.network(FILTER), name=recipe.judge, **options)
        if recipe.feature_weight:
            frozen = fit_frozen_classifier(train, folder.network(FROZEN), name=recipe.feature_network, **options)
    return replace(training, extractor=extractor, frozen=frozen)


def _build_judge(training: Training, train: TrainPart) -> Training:
    """Return the training with a judge that was trained on other pictures, and fit the filter on its features."""
    recipe, folder, dataset, report = training.recipe, training.folder, training.dataset, training.report
    judge = load_or_build_judge(recipe.judge, dataset.image_shape, folder.network(FROZEN), report)
    if dataset.has_classifier:
        fit_classes(train, judge, folder.network(FILTER), training.seed, report)
    extractor = partial(compute_features, build_feature_extractor(judge))
    return replace(training, extractor=extractor, frozen=judge if recipe.feature_weight else None)


def _fit_elsewhere(training: Training, pairs: list[Pair], executor: Executor) -> None:
    """Fit pairs by workers, and write what each has left as it is finished."""
    classifiers = {f"{name}.keras": training.folder.network(name) for name in CLASSIFIERS}
    files = {name: path.read_bytes() for name, path in classifiers.items() if path.exists()}
    alone = replace(training, extractor=None, frozen=None, quiet=True, report=_ignore)
    orders = ((pair, read_files(training.folder.pair(pair.subfolder).path)) for pair in pairs)
    for pair, made, lines in executor.map(_ClassifiersSent(alone, files), _fit_pair_elsewhere, orders):
        folder = training.folder.pair(pair.subfolder)
        write_files(folder.path, made)
        if folder.checkpoint.exists():
            remove_checkpoint(folder.checkpoint)
        for line in lines:
            training.report(line)


def _ignore(text: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class _ClassifiersSent:
    """Builds a Training in another process. files: the classifiers, {name: content}."""

    training: Training
    files: dict[str, bytes]

    def __call__(self) -> Training:
        """Return the Training with its classifiers."""
        with tempfile.TemporaryDirectory() as folder:
            write_files(folder, self.files)
            return _fit_classifiers(replace(self.training, folder=ModelFolder(folder)))


def _fit_pair_elsewhere(
    training: Training, order: tuple[Pair, dict[str, bytes]]
) -> tuple[Pair, dict[str, bytes], list[str]]:
    """Fit a pair from what its folder held; return it, what its folder holds then, the generator last, and notes."""
    pair, files = order
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        own = ModelFolder(folder)
        write_files(own.pair(pair.subfolder).path, files)
        fit_pair(replace(training, shared=own, folder=own, report=lines.append), pair)
        made = read_generators_last(own.pair(pair.subfolder).path)
    return pair, made, lines


def check_recipe(recipe: Recipe, dataset: Dataset) -> None:
    """Raise RequestError where the recipe's names or sizes do not fit each other or the data."""
    build_loss(recipe.loss)
    parse_augmentations(recipe.diffaugment)
    if recipe.penalty != "none" and recipe.discriminator_norm == "batch":
        raise RequestError("--penalty should be none with --discriminator-norm batch: it is one image's gradient.")
    train_labels = dataset.labels[dataset.train]
    counts = np.bincount(train_labels, minlength=len(dataset.class_names))
    if counts.min() == 0:
        raise RequestError(f"class {dataset.class_names[counts.argmin()]!r} should have train images. Got none.")
    held_out = np.bincount(dataset.labels[dataset.validation], minlength=len(counts))
    if (held_out.sum() if recipe.conditional else held_out.min()) < 2:
        raise RequestError("validation should have at least 2 images for each GAN: more real images are needed.")
    if not recipe.has_own_judge:
        check_name(recipe.judge, f"--judge should be {', '.join(OWN_JUDGES)}")
    elif dataset.has_classifier:  # too small images are refused
        for kind in list_own_classifiers(recipe):
            build_classifier(dataset.image_shape, len(counts), kind)
    available = len(train_labels) if recipe.conditional else counts.min()
    if available < recipe.batch_size:
        raise RequestError(
            f"--batch-size should be at most the number of train images, {available}. Got {recipe.batch_size} instead."
        )
