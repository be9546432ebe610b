"""Fit a classifier on streamed images, choose its epoch on validation, and score it once on test images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd

from common.errors import TrainingError
from common.images import to_network_range
from evaluation.classification import score_predictions
from models.batches import build_stream
from models.callbacks import FitBar
from models.classifier import (
    build_augmentation,
    build_classifier,
    compile_classifier,
    compute_accuracy,
    compute_probabilities,
)
from real.datasets import Labelled
from synth.sources import Source, count_rows


@dataclass(frozen=True)
class ScoredClassifier:
    """A fitted classifier: history (one row per epoch), and its test probabilities [n, K] and scores."""

    seed: int
    classifier: keras.Model
    history: pd.DataFrame  # test_accuracy among its columns where no epoch was chosen
    probabilities: np.ndarray
    scores: dict

    @property
    def validation_accuracy(self) -> float:
        """The best epoch's, which is the one that was kept where one is chosen."""
        return float(self.history["val_accuracy"].max())


@dataclass(frozen=True, kw_only=True)
class ClassifierTraining:
    """How a classifier is built and trained.

    name: of models.classifier.build_classifier. steps: optimiser steps in all, in equal epochs, in place of passes over
    the images. rate_decay: "constant" or "cosine" (to zero). augment: with classic augmentation. flip: mirror half of
    the images. teacher: a keras.Model whose class probabilities replace the training labels (knowledge distillation,
    Hinton et al. 2015, arXiv:1503.02531, at temperature 1). class_weight: {class index: weight}.
    choose_epoch: keep the weights of the epoch with the best validation accuracy; without, the last ones, and the
    history has the accuracy on the test images of every epoch.
    quiet: without a progress bar.
    """

    name: str = "cnn"
    epochs: int
    steps: int | None = None
    batch_size: int = 32
    rate: float = 1e-3
    rate_decay: str = "cosine"
    augment: bool = False
    flip: bool = False
    teacher: keras.Model | None = None
    class_weight: dict[int, float] | None = None
    choose_epoch: bool = True
    quiet: bool = True


def fit_and_score(
    training: ClassifierTraining,
    sources: list[Source],
    validation: Labelled,
    test: Labelled,
    class_names: Sequence[str],
    seed: int,
) -> ScoredClassifier:
    """Fit a classifier on the sources, and score it.

    validation, test: (images uint8 [n, H, W, C], class indices [n]). The test images are looked at once, after the
    fit, where an epoch is chosen, else after each. Raises common.errors.TrainingError where the training loss is not
    finite.
    """
    keras.utils.set_random_seed(seed)
    classifier = build_classifier(validation[0].shape[1:], len(class_names), training.name)
    history = _fit(training, classifier, sources, validation, test, seed)
    if not np.isfinite(history["loss"]).all():
        raise TrainingError("the classifier's loss should be finite. Got NaN or infinity: a lower rate may train it.")
    probabilities = compute_probabilities(classifier, test[0])
    scores = score_predictions(test[1], probabilities.argmax(axis=1), class_names)
    return ScoredClassifier(seed, classifier, history.assign(seed=seed), probabilities, scores)


def count_epoch_steps(rows: int, batch_size: int, epochs: int, steps: int | None) -> int:
    """Return the optimiser steps of an epoch on so many images; steps: in all, in place of passes over the images."""
    return math.ceil(steps / epochs if steps else rows / batch_size)


def _fit(
    training: ClassifierTraining,
    classifier: keras.Model,
    sources: list[Source],
    validation: Labelled,
    test: Labelled,
    seed: int,
) -> pd.DataFrame:
    """Fit the classifier; return a row for each epoch."""
    rows = sum(count_rows(sources).values())
    epochs, teacher = training.epochs, training.teacher
    epoch_steps = count_epoch_steps(rows, training.batch_size, epochs, training.steps)
    rate: Any = training.rate
    if training.rate_decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, epochs * epoch_steps)
    compile_classifier(classifier, keras.optimizers.Adam(rate), soft_labels=teacher is not None)
    augmentation = build_augmentation(seed, classic=training.augment, flip=training.flip)
    held_out = to_network_range(validation[0].astype("float32")), validation[1]
    if teacher is not None:
        held_out = held_out[0], keras.utils.to_categorical(held_out[1], classifier.output_shape[-1])
    test_accuracy = []
    if training.choose_epoch:
        callback = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=epochs, restore_best_weights=True)
    else:
        callback = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: test_accuracy.append(compute_accuracy(classifier, *test))
        )
    own = list(sources)
    try:
        history = classifier.fit(
            build_stream(own, validation[0].shape[1:], training.batch_size, seed, augmentation, teacher),
            epochs=epochs,
            steps_per_epoch=epoch_steps,
            validation_data=held_out,
            callbacks=[callback, FitBar(f"seed {seed}", epochs * epoch_steps, training.quiet)],
            class_weight=training.class_weight,
            shuffle=False,
            verbose=0,
        )
    finally:
        own.clear()  # else the images of every fit stay in memory
    table = pd.DataFrame(history.history).assign(epoch=np.arange(1, epochs + 1))
    return table.assign(test_accuracy=test_accuracy) if test_accuracy else table
