"""The classifiers that filter, monitor and score images, and the features that they give."""

import math
from typing import Any

import keras
import numpy as np
from keras import layers

from common.errors import RequestError
from common.images import to_network_range
from models.callbacks import FitBar
from real.resampling import compute_class_weights

PREDICT_BATCH = 500
_FEW_IMAGES, _MAX_REPEATS = 3200, 8  # 5 epochs of 512 images teach a judge little: docs/log.md, 2026-11-28
MIN_SIZES = {"cnn": 10, "lenet5": 12, "strong": 8, "resnet20": 8}  # pixels, for unpadded convolutions and pooling
_RESNET_SIDE = 32  # pixels: the images of He et al. 2015, section 4.2


def build_classifier(image_shape: tuple[int, ...], class_count: int, name: str = "cnn") -> keras.Model:
    """Build a classifier: float [N, H, W, C] in [-1, 1] -> class probabilities [N, class_count].

    cnn: the published setup, Conv 32 - pool - Conv 64 - pool - Dense 128, 3 x 3 kernels, ReLU.
    lenet5: LeCun et al. 1998, with ReLU and max pooling.
    strong: three blocks of two batch-normalised convolutions and dropout, and a batch-normalised dense layer.
    resnet20: He et al. 2015, arXiv:1512.03385, section 4.2, with shortcuts without weights (option A).
    """
    if min(image_shape[:2]) < MIN_SIZES[name]:
        raise RequestError(
            f"images should be at least {MIN_SIZES[name]} x {MIN_SIZES[name]} pixels for the classifier {name}. "
            f"Got {image_shape[0]} x {image_shape[1]} instead: --image-size {MIN_SIZES[name]} or more resizes them."
        )
    image = keras.Input(image_shape, name="image")
    features = NETWORKS[name](image)  # before the last layer is made: the order decides the seeds of the weights
    outputs = layers.Dense(class_count, activation="softmax", dtype="float32")(features)
    return keras.Model(image, outputs, name=name)


def _apply_cnn(x: keras.KerasTensor) -> keras.KerasTensor:
    for filters in (32, 64):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, activation="relu")(x))
    return layers.Dense(128, activation="relu", name="features")(layers.Flatten()(x))


def _apply_lenet5(x: keras.KerasTensor) -> keras.KerasTensor:
    for filters, padding in ((6, "same"), (16, "valid")):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 5, padding=padding, activation="relu")(x))
    x = layers.Dense(120, activation="relu")(layers.Flatten()(x))
    return layers.Dense(84, activation="relu", name="features")(x)


def _apply_strong(x: keras.KerasTensor) -> keras.KerasTensor:
    for filters in (32, 64, 128):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))
    x = layers.Dense(256, use_bias=False)(layers.Flatten()(x))
    x = layers.ReLU(name="features")(layers.BatchNormalization()(x))
    return layers.Dropout(0.5)(x)


def _apply_resnet20(x: keras.KerasTensor) -> keras.KerasTensor:
    """Apply 19 convolutions in three stages; the first one strides, its kernel so large that it sees every pixel."""
    stride = find_stride(x.shape[1:])
    x = layers.ReLU()(_convolve(x, 16, max(3, 2 * stride - 1), stride))
    for filters in (16, 32, 64):
        for _ in range(3):
            x = _apply_residual_block(x, filters)
    return layers.GlobalAveragePooling2D(name="features")(x)


def find_stride(image_shape: tuple[int, ...]) -> int:
    """Return the stride of resnet20's first convolution on images [H, W, C]; large ones keep 24 to 47 pixels."""
    return max(1, round(max(image_shape[:2]) / _RESNET_SIDE))


def _apply_residual_block(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Add two convolutions to x [N, H, W, C]; where they widen it, they halve it, too, and so does the shortcut."""
    stride = filters // x.shape[-1]
    change = _convolve(layers.ReLU()(_convolve(x, filters, 3, stride)), filters, 3)
    if stride > 1:  # every other pixel, and zeros for the channels that are new
        x = layers.AveragePooling2D(1, stride)(x)
        x = layers.Concatenate()([x, layers.Rescaling(0.0)(x)])
    return layers.ReLU()(layers.Add()([change, x]))


def _convolve(x: keras.KerasTensor, filters: int, kernel: int, stride: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization(momentum=0.9)(x)  # Keras' 0.99 needs more steps than a small set has


NETWORKS = {"cnn": _apply_cnn, "lenet5": _apply_lenet5, "strong": _apply_strong, "resnet20": _apply_resnet20}


def build_augmentation(seed: int, *, classic: bool, flip: bool) -> keras.Sequential | None:
    """Build augmentation from Keras' layers, or return None where there is none.

    classic: shift and zoom by up to a tenth, rotation by up to 10 degrees. flip: mirror half of the images, which makes
    another one of a digit or letter (models.flips).
    """
    options = {"fill_mode": "nearest", "seed": seed}
    steps = [layers.RandomFlip("horizontal", seed=seed)] if flip else []
    if classic:
        steps += [
            layers.RandomTranslation(0.1, 0.1, **options),
            layers.RandomRotation(10 / 360, **options),
            layers.RandomZoom((-0.1, 0.1), **options),
        ]
    return keras.Sequential(steps) if steps else None


def fit_classifier(
    images: np.ndarray,
    labels: np.ndarray,
    class_count: int,
    *,
    epochs: int = 5,
    rate_decay: str = "constant",
    batch_size: int = 128,
    seed: int = 0,
    flip: bool = False,
    name: str = "cnn",
    repeat_few: bool = False,
    title: str = "",
) -> keras.Model:
    """Fit a classifier on images uint8 [N, H, W, C] and class indices [N] in memory, with Adam 1e-3; return it.

    name: of build_classifier. rate_decay: "constant" or "cosine" (to zero). flip: mirror half of the images in each
    epoch. repeat_few: an epoch has as many as count_epoch_images says. title: of a progress bar; without one there
    is none. The loss has the weights of find_class_weights.
    """
    count = count_epoch_images(len(images))
    if repeat_few and count > len(images):
        repeated = np.resize(np.arange(len(images)), count)
        images, labels = images[repeated], labels[repeated]
    keras.utils.set_random_seed(seed)
    classifier = build_classifier(images.shape[1:], class_count, name)
    rate: Any = 1e-3
    steps = epochs * math.ceil(len(images) / batch_size)
    if rate_decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    augmentation = build_augmentation(seed, classic=False, flip=flip)
    trained = keras.Sequential([augmentation, classifier]) if augmentation else classifier
    compile_classifier(trained, keras.optimizers.Adam(rate), max(1, min(8, len(images) // batch_size)))
    class_weight = find_class_weights(labels)
    inputs = to_network_range(images.astype("float32"))
    callbacks = [FitBar(title, steps, quiet=False)] if title else []
    trained.fit(inputs, labels, batch_size, epochs, callbacks=callbacks, class_weight=class_weight, verbose=0)
    return classifier


def count_epoch_images(count: int) -> int:
    """Return how many images an epoch of a judge has, of so many: 3,200 or more, but none more than eight times."""
    return max(count, min(_FEW_IMAGES, _MAX_REPEATS * count))


def find_class_weights(labels: np.ndarray) -> dict[int, float] | None:
    """Return weights of the loss where the largest class has more than twice the images of the smallest, or None.

    Without them rare classes would hardly ever be recognised.
    """
    _, counts = np.unique(labels, return_counts=True)
    return compute_class_weights(labels) if counts.max() > 2 * counts.min() else None


def compile_classifier(
    classifier: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    steps_per_execution: int = 1,
    *,
    soft_labels: bool = False,
) -> None:
    """Compile a classifier for class indices, or class probabilities (soft labels), with the accuracy logged."""
    classifier.compile(
        optimizer,
        loss="categorical_crossentropy" if soft_labels else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )


def draw_folds(count: int, seed: int, folds: int = 5) -> np.ndarray:
    """Draw the fold of each of `count` images, int [count] in 0..folds - 1."""
    return np.random.default_rng(seed).permutation(count) % folds


def fit_on_folds(
    images: np.ndarray, labels: np.ndarray, class_count: int, *, left_out: int, seed: int = 0, **options: Any
) -> keras.Model:
    """Fit a classifier on all folds but one, so that the networks that filter and measure know different images.

    options: of fit_classifier.
    """
    use = draw_folds(len(images), seed) != left_out
    options |= {"seed": seed + left_out, "repeat_few": True}
    return fit_classifier(images[use], labels[use], class_count, **options)


def compute_probabilities(classifier: keras.Model, images: np.ndarray) -> np.ndarray:
    """Class probabilities [N, K] of images uint8 [N, H, W, C]."""
    return _in_batches(classifier, images)


def compute_accuracy(classifier: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the fraction of images uint8 [N, H, W, C] that a classifier gives their class index [N]."""
    return float((compute_probabilities(classifier, images).argmax(axis=1) == labels).mean())


def build_feature_extractor(classifier: keras.Model) -> keras.Model:
    """Return the model image -> features [N, D] of a classifier built here; `cnn` has 128."""
    return keras.Model(classifier.input, classifier.get_layer("features").output)


def compute_features(extractor: keras.Model, images: np.ndarray) -> np.ndarray:
    """Features [N, D] of images uint8 [N, H, W, C]."""
    return _in_batches(extractor, images)


def _in_batches(model: keras.Model, images: np.ndarray) -> np.ndarray:
    starts = range(0, len(images), PREDICT_BATCH)
    batches = (images[start : start + PREDICT_BATCH].astype("float32") for start in starts)
    return np.concatenate([np.asarray(model(to_network_range(batch), training=False)) for batch in batches])
