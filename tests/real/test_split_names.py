import pytest

from real.split_names import find_split, find_splits, is_filler, share_stem


@pytest.mark.parametrize(
    ("name", "split", "alone"),
    [
        ("train", "train", True),
        ("Training", "train", True),
        ("TRAIN", "train", True),
        ("trainset", "train", True),
        ("trainingSet", "train", True),
        ("train_images", "train", True),
        ("Training Data", "train", True),
        ("imgs-train", "train", True),
        ("seg_train", "train", False),
        ("asl_alphabet_train", "train", False),
        ("train2017", "train", True),
        ("val", "validation", True),
        ("valid", "validation", True),
        ("Validation", "validation", True),
        ("dev", "validation", True),
        ("test1", "test", True),
        ("test-set", "test", True),
        ("Testing", "test", True),
        ("seg_pred", None, False),
        ("strain", None, False),
        ("contest", None, False),
        ("images", None, False),
        ("0", None, False),
        ("猫", None, False),
    ],
)
def test_the_part_that_a_name_says(name, split, alone):
    assert find_split(name) == (split, alone)


@pytest.mark.parametrize(("name", "filler"), [("images", True), ("part_1", True), ("cat", False), ("3", False)])
def test_names_that_are_no_class(name, filler):
    assert is_filler(name) == filler


@pytest.mark.parametrize(
    ("names", "pieces"),
    [
        (["HAM10000_images_part_1", "HAM10000_images_part_2"], True),
        (["images_001", "images_002"], True),
        (["s1", "s2"], False),
        (["0", "1", "10"], False),
        (["cat", "dog"], False),
    ],
)
def test_names_of_pieces_of_one_thing(names, pieces):
    assert share_stem(names) == pieces


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("train", "eval", "test"), ("train", "validation", "test")),
        (("train", "evaluation"), ("train", "test")),
        (("train", "val", "eval", "test"), ("train", "validation", "test", "test")),
    ],
)
def test_eval_is_what_the_names_beside_it_leave(names, parts):
    assert tuple(find_splits(names).values()) == parts
