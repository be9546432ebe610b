"""Read one picture, whatever its bytes may be, as its owner sees it: upright, over white, its first frame."""

import io
import logging
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from common.errors import RequestError, describe_cause
from common.images import DEFAULT_FIT, MAX_SIDE, fit_picture
from real.pictures.picture_levels import Levels, Range, find_range

# Pillow would run other programs for some of its others
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "AVIF")
_DEEP = re.compile(r"(RGBA?;16)([BLN])")  # Pillow's names for how the bytes of 16 bits a channel lie
_ORIENTATION = 0x0112  # Exif's tag
_METADATA = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")  # where Pillow finds it
_SPARE = 2  # a JPEG is decoded at a fraction of its size that has still so many times the pixels that are kept, a side


@dataclass(frozen=True)
class Reading:
    """How pictures are read.

    size: (height, width) that they are brought to, None as they are. fit: as of common.images.fit_picture.
    skip_unreadable: leave those out that can't be read. no_cache: decode them anew. quiet: show no progress.
    """

    size: tuple[int, int] | None = None
    fit: str = DEFAULT_FIT
    skip_unreadable: bool = False
    no_cache: bool = False
    quiet: bool = True


@dataclass(frozen=True)
class EncodedPicture:
    """The bytes of a picture that is no file of its own, to be read like one; name: where they are, for messages."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name

    def open(self, mode: str = "rb") -> io.BytesIO:
        """As of pathlib.Path."""
        return io.BytesIO(self.content)

    def stat(self) -> SimpleNamespace:
        """The size alone."""
        return SimpleNamespace(st_size=len(self.content))


class UnreadableError(RequestError):
    """The bytes of a picture can't be read."""


@contextmanager
def decoding() -> Iterator[None]:
    """Hold Pillow's warnings as read_picture needs them."""
    _list_formats()  # loads them
    logger = logging.getLogger("PIL")  # says on the terminal what it then raises
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about metadata, which are not used
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(level)


def read_picture(path: Path | EncodedPicture, reading: Reading, levels: Levels | None = None) -> np.ndarray | Range:
    """Read a picture, within `decoding`, as uint8 [H, W, C], C 1 for grey ones and 3 for others.

    One with more than 8 bits a pixel needs the `levels` of its whole set: without them its Range is returned. Raises
    UnreadableError, and RequestError for a picture that is too large to keep as it is.
    """
    picture = _open(path, reading.size, levels)
    if isinstance(picture, Range):
        return picture
    if not reading.size and max(picture.size) > MAX_SIDE:
        raise RequestError(
            f"{path}: should have at most {MAX_SIDE} x {MAX_SIDE} pixels. Got {picture.height} x {picture.width} "
            "instead (--image-size resizes)."
        )
    if reading.size:
        picture = fit_picture(picture, *reading.size, reading.fit)
    return np.asarray(picture).reshape(picture.height, picture.width, -1)


def read_sizes(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """Return the sizes (height, width) of pictures, as their headers say; those that can't be read are left out."""
    sizes = set()
    with decoding():
        for path in paths:
            try:
                with open(path, "rb") as file, Image.open(file, formats=_list_formats()) as picture:
                    sizes.add((picture.height, picture.width))
            except Exception:  # Pillow raises nearly anything for damaged bytes, and reading the picture says it
                continue
    return sizes


def count_pages(path: Path) -> int:
    """Return the number of pages of a picture, of which the first alone is read; 1 where that can't be read."""
    with decoding():
        try:
            with open(path, "rb") as file, Image.open(file, formats=_list_formats()) as picture:
                return getattr(picture, "n_frames", 1)
        except Exception:  # as in read_sizes
            return 1


def _open(path: Path | EncodedPicture, size: tuple[int, int] | None, levels: Levels | None) -> Any:
    """Return a Pillow picture, "L" or "RGB", or its Range."""
    try:
        with path.open("rb") as file, Image.open(file, formats=_list_formats()) as picture:
            if not all(picture.size):
                raise RequestError(f"It should have pixels. Got {picture.height} x {picture.width} instead.")
            if size and max(picture.size) > MAX_SIDE and picture.format == "JPEG":
                picture.draft(None, (_SPARE * max(size), _SPARE * max(size)))
            lower = _find_lower(picture)
            if lower:
                return _convert_deep(picture, _load_lower(path, lower), levels)
            return _convert(picture, levels)
    except Image.UnidentifiedImageError as error:
        got = "The file is empty." if not path.stat().st_size else f"Its bytes are no {', '.join(_FORMATS)}."
        raise UnreadableError(f"{path}: should be a readable image. {got}") from error
    except Exception as error:  # Pillow's decoders raise nearly anything for damaged bytes
        raise UnreadableError(f"{path}: should be a readable image. {describe_cause(error)}") from error


def _list_formats() -> list[str]:
    """Return those of _FORMATS that this Pillow has."""
    if "TIFF" not in Image.OPEN:  # only some are there at once
        Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]


def _find_lower(picture: Any) -> str | None:
    """Return what Pillow is to be told to decode the lower 8 of 16 bits of a picture in colour; None for others.

    Of itself it keeps the upper ones. It takes the lower for these where the order of the bytes is turned round.
    """
    raw = {tile[3][0] if isinstance(tile[3], tuple) else tile[3] for tile in picture.tile}
    match = _DEEP.fullmatch(str(raw.pop())) if len(raw) == 1 else None
    if match is None:
        return None
    order = match[2] if match[2] != "N" else sys.byteorder[0].upper()
    return match[1] + ("L" if order == "B" else "B")


def _load_lower(path: Path | EncodedPicture, lower: str) -> np.ndarray:
    """Return the lower 8 bits of a picture's channels, uint8 [H, W, 3 or 4]."""
    with path.open("rb") as file, Image.open(file, formats=_list_formats()) as picture:
        arguments = [(lower, *tile[3][1:]) if isinstance(tile[3], tuple) else lower for tile in picture.tile]
        picture.tile = [tile._replace(args=own) for tile, own in zip(picture.tile, arguments, strict=True)]
        return np.asarray(picture)


def _convert_deep(picture: Any, lower: np.ndarray, levels: Levels | None) -> Any:
    """Return a picture in colour with 16 bits a channel in 8 bits, "RGB", or its Range without levels."""
    upper = np.asarray(picture)
    values = upper[..., :3].astype(np.uint16) * 256 + lower[..., :3]
    if levels is None:
        return find_range(values)
    converted = Image.fromarray(np.concatenate([levels.to_uint8(values), upper[..., 3:]], axis=-1))
    return _turn_upright(_put_over_white(converted) if upper.shape[-1] == 4 else converted, picture)


def _put_over_white(picture: Any) -> Any:
    """Return an "RGBA" picture as "RGB"."""
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    return white.convert("RGB")


def _convert(picture: Any, levels: Levels | None) -> Any:
    """Return an opened picture in 8 bits, "L" or "RGB", or its Range where that takes levels."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture)
        if levels is None:
            return find_range(values)
        return _turn_upright(Image.fromarray(levels.to_uint8(values)), picture)
    grey = picture.mode in ("1", "L", "LA", "La")
    has_alpha = picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info
    converted = _put_over_white(picture.convert("RGBA")) if has_alpha else picture
    if picture.mode in ("P", "PA"):  # a grey set may be saved with palettes
        pixels = np.asarray(converted.convert("RGB"))
        grey = bool((pixels == pixels[..., :1]).all())
    mode = "L" if grey else "RGB"
    converted.load()  # here, where all that Pillow raises is caught
    return _turn_upright(converted if converted.mode == mode else converted.convert(mode), picture)


def _turn_upright(converted: Any, picture: Any) -> Any:
    """Turn the converted copy of `picture` as its Exif data say that it is held."""
    if not any(name in picture.info for name in _METADATA) and picture.format != "TIFF":
        return converted  # most of a set; looking further takes as long as opening the file
    way = Image.Transpose
    turns = (way.FLIP_LEFT_RIGHT, way.ROTATE_180, way.FLIP_TOP_BOTTOM)
    turns += (way.TRANSPOSE, way.ROTATE_270, way.TRANSVERSE, way.ROTATE_90)
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # of damaged metadata, which are no reason to leave a good picture out
        return converted
    return converted.transpose(turns[orientation - 2]) if orientation in range(2, 9) else converted
