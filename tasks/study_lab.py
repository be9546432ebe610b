"""Run the arms of a study: make each training set, fit the classifier on it, and score it."""

import time
from dataclasses import replace
from functools import lru_cache

import keras
import numpy as np

from models.classifier_training import fit_and_score
from models.trained_gan import TrainedGAN, prepare_filter
from models.training import check_recipe, fit_gan
from synth.errors import RequestError, RunError
from synth.resampling import compute_class_weights, resample
from synth.shard_writing import build_sieve, check_sampling, sample_shard
from synth.shards import save_hashes
from synth.sources import split_in_memory
from tasks.arms import CURVE_POINTS
from tasks.study_cells import CURVES, RESULTS

BATCH = 128  # images per step of every classifier
SAMPLING = ("filter", "keep", "min_probability", "duplicate_distance", "latent_std")
_MIN_GAN_IMAGES = 16
_SHARD_ROWS = 500  # images that are drawn, and freed from near-duplicates, together
_MEASURES = ("accuracy", "balanced_accuracy", "geometric_mean", "macro_f1")
_COUNTS = ("train_images", "synthetic_images", "train_accuracy", "validation_accuracy")
COLUMNS = {RESULTS: [*_COUNTS, *_MEASURES, "seconds"], CURVES: ["epoch", "accuracy", "test_accuracy"]}  # of every study


class Lab:
    """What the cells of a study share: data, trained GANs and their images, each made once.

    load: callable (setting, seed) -> synth.datasets.Dataset. open_gan: callable (name, setting, seed) -> TrainedGAN.
    arms: {name: tasks.arms.Arm}. sampling: {option: value} for SAMPLING; unfiltered images have its latent_std alone.
    steps: optimiser steps of every classifier but those of arms with epochs. score_on: the part that is scored.
    """

    def __init__(self, load, open_gan, arms, sampling, *, steps, score_on="test"):
        self.load = lru_cache(maxsize=2)(load)
        self._open_gan = lru_cache(maxsize=4)(_remember_failures(open_gan))
        self._arms = arms
        self._sampling = sampling
        self._steps = steps
        self._score_on = score_on
        self._build_sieve = lru_cache(maxsize=8)(self._build_sieve)
        self._sample = lru_cache(maxsize=200)(self._sample)

    def run(self, cell):
        """Run a cell (tasks.study_cells.Cell): return (its results, one dict per epoch)."""
        arm, dataset = self._arms[cell.arm], self.load(cell.setting, cell.seed)
        images, labels, synthetic = self.make_training_set(cell)
        keras.utils.clear_session()
        start = time.monotonic()
        scored = fit_and_score(
            split_in_memory(*_permute(images, labels, cell.seed)),
            dataset.part("validation"),
            dataset.part(self._score_on),
            dataset.class_names,
            epochs=arm.epochs or CURVE_POINTS,
            batch_size=BATCH,
            steps=None if arm.epochs else self._steps,
            augment=arm.classic,
            seed=cell.seed,
            class_weight=compute_class_weights(labels) if arm.balance == "class-weights" else None,
            choose_epoch=False,
            rate_decay="constant" if arm.epochs else "cosine",
        )
        history = scored.history.drop(columns="seed")
        last = history.iloc[-1]
        result = {"train_images": len(labels), "synthetic_images": synthetic}
        result |= {"train_accuracy": last["accuracy"], "validation_accuracy": last["val_accuracy"]}
        result |= {measure: scored.scores[measure] for measure in _MEASURES}
        result |= {f"accuracy {name}": value for name, value in scored.scores["per_class_accuracy"].items()}
        return result | {"seconds": round(time.monotonic() - start, 1)}, history.to_dict("records")

    def make_training_set(self, cell):
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

    def draw(self, cell, counts):
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

    def open_gan(self, name, setting, seed):
        """Return the TrainedGAN, trained first where it is not there yet."""
        return self._open_gan(name, setting, seed)

    def _sample(self, name, setting, seed, filtered, class_index, shard):
        trained = self._open_gan(name, setting, seed)
        value = self.load(setting, seed).label_values[class_index]
        sieve = self._build_sieve(name, setting, seed, filtered)
        k = trained.label_values.index(value)
        return sample_shard(trained, sieve, seed, k, shard, _SHARD_ROWS, self._sampling["latent_std"])[0]

    def _build_sieve(self, name, setting, seed, filtered):
        trained = self._open_gan(name, setting, seed)
        sampling = self._sampling | {"seed": seed}
        if filtered:
            filter = check_sampling(**self._sampling, format="npz", shard_size=1, has_classifier=trained.has_classifier)
            sampling["filter"] = filter
        else:
            sampling |= {"filter": "none", "duplicate_distance": 0}
        return build_sieve(trained, sampling, trained.class_names)[0]


def fit_recipe(recipe, name, dataset):
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


def fit_study_gan(dataset, recipe, folder, *, filter="none", seed, max_minutes=None, quiet=False, report=print):
    """Train a GAN into `folder` as generate_data.py does, or continue it, and return the TrainedGAN."""
    folder.mkdir(parents=True, exist_ok=True)
    save_hashes(folder, dataset.train_hashes())
    fit_gan(dataset, recipe, folder / "model", seed=seed, max_minutes=max_minutes, quiet=quiet, report=report)
    prepare_filter(folder / "model", dataset, filter)
    return TrainedGAN(folder / "model")


def _remember_failures(open_gan):
    """Wrap open_gan so that a GAN whose training has failed is not trained again by the next arm."""
    failures = {}

    def open_once(*key):
        if key in failures:
            raise failures[key]
        try:
            return open_gan(*key)
        except RunError as error:
            failures[key] = error
            raise

    return open_once


def _permute(images, labels, seed):
    order = np.random.default_rng(seed).permutation(len(labels))
    return images[order], labels[order]
