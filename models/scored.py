"""Fit a classifier on streamed images, choose its epoch on validation, and score it once on test images."""

import math
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd

from models.classifier import build_augmentation, build_classifier, compile_classifier, compute_probabilities
from models.feeding import build_stream
from synth.images import to_network_range
from synth.reading import count_rows
from synth.scoring import score_predictions


@dataclass(frozen=True)
class ScoredClassifier:
    """A fitted classifier: history (one row per epoch), and its test probabilities [n, K] and scores."""

    seed: int
    classifier: keras.Model
    history: pd.DataFrame
    probabilities: np.ndarray
    scores: dict

    @property
    def validation_accuracy(self):
        """The best epoch's, which is the one that was kept."""
        return float(self.history["val_accuracy"].max())


def fit_and_score(sources, validation, test, class_names, *, name, epochs, batch_size, rate, augment, seed, verbose=0):
    """Fit the classifier `name` on sources (synth.reading.Source); return a ScoredClassifier.

    validation, test: (images uint8 [n, H, W, C], class indices [n]). The weights of the epoch with the best validation
    accuracy are kept; the test images are looked at once, after that. `strong` lets the rate fall by a cosine.
    """
    keras.utils.set_random_seed(seed)
    image_shape = validation[0].shape[1:]
    classifier = build_classifier(image_shape, len(class_names), name)
    steps = math.ceil(sum(count_rows(sources).values()) / batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * steps) if name == "strong" else rate
    compile_classifier(classifier, keras.optimizers.Adam(schedule))
    augmentation = build_augmentation(seed) if augment else None
    keep_best = keras.callbacks.EarlyStopping(
        monitor="val_accuracy", mode="max", patience=epochs, restore_best_weights=True
    )
    history = classifier.fit(
        build_stream(sources, image_shape, batch_size, seed, augmentation),
        epochs=epochs,
        steps_per_epoch=steps,
        validation_data=(to_network_range(validation[0].astype("float32")), validation[1]),
        callbacks=[keep_best],
        shuffle=False,
        verbose=verbose,
    )
    probabilities = compute_probabilities(classifier, test[0])
    scores = score_predictions(test[1], probabilities.argmax(axis=1), class_names)
    table = pd.DataFrame(history.history).assign(epoch=np.arange(1, epochs + 1), seed=seed)
    return ScoredClassifier(seed, classifier, table, probabilities, scores)
