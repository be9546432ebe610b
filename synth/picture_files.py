"""Find and read pictures, whatever their bytes may be."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from synth.errors import RequestError, describe_cause
from synth.images import IMAGE_SUFFIXES, MAX_SIDE, resize_images

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")  # Pillow would run other programs for some of its others


def list_pictures(folder: str | Path) -> list[Path]:
    """Return the regular files at any depth that have a picture's suffix, sorted; pipes and dangling links are none."""

    def fail(error: OSError) -> None:
        raise error

    # rglob leaves out what can't be read, and so whole classes, without a word
    found = (Path(root, name) for root, _, names in os.walk(folder, onerror=fail) for name in names)
    return sorted(path for path in found if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())


def read_picture(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a picture as uint8 [H, W, C], C 1 for grey ones and 3 for others, and resize it to (height, width)."""
    image = _decode(path)
    image = image.reshape(*image.shape[:2], -1)
    if not image.size:
        raise RequestError(f"{path}: should have pixels. Got {image.shape[0]} x {image.shape[1]} instead.")
    if size:
        return resize_images(image[np.newaxis], *size)[0]
    if max(image.shape) > MAX_SIDE:
        raise RequestError(
            f"{path}: should have at most {MAX_SIDE} x {MAX_SIDE} pixels. Got {image.shape[0]} x {image.shape[1]} "
            "instead (--image-size resizes)."
        )
    return image


def _decode(path: Path) -> np.ndarray:
    from PIL import Image

    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # about metadata, which are not used
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=_FORMATS) as picture:
                return _to_uint8_array(picture)
    except Image.UnidentifiedImageError as error:
        raise RequestError(f"{path}: should be a readable image. Its bytes are no {', '.join(_FORMATS)}.") from error
    except Exception as error:  # Pillow's decoders raise nearly anything for damaged bytes
        raise RequestError(f"{path}: should be a readable image. {describe_cause(error)}") from error


def _to_uint8_array(picture: Any) -> np.ndarray:
    """Return a Pillow picture as uint8 [H, W] or [H, W, 3]; 16-bit grey is scaled to 0..255."""
    if picture.mode == "F":
        raise RequestError("Its pixels should be integers, and are floats.")
    if picture.mode.startswith("I"):
        return (np.asarray(picture).astype(np.int64).clip(0, 65535) // 257).astype(np.uint8)
    return np.asarray(picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB"))
