import io

import numpy as np
import pytest
from PIL import Image

from real.near_copies import find_near_copies


@pytest.fixture(scope="module")
def photos():
    """Smooth colour pictures of their own, 40."""
    coarse = np.random.default_rng(0).integers(0, 256, (40, 6, 6, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BICUBIC)) for image in coarse])


def compress(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file))


def resize(image):
    small = Image.fromarray(image).resize((24, 24), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((32, 32), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("change", [compress, resize, np.fliplr, lambda image: image // 2])
def test_changed_copies_are_found(photos, change):
    changed = np.stack([change(image) for image in photos[:10]])
    assert find_near_copies(changed, photos).all()


def test_other_pictures_are_not(photos):
    assert not find_near_copies(photos[:10], photos[10:]).any()
    plain = np.full((2, 32, 32, 3), 9, np.uint8)
    assert not find_near_copies(plain, photos).any()
