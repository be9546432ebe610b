import pytest

from common.errors import RequestError
from real.columns import Columns, choose_end, find_columns, has_pixel_names, list_odd_names, match_column

PIXELS = ["pixel0", "pixel1", "pixel2", "pixel3"]


def test_names_say_which_column_is_what():
    columns = find_columns(["Unnamed: 0", "id", *PIXELS, "Label", "synthetic", "Usage"])
    assert columns == Columns(pixels=(2, 3, 4, 5), label=6, id=1, synthetic=7, split=8)


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (["sign", *PIXELS], 0),
        ([*PIXELS, "sign"], 4),
        (["0", "0.1", "0.2", "0.3", "0.4"], 0),
        (["sign", "a", "b", "c", "d"], None),  # nothing is alike
        (["sign", *PIXELS, "sort"], None),
        (PIXELS, None),
    ],
)
def test_the_one_at_an_end_that_is_not_called_like_the_others_is_the_label(names, label):
    assert find_columns(names).label == label


def test_one_of_two_labels_is_to_be_named():
    with pytest.raises(RequestError, match="one column for the label. Got label and class: --label-column names one"):
        find_columns(["label", "class", *PIXELS])
    columns = find_columns(["label", "class", *PIXELS], "class")
    assert (columns.label, columns.pixels, columns.note) == (1, (2, 3, 4, 5), "left out: label")


@pytest.mark.parametrize(
    ("names", "has"),
    [
        (["label", "pixel0", "pixel1"], True),
        (["id", "pixel0", "pixel1"], True),
        (["label", "pixel_0_0", "pixel_0_1"], True),
        (["id", "target", "feature_0", "feature_1"], False),
        (["PassengerId", "Survived"], False),
        (["label", "pixel0", "writer"], False),
        (["label"], False),
    ],
)
def test_tables_of_images_by_their_names(names, has):
    assert has_pixel_names(names) is has


def test_odd_names():
    assert list_odd_names([*PIXELS, "writer"], range(5)) == ["writer"]
    assert list_odd_names(["a", "b"], range(2)) == []


@pytest.mark.parametrize(
    ("first", "last", "end"),
    [
        ([], [], "first"),
        ("0123456789", ["0"], "first"),  # the last pixel is black in every image
        (["0"], "0123456789", "last"),
        (["0"], ["0"], "first"),
        (["0"], [3, 17, 90, 201, 255], None),  # one class, or a black border
        ([3, 17, 90, 201, 255], ["0"], None),
        ([3, 8], [0, 1, 2], "first"),
        (range(26), [0, 3, 90, 255], "first"),
        ([3, 17, 90, 201, 255], range(3), "last"),  # the first pixel of photographs
        ([3, 17, 90, 201, 255], ["ape", "bee"], "last"),
        ([3, 17, 90], [8, 90, 255], "first"),
        (["0.0", "17.0", "90.5"], ["0.0", "1.0", "2.0"], "last"),
        (["3.0", "17.0", "9.0e1"], ["0.0", "1.0"], "last"),
        (range(10), range(10), "first"),
        (range(256), range(10), None),  # so many photographs that the pixel has every value, or 256 classes
        (range(1000), range(10), "first"),  # no pixel is above 255
    ],
)
def test_the_label_of_a_table_without_names_is_at_the_end_that_looks_like_labels(first, last, end):
    assert choose_end(set(map(str, first)), set(map(str, last))) == end


@pytest.mark.parametrize(
    ("wanted", "place"), [("label", 1), ("LABEL", None), ("Age", 2), ("age", 2), ("3", 2), ("9", None), ("0", None)]
)
def test_a_column_is_named_in_its_case_or_any_or_by_number(wanted, place):
    assert match_column(["Label", "label", " Age "], wanted) == place
