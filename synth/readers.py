"""Read labelled images from every supported file layout, with errors that name the file and the place."""

import gzip
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from synth.errors import RequestError
from synth.files import CONFIG
from synth.images import IMAGE_SUFFIXES, check_images

SYNTHETIC = "synthetic"  # the column or array that marks synthetic images
_SPLIT_NAMES = {"train", "test", "val", "valid", "validation"}


@dataclass(frozen=True)
class LabelledImages:
    """Images uint8 [N, H, W, C] with integer labels [N]; a test part and class names where the source has them.

    synthetic: bool [N], where the source marks synthetic images.
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray | None = None
    test_labels: np.ndarray | None = None
    class_names: dict[int, str] | None = None
    synthetic: np.ndarray | None = None


def read_csv(path, image_shape=None, rows=None):
    """Read Kaggle's layout: header `label,pixel0,...`, integers 0..255, one image a row.

    Images are square with one channel (or three) unless `image_shape` (height, width, channels) says otherwise. A
    column `synthetic`, as augment.py writes it, is no pixel and marks synthetic images by 1.
    rows: how many to read, from the top; None reads all.
    """
    chunks = list(read_csv_chunks(path, image_shape, rows=rows))
    if not any(len(chunk.labels) for chunk in chunks):
        raise RequestError(f"{path}: should have at least one image. Got the header alone instead.")
    marked = chunks[0].synthetic is not None
    return LabelledImages(
        np.concatenate([chunk.images for chunk in chunks]),
        np.concatenate([chunk.labels for chunk in chunks]),
        synthetic=np.concatenate([chunk.synthetic for chunk in chunks]) if marked else None,
    )


def read_csv_chunks(path, image_shape=None, rows=None, chunk_rows=5000):
    """Yield the LabelledImages of a CSV as `read_csv` does, `chunk_rows` at a time."""
    first_line = 2
    try:
        with pd.read_csv(path, index_col=False, nrows=rows, chunksize=chunk_rows) as tables:
            for table in tables:
                yield _parse_table(table, path, image_shape, first_line)
                first_line += len(table)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OverflowError) as error:
        raise RequestError(f"{path}: should be a CSV with the columns label,pixel0,... {_one_line(error)}") from error


def _parse_table(table, path, image_shape, first_line):
    if "label" not in table.columns:
        raise RequestError(
            f"{path}: should have a column 'label'. Got {', '.join(map(str, table.columns[:4]))[:80]}... instead."
        )
    labels = _integer_values(table[["label"]], path, first_line)[:, 0]
    pixels = table.drop(columns=["label", SYNTHETIC], errors="ignore")
    images = _parse_pixels(pixels, path, image_shape, first_line)
    marks = _integer_values(table[[SYNTHETIC]], path, first_line)[:, 0] == 1 if SYNTHETIC in table.columns else None
    return LabelledImages(images, labels, synthetic=marks)


def _parse_pixels(table, path, image_shape, first_line):
    pixels = _integer_values(table, path, first_line)
    height, width, channels = image_shape or _square_shape(pixels.shape[1], path)
    if height * width * channels != pixels.shape[1]:
        raise RequestError(
            f"{path}: {height} x {width} x {channels} images should have {height * width * channels} pixel columns. "
            f"Got {pixels.shape[1]} instead."
        )
    outside = (pixels < 0) | (pixels > 255)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise RequestError(
            f"{path}: pixels should be in 0..255. "
            f"Got {pixels[row, column]} in line {row + first_line}, pixel {column} instead."
        )
    return pixels.astype(np.uint8).reshape(-1, height, width, channels)


def read_unlabelled_csv(path, image_shape):
    """Read Kaggle's test.csv, `pixel0,...` without a label, as uint8 [N, *image_shape] (None: square images)."""
    try:
        table = pd.read_csv(path, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: should be a CSV with the columns pixel0,... {_one_line(error)}") from error
    if "label" in table.columns:
        raise RequestError(f"{path}: should have no column 'label': these images are to be predicted.")
    if table.empty:
        raise RequestError(f"{path}: should have at least one image. Got the header alone instead.")
    return _parse_pixels(table, path, image_shape, first_line=2)


def read_npz(path):
    """Read Keras' keys (x_train, y_train, x_test, y_test) or images, labels; `class_names` is used where present."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise RequestError(f"{path}: should be a readable .npz archive. {_one_line(error)}") from error
    keys = ("images", "labels") if "images" in arrays else ("x_train", "y_train", "x_test", "y_test")
    missing = [key for key in keys if key not in arrays]
    if missing:
        raise RequestError(
            f"{path}: should have the keys x_train, y_train, x_test, y_test or images, labels. "
            f"Got {', '.join(arrays) or 'none'} instead."
        )
    parts = []
    for images_key, labels_key in zip(keys[::2], keys[1::2], strict=True):
        images = check_images(arrays[images_key], f"{path}: {images_key}")
        parts += [images, _check_labels(arrays[labels_key], len(images), f"{path}: {labels_key}")]
    names, marks = arrays.get("class_names"), arrays.get(SYNTHETIC)
    if marks is not None and (marks.dtype != bool or marks.shape != parts[1].shape):
        raise RequestError(
            f"{path}: {SYNTHETIC} should be {len(parts[1])} booleans, one per image. Got {marks.dtype} {marks.shape}."
        )
    class_names = None if names is None else dict(enumerate(map(str, names)))
    return LabelledImages(*parts, class_names=class_names, synthetic=marks)


def read_idx_folder(folder):
    """Read train-images-idx3-ubyte, train-labels-idx1-ubyte and, where present, the t10k pair, gzipped or not."""
    train_images, train_labels = _read_idx_pair(folder, "train")
    test_images, test_labels = _read_idx_pair(folder, "t10k") if _idx_file(folder, "t10k-images") else (None, None)
    return LabelledImages(train_images, train_labels, test_images, test_labels)


def is_idx_folder(folder):
    """Tell whether the folder holds IDX files in MNIST's naming."""
    return _idx_file(folder, "train-images") is not None


def read_image_folder(folder, image_size=None):
    """Read one sub-folder per class, or train/ and test/ with one sub-folder per class in each.

    Labels number the class folders in sorted order. All-grey sets give one channel, others three. Images of
    different sizes need `image_size` (height, width). An unreadable image is named in the error.
    """
    folder = Path(folder)
    parts = {name.lower(): folder / name for name in list_image_classes(folder)}
    has_split = set(parts) == {"train", "test"}
    if not has_split and ({"train", "test"} < set(parts) or {"train"} < set(parts) <= _SPLIT_NAMES):
        raise RequestError(
            f"{folder}: should hold one sub-folder per class, or train and test alone. "
            f"Got {', '.join(sorted(parts))}: move the validation images into train."
        )
    train = parts["train"] if has_split else folder
    class_names = list_image_classes(train)
    images, labels = _read_class_folders(train, class_names, image_size)
    if not has_split:
        return LabelledImages(images, labels, class_names=dict(enumerate(class_names)))
    test_images, test_labels = _read_class_folders(parts["test"], class_names, image_size)
    if test_images.shape[-1] != images.shape[-1]:
        raise RequestError(f"{folder}: train and test should both be grey or both be in colour.")
    return LabelledImages(images, labels, test_images, test_labels, dict(enumerate(class_names)))


def list_image_classes(folder):
    """Return the names of the sub-folders with image files in them, in sorted order; a run's folder is not one."""
    return [
        path.name
        for path in _subfolders(Path(folder))
        if not (path / CONFIG).exists() and any(file.suffix.lower() in IMAGE_SUFFIXES for file in path.rglob("*"))
    ]


def _read_class_folders(folder, class_names, image_size):
    from PIL import Image

    from synth.images import resize_images

    paths, labels = [], []
    for label, name in enumerate(class_names):
        found = sorted(path for path in (folder / name).rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
        paths += found
        labels += [label] * len(found)
    if not paths:
        raise RequestError(
            f"{folder}: should hold one sub-folder per class with images ({', '.join(IMAGE_SUFFIXES)}). Got none."
        )
    images = []
    for path in paths:
        try:
            with Image.open(path) as picture:
                image = _to_uint8_array(picture)
        except (OSError, SyntaxError, ValueError) as error:
            raise RequestError(f"{path}: should be a readable image. {_one_line(error)}") from error
        image = image.reshape(1, *image.shape[:2], -1)
        images.append(resize_images(image, *image_size)[0] if image_size else image[0])
        if images[-1].shape[:2] != images[0].shape[:2]:
            raise RequestError(
                f"{path}: images should all have the size of the first, {images[0].shape[0]} x {images[0].shape[1]}. "
                f"Got {image.shape[1]} x {image.shape[2]} instead (--image-size resizes them)."
            )
    channels = max(image.shape[-1] for image in images)
    images = np.stack([np.broadcast_to(image, (*image.shape[:2], channels)) for image in images])
    return images, np.array(labels, np.int64)


def _to_uint8_array(picture):
    """Return a Pillow picture as uint8 [H, W] or [H, W, 3]; 16-bit grey is scaled to 0..255."""
    if picture.mode.startswith("I"):
        return (np.asarray(picture).astype(np.int64).clip(0, 65535) // 257).astype(np.uint8)
    return np.asarray(picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB"))


def _read_idx_pair(folder, prefix):
    images = _read_idx(_idx_file(folder, f"{prefix}-images"))
    labels_path = _idx_file(folder, f"{prefix}-labels")
    if labels_path is None:
        raise RequestError(f"{folder}: should hold {prefix}-labels-idx1-ubyte[.gz] beside the images. It is missing.")
    images = check_images(images, f"{folder}: {prefix}-images")
    return images, _check_labels(_read_idx(labels_path), len(images), str(labels_path))


def _idx_file(folder, stem):
    return next((path for path in sorted(Path(folder).glob(f"{stem}*idx*ubyte*")) if path.is_file()), None)


def _read_idx(path):
    """Read one IDX file (Y. LeCun's format: two zero bytes, type 8 = uint8, rank, big-endian sizes, data)."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError) as error:
        raise RequestError(f"{path}: should be a readable IDX file. {_one_line(error)}") from error
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise RequestError(f"{path}: should be an IDX file of uint8. Its first bytes are {content[:4].hex()} instead.")
    rank = content[3]
    shape = np.frombuffer(content, ">u4", rank, offset=4) if len(content) >= 4 + 4 * rank else np.array([])
    data = content[4 + 4 * rank :]
    if not len(shape) or len(data) != np.prod(shape, dtype=np.int64):
        raise RequestError(f"{path}: should hold {shape.tolist()} bytes of data. Got {len(data)} bytes instead.")
    return np.frombuffer(data, np.uint8).reshape(shape.tolist())


def _check_labels(labels, count, source):
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:  # Keras' CIFAR layout
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise RequestError(
            f"{source}: should be {count} integers, one per image. Got {labels.dtype} {labels.shape} instead."
        )
    return labels.astype(np.int64)


def _integer_values(table, path, first_line):
    """Return the table as int64; RequestError names the first line and column that is not an integer."""
    if all(dtype.kind in "iu" for dtype in table.dtypes):
        return table.to_numpy(np.int64)
    for column in table.columns:
        numbers = pd.to_numeric(table[column], errors="coerce")
        bad = (numbers.isna() | (numbers % 1 != 0)).to_numpy()
        if bad.any():
            row = int(bad.argmax())
            value = table[column].iloc[row]
            got = (
                "nothing (the line is too short)"
                if pd.isna(value)
                else repr(value)
                if isinstance(value, str)
                else value
            )
            raise RequestError(
                f"{path}: values should be integers. Got {got} in line {row + first_line}, column {column} instead."
            )
    return table.apply(pd.to_numeric).to_numpy(np.int64)


def _square_shape(pixel_count, path):
    for channels in (1, 3):
        side = round((pixel_count / channels) ** 0.5)
        if pixel_count and side * side * channels == pixel_count:
            return side, side, channels
    raise RequestError(
        f"{path}: {pixel_count} pixel columns should be a square image (--image-shape H,W,C names another shape)."
    )


def _subfolders(folder):
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _one_line(error):
    return f"({' '.join(str(error).split())})"
