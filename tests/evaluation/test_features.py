import numpy as np
import pytest

from evaluation.features import FeatureSet, Material, search_nearest
from evaluation.metrics import fit_gaussian


def make_set(*counts):
    """A FeatureSet of black images of one pixel, so many of each class."""
    labels = np.repeat(np.arange(len(counts)), counts)
    features = np.zeros((len(labels), 1), np.float32)
    return FeatureSet(np.zeros((len(labels), 1, 1, 1), np.uint8), labels, features, fit_gaussian(features))


@pytest.mark.parametrize(
    ("counts", "searched"),
    [
        ((3900, 100), [1950, 50]),  # 2,000 in the proportions of all
        ((3970, 30), [1985, 20]),  # a rare class has at least 20
        ((3992, 8), [1996, 8]),  # or all that there are
        ((1500, 500), [1500, 500]),
        ((30, 12), [30, 12]),
    ],
)
def test_about_2000_images_are_searched_and_at_least_20_of_each_class(counts, searched):
    material = Material(make_set(*counts), make_set(2, 2), {"run": make_set(*counts)}, {}, {})
    found = search_nearest(material, np.zeros((3, 1, 1, 1), np.uint8))["run"]
    assert np.bincount(found.labels).tolist() == searched
    assert np.bincount(found.held_out_labels).tolist() == searched
    assert (np.diff(found.index) > 0).all()
