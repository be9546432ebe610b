import numpy as np
import pytest

from synth.images import hash_images
from synth.leakage import find_leaks


def test_leaks_are_found_by_exact_hash():
    images = np.arange(300 * 4, dtype=np.uint16).view(np.uint8).reshape(300, 2, 4, 1)
    leaked = find_leaks(images, hash_images(images[[5, 200]]))
    assert np.flatnonzero(leaked).tolist() == [5, 200]
    assert not find_leaks(images, hash_images(images ^ 255)).any()


def test_more_than_one_percent_leaked_stops_the_run_unless_allowed():
    images = np.arange(100 * 4, dtype=np.uint16).view(np.uint8).reshape(100, 2, 4, 1)
    hashes = hash_images(images[:2])
    with pytest.raises(ValueError, match=r"2 of 100 test images \(2.0%\) were trained on.*--allow-leak"):
        find_leaks(images, hashes)
    assert find_leaks(images, hashes, allow=True).sum() == 2
    assert find_leaks(images, hashes[:1]).sum() == 1
