import pytest

from synth.counts import find_class, parse_counts

NAMES, VALUES = ("Trouser", "Sneaker", "9"), (1, 7, 9)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("500", {"Trouser": 500, "Sneaker": 500, "9": 500}),
        (20, {"Trouser": 20, "Sneaker": 20, "9": 20}),
        ("1:5,Sneaker:7", {"Trouser": 5, "Sneaker": 7}),
        ("9: 3", {"9": 3}),
    ],
)
def test_counts_are_normalised(text, counts):
    assert parse_counts(text, NAMES, VALUES) == counts


@pytest.mark.parametrize("text", ["0", "-3", "many", "1.5", "", "Sneaker:0", "1:x"])
def test_counts_below_one_are_refused(text):
    with pytest.raises(ValueError, match=r"should be an integer of at least 1\. Got"):
        parse_counts(text, NAMES, VALUES)


def test_unknown_class_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"one of Trouser \(1\), Sneaker \(7\), 9\. Got 'Hat' instead"):
        find_class("Hat", NAMES, VALUES)


def test_class_given_twice_is_refused():
    with pytest.raises(ValueError, match="class 'Sneaker' should be given once"):
        parse_counts("7:5,Sneaker:5", NAMES, VALUES)
