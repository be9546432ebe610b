"""Read images from tables, one image a row."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from synth.csv_files import read_integers
from synth.errors import RequestError
from synth.labelled_images import SYNTHETIC, LabelledImages


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


def _square_shape(pixel_count: int, path: str | Path) -> tuple[int, int, int]:
    for channels in (1, 3):
        side = round((pixel_count / channels) ** 0.5)
        if pixel_count and side * side * channels == pixel_count:
            return side, side, channels
    raise RequestError(
        f"{path}: {pixel_count} pixel columns should be a square image (--image-shape H,W,C names another shape)."
    )
