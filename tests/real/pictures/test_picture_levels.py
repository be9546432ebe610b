import numpy as np
import pytest

from common.errors import RequestError
from real.pictures.picture_levels import Range, find_levels, find_range


@pytest.mark.parametrize(
    ("values", "expected", "note"),
    [
        (np.array([0, 257 * 100, 65535, 300], np.uint16), [0, 100, 255, 1], ""),
        (np.array([0, 16 * 100, 4095], np.uint16), [0, 100, 255], "in 0..4095 over the whole set: read as 12 bits"),
        (np.array([0, 4 * 100, 1023], np.uint16), [0, 100, 255], "read as 10 bits"),
        (np.array([0, 64 * 100, 16383], np.uint16), [0, 100, 255], "read as 14 bits"),
        (np.array([7, 255], np.int32), [7, 255], "read as 8 bits"),
        (np.array([0, 0.5, 1], np.float32), [0, 128, 255], "they are read as 0..1"),
        (np.array([-1, 0, 1], np.float32), [0, 128, 255], "they are read as -1..1"),
        (np.array([0, 99.6, 255], np.float32), [0, 100, 255], "they are read as 0..255"),
    ],
)
def test_pixels_of_a_set_are_scaled_by_what_it_uses(values, expected, note):
    levels = find_levels([find_range(values)], "set")
    assert levels.to_uint8(values).tolist() == expected
    assert note in levels.note
    assert bool(note) == bool(levels.note)


def test_a_dark_picture_is_scaled_as_the_others_of_its_set():
    assert find_levels([Range(0, 9), Range(0, 65000)], "set").to_uint8(np.array([2570])).tolist() == [10]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([-1000, 3000], np.int32), r"set: pixels should be in 0\.\.65535\. Got -1000\.\.3000 instead"),
        (np.array([0, 70000], np.int32), r"Got 0\.\.70000 instead"),
        (np.array([-3, 2.5], np.float32), r"should be in 0\.\.255, 0\.\.1 or -1\.\.1\. Got -3\.\.2\.5 instead"),
        (np.array([0, np.nan], np.float32), "should be finite numbers"),
    ],
)
def test_ranges_that_fit_nothing_are_named(values, message):
    with pytest.raises(RequestError, match=message):
        find_levels([find_range(values)], "set")
