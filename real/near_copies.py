"""Find images of one part that look almost the same as one of another: resized, compressed again or mirrored.

A perceptual hash of 64 bits, as of the package imagehash, is of no use on images as small as these: of 5,000 different
MNIST digits a third are within 4 bits of another. So brightness patterns are compared themselves.
"""

import numpy as np
from PIL import Image

_SIDE = 16  # pixels of the patterns that are compared
_MIN_CORRELATION = 0.997
# As `python -m benchmarks.near_copies` measured: of 2,000 test images none of MNIST, 0.6 % of Fashion-MNIST and 0.05 %
# of CIFAR-10 look like a train image; all copies that are mirrored or stored as JPEG at quality 75 are found, and half
# (MNIST) to all (CIFAR-10) of those resized by 0.75 and back.
_BLOCK = 4096  # images that are compared together


def find_near_copies(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Tell which images uint8 [n, H, W, C] look like one of `others` [m, H, W, C] or its mirror image: bool [n]."""
    patterns = _describe(images)
    mirrored = patterns.reshape(-1, _SIDE, _SIDE)[:, :, ::-1].reshape(patterns.shape)
    nearest = np.full(len(images), -1, np.float32)
    for start in range(0, len(others), _BLOCK):
        block = _describe(others[start : start + _BLOCK])
        for rows in (patterns, mirrored):
            for first in range(0, len(images), _BLOCK):
                part = slice(first, first + _BLOCK)
                np.maximum(nearest[part], (rows[part] @ block.T).max(axis=1), out=nearest[part])
    return nearest >= _MIN_CORRELATION


def _describe(images: np.ndarray) -> np.ndarray:
    """Return the brightness of each image on a grid, without mean and of length 1: float32 [n, _SIDE * _SIDE]."""
    patterns = np.empty((len(images), _SIDE, _SIDE), np.float32)
    for row, image in enumerate(images):
        picture = Image.fromarray(image if image.shape[-1] == 3 else image[..., 0])
        grey = picture.convert("L").convert("F")  # luma, as JPEG keeps it
        patterns[row] = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))
    patterns = patterns.reshape(len(images), -1)
    patterns -= patterns.mean(axis=1, keepdims=True)
    return patterns / np.maximum(np.linalg.norm(patterns, axis=1, keepdims=True), 1e-6)
