"""Run the arms of a study: make each training set, fit the classifier on it, and score it."""

import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from common.errors import RunError
from common.executors import Executor
from common.run_folder import RunFolder
from models.classifier_training import ClassifierTraining, fit_and_score
from models.recipes import Recipe
from models.trained_gan import TrainedGAN, prepare_filter
from models.training import fit_gan
from real.datasets import Dataset
from real.resampling import compute_class_weights, resample
from synth.filters import Sieve
from synth.shard_drawing import build_sieve, sample_shard
from synth.shard_options import FilterOptions
from synth.shards import save_hashes
from synth.sources import split_in_memory
from tasks.arms import CURVE_POINTS, Arm
from tasks.data_defaults import choose_filter
from tasks.study_cells import CURVES, RESULTS, Cell, Measured, Outcome, run_one_by_one

BATCH = 128  # images per step of every classifier
_SHARD_ROWS = 500  # images that are drawn, and freed from near-duplicates, together
_MEASURES = ("accuracy", "balanced_accuracy", "geometric_mean", "macro_f1")
_COUNTS = ("train_images", "synthetic_images", "train_accuracy", "validation_accuracy")
COLUMNS = {RESULTS: [*_COUNTS, *_MEASURES, "seconds"], CURVES: ["epoch", "accuracy", "test_accuracy"]}  # of every study


class Lab:
    """What the cells of a study share: data, trained GANs and their images, each made once.

    load: callable (setting, seed) -> Dataset. open_gan: callable (name, setting, seed) -> TrainedGAN. arms: by name.
    filtering: of the images; unfiltered ones have its latent_std alone. steps: optimiser steps of every classifier but
    those of arms with epochs. classifier: its name. flip: whether classic augmentation mirrors images. score_on: the
    part that is scored.
    """

    def __init__(
        self,
        load: Callable[[str, int], Dataset],
        open_gan: Callable[[str, str, int], TrainedGAN],
        arms: dict[str, Arm],
        filtering: FilterOptions,
        *,
        steps: int,
        classifier: str = "cnn",
        flip: bool = False,
        score_on: str = "test",
    ):
        self.load = lru_cache(maxsize=2)(load)
        self.failures: dict[tuple[str, str, int], RunError] = {}  # of trainings that are not tried again
        self.open_gan = lru_cache(maxsize=4)(self._open_once)
        self._open = open_gan
        self._arms = arms
        self._filtering = filtering
        self._steps = steps
        self._classifier = classifier
        self._flip = flip
        self._score_on = score_on
        self._build_sieve = lru_cache(maxsize=8)(self._build_sieve_of)
        self._sample = lru_cache(maxsize=200)(self._sample_of)

    def run_all(self, cells: Iterable[Cell], executor: Executor) -> Iterator[Outcome]:
        """Yield the outcome of each cell as they are finished, in this process or by workers."""
        if not executor.is_remote:
            return run_one_by_one(self.run, cells)
        options: dict[str, Any] = {"steps": self._steps, "classifier": self._classifier}
        options |= {"flip": self._flip, "score_on": self._score_on}
        build = partial(_LabElsewhere, self._arms, self._filtering, **options)
        return executor.map(build, _LabElsewhere.run, map(self._order, cells))

    def _order(self, cell: Cell) -> "_CellOrder":
        gans: dict[str, bytes | RunError] = {}
        for name in self._arms[cell.arm].gans:
            try:
                gans[name] = pickle.dumps(self.open_gan(name, cell.setting, cell.seed))
            except RunError as error:
                gans[name] = error
        return _CellOrder(cell, self.load(cell.setting, cell.seed), gans)

    def run(self, cell: Cell) -> Measured:
        """Run a cell: return (its results, one dict per epoch)."""
        arm, dataset = self._arms[cell.arm], self.load(cell.setting, cell.seed)
        images, labels, synthetic = self.make_training_set(cell)
        training = ClassifierTraining(
            name=self._classifier,
            epochs=arm.epochs or CURVE_POINTS,
            batch_size=BATCH,
            steps=None if arm.epochs else self._steps,
            rate_decay="constant" if arm.epochs else "cosine",
            augment=arm.classic,
            flip=arm.classic and self._flip,
            class_weight=compute_class_weights(labels) if arm.balance == "class-weights" else None,
            choose_epoch=False,
        )
        keras.utils.clear_session()
        start = time.monotonic()
        sources = split_in_memory(*_permute(images, labels, cell.seed))
        parts = (dataset.part("validation"), dataset.part(self._score_on), dataset.class_names)
        scored = fit_and_score(training, sources, *parts, cell.seed)
        history = scored.history.drop(columns="seed")
        last = history.iloc[-1]
        result = {"train_images": len(labels), "synthetic_images": synthetic}
        result |= {"train_accuracy": last["accuracy"], "validation_accuracy": last["val_accuracy"]}
        result |= {measure: scored.scores[measure] for measure in _MEASURES}
        for measure in ("accuracy", "precision"):
            result |= {f"{measure} {name}": value for name, value in scored.scores[f"per_class_{measure}"].items()}
        return result | {"seconds": round(time.monotonic() - start, 1)}, history.to_dict("records")

    def make_training_set(self, cell: Cell) -> tuple[np.ndarray, np.ndarray, int]:
        """Return images, class indices and how many of the images are synthetic; the real ones come first."""
        arm, dataset = self._arms[cell.arm], self.load(cell.setting, cell.seed)
        images, labels = dataset.part("train")
        counts = dataset.count_train()
        added = arm.count_added(counts)
        if not added:
            return images, labels, 0
        drawn = {k: count // 2 if arm.balance else count for k, count in added.items()} if arm.gans else {}
        if arm.balance in ("oversampling", "smote"):
            wanted = {k: int(counts[k]) + count - drawn.get(k, 0) for k, count in added.items()}
            images, labels = resample(arm.balance, images, labels, wanted, cell.seed)
        if not any(drawn.values()):
            return images, labels, 0
        drawn_images, drawn_labels = self.draw(cell, drawn)
        return np.concatenate([images, drawn_images]), np.concatenate([labels, drawn_labels]), len(drawn_labels)

    def draw(self, cell: Cell, counts: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Draw {class index: count} images for a cell's arm: (images uint8 [n, H, W, C], class indices [n]).

        More images of a class begin with the fewer; several GANs give equal parts.
        """
        arm = self._arms[cell.arm]
        images, labels = [], []
        for k, count in counts.items():
            for position, name in enumerate(arm.gans):
                part = (count + position) // len(arm.gans)
                shards = range(-(-part // _SHARD_ROWS))
                drawn = [self._sample(name, cell.setting, cell.seed, arm.filtered, k, shard) for shard in shards]
                images += [np.concatenate(drawn)[:part]] if drawn else []
            labels.append(np.full(count, k))
        return np.concatenate(images), np.concatenate(labels)

    def _open_once(self, name: str, setting: str, seed: int) -> TrainedGAN:
        """Return the TrainedGAN, trained first where it is not there yet; one whose training failed is not again."""
        key = (name, setting, seed)
        if key in self.failures:
            raise self.failures[key]
        try:
            return self._open(*key)
        except RunError as error:
            self.failures[key] = error
            raise

    def _sample_of(
        self, name: str, setting: str, seed: int, filtered: bool, class_index: int, shard: int
    ) -> np.ndarray:
        trained = self.open_gan(name, setting, seed)
        value = self.load(setting, seed).label_values[class_index]
        sieve = self._build_sieve(name, setting, seed, filtered)
        k = trained.label_values.index(value)
        return sample_shard(trained, sieve, seed, k, shard, _SHARD_ROWS, self._filtering.latent_std)[0]

    def _build_sieve_of(self, name: str, setting: str, seed: int, filtered: bool) -> Sieve:
        trained = self.open_gan(name, setting, seed)
        sampling = asdict(self._filtering) | {"seed": seed}
        if filtered:
            sampling["filter"] = choose_filter(self._filtering, trained)[0]
        else:
            sampling |= {"filter": "none", "duplicate_distance": 0}
        return build_sieve(trained, sampling, trained.class_names)[0]


@dataclass(frozen=True)
class _CellOrder:
    """A cell for another process, with its data, and its GANs, pickled, or why they could not be trained."""

    cell: Cell
    dataset: Dataset
    gans: dict[str, bytes | RunError]


class _LabElsewhere:
    """A Lab in another process, which is sent what its cells need. It takes the arguments of Lab behind open_gan."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._lab = Lab(lambda setting, seed: self._at_work.dataset, self._open, *arguments, **options)
        self._at_work: _CellOrder

    def run(self, order: _CellOrder) -> Outcome:
        """Run a cell."""
        self._at_work = order
        return next(run_one_by_one(self._lab.run, [order.cell]))

    def _open(self, name: str, setting: str, seed: int) -> TrainedGAN:
        found = self._at_work.gans[name]
        if isinstance(found, RunError):
            raise found
        return pickle.loads(found)


def fit_study_gan(
    dataset: Dataset, recipe: Recipe, folder: Path, *, filter: str = "none", seed: int, **options: Any
) -> TrainedGAN:
    """Train a GAN into `folder` as generate_data.py does, or continue it, and return it.

    options: max_minutes, quiet, report and executor, as of models.training.fit_gan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = RunFolder(folder).model.path
    save_hashes(folder, dataset.train_hashes())
    fit_gan(dataset, recipe, model, seed=seed, **options)
    prepare_filter(model, dataset, filter)
    return TrainedGAN(model)


def _permute(images: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(seed).permutation(len(labels))
    return images[order], labels[order]
