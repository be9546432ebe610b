"""Feature extractors, in whose space sets of images are compared."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from common.images import to_network_range
from models.classifier import build_feature_extractor, compute_features, draw_folds
from models.feature_networks import build_measuring_network
from models.monitor import load_or_fit_classifier
from models.trained_gan import hash_weights
from real.datasets import Dataset

LEFT_OUT = 0  # the fold of the train part that the classifier does not see
SEED = 2000  # no other network's
_BATCH = 50


@dataclass(frozen=True)
class Extractor:
    """A function from images uint8 [n, H, W, C] to features [n, dimensions], and the hash that identifies it."""

    name: str
    hash: str
    dimensions: int
    compute: Callable[[np.ndarray], np.ndarray]


def build_extractor(
    name: str,
    dataset: Dataset,
    cache: str | Path,
    weights: str | Path | None = None,
    report: Callable[[str], object] = print,
) -> Extractor:
    """Build the extractor "classifier", "pixels", or one of models.feature_networks.build_measuring_network.

    classifier: the penultimate layer of the `cnn`, fitted on four fifths of the train part and kept in the folder
    `cache`. pixels: grey levels in [0, 1]. Raises RequestError for an unknown name, and where the weights can't be had.
    """
    if name == "pixels":
        return Extractor(name, name, int(np.prod(dataset.image_shape)), _flatten)
    if name != "classifier":
        network = build_measuring_network(name, dataset.image_shape, weights, report)
        compute, dimensions = _in_batches(network), network.output_shape[-1]
    else:
        images, labels = dataset.part("train")
        digest = hashlib.sha256(dataset.train_hashes().tobytes() + labels.astype("<i8").tobytes()).hexdigest()
        path = Path(cache) / f"classifier-{digest[:16]}.keras"
        classes = len(dataset.class_names)
        network = load_or_fit_classifier(images, labels, classes, path, left_out=LEFT_OUT, seed=SEED, report=report)
        network = build_feature_extractor(network)
        compute, dimensions = (lambda images: compute_features(network, images)), network.output_shape[-1]
    return Extractor(name, hash_weights([network]), dimensions, compute)


def draw_spare(dataset: Dataset, *, others: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the train images that the classifier was not fitted on, for the floor of every distance, or the `others`.

    They are (images uint8 [n, H, W, C], class indices [n]).
    """
    images, labels = dataset.part("train")
    drawn = (draw_folds(len(labels), SEED) == LEFT_OUT) != others
    return images[drawn], labels[drawn]


def _in_batches(network: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    @tf.function(reduce_retracing=True)
    def forward(images: tf.Tensor) -> tf.Tensor:
        return network(to_network_range(tf.cast(images, tf.float32)), training=False)

    def compute(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), _BATCH)
        return np.concatenate([forward(images[start : start + _BATCH]).numpy() for start in starts])

    return compute


def _flatten(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255
