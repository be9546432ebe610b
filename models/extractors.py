"""Feature extractors, in whose space sets of images are compared."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models.classifier import build_feature_extractor, compute_features, draw_folds
from models.monitor import load_or_fit_classifier
from models.trained_gan import hash_weights
from synth.datasets import Dataset
from synth.errors import RequestError
from synth.images import to_network_range

LEFT_OUT = 0  # the fold of the train part that the classifier does not see
SEED = 2000  # no other network's
_INCEPTION_SIZE = 299
_INCEPTION_BATCH = 50


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
    inception_weights: str | Path | None = None,
    report: Callable[[str], object] = print,
) -> Extractor:
    """Build the extractor "classifier", "inception" or "pixels".

    classifier: the penultimate layer of the `cnn`, fitted on four fifths of the train part and kept in the folder
    `cache`. inception: the pooled features of keras.applications' InceptionV3 (with `inception_weights`, a file).
    pixels: grey levels in [0, 1]. Raises RequestError where the weights can't be had.
    """
    if name == "pixels":
        return Extractor(name, name, int(np.prod(dataset.image_shape)), _flatten)
    if name == "inception":
        network = _load_inception(inception_weights)
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


def draw_spare(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the train images that the classifier was not fitted on, for the floor of every distance.

    They are (images uint8 [n, H, W, C], class indices [n]).
    """
    images, labels = dataset.part("train")
    spare = draw_folds(len(labels), SEED) == LEFT_OUT
    return images[spare], labels[spare]


def draw_fitted(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the other train images: (images uint8 [n, H, W, C], class indices [n])."""
    images, labels = dataset.part("train")
    fitted = draw_folds(len(labels), SEED) != LEFT_OUT
    return images[fitted], labels[fitted]


def _load_inception(weights: str | Path | None) -> keras.Model:
    file = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
    if weights and not Path(weights).is_file():
        raise RequestError(f"--inception-weights should be a file. No such: {weights}")
    shape = (_INCEPTION_SIZE, _INCEPTION_SIZE, 3)
    options = {"include_top": False, "pooling": "avg", "input_shape": shape}
    try:
        return keras.applications.InceptionV3(weights=str(weights) if weights else "imagenet", **options)
    except Exception as error:  # a bare one from the download, others from h5py and Keras
        reason = " ".join(str(error).split())[:200]
        if weights:
            raise RequestError(
                f"--inception-weights should be keras.applications' {file}. Got {weights}: {reason}"
            ) from error
        raise RequestError(
            f"--features inception needs {file}, which could not be downloaded ({reason}): "
            "connect once, or name the file with --inception-weights."
        ) from error


def _in_batches(network: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    @tf.function(reduce_retracing=True)
    def forward(images: tf.Tensor) -> tf.Tensor:
        images = tf.cast(images, tf.float32)
        if images.shape[-1] == 1:
            images = tf.repeat(images, 3, axis=-1)
        # As the graph of 2015 resizes, which the published distances use: corners not aligned, no half pixels.
        images = tf.compat.v1.image.resize_bilinear(images, (_INCEPTION_SIZE, _INCEPTION_SIZE))
        return network(to_network_range(images), training=False)

    def compute(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), _INCEPTION_BATCH)
        return np.concatenate([forward(images[start : start + _INCEPTION_BATCH]).numpy() for start in starts])

    return compute


def _flatten(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255
