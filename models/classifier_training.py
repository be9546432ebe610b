"""Fit a classifier on streamed images, choose its epoch on validation, and score it once on test images."""

import math
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd

from evaluation.classification import score_predictions
from models.batches import build_stream
from models.classifier import (
    build_augmentation,
    build_classifier,
    compile_classifier,
    compute_accuracy,
    compute_probabilities,
)
from synth.errors import TrainingError
from synth.images import to_network_range
from synth.sources import count_rows


@dataclass(frozen=True)
class ScoredClassifier:
    """A fitted classifier: history (one row per epoch), and its test probabilities [n, K] and scores."""

    seed: int
    classifier: keras.Model
    history: pd.DataFrame  # test_accuracy among its columns where no epoch was chosen
    probabilities: np.ndarray
    scores: dict

    @property
    def validation_accuracy(self):
        """The best epoch's, which is the one that was kept."""
        return float(self.history["val_accuracy"].max())


def fit_and_score(
    sources,
    validation,
    test,
    class_names,
    *,
    name="cnn",
    epochs,
    batch_size=32,
    rate=1e-3,
    augment,
    seed,
    teacher=None,
    steps=None,
    class_weight=None,
    choose_epoch=True,
    rate_decay="cosine",
    verbose=0,
):
    """Fit the classifier `name` on sources (synth.sources.Source); return a ScoredClassifier.

    validation, test: (images uint8 [n, H, W, C], class indices [n]). The weights of the epoch with the best validation
    accuracy are kept; the test images are looked at once, after that. With `choose_epoch` off nothing is chosen: the
    last weights are kept, and the history has the accuracy on the test images of every epoch.
    teacher: a keras.Model whose class probabilities replace the training labels (knowledge distillation, Hinton et al.
    2015, arXiv:1503.02531, at temperature 1).
    steps: optimiser steps in all, in equal epochs, in place of passes over the images.
    class_weight: {class index: weight}. rate_decay: "constant" or "cosine" (to zero).
    Raises synth.errors.TrainingError where the training loss is not finite.
    """
    keras.utils.set_random_seed(seed)
    image_shape = validation[0].shape[1:]
    classifier = build_classifier(image_shape, len(class_names), name)
    rows = sum(count_rows(sources).values())
    epoch_steps = math.ceil(steps / epochs if steps else rows / batch_size)
    if rate_decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, epochs * epoch_steps)
    compile_classifier(classifier, keras.optimizers.Adam(rate), soft_labels=teacher is not None)
    augmentation = build_augmentation(seed) if augment else None
    held_out = to_network_range(validation[0].astype("float32")), validation[1]
    if teacher is not None:
        held_out = held_out[0], keras.utils.to_categorical(held_out[1], len(class_names))
    test_accuracy = []

    def watch_test(epoch, logs):
        test_accuracy.append(compute_accuracy(classifier, *test))

    if choose_epoch:
        callback = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=epochs, restore_best_weights=True)
    else:
        callback = keras.callbacks.LambdaCallback(on_epoch_end=watch_test)
    history = classifier.fit(
        build_stream(sources, image_shape, batch_size, seed, augmentation, teacher),
        epochs=epochs,
        steps_per_epoch=epoch_steps,
        validation_data=held_out,
        callbacks=[callback],
        class_weight=class_weight,
        shuffle=False,
        verbose=verbose,
    )
    if not np.isfinite(history.history["loss"]).all():
        raise TrainingError("the classifier's loss should be finite. Got NaN or infinity: a lower rate may train it.")
    probabilities = compute_probabilities(classifier, test[0])
    scores = score_predictions(test[1], probabilities.argmax(axis=1), class_names)
    table = pd.DataFrame(history.history).assign(epoch=np.arange(1, epochs + 1), seed=seed)
    if test_accuracy:
        table["test_accuracy"] = test_accuracy
    return ScoredClassifier(seed, classifier, table, probabilities, scores)
