"""Train one generator and discriminator, with checkpoints and exact resume."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from common.figures import plot_samples, save_figure
from common.files import replacing
from common.run_folder import ModelFolder
from models.batches import stream_batches
from models.building import build_gan, build_pair
from models.callbacks import MeasureRounds, Pace, ProgressBar, StopOnNonFinite, StopWithoutBetter
from models.checkpoint import Progress, load_checkpoint, remove_checkpoint
from models.cluster import build_strategy
from models.description import list_pairs
from models.gan import GAN
from models.inference import Sampler
from models.monitor import Monitor
from models.recipes import Recipe
from real.datasets import Dataset

_GRID_COLUMNS = 10
_MEMBER_SEEDS = 1000  # between the seeds of two members


@dataclass(frozen=True)
class Pair:
    """A generator and a discriminator to train: for all classes, or (class_index) without labels for one.

    subfolder: of the model folder. max_minutes: a share of the run's.
    """

    class_index: int | None
    member: int
    subfolder: Path
    title: str
    max_minutes: float | None


@dataclass(frozen=True)
class Training:
    """What the trainings of all pairs of a run share.

    shared: the model folder whose checkpoints are continued. folder: the one that is written, another on hosts that
    are not the first. max_minutes: of all pairs. extractor: images -> features, for the monitor.
    frozen: the network through which the second discriminator sees.
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

    def list_pairs(self) -> list[Pair]:
        """Return all pairs of the run."""
        names, found = self.dataset.class_names, []
        pairs = list_pairs(self.recipe, names)
        for number, (k, member, subfolder) in enumerate(pairs, 1):
            title = "training" if k is None else f"training {names[k]}"
            title += f" ({number}/{len(pairs)})" if len(pairs) > 1 else ""
            found.append(Pair(k, member, subfolder, title, self.max_minutes and self.max_minutes / len(pairs)))
        return found

    def is_finished(self, pair: Pair) -> bool:
        """Whether both networks of a pair are there."""
        return self.shared.pair(pair.subfolder).has_pair


def fit_pair(training: Training, pair: Pair) -> None:
    """Train one generator and discriminator. Members differ by their seed; all are measured in the same way."""
    dataset, recipe, class_index, title = training.dataset, training.recipe, pair.class_index, pair.title
    shared, folder = training.shared.pair(pair.subfolder), training.folder.pair(pair.subfolder)
    folder.checkpoint.mkdir(parents=True, exist_ok=True)
    images, labels = dataset.part("train", class_index)
    class_count = len(dataset.class_names) if recipe.conditional else 0
    own_seed = training.seed + _MEMBER_SEEDS * pair.member
    with build_strategy().scope():
        gan = build_gan(recipe, dataset.image_shape, class_count, own_seed + (class_index or 0), training.frozen)
    best_weights, progress = load_checkpoint(shared.checkpoint, gan, training.report)
    rounds, round_steps = plan_rounds(recipe, len(images))
    total_steps, seconds = rounds * round_steps, pair.max_minutes and pair.max_minutes * 60
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
            batches = (images, labels, recipe.images_per_step, *steps, own_seed)
            stream = stream_batches(*batches, recipe.balance_classes, recipe.flip == "on")
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
