import numpy as np
import pytest

from common.images import hash_images
from real.leakage import find_leaks


def images_of(values):
    return np.array(values, np.uint8).reshape(-1, 1, 1, 1) * np.ones((1, 2, 2, 1), np.uint8)


def test_images_that_were_trained_on_are_found():
    test, train = images_of(range(100)), images_of([3, 200])
    assert np.flatnonzero(find_leaks(test, hash_images(train))).tolist() == [3]


@pytest.mark.parametrize(("images", "leaked", "stops"), [(100, 5, False), (100, 6, True), (600, 6, False)])
def test_more_than_one_in_a_hundred_and_more_than_five_stop(images, leaked, stops):
    test = np.arange(images, dtype=np.uint16).view(np.uint8).reshape(-1, 1, 2, 1)
    hashes = hash_images(test[:leaked])
    if not stops:
        assert find_leaks(test, hashes).sum() == leaked
        return
    with pytest.raises(ValueError, match=f"^{leaked} of {images} test images .* were trained on"):
        find_leaks(test, hashes)
    assert find_leaks(test, hashes, allow=True).sum() == leaked
