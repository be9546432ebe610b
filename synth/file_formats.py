"""Read labelled images from every supported file layout, with errors that name the file and the place."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from synth.array_files import read_idx_array, read_npz_arrays
from synth.csv_files import read_integers
from synth.errors import RequestError
from synth.files import CONFIG
from synth.images import IMAGE_SUFFIXES, check_images
from synth.picture_files import list_pictures, read_picture

SYNTHETIC = "synthetic"  # the column or array that marks synthetic images
_SPLIT_NAMES = {"train", "test", "val", "valid", "validation"}
_NOT_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}  # Unicode's categories of control characters, broken bytes and line ends


@dataclass(frozen=True)
class LabelledImages:
    """Images uint8 [N, H, W, C] with integer labels [N], and what else the source has.

    validation, test: the source's own parts. class_names: {label: name}. synthetic: bool [N], where synthetic images
    are marked. notes: a line each on what the user should know of the reading.
    """

    images: np.ndarray
    labels: np.ndarray
    validation: "LabelledImages | None" = None
    test: "LabelledImages | None" = None
    class_names: dict[int, str] | None = None
    synthetic: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def read_csv(
    path: str | Path, image_shape: tuple[int, int, int] | None = None, rows: int | None = None
) -> LabelledImages:
    """Read Kaggle's layout: header `label,pixel0,...`, integers 0..255, one image a row.

    Images are square with one channel (or three) unless `image_shape` (height, width, channels) says otherwise. A
    column `synthetic`, as augment.py writes it, is no pixel and marks synthetic images by 1.
    rows: how many to read, from the top; None reads all.
    """
    chunks = list(read_csv_chunks(path, image_shape, rows=rows))
    marked = chunks[0].synthetic is not None
    return LabelledImages(
        np.concatenate([chunk.images for chunk in chunks]),
        np.concatenate([chunk.labels for chunk in chunks]),
        synthetic=np.concatenate([chunk.synthetic for chunk in chunks]) if marked else None,
    )


def read_csv_chunks(
    path: str | Path, image_shape: tuple[int, int, int] | None = None, rows: int | None = None, chunk_rows: int = 5000
) -> Iterator[LabelledImages]:
    """Yield the LabelledImages of a CSV as `read_csv` does, `chunk_rows` at a time."""
    for columns, lines, values in read_integers(path, "label,pixel0,...", rows, chunk_rows):
        if "label" not in columns:
            raise RequestError(f"{path}: should have a column 'label'. Got {', '.join(columns[:4])[:80]}... instead.")
        is_pixel = np.array([name not in ("label", SYNTHETIC) for name in columns])
        images = _shape_pixels(values[:, is_pixel], path, image_shape, lines)
        marks = None
        if SYNTHETIC in columns:
            marks = values[:, columns.index(SYNTHETIC)]
            _check_range(marks[:, np.newaxis], 1, f"{path}: {SYNTHETIC}", lines)
            marks = marks == 1
        yield LabelledImages(images, values[:, columns.index("label")], synthetic=marks)


def read_unlabelled_csv(path: str | Path, image_shape: tuple[int, int, int] | None) -> np.ndarray:
    """Read Kaggle's test.csv, `pixel0,...` without a label, as uint8 [N, *image_shape] (None: square images)."""
    parts = []
    for columns, lines, values in read_integers(path, "pixel0,..."):
        if "label" in columns:
            raise RequestError(f"{path}: should have no column 'label': these images are to be predicted.")
        parts.append(_shape_pixels(values, path, image_shape, lines))
    return np.concatenate(parts)


def _shape_pixels(
    pixels: np.ndarray, path: str | Path, image_shape: tuple[int, int, int] | None, lines: list[int]
) -> np.ndarray:
    """Turn pixels int64 [n, H * W * C] of these lines into uint8 [n, H, W, C]."""
    height, width, channels = image_shape or _square_shape(pixels.shape[1], path)
    if height * width * channels != pixels.shape[1]:
        raise RequestError(
            f"{path}: {height} x {width} x {channels} images should have {height * width * channels} pixel columns. "
            f"Got {pixels.shape[1]} instead."
        )
    _check_range(pixels, 255, f"{path}: pixels", lines)
    return pixels.astype(np.uint8).reshape(-1, height, width, channels)


def _check_range(values: np.ndarray, maximum: int, source: str, lines: list[int]) -> None:
    outside = (values < 0) | (values > maximum)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        place = f"line {lines[row]}" + (f", pixel {column}" if values.shape[1] > 1 else "")
        raise RequestError(f"{source} should be in 0..{maximum}. Got {values[row, column]} in {place} instead.")


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
        parts.append(LabelledImages(images, _check_labels(arrays[labels_key], len(images), f"{path}: {labels_key}")))
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


def check_class_names(names: Sequence[str], source: str | Path) -> None:
    """Raise RequestError for class names that are empty, not printable on one line, or there twice."""
    for name in names:
        if not name.strip() or any(unicodedata.category(character) in _NOT_IN_NAMES for character in name):
            raise RequestError(f"{source}: class names should be one line of text each. Got {name!r:.80} instead.")
    twice = [name for name, times in Counter(names).most_common(1) if times > 1]
    if twice:
        raise RequestError(f"{source}: class names should differ. Got {twice[0]!r:.80} twice.")


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
    return LabelledImages(images, _check_labels(read_idx_array(labels_path), len(images), str(labels_path)))


def _idx_file(folder: str | Path, stem: str) -> Path | None:
    return next((path for path in sorted(Path(folder).glob(f"{stem}*idx*ubyte*")) if path.is_file()), None)


def _check_labels(labels: np.ndarray, count: int, source: str) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:  # Keras' CIFAR layout
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise RequestError(
            f"{source}: should be {count} integers, one per image. Got {labels.dtype} {labels.shape} instead."
        )
    if labels.size and labels.max() > np.iinfo(np.int64).max:
        raise RequestError(f"{source}: labels should be integers of at most 64 bits with a sign. Got {labels.max()}.")
    return labels.astype(np.int64)


def _square_shape(pixel_count: int, path: str | Path) -> tuple[int, int, int]:
    for channels in (1, 3):
        side = round((pixel_count / channels) ** 0.5)
        if pixel_count and side * side * channels == pixel_count:
            return side, side, channels
    raise RequestError(
        f"{path}: {pixel_count} pixel columns should be a square image (--image-shape H,W,C names another shape)."
    )


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
