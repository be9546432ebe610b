from pathlib import Path

import numpy as np
import pytest

from common.images import hash_images
from evaluation.sides import ALL_IMAGES, Leaks, Sides, choose_compared, index_sources, take_unknown
from real.datasets import load_dataset
from synth.matched_sources import MatchedSources
from synth.runs import Run
from synth.sources import count_rows, split_in_memory, stream_images
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


def test_synthetic_images_are_counted_over_all_runs():
    sources = {"a": split_in_memory(IMAGES, LABELS, 100), "b": split_in_memory(IMAGES[:5], LABELS[:5])}
    assert Sides(sources, (IMAGES, LABELS), (IMAGES, LABELS)).count_synthetic() == 305


def test_runs_are_read_in_the_classes_of_the_data(tmp_path):
    images, labels = make_images(40)
    np.savez(tmp_path / "real.npz", images=images, labels=labels)
    np.savez(tmp_path / "run.npz", images=images[:20], labels=labels[:20])
    runs = {"run": Run(paths=[tmp_path / "run.npz"])}
    dataset = load_dataset(tmp_path / "real.npz")
    assert count_rows(index_sources(runs, dataset, dataset.label_values)["run"].sources) == {0: 10, 1: 10}
    ones = load_dataset(tmp_path / "real.npz", classes="1")
    assert count_rows(index_sources(runs, ones, dataset.label_values)["run"].sources) == {0: 10}


def choose(counts, real=(4, 4, 4), floor=(4, 4, 4), classless=()):
    """What is compared of runs with {name: images of classes 0, 1, 2}, of one pixel each that is the class index."""

    def make(count):
        labels = np.repeat(np.arange(3), count)
        return labels.astype(np.uint8).reshape(-1, 1, 1, 1), labels

    indexed = {
        name: MatchedSources(split_in_memory(*make(count)), (), (Path(name),) if name in classless else ())
        for name, count in counts.items()
    }
    return choose_compared(indexed, make(real), make(floor), ("ape", "bee", "cow"))


def test_all_classes_are_compared_where_each_side_has_two_images():
    compared = choose({"a": (2, 3, 4), "b": (5, 2, 2)})
    assert (compared.classes, compared.notes, compared.classless) == ({0: "ape", 1: "bee", 2: "cow"}, (), None)


def test_a_class_that_a_side_hardly_has_is_left_out_and_named():
    compared = choose({"a": (4, 1, 4), "b": (4, 4, 4)}, floor=(1, 4, 4))
    assert compared.classes == {2: "cow"}
    assert compared.notes == (
        "warning: left out, as each side needs 2 images of a class: ape (1 in the real images for the floor), bee (1 "
        "in a).",
    )
    assert {name: count_rows(found) for name, found in compared.sides.sources.items()} == {"a": {2: 4}, "b": {2: 4}}
    ((images, labels),) = stream_images(compared.sides.sources["a"], 0)
    assert (set(images.ravel().tolist()), labels.tolist()) == ({2}, [2] * 4)
    for images, labels in (compared.sides.real, compared.sides.floor):
        assert (images.ravel().tolist(), labels.tolist()) == ([2] * 4, [2] * 4)


def test_nothing_that_can_be_compared_is_refused():
    got = r"Got ape \(1 in a\), bee \(0 in a\), cow \(1 in the real images to compare with\): more images are needed"
    with pytest.raises(ValueError, match=f"at least 2 images of a class, and so of one class at least. {got}"):
        choose({"a": (1, 0, 4)}, real=(4, 4, 1))
    with pytest.raises(ValueError, match=r"Got all images \(1 in a\)"):
        choose({"a": (1, 0, 0)}, classless="a")


def test_one_run_without_classes_has_all_compared_without_them():
    compared = choose({"a": (6, 0, 0), "b": (1, 4, 4)}, real=(1, 4, 4), classless="a")
    assert compared.classes == {0: ALL_IMAGES}
    assert compared.classless == (
        "a: no class folders, no table and no names give its pictures classes, so all images are compared together, "
        "and so are those of the other runs; nothing is said of single classes"
    )
    assert {name: count_rows(found) for name, found in compared.sides.sources.items()} == {"a": {0: 6}, "b": {0: 9}}
    ((images, labels),) = stream_images(compared.sides.sources["b"], 0)
    assert (np.bincount(images.ravel()).tolist(), labels.tolist()) == ([1, 4, 4], [0] * 9)
    images, labels = compared.sides.real
    assert (images.ravel().tolist(), labels.tolist()) == ([0, *[1] * 4, *[2] * 4], [0] * 9)
    assert "of the other runs" not in choose({"a": (6, 0, 0)}, classless="a").classless
