import pytest

from common.counts import find_class, parse_classes, parse_counts
from common.errors import RequestError

NAMES, VALUES = ("Trouser", "Sneaker", "9"), (1, 7, 9)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("500", {"Trouser": 500, "Sneaker": 500, "9": 500}),
        (20, {"Trouser": 20, "Sneaker": 20, "9": 20}),
        ("1:5,Sneaker:7", {"Trouser": 5, "Sneaker": 7}),
        ("9: 3", {"9": 3}),
        ("4, 3,2", {"Trouser": 4, "Sneaker": 3, "9": 2}),
    ],
)
def test_counts_are_normalised(text, counts):
    assert parse_counts(text, NAMES, VALUES, "--class-size") == counts


@pytest.mark.parametrize("text", ["0", "-3", "many", "1.5", "", "Sneaker:0", "1:x"])
def test_counts_below_one_are_refused(text):
    with pytest.raises(ValueError, match=r"should be an integer of at least 1\. Got"):
        parse_counts(text, NAMES, VALUES, "--class-size")


@pytest.mark.parametrize("text", ["9" * 5000, "1000000000001", "Sneaker:" + "9" * 5000])
def test_absurd_counts_are_refused(text):
    with pytest.raises(RequestError, match=r"--class-size should be at most 1,000,000,000,000\. Got '[0-9]{,80}"):
        parse_counts(text, NAMES, VALUES, "--class-size")


@pytest.mark.parametrize("text", ["\u0663", "\u00b2", "1_000", "Sneaker:\u0663"])
def test_digits_that_are_not_ascii_are_refused(text):
    with pytest.raises(RequestError, match="--class-size should be an integer of at least 1"):
        parse_counts(text, NAMES, VALUES, "--class-size")


def test_zeros_before_a_count_are_none_of_it():
    assert parse_counts("0" * 5000 + "7", NAMES, VALUES, "--class-size")["9"] == 7


@pytest.mark.parametrize("key", ["--5", "9" * 5000, "-" + "9" * 5000, "\u0663", "\u00b2", "-"])
def test_keys_that_are_no_label_are_unknown_classes(key):
    with pytest.raises(RequestError, match="--classes should be one of Trouser"):
        parse_classes(key, NAMES, VALUES)


def test_unknown_class_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"--minority should be one of Trouser \(1\), Sneaker \(7\), 9\. Got 'Hat'"):
        find_class("Hat", NAMES, VALUES, "--minority")


def test_classes_are_found_by_name_or_value_and_sorted():
    assert parse_classes("9,Trouser, 1", NAMES, VALUES) == (0, 2)
    assert parse_classes("2,1", ("1", "2", "3"), (0, 1, 2)) == (0, 1)  # a name counts before a value


def test_class_given_twice_is_refused():
    with pytest.raises(ValueError, match="class 'Sneaker' should be given once"):
        parse_counts("7:5,Sneaker:5", NAMES, VALUES, "--class-size")


@pytest.mark.parametrize(("text", "count"), [("5,6", 2), ("1,2,3,4", 4)])
def test_a_list_of_the_wrong_length_is_refused(text, count):
    with pytest.raises(ValueError, match=rf"--counts should be one, or one for each of 3 classes\. Got {count}\."):
        parse_counts(text, NAMES, VALUES, "--counts")


def test_names_of_classes_may_have_commas():
    names, values = ("Apple", "Pepper,_bell", "a,b,c"), (0, 1, 2)
    assert parse_counts("Pepper,_bell:5,Apple:2,a,b,c:1", names, values, "--counts") == {
        "Pepper,_bell": 5, "Apple": 2, "a,b,c": 1,
    }  # fmt: skip
    assert parse_classes("a,b,c,Pepper,_bell", names, values) == (1, 2)
    with pytest.raises(ValueError, match="should be one of .* Got '_bell'"):
        parse_classes("_bell,Apple", names, values)
