from dataclasses import dataclass

import numpy as np
import pytest

from evaluation.features import gather
from evaluation.sides import Sides
from synth.sources import split_in_memory


@dataclass(frozen=True)
class Pixels:
    """An extractor: the one pixel of an image, and its square."""

    hash: str = "pixels"

    def compute(self, images):
        pixels = images.reshape(len(images), 1).astype(np.float32)
        return np.concatenate([pixels, pixels**2], axis=1)


def make_images(*counts, first=0):
    """Images of one pixel, all different, so many of each class."""
    images = np.arange(first, first + sum(counts), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return images, np.repeat(np.arange(len(counts)), counts)


def gather_from(tmp_path, run, real, floor, limit=100):
    counted = []
    sides = Sides({"run": split_in_memory(*run, 7)}, real, floor)
    material = gather(sides, Pixels(), tmp_path, limit=limit, seed=0, advance=counted.append)
    assert sum(counted) == sides.count_synthetic() == len(run[1])
    return material


@pytest.mark.parametrize(
    ("run", "real", "floor", "limit", "quotas", "real_counts"),
    [
        ((30, 20), (40, 40), (12, 18), 100, {0: 12, 1: 18}, [26, 40]),  # 40 / 18 times as many
        ((30, 20), (40, 40), (12, 18), 20, {0: 10, 1: 10}, [10, 10]),
        ((30, 20), (4, 40), (12, 18), 100, {0: 12, 1: 18}, [4, 6]),  # class 0 is short
        ((20, 20, 20), (2, 30, 30), (10, 10, 10), 100, {0: 2, 1: 10, 2: 10}, [2, 30, 30]),  # it is rare
        ((20, 20, 20), (2, 30, 30), (10, 10, 10), 40, {0: 2, 1: 10, 2: 10}, [2, 18, 18]),
        ((30, 2), (40, 40), (12, 18), 100, {0: 12, 1: 2}, [40, 6]),
    ],
)
def test_runs_and_floor_have_the_same_counts_and_the_real_side_their_proportions(
    tmp_path, run, real, floor, limit, quotas, real_counts
):
    sides = (make_images(*counts, first=first) for counts, first in ((run, 0), (real, 60), (floor, 150)))
    material = gather_from(tmp_path, *sides, limit)
    assert material.quotas == quotas
    for sample in (material.floor, material.runs["run"]):
        assert np.bincount(sample.labels).tolist() == list(quotas.values())
    assert np.bincount(material.real.labels).tolist() == real_counts
    assert material.runs["run"].gaussian.count == sum(run)  # of all, not of those that were kept alone


def test_of_costly_features_only_those_that_are_compared_are_computed(tmp_path):
    parts = make_images(60, 40), make_images(20, 20, first=150), make_images(20, 20, first=200)
    sides = Sides({"run": split_in_memory(*parts[0], 7)}, *parts[1:])
    found = {}
    for is_costly in (False, True):
        counted = []
        options = {"limit": 20, "seed": 0, "is_costly": is_costly, "advance": counted.append}
        found[is_costly] = gather(sides, Pixels(), tmp_path, **options)
        assert sum(counted) == sides.count_synthetic(20 if is_costly else None) == (20 if is_costly else 100)
    assert np.array_equal(found[True].runs["run"].features, found[False].runs["run"].features)
    assert (found[True].proportional, found[False].proportional) == ({"run": False}, {"run": True})


def test_features_and_labels_stay_with_their_images(tmp_path):
    sides = (make_images(20, 20), make_images(20, 20, first=50), make_images(20, 20, first=100))
    material = gather_from(tmp_path, *sides)
    for sample, first in ((material.runs["run"], 0), (material.real, 50), (material.floor, 100)):
        pixels = sample.images[:, 0, 0, 0].astype(int)
        assert sample.features[:, 0].tolist() == pixels.tolist()
        assert sample.labels.tolist() == ((pixels - first) // 20).tolist()
        assert np.bincount(sample.labels[:10]).tolist() == [5, 5]  # any stretch has the proportions of all


@pytest.mark.parametrize(("run", "proportional"), [((30, 30), True), ((36, 24), True), ((37, 23), False)])
def test_a_tenth_of_the_images_may_be_of_other_classes(tmp_path, run, proportional):
    sides = (make_images(*run), make_images(40, 40, first=70), make_images(20, 20, first=160))
    assert gather_from(tmp_path, *sides).proportional == {"run": proportional}
