"""Feature extractors, in whose space sets of images are compared."""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
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
_SIZE = 224  # of images for the others
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
    """Build the extractor "classifier", "pixels", "inception", or that of any network of keras.applications.

    classifier: the penultimate layer of the `cnn`, fitted on four fifths of the train part and kept in the folder
    `cache`. pixels: grey levels in [0, 1]. The others: pooled features of a network with the weights of ImageNet, or of
    the file `weights`; inception is InceptionV3 on images that are resized as published distances have it. Raises
    RequestError for an unknown name, and where the weights can't be had.
    """
    if name == "pixels":
        return Extractor(name, name, int(np.prod(dataset.image_shape)), _flatten)
    if name != "classifier":
        network, prepare = _load_application(name, weights, report)
        compute, dimensions = _in_batches(network, prepare), network.output_shape[-1]
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


def _load_application(
    name: str, weights: str | Path | None, report: Callable[[str], object]
) -> tuple[keras.Model, Callable[[tf.Tensor], tf.Tensor]]:
    """Return a network of keras.applications, and a function (images [n, H, W, 3] of 0..255) -> what it takes."""
    if name == "inception":
        size, build, prepare = _INCEPTION_SIZE, keras.applications.InceptionV3, _prepare_as_2015
    else:
        known = [entry for entry in dir(keras.applications) if entry[0].isupper()]
        if name not in known:
            near = ", ".join(get_close_matches(name, known, cutoff=0.4))
            raise RequestError(
                "--features should be classifier, pixels, inception or a network of keras.applications"
                f"{f' ({near}?)' if near else ''}. Got {name!r:.60} instead."
            )
        size, build = _SIZE, getattr(keras.applications, name)
        prepare = partial(_prepare, sys.modules[build.__module__].preprocess_input)
    if weights and not Path(weights).is_file():
        raise RequestError(f"--feature-weights should be a file. No such: {weights}")
    if not weights:
        report(f"note: the weights of {name} come from Keras' cache, or are downloaded into it")
    options = {"include_top": False, "pooling": "avg", "input_shape": (size, size, 3)}
    try:
        return build(weights=str(weights) if weights else "imagenet", **options), prepare
    except Exception as error:  # a bare one from the download, others from h5py and Keras
        reason = " ".join(str(error).split())[:200]
        if weights:
            raise RequestError(
                f"--feature-weights should be those of keras.applications for {name}, without its top. "
                f"Got {weights}: {reason}"
            ) from error
        raise RequestError(
            f"--features {name} needs the weights of keras.applications without the top, which could not be downloaded "
            f"({reason}): connect once, or name the file with --feature-weights. --features classifier needs none."
        ) from error


def _prepare(preprocess: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    return preprocess(tf.image.resize(images, (_SIZE, _SIZE)))


def _prepare_as_2015(images: tf.Tensor) -> tf.Tensor:
    """Resize as the graph of 2015 does, which the published distances use: corners not aligned, no half pixels."""
    return to_network_range(tf.compat.v1.image.resize_bilinear(images, (_INCEPTION_SIZE, _INCEPTION_SIZE)))


def _in_batches(network: keras.Model, prepare: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    @tf.function(reduce_retracing=True)
    def forward(images: tf.Tensor) -> tf.Tensor:
        images = tf.cast(images, tf.float32)
        if images.shape[-1] == 1:
            images = tf.repeat(images, 3, axis=-1)
        return network(prepare(images), training=False)

    def compute(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), _BATCH)
        return np.concatenate([forward(images[start : start + _BATCH]).numpy() for start in starts])

    return compute


def _flatten(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255
