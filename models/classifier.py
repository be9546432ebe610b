"""The classifiers that filter, judge and score images, and the features that they give."""

import keras
import numpy as np
from keras import layers

from synth.images import to_network_range

PREDICT_BATCH = 500


def build_classifier(image_shape, class_count):
    """Build the published setup: Conv 32 - pool - Conv 64 - pool - Dense 128 - softmax, 3 x 3 kernels, ReLU.

    Input: float [N, H, W, C] in [-1, 1]. Output: class probabilities [N, class_count].
    """
    image = keras.Input(image_shape, name="image")
    x = layers.Conv2D(32, 3, activation="relu")(image)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Dense(128, activation="relu", name="features")(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(class_count, activation="softmax")(x), name="classifier")


def fit_classifier(images, labels, class_count, *, epochs=5, batch_size=128, seed=0):
    """Fit the classifier on images uint8 [N, H, W, C] and class indices [N] with Adam 1e-3; return the model."""
    keras.utils.set_random_seed(seed)
    classifier = build_classifier(images.shape[1:], class_count)
    classifier.compile(
        keras.optimizers.Adam(1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=max(1, min(8, len(images) // batch_size)),
    )
    classifier.fit(to_network_range(images.astype("float32")), labels, batch_size, epochs, verbose=0)
    return classifier


def fit_on_folds(images, labels, class_count, *, left_out, folds=5, epochs=5, seed=0):
    """Fit a classifier on all folds but one, so that the networks that filter and judge know different images."""
    fold = np.random.default_rng(seed).permutation(len(images)) % folds
    use = fold != left_out
    return fit_classifier(images[use], labels[use], class_count, epochs=epochs, seed=seed + left_out)


def compute_probabilities(classifier, images):
    """Class probabilities [N, K] of images uint8 [N, H, W, C]."""
    return _in_batches(classifier, images)


def build_feature_extractor(classifier):
    """Return the model image -> features [N, 128] of a classifier built here."""
    return keras.Model(classifier.input, classifier.get_layer("features").output)


def compute_features(extractor, images):
    """Features [N, D] of images uint8 [N, H, W, C]."""
    return _in_batches(extractor, images)


def _in_batches(model, images):
    starts = range(0, len(images), PREDICT_BATCH)
    batches = (images[start : start + PREDICT_BATCH].astype("float32") for start in starts)
    return np.concatenate([np.asarray(model(to_network_range(batch), training=False)) for batch in batches])
