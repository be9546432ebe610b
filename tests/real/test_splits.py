import numpy as np
import pytest

from real.splits import (
    check_groups,
    count_contradictions,
    count_copies,
    join_copies,
    join_groups,
    parse_resplit,
    split_images,
)

NONE = np.zeros(100, int)


def test_a_tenth_of_each_class_goes_to_what_the_source_does_not_bring():
    labels = np.repeat([0, 1], [80, 20])
    split = split_images(labels, NONE)
    counts = [np.bincount(split[labels == k], minlength=3).tolist() for k in (0, 1)]
    assert counts == [[64, 8, 8], [16, 2, 2]]
    brought = np.where(np.arange(100) < 10, 2, 0)
    split = split_images(labels, brought)
    assert (split[:10] == 2).all()
    assert np.bincount(split[10:]).tolist() == [81, 9]
    brought[10:20] = 1
    assert (split_images(labels, brought) == brought).all()


def test_the_split_of_today_is_that_of_yesterday():
    split = split_images(np.arange(50) % 3, NONE[:50])
    assert "".join(map(str, split)) == "00020000001000000020000200000102010010000102200001"


def test_groups_stay_together():
    groups = np.arange(100) // 4
    split = split_images(np.arange(100) % 2, NONE, groups)
    assert all(len(set(split[groups == group])) == 1 for group in range(25))
    assert all(4 <= (split == part).sum() <= 16 for part in (1, 2))
    few = split_images(np.arange(6) % 2, NONE[:6], np.arange(6) // 2)
    assert sorted(few.tolist()) == [0, 0, 1, 1, 2, 2]
    with pytest.raises(ValueError, match="--groups should have at least 3 groups to split. Got 2"):
        split_images(np.arange(6) % 2, NONE[:6], np.arange(6) // 3)


def test_other_percentages():
    split = split_images(np.arange(100) % 2, NONE, percentages=parse_resplit("50/20/30"))
    assert np.bincount(split).tolist() == [50, 20, 30]
    split = split_images(np.arange(200) % 2, np.zeros(200, int), np.arange(200) // 2, parse_resplit("50/20/30"))
    assert np.bincount(split).tolist() == [100, 40, 60]


@pytest.mark.parametrize("text", ["80/20", "80/10/20", "100/0/0", "80/10/x", "8e1/10/10"])
def test_what_are_no_percentages_is_refused(text):
    with pytest.raises(ValueError, match="--resplit should be three percentages, as 80/10/10. Got"):
        parse_resplit(text)


def test_copies_come_to_the_part_of_the_first_and_nothing_else_moves():
    split = np.array([0, 1, 2, 0, 2, 1])
    hashes = np.array([7, 8, 7, 9, 8, 8], np.uint64)
    assert count_copies(hashes) == 3
    assert count_contradictions(hashes, np.array([5, 1, 5, 5, 1, 3])) == 3
    assert join_copies(split, hashes, np.ones(6, bool)) == 2
    assert split.tolist() == [0, 1, 0, 0, 1, 1]
    split = np.array([0, 1, 2, 0, 2, 1])
    assert join_copies(split, hashes, split != 2) == 0  # the test part is the source's own
    assert split.tolist() == [0, 1, 2, 0, 2, 1]


def test_groups_are_split_where_classes_are_smaller_than_the_folds():
    split = split_images(np.arange(39) % 3, np.zeros(39, int), np.arange(39) // 2)
    assert np.bincount(split).tolist() == [31, 4, 4]
    assert all(len(set(split[k : k + 2])) == 1 for k in range(0, 38, 2))
    with pytest.raises(ValueError, match="--groups should have at least 3 images of a class to split. Got 2"):
        split_images(np.arange(20) // 2, np.zeros(20, int), np.arange(20))


def test_texts_are_groups():
    assert check_groups(["b", "a", "b"]).tolist() == ["b", "a", "b"]


def test_groups_with_an_image_in_common_are_one():
    groups = np.array([5, 5, 7, 7, 9, 9, 11])
    hashes = np.array([1, 2, 2, 3, 4, 5, 6], np.uint64)
    joined = join_groups(groups, hashes)
    assert joined.tolist() == [joined[0]] * 4 + [joined[4]] * 2 + [joined[6]]
    assert len(set(joined.tolist())) == 3


def test_nothing_is_drawn_where_the_source_brings_both_parts():
    brought = np.array([0, 0, 1, 2])
    assert split_images(np.zeros(4, int), brought, np.zeros(4, int)).tolist() == brought.tolist()


@pytest.mark.parametrize(("count", "expected"), [(1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 1]), (4, [1, 2, 1])])
def test_train_and_the_parts_to_come_keep_an_image_of_large_percentages(count, expected):
    percentages = parse_resplit("10/40/50")
    split = split_images(np.zeros(count, int), np.zeros(count, int), percentages=percentages)
    assert np.bincount(split, minlength=3).tolist() == expected
    if count >= 3:
        split = split_images(np.arange(60) % 2, np.zeros(60, int), np.arange(60) * count // 60, percentages)
        assert set(split) == {0, 1, 2}


def test_groups_without_a_text_are_refused():
    with pytest.raises(ValueError, match="--groups should have a text for each image. 2 have none"):
        check_groups(["a", "", " "])
