"""Read labelled images from the arrays of an NPZ."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from synth.array_files import read_npz_arrays
from synth.errors import RequestError
from synth.images import check_images
from synth.labelled_images import SYNTHETIC, LabelledImages, check_class_names, check_labels


def read_npz(path: str | Path) -> LabelledImages:
    """Read Keras' keys (x_train, y_train, x_test, y_test) or images, labels; `class_names` is used where present."""
    keras_keys, own_keys = ("x_train", "y_train", "x_test", "y_test"), ("images", "labels")
    arrays, names = read_npz_arrays(path, (*keras_keys, *own_keys, "class_names", SYNTHETIC))
    keys = own_keys if "images" in arrays else keras_keys
    if not set(keys) <= set(arrays):
        raise RequestError(
            f"{path}: should have the keys {', '.join(keras_keys)} or {', '.join(own_keys)}. "
            f"Got {', '.join(names)[:80] or 'none'} instead."
        )
    parts = []
    for images_key, labels_key in zip(keys[::2], keys[1::2], strict=True):
        images = check_images(arrays[images_key], f"{path}: {images_key}")
        parts.append(LabelledImages(images, check_labels(arrays[labels_key], len(images), f"{path}: {labels_key}")))
    train, test = parts[0], parts[1] if len(parts) > 1 else None
    marks = arrays.get(SYNTHETIC)
    if marks is not None and (marks.dtype != bool or marks.shape != train.labels.shape):
        raise RequestError(
            f"{path}: {SYNTHETIC} should be {len(train.labels)} booleans, one per image. "
            f"Got {marks.dtype} {marks.shape}."
        )
    if marks is not None:
        marks = marks.view(np.uint8) != 0  # NumPy counts on bytes of 0 and 1 alone
    class_names = _parse_class_names(arrays["class_names"], path) if "class_names" in arrays else None
    return replace(train, test=test, class_names=class_names, synthetic=marks)


def _parse_class_names(names: np.ndarray, path: str | Path) -> dict[int, str]:
    if names.dtype.kind != "U" or names.ndim != 1:
        raise RequestError(
            f"{path}: class_names should be texts, one per class. Got {names.dtype} {names.shape} instead."
        )
    check_class_names(names.tolist(), f"{path}: class_names")
    return dict(enumerate(names.tolist()))
