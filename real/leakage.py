"""The leakage guard: were test images among the images that something was trained on?"""

import numpy as np

from common.errors import RequestError
from common.images import hash_images

MAX_SHARE = 0.01
MAX_IMAGES = 5  # in a small test part a single copy, as many sets have, is more than the share

ADVICE = "Train on other images, or add --allow-leak to go on with the result marked."


def find_leaks(
    test_images: np.ndarray,
    train_hashes: np.ndarray,
    *,
    allow: bool = False,
    source: str = "test",
    advice: str = ADVICE,
) -> np.ndarray:
    """Return a mask [n] of the test images (uint8 [n, H, W, C]) whose exact hash is among `train_hashes`.

    Raises RequestError with the numbers when more than 1 % and more than 5 are, unless `allow`.
    """
    leaked = np.isin(hash_images(test_images), train_hashes)
    if leaked.mean() > MAX_SHARE and leaked.sum() > MAX_IMAGES and not allow:
        raise RequestError(
            f"{leaked.sum()} of {len(leaked)} {source} images ({leaked.mean():.1%}) were trained on: the score would "
            f"mean nothing. {advice}"
        )
    return leaked
