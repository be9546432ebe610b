import numpy as np
import pytest

from common.errors import RequestError
from real.label_matching import match_part
from real.labelled_images import LabelledImages

IMAGES = np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1)


def make(labels, names=None, images=IMAGES):
    return LabelledImages(images[: len(labels)], np.array(labels), class_names=names)


@pytest.mark.parametrize(
    ("part", "source", "expected"),
    [
        (make([7, 3]), make([3, 5, 7]), [7, 3]),
        (make([1, 0], {0: "ape", 1: "cat"}), make([0, 1, 2], {0: "ape", 1: "bee", 2: "cat"}), [2, 0]),  # by name
        (make([1, 0], {0: "3", 1: "7"}), make([3, 5, 7]), [7, 3]),  # folders called as the labels
        (make([3, 7]), make([0, 1, 2], {0: "3", 1: "5", 2: "7"}), [0, 2]),
        (make([1, 0]), make([0, 1, 2], {0: "ape", 1: "bee", 2: "cat"}), [1, 0]),  # numbers of named classes
        (make([1, 2, 10]), make([0, 1, 2], {0: "1", 1: "10", 2: "2"}), [0, 2, 1]),  # folders in the order of text
    ],
)
def test_classes_have_the_labels_that_the_source_gives_them(part, source, expected):
    assert match_part(part, source, "test").labels.tolist() == expected


def test_numbers_of_named_classes_are_said():
    source = make([0, 1, 2], {0: "ape", 1: "bee", 2: "cat"})
    assert match_part(make([1, 0]), source, "t.npz").notes == (
        "t.npz: labels are numbers: 0 is ape, 1 is bee, 2 is cat",
    )
    assert match_part(make([1, 0], {0: "ape", 1: "cat"}), source, "t.npz").notes == ()


def test_other_classes_and_shapes_are_one_line():
    with pytest.raises(RequestError, match=r"t\.csv: the test images .* have: 3, 5\. Got '9'"):
        match_part(make([3, 9]), make([3, 5]), "t.csv")
    with pytest.raises(RequestError, match=r"should have the shape of the others, \(2, 2, 1\)\. Got \(3, 2, 2\)|Got"):
        match_part(make([3], images=np.zeros((1, 3, 2, 1), np.uint8)), make([3, 5]), "t.csv")


def test_grey_test_images_of_a_coloured_set_become_coloured():
    part = match_part(make([3, 5]), make([3, 5], images=np.repeat(IMAGES, 3, axis=3)), "t.csv")
    assert part.images[1, 0, 1].tolist() == [5, 5, 5]
