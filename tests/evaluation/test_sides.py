import numpy as np
import pytest

from evaluation.sides import Leaks, Sides, check_counts, index_sources, take_unknown
from synth.datasets import load_dataset
from synth.images import hash_images
from synth.sources import Run, count_rows, split_in_memory
from tests.conftest import make_images

IMAGES = np.arange(300 * 4, dtype=np.uint16).view(np.uint8).reshape(300, 2, 4, 1)
LABELS = np.arange(300) % 2


def test_images_that_any_gan_knows_are_left_out():
    runs = {"a": Run(hashes=hash_images(IMAGES[:2])), "b": Run(hashes=hash_images(IMAGES[1:3])), "c": Run()}
    (images, labels), leaks = take_unknown((IMAGES, LABELS), runs, allow=False, source="test")
    assert leaks == Leaks(images=300, leaked=3, allowed=False)
    np.testing.assert_array_equal(images, IMAGES[3:])
    np.testing.assert_array_equal(labels, LABELS[3:])
    (images, _), leaks = take_unknown((IMAGES, LABELS), runs, allow=True, source="test")
    assert leaks == Leaks(images=300, leaked=3, allowed=True)
    assert len(images) == 300


def test_too_many_are_refused():
    with pytest.raises(ValueError, match=r"6 of 300 validation images \(2.0%\) were trained on"):
        take_unknown((IMAGES, LABELS), {"a": Run(hashes=hash_images(IMAGES[:6]))}, allow=False, source="validation")


def test_each_class_has_two_real_images_on_both_sides():
    enough, scarce = (IMAGES[:4], LABELS[:4]), (IMAGES[:3], LABELS[:3])
    check_counts(enough, enough, ("ape", "bee"))
    with pytest.raises(ValueError, match="at least 2 real images to compare with. Got 1 of bee: more real images"):
        check_counts(scarce, enough, ("ape", "bee"))
    with pytest.raises(ValueError, match="at least 2 real images for the floor. Got 1 of bee"):
        check_counts(enough, scarce, ("ape", "bee"))


def test_synthetic_images_are_counted_over_all_runs():
    sources = {"a": split_in_memory(IMAGES, LABELS, 100), "b": split_in_memory(IMAGES[:5], LABELS[:5])}
    assert Sides(sources, (IMAGES, LABELS), (IMAGES, LABELS)).count_synthetic() == 305


def test_runs_are_read_in_the_classes_of_the_data(tmp_path):
    images, labels = make_images(40)
    np.savez(tmp_path / "real.npz", images=images, labels=labels)
    np.savez(tmp_path / "run.npz", images=images[:20], labels=labels[:20])
    runs = {"run": Run(paths=[tmp_path / "run.npz"])}
    dataset = load_dataset(tmp_path / "real.npz")
    assert count_rows(index_sources(runs, dataset, dataset.label_values)["run"]) == {0: 10, 1: 10}
    ones = load_dataset(tmp_path / "real.npz", classes="1")
    assert count_rows(index_sources(runs, ones, dataset.label_values)["run"]) == {0: 10}
    np.savez(tmp_path / "run.npz", images=images[:3], labels=labels[:3])
    with pytest.raises(ValueError, match="run should have at least 2 images of each class of .* It lacks 1: --classes"):
        index_sources(runs, dataset, dataset.label_values)
