"""Read labelled images from folders, with errors that name the file and the place."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from synth.array_files import read_idx_array
from synth.errors import RequestError
from synth.files import CONFIG
from synth.images import IMAGE_SUFFIXES, check_images
from synth.labelled_images import LabelledImages, check_class_names, check_labels
from synth.picture_files import list_pictures, read_picture

_SPLIT_NAMES = {"train", "test", "val", "valid", "validation"}


def read_idx_folder(folder: str | Path) -> LabelledImages:
    """Read train-images-idx3-ubyte, train-labels-idx1-ubyte and, where present, the t10k pair, gzipped or not."""
    test = _read_idx_pair(folder, "t10k") if _idx_file(folder, "t10k-images") else None
    return replace(_read_idx_pair(folder, "train"), test=test)


def is_idx_folder(folder: str | Path) -> bool:
    """Tell whether the folder holds IDX files in MNIST's naming."""
    return _idx_file(folder, "train-images") is not None


def read_image_folder(folder: str | Path, image_size: tuple[int, int] | None = None) -> LabelledImages:
    """Read one sub-folder per class, or train/ and test/ with one sub-folder per class in each.

    Labels number the class folders in sorted order. All-grey sets give one channel, others three. Images of
    different sizes need `image_size` (height, width). An unreadable image is named in the error.
    """
    folder = Path(folder)
    class_names = list_image_classes(folder)
    parts = {name.lower(): folder / name for name in class_names}
    has_split = set(parts) == {"train", "test"} and len(class_names) == 2
    if not has_split and ({"train", "test"} <= set(parts) or {"train"} < set(parts) <= _SPLIT_NAMES):
        raise RequestError(
            f"{folder}: should hold one sub-folder per class, or train and test alone. "
            f"Got {', '.join(class_names)}: move the validation images into train."
        )
    train = parts["train"] if has_split else folder
    class_names = list_image_classes(train)
    found = replace(_read_class_folders(train, class_names, image_size), class_names=dict(enumerate(class_names)))
    if not has_split:
        return found
    test = _read_class_folders(parts["test"], class_names, image_size)
    if test.images.shape[-1] != found.images.shape[-1]:
        raise RequestError(f"{folder}: train and test should both be grey or both be in colour.")
    return replace(found, test=test)


def list_image_classes(folder: str | Path) -> list[str]:
    """Return the names of the sub-folders with image files in them, in sorted order; a run's folder is not one."""
    return [path.name for path in _subfolders(Path(folder)) if not (path / CONFIG).exists() and list_pictures(path)]


def _read_class_folders(folder: Path, class_names: list[str], image_size: tuple[int, int] | None) -> LabelledImages:
    """Return the pictures of the class folders, labelled by the folders' positions."""
    check_class_names(class_names, folder)
    pictures = [(path, label) for label, name in enumerate(class_names) for path in list_pictures(folder / name)]
    if not pictures:
        raise RequestError(
            f"{folder}: should hold one sub-folder per class with images ({', '.join(IMAGE_SUFFIXES)}). Got none."
        )
    images = []
    for path, _ in pictures:
        images.append(read_picture(path, image_size))
        got, first = images[-1].shape[:2], images[0].shape[:2]
        if got != first:
            raise RequestError(
                f"{path}: images should all have the size of the first, {first[0]} x {first[1]}. "
                f"Got {got[0]} x {got[1]} instead (--image-size resizes them)."
            )
    channels = max(image.shape[-1] for image in images)
    images = np.stack([np.broadcast_to(image, (*image.shape[:2], channels)) for image in images])
    return LabelledImages(images, np.array([label for _, label in pictures], np.int64))


def _read_idx_pair(folder: str | Path, prefix: str) -> LabelledImages:
    images_path = _idx_file(folder, f"{prefix}-images")
    assert images_path is not None  # both callers have looked
    images = read_idx_array(images_path)
    labels_path = _idx_file(folder, f"{prefix}-labels")
    if labels_path is None:
        raise RequestError(f"{folder}: should hold {prefix}-labels-idx1-ubyte[.gz] beside the images. It is missing.")
    images = check_images(images, f"{folder}: {prefix}-images")
    return LabelledImages(images, check_labels(read_idx_array(labels_path), len(images), str(labels_path)))


def _idx_file(folder: str | Path, stem: str) -> Path | None:
    return next((path for path in sorted(Path(folder).glob(f"{stem}*idx*ubyte*")) if path.is_file()), None)


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
