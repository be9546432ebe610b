"""Pixel range and dtype, in one place: uint8 [N, H, W, C] on disk, float [-1, 1] in networks."""

import hashlib
from typing import Any

import numpy as np

from common.errors import RequestError

IMAGE_SUFFIXES = (  # that are read
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm",
    ".avif",
)  # fmt: skip
MAX_SIDE = 1024  # pixels, of an image to train on
MIN_RESIZED = 8  # pixels, of a side that images are resized to
FITS = ("crop", "pad", "stretch")  # ways to bring an image to a size of other proportions
# Photos are cropped unless asked otherwise: stretched ones teach a GAN shapes that no object has, and padded ones bars.
DEFAULT_FIT = "crop"
_HALF_RANGE = 127.5
MIN_CONTRAST = 20  # grey levels; scikit-learn's digits, 0..16, are black to a viewer


def to_network_range(pixels: Any) -> Any:
    """Map float pixels 0..255 (array or tensor of any shape) to [-1, 1]."""
    return pixels / _HALF_RANGE - 1.0


def to_uint8(images: Any) -> np.ndarray:
    """Map network output [-1, 1] to uint8 0..255: rounded, and clipped instead of wrapped around."""
    pixels = (np.asarray(images, "float32") + 1.0) * _HALF_RANGE
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def check_images(images: np.ndarray, source: str) -> np.ndarray:
    """Return images as uint8 [N, H, W, C] with C in {1, 3}; a missing channel axis is added.

    Raises RequestError naming `source` for any other dtype, rank or channel count, and for pixels outside 0..255.
    """
    images = np.asarray(images)
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise RequestError(
            f"{source}: images should have shape [N, H, W], [N, H, W, 1] or [N, H, W, 3]. Got {images.shape} instead."
        )
    if not all(images.shape[1:]):
        raise RequestError(f"{source}: images should have pixels. Got the shape {images.shape} instead.")
    if images.dtype != np.uint8:
        if images.dtype.kind not in "iu":
            raise RequestError(f"{source}: pixels should be integers 0..255. Got {images.dtype} instead.")
        if images.size and (images.min() < 0 or images.max() > 255):
            raise RequestError(f"{source}: pixels should be in 0..255. Got {images.min()}..{images.max()} instead.")
        images = images.astype(np.uint8)
    return np.ascontiguousarray(images)


def check_contrast(images: np.ndarray, source: str) -> None:
    """Raise RequestError naming `source` for a set, uint8 [N, H, W, C], of one tone: it can't be meant so."""
    low, high = int(images.min()), int(images.max())
    if high - low < MIN_CONTRAST:
        advice = f" Multiply them by {255 // high}." if low == 0 < high else ""
        what = "black" if not high else "white" if low == 255 else f"in {low}..{high}"
        raise RequestError(
            f"{source}: pixels should differ by {MIN_CONTRAST} or more of 0..255 over all images. All are {what}: are "
            f"they masks, or on another scale?{advice}"
        )


def find_ranges(images: np.ndarray) -> np.ndarray:
    """Return the smallest and the largest pixel of each image: uint8 [N, H, W, C] -> uint8 [N, 2]."""
    flat = images.reshape(len(images), -1)
    return np.stack([flat.min(axis=1), flat.max(axis=1)], axis=1)


def resize_images(images: np.ndarray, height: int, width: int, fit: str = DEFAULT_FIT) -> np.ndarray:
    """Resize uint8 [N, H, W, C] to [N, height, width, C]; fit as of fit_picture."""
    from PIL import Image

    if images.shape[1:3] == (height, width):
        return images
    resized = np.empty((len(images), height, width, images.shape[-1]), np.uint8)
    for index, image in enumerate(images):
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        resized[index] = np.asarray(fit_picture(picture, height, width, fit)).reshape(height, width, -1)
    return resized


def fit_picture(picture: Any, height: int, width: int, fit: str) -> Any:
    """Return a Pillow picture ("L" or "RGB") in this size, by Pillow's bilinear (antialiased) filter.

    fit: where the proportions differ, "crop" keeps the middle, "pad" adds black bars, "stretch" keeps no proportions.
    """
    from PIL import Image, ImageOps

    if picture.size == (width, height):
        return picture
    size, bilinear = (width, height), Image.Resampling.BILINEAR
    if fit == "stretch" or picture.width * height == width * picture.height:
        return picture.resize(size, bilinear)
    return {"crop": ImageOps.fit, "pad": ImageOps.pad}[fit](picture, size, method=bilinear)


def hash_images(images: np.ndarray) -> np.ndarray:
    """Compute a 64-bit hash of each image's bytes: uint8 [N, ...] -> uint64 [N]."""
    contiguous: Any = map(np.ascontiguousarray, images)  # buffers, which NumPy's annotations say from Python 3.12 on
    digests = [hashlib.blake2b(image, digest_size=8).digest() for image in contiguous]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
