"""What the numbers of an array of images or labels mean."""

from collections.abc import Iterable

import numpy as np

from common.errors import RequestError
from real.labelled_images import check_labels, parse_labels

UNIT, SIGNED = "0..1", "-1..1"  # ranges of floats that are read as 0..255
_TOLERANCE = 1e-3  # of the ends of a range of floats


def shape_images(images: np.ndarray, source: str, image_shape: tuple[int, int, int] | None) -> np.ndarray:
    """Return images [N, H, W] or [N, H, W, C]; rows of pixels [N, H * W] are put into squares, or into `image_shape`.

    Raises RequestError, with the NumPy expression that helps, for other ranks and for channels that come first.
    """
    if images.ndim not in (2, 3, 4):
        raise RequestError(f"{source}: images should have shape [N, H, W] or [N, H, W, C]. Got {images.shape} instead.")
    if images.ndim == 3 and 1 in images.shape[1:] and images.size:
        images = images.reshape(len(images), -1)  # rows of pixels with an axis more, as a network of one dimension has
    if images.ndim == 2:
        return _unflatten(images, source, image_shape)
    if images.ndim == 3 and 3 in images.shape[1:]:
        _refuse_flat_colours(images, source)
    if images.ndim == 4 and images.shape[-1] not in (1, 3):
        last, first = images.shape[-1], images.shape[1]
        if first in (1, 3):
            advice = "the channels come first: images.transpose(0, 2, 3, 1) puts them last"
        elif last == 4:
            advice = (
                "the fourth channel says how much is seen, and numpy.rint(255 - images[..., 3:] / 255 * "
                "(255.0 - images[..., :3])).astype(numpy.uint8) puts the others over white"
            )
        elif last == 2:
            advice = "images[..., :1] takes the first channel"
        else:
            advice = "grey or RGB, with the channels last"
        raise RequestError(
            f"{source}: images should have shape [N, H, W], [N, H, W, 1] or [N, H, W, 3]. Got {images.shape}: {advice}."
        )
    return images


def _refuse_flat_colours(images: np.ndarray, source: str) -> None:
    """Raise RequestError for squares of pixels in a row beside an axis of three channels."""
    first, last = images.shape[1:]
    side = round(max(first, last) ** 0.5)
    if side * side == max(first, last) and side > 3:
        advice = f"images.reshape(-1, {side}, {side}, 3)"
        if first == 3:
            advice = f"images.reshape(-1, 3, {side}, {side}).transpose(0, 2, 3, 1)"
        raise RequestError(
            f"{source}: images should have shape [N, H, W], [N, H, W, 1] or [N, H, W, 3]. Got {images.shape}: "
            f"{advice} if these are three channels."
        )


def _unflatten(images: np.ndarray, source: str, image_shape: tuple[int, int, int] | None) -> np.ndarray:
    count = images.shape[1]
    if image_shape:
        if np.prod(image_shape) != count:
            size = " x ".join(map(str, image_shape))
            raise RequestError(
                f"{source}: {size} images should have {np.prod(image_shape)} pixels. Got {count} instead."
            )
        return images.reshape(-1, *image_shape)
    side, colour_side = round(count**0.5), round((count / 3) ** 0.5)
    if count and side * side == count:
        return images.reshape(-1, side, side)
    if count and 3 * colour_side**2 == count:
        last = f"images.reshape(-1, {colour_side}, {colour_side}, 3)"
        first = f"images.reshape(-1, 3, {colour_side}, {colour_side}).transpose(0, 2, 3, 1)"
        raise RequestError(
            f"{source}: rows of {count} pixels should say where their channels are: {last} where the three of a pixel "
            f"stand together (--image-shape {colour_side},{colour_side},3 says so), {first} where the channels follow "
            "each other."
        )
    raise RequestError(
        f"{source}: {count} pixels a row should be a square image (--image-shape H,W,C names another shape). "
        f"Got {images.shape} instead."
    )


def find_scale(parts: Iterable[np.ndarray], source: str) -> str:
    """Return UNIT or SIGNED where the floats of all parts have this range, "" where they are whole numbers or integers.

    Raises RequestError, with the NumPy expression that helps, for pixels that can't be 0..255 or one of these.
    """
    arrays = [array for array in parts if array.size]
    if any(array.dtype == bool for array in arrays):
        raise RequestError(
            f"{source}: pixels should be integers 0..255. Got truth values: images.astype(numpy.uint8) * 255 makes "
            "integers of them."
        )
    if not all(array.dtype.kind in "iuf" for array in arrays) or not arrays:
        return ""  # check_images says what is wrong
    kinds = {"float" if array.dtype.kind == "f" else "integer" for array in arrays}
    if len(kinds) > 1:
        raise RequestError(f"{source}: the parts should all have integers, or all floats. Got both.")
    low, high = (float(min(array.min() for array in arrays)), float(max(array.max() for array in arrays)))
    if "integer" in kinds:
        if low >= 0 and 255 < high < 2**16:
            raise RequestError(
                f"{source}: pixels should be in 0..255. Got {low:g}..{high:g}: (images // 257).astype(numpy.uint8) "
                "makes 8 bits of 16; for fewer bits multiply first."
            )
        return ""
    if not np.isfinite([low, high]).all():
        raise RequestError(f"{source}: pixels should be finite numbers. Got NaN or infinity.")
    if low >= 0 and high <= 1 + _TOLERANCE:
        return UNIT
    if -1 - _TOLERANCE <= low < -0.5 and 0.5 < high <= 1 + _TOLERANCE:
        return SIGNED
    if low >= 0 and high <= 255:
        if all((array == np.rint(array)).all() for array in arrays):
            return ""
        raise RequestError(
            f"{source}: pixels should be integers 0..255, or floats 0..1. Got fractions from {low:g} to {high:g}: "
            "numpy.rint(images).astype(numpy.uint8) makes integers of them, if 255 is white."
        )
    raise RequestError(
        f"{source}: pixels should be integers 0..255, or floats 0..1 or -1..1. Got floats from {low:g} to {high:g}: "
        "(images - images.min()) / (images.max() - images.min()) brings them to 0..1."
    )


def scale_pixels(images: np.ndarray, scale: str) -> np.ndarray:
    """Return pixels of a range that find_scale has found as uint8 0..255, rounded; whole floats as integers, too."""
    if images.dtype.kind != "f":
        return images
    factor, offset = {"": (1.0, 0.0), UNIT: (255.0, 0.0), SIGNED: (127.5, 127.5)}[scale]
    scaled = np.empty(images.shape, np.uint8)
    for place, image in enumerate(images):  # one by one, for memory
        scaled[place] = np.rint(image.astype(np.float64) * factor + offset).clip(0, 255)
    return scaled


def parse_array_labels(labels: np.ndarray, count: int, source: str) -> np.ndarray:
    """Return labels [count] as int64, or as texts where they are texts that are no numbers.

    Taken are [N] and [N, 1] of integers, of truth values, of floats that are whole numbers and of texts, and one-hot
    rows [N, K]. Raises RequestError for others.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:  # Keras' CIFAR layout
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.shape[0] == count and labels.dtype.kind in "biuf":
        labels = _find_hot(labels, source)
    if labels.dtype.kind == "S" and labels.ndim == 1:
        labels = np.array([label.decode("utf-8", "replace") for label in labels.tolist()], "U")
    if labels.dtype.kind == "U" and labels.shape == (count,):
        texts = labels.tolist()
        numbers, names = parse_labels(texts, source, lambda index: f"place {index}")
        return numbers if names is None else np.array([text.strip() for text in texts])
    if labels.dtype == bool and labels.shape == (count,):
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "f" and labels.shape == (count,):
        is_whole = (labels == np.rint(labels)) & (np.abs(labels) < 2**53)
        labels = labels.astype(np.int64) if is_whole.all() else labels
    return check_labels(labels, count, source)


def _find_hot(labels: np.ndarray, source: str) -> np.ndarray:
    """Return the places of the 1 in each row [N, K]."""
    is_one = labels == 1
    if not (((labels == 0) | is_one).all() and (is_one.sum(axis=1) == 1).all()):
        raise RequestError(
            f"{source}: rows of labels should be one-hot, a single 1 among zeros. Got others in {labels.shape}: images "
            "of several classes, or of none, can't be used."
        )
    return is_one.argmax(axis=1)
