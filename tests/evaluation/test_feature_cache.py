from dataclasses import dataclass, field

import numpy as np
import pytest

from evaluation.feature_cache import load_or_compute

IMAGES = np.arange(12, dtype=np.uint8).reshape(4, 1, 3, 1)


@dataclass
class Flat:
    """An extractor that counts its calls."""

    hash: str = "a"
    calls: list = field(default_factory=list)

    def compute(self, images):
        self.calls.append(len(images))
        return images.reshape(len(images), -1)


def test_features_are_computed_once_for_each_set_and_extractor(tmp_path):
    flat, other = Flat(), Flat("b")
    for _ in range(2):
        features, gaussian = load_or_compute(tmp_path, IMAGES, flat)
        assert features.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
        assert (gaussian.count, gaussian.mean.tolist()) == (4, [4.5, 5.5, 6.5])
    load_or_compute(tmp_path, IMAGES[:3], flat)
    load_or_compute(tmp_path, IMAGES, other)
    assert (flat.calls, other.calls) == ([4, 3], [4])
    assert len(list(tmp_path.glob("real-*.npz"))) == 3


@pytest.mark.parametrize("damage", ["cut", "nan", "other", "shape", "missing"])
def test_a_file_that_does_not_hold_them_is_made_anew(tmp_path, damage):
    flat = Flat()
    expected, _ = load_or_compute(tmp_path, IMAGES, flat)
    (path,) = tmp_path.glob("real-*.npz")
    with np.load(path) as stored:
        content = dict(stored)
    changed = {
        "nan": content | {"features": content["features"] * np.nan},
        "other": content | {"extractor_hash": "b"},
        "shape": content | {"mean": content["mean"][:2]},
        "missing": {name: array for name, array in content.items() if name != "mean"},
    }
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        np.savez(path, **changed[damage])
    features, _ = load_or_compute(tmp_path, IMAGES, flat)
    assert features.tolist() == expected.tolist()
    assert flat.calls == [4, 4]
