"""Train a recipe on a data set: data -> trained pair on disk, with checkpoints and exact resume."""

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from models.batches import stream_batches
from models.building import build_gan, build_pair, choose_dtype
from models.callbacks import MeasureRounds, Pace, ProgressBar, StopOnNonFinite, StopWithoutBetter
from models.checkpoint import Progress, load_checkpoint, remove_checkpoint
from models.classifier import build_classifier
from models.cluster import build_strategy, is_chief
from models.description import list_pairs, load_description, save_description
from models.diffaugment import parse_augmentations
from models.gan import GAN
from models.inference import Sampler
from models.losses import build_loss
from models.monitor import Monitor, fit_extractor, fit_filter, fit_frozen_classifier
from models.recipes import Recipe
from synth.datasets import Dataset
from synth.errors import RequestError
from synth.figures import plot_samples, save_figure
from synth.files import replacing
from synth.run_folder import FILTER, FROZEN, MONITOR, PAIR, ModelFolder

_GRID_COLUMNS = 10
_MEMBER_SEEDS = 1000  # between the seeds of two members


@dataclass(frozen=True)
class Training:
    """What the trainings of all pairs of a run share.

    shared: the model folder whose checkpoints are continued. folder: the one that is written, another on hosts that
    are not the first. max_minutes: of one pair, once it is trained. extractor: images -> features, for the monitor.
    frozen: the classifier through which the second discriminator sees.
    """

    dataset: Dataset
    recipe: Recipe
    shared: ModelFolder
    folder: ModelFolder
    seed: int
    max_minutes: float | None
    quiet: bool
    report: Callable[[str], object]
    extractor: Callable[[np.ndarray], np.ndarray] | None = None
    frozen: keras.Model | None = None


def fit_gan(
    dataset: Dataset,
    recipe: Recipe,
    folder: str | Path,
    *,
    seed: int = 0,
    max_minutes: float | None = None,
    quiet: bool = False,
    report: Callable[[str], object] = print,
) -> None:
    """Train what `recipe` says on the train part of `dataset` and leave it in `folder`.

    It leaves generator.keras, discriminator.keras and history.csv there, or in sub-folders where there are several GANs
    (models.description.list_pairs). judge.keras measured them; filter.keras, fitted on other folds, can filter,
    and through frozen.keras, on others again, the second discriminator saw the images.
    The same call again continues where it stopped and ends with the same weights; what is finished is not redone.
    max_minutes: end by then, in order (shared out evenly between the GANs).
    report: callable (text) for warnings and results.
    With several hosts (models.cluster) `folder` is shared between them, and the first one writes it.
    Raises RequestError for a recipe that does not fit the data and TrainingError when training diverges.
    """
    build_strategy()  # several hosts: before a device is touched
    check_recipe(recipe, dataset)
    model = ModelFolder(folder)
    recipe = replace(recipe, dtype=_settle_dtype(recipe, model))
    training = Training(dataset, recipe, model, model, seed, max_minutes, quiet, report)
    if is_chief():
        model.path.mkdir(parents=True, exist_ok=True)
        save_description(model.path, recipe, dataset, seed)
        _fit_networks(training)
    else:
        with tempfile.TemporaryDirectory() as own:
            _fit_networks(replace(training, folder=ModelFolder(own), quiet=True, report=lambda text: None))


def _settle_dtype(recipe: Recipe, model: ModelFolder) -> str:
    """Return the dtype policy to train in: the one that a training in this folder has begun with, or this machine's."""
    begun = model.description.exists()
    return choose_dtype(load_description(model.path).recipe.dtype if begun else recipe.dtype)


def _fit_networks(training: Training) -> None:
    """Fit the classifiers, then the pairs."""
    dataset, recipe, folder = training.dataset, training.recipe, training.folder
    train = (*dataset.part("train"), len(dataset.class_names))
    options = (training.seed, training.report)
    extractor, frozen = fit_extractor(train, folder.network(MONITOR), *options), None
    if dataset.has_classifier:
        fit_filter(train, folder.network(FILTER), *options)
        if recipe.feature_weight:
            frozen = fit_frozen_classifier(train, folder.network(FROZEN), *options)
    training = replace(training, extractor=extractor, frozen=frozen)
    pairs = list_pairs(recipe, dataset.class_names)
    for number, (k, member, subfolder) in enumerate(pairs, 1):
        title = "training" if k is None else f"training {dataset.class_names[k]}"
        title += f" ({number}/{len(pairs)})" if len(pairs) > 1 else ""
        share = training.max_minutes and training.max_minutes / len(pairs)
        _fit_pair(replace(training, max_minutes=share), k, member, subfolder, title)


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
    if dataset.has_classifier:
        build_classifier(dataset.image_shape, len(counts))  # it measures and filters: too small images are refused
    available = len(train_labels) if recipe.conditional else counts.min()
    if available < recipe.batch_size:
        raise RequestError(
            f"--batch-size should be at most the number of train images, {available}. Got {recipe.batch_size} instead."
        )


def _fit_pair(training: Training, class_index: int | None, member: int, subfolder: Path, title: str) -> None:
    """Train one generator and discriminator: for all classes, or (class_index) without labels for one.

    Members differ by the seed of their training; all are measured in the same way.
    """
    dataset, recipe = training.dataset, training.recipe
    shared, folder = training.shared.pair(subfolder), training.folder.pair(subfolder)
    if all(shared.network(name).exists() for name in PAIR):
        return
    folder.checkpoint.mkdir(parents=True, exist_ok=True)
    images, labels = dataset.part("train", class_index)
    class_count = len(dataset.class_names) if recipe.conditional else 0
    own_seed = training.seed + _MEMBER_SEEDS * member
    with build_strategy().scope():
        gan = build_gan(recipe, dataset.image_shape, class_count, own_seed + (class_index or 0), training.frozen)
    best_weights, progress = load_checkpoint(shared.checkpoint, gan, training.report)
    rounds, round_steps = plan_rounds(recipe, len(images))
    total_steps, seconds = rounds * round_steps, training.max_minutes and training.max_minutes * 60
    bar = ProgressBar(progress, title, total_steps, recipe.batch_size, training.quiet)
    callbacks = [
        StopOnNonFinite(progress, title),
        Pace(progress, recipe, total_steps, seconds),
        _measure_rounds(training, gan, class_index, folder, title, progress, best_weights),
        StopWithoutBetter(progress, recipe.patience),
        bar,
    ]
    try:
        if not _is_over(progress, recipe, total_steps, seconds):
            steps = (progress.step, total_steps)
            stream = stream_batches(images, labels, recipe.batch_size, *steps, own_seed, recipe.balance_classes)
            epochs = {"initial_epoch": progress.step // round_steps, "epochs": rounds, "steps_per_epoch": round_steps}
            gan.fit(stream, callbacks=callbacks, shuffle=False, verbose=0, **epochs)
    finally:
        bar.close()
    _save_best(build_pair(recipe, dataset.image_shape, class_count), best_weights, folder)
    training.report(
        f"{title}: {progress.step} steps in {progress.seconds / 60:.1f} min, "
        f"best Frechet distance {progress.best_frechet:.2f} (validation) at step {progress.best_step}, kept"
    )


def _measure_rounds(
    training: Training,
    gan: GAN,
    class_index: int | None,
    folder: ModelFolder,
    title: str,
    progress: Progress,
    best_weights: list[np.ndarray],
) -> MeasureRounds:
    """Return the callback that measures the moving average of the generator after each round, and saves a grid."""
    names, seed = training.dataset.class_names, training.seed
    assert training.extractor is not None  # it is fitted before the pairs
    monitor = Monitor(training.extractor, *training.dataset.part("validation", class_index), seed)
    sampler = Sampler(gan.moving_average)
    classes = [class_index] if class_index is not None else range(len(names))
    folder.progress.mkdir(exist_ok=True)

    def measure() -> tuple[float, list[str]]:
        frechet, collapsed = monitor.measure(sampler)
        return frechet, [names[k] for k in collapsed]

    def save_grid(step: int) -> None:
        rows = sample_grid(sampler, classes, seed)
        figure = plot_samples({names[k]: row for k, row in zip(classes, rows, strict=True)})
        save_figure(folder.progress / f"step-{step:06d}.png", figure)

    return MeasureRounds(
        progress, title, best_weights, folder, measure=measure, save_grid=save_grid, warn=training.report
    )


def sample_grid(sampler: Sampler, classes: Sequence[int], seed: int) -> np.ndarray:
    """Sample a row of the sample grid for each class, with the same latents each time: uint8 [rows, 10, H, W, C]."""
    shape = (_GRID_COLUMNS, sampler.latent_dim)
    latents = np.concatenate([np.random.default_rng([seed, 2, k]).standard_normal(shape) for k in classes])
    images = sampler(latents.astype(np.float32), np.repeat(classes, _GRID_COLUMNS))
    return images.reshape(len(classes), _GRID_COLUMNS, *images.shape[1:])


def plan_rounds(recipe: Recipe, train_count: int) -> tuple[int, int]:
    """Return (rounds, steps per round), equal rounds of about recipe.round_steps that make up the recipe's steps."""
    total_steps = recipe.total_steps(train_count)
    rounds = math.ceil(total_steps / recipe.round_steps)
    return rounds, math.ceil(total_steps / rounds)


def _is_over(progress: Progress, recipe: Recipe, total_steps: int, max_seconds: float | None) -> bool:
    if progress.step >= total_steps or (max_seconds and progress.seconds >= max_seconds):
        return True
    return bool(recipe.patience) and progress.rounds_since_best >= recipe.patience


def _save_best(pair: tuple[keras.Model, keras.Model], best_weights: list[np.ndarray], folder: ModelFolder) -> None:
    """Save a new float32 pair with the best weights, the generator's before the discriminator's."""
    generator, discriminator = pair
    generator.set_weights(best_weights[: len(generator.weights)])
    discriminator.set_weights(best_weights[len(generator.weights) :])
    for name, network in (("discriminator", discriminator), ("generator", generator)):
        with replacing(folder.network(name)) as temporary:
            network.save(temporary)
    remove_checkpoint(folder.checkpoint)
