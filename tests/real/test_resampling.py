import sys

import numpy as np
import pytest

from real.resampling import compute_class_weights, resample
from tests.conftest import make_images


@pytest.fixture
def imbalanced():
    images, labels = make_images(40)
    keep = np.flatnonzero((labels == 0) | (np.arange(40) < 8))  # 20 of class 0, 4 of class 1
    return images[keep], labels[keep]


@pytest.mark.parametrize("method", ["oversampling", "smote"])
def test_real_images_stay_first_and_classes_reach_their_counts(imbalanced, method):
    images, labels = imbalanced
    more, more_labels = resample(method, images, labels, {1: 20}, seed=0)
    assert np.array_equal(more[: len(images)], images)
    assert np.bincount(more_labels).tolist() == [20, 20]
    assert more.dtype == np.uint8
    known = {image.tobytes() for image in images}
    repeated = [image.tobytes() in known for image in more[len(images) :]]
    assert all(repeated) if method == "oversampling" else not all(repeated)


def test_every_class_may_grow(imbalanced):
    _, labels = resample("smote", *imbalanced, {0: 30, 1: 30}, seed=0)
    assert np.bincount(labels).tolist() == [30, 30]


@pytest.mark.parametrize(("count", "pairs"), [(7, 20), (3, 3), (2, 1)])
def test_smote_mixes_an_image_with_one_of_its_five_nearest_or_of_all(count, pairs):
    """Image k has pixel k alone, the brighter the later: of 7, the sixth and the seventh are nobody's nearest five."""
    images = np.diag(100 + 10 * np.arange(count)).astype(np.uint8).reshape(count, 1, count, 1)
    more, _ = resample("smote", np.tile(images, (2, 1, 1, 1)), np.repeat([0, 1], count), {1: count + 1000}, seed=0)
    mixed = (more[2 * count :, 0, :, 0] > 0).tolist()
    assert len({tuple(pixels) for pixels in mixed if sum(pixels) == 2}) == pairs
    assert max(map(sum, mixed)) == 2


def test_smote_needs_two_images(imbalanced):
    images, labels = imbalanced
    with pytest.raises(ValueError, match="SMOTE should have at least 2 images of each class. Got 1 instead"):
        resample("smote", images[[0, 1, 2]], labels[[0, 1, 2]], {1: 20}, seed=0)


def test_a_missing_package_is_named(imbalanced, monkeypatch):
    monkeypatch.setitem(sys.modules, "imblearn", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        resample("smote", *imbalanced, {1: 20}, seed=0)
    assert caught.value.name == "imbalanced-learn"


def test_weights_give_every_class_the_same_total():
    assert compute_class_weights(np.array([0, 0, 0, 1])) == {0: pytest.approx(2 / 3), 1: 2}
