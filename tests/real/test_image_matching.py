import numpy as np
import pytest

from real.image_matching import compute_colour, describe_channels, describe_sizes, match_images


def test_grey_becomes_rgb_with_equal_channels():
    grey = np.array([[7, 200]], np.uint8).reshape(1, 1, 2, 1)
    matched = match_images(grey, (1, 2, 3))
    assert matched.tolist() == [[[[7, 7, 7], [200, 200, 200]]]]


def test_colours_become_their_luma_and_grey_stays_as_it_is():
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [93, 93, 93]], np.uint8)
    matched = match_images(colours.reshape(5, 1, 1, 3), (1, 1, 1))
    assert matched.ravel().tolist() == [76, 150, 29, 255, 93]  # 0.299, 0.587 and 0.114 of 255


def test_other_sizes_are_resized_over_all_pixels():
    checks = np.array([[0, 200], [200, 0]], np.uint8)
    large = np.tile(checks, (4, 4)).reshape(1, 8, 8, 1)
    assert match_images(large, (4, 4, 1))[0, 1:3, 1:3, 0].tolist() == [[100, 100], [100, 100]]
    assert match_images(large, (4, 4, 3)).shape == (1, 4, 4, 3)
    assert match_images(np.full((2, 3, 5, 3), 9, np.uint8), (7, 7, 1)).tolist() == np.full((2, 7, 7, 1), 9).tolist()


def test_colour_is_the_difference_of_the_channels():
    assert compute_colour(np.array([[10, 30, 20], [5, 5, 5]], np.uint8).reshape(1, 1, 2, 3)) == 10
    assert compute_colour(np.zeros((1, 2, 2, 1), np.uint8)) == 0


@pytest.mark.parametrize(
    ("colour", "channels", "note"),
    [
        (0.0, 3, "the images are grey, and are read as RGB with three equal channels"),
        (20.0, 3, None),
        (0.0, 1, None),
        (8.0, 1, "the images have three channels that are nearly equal, and are read as grey (luma)"),
        (
            20.4,
            1,
            "the images are in colour (their channels differ by 20 grey levels) and the real ones are grey: they are "
            "made grey (luma), and their colours are not compared",
        ),
    ],
)
def test_what_happens_to_channels_is_said(colour, channels, note):
    assert describe_channels(colour, channels) == note


def test_what_happens_to_sizes_is_said():
    assert describe_sizes({(4, 6), (6, 4)}, (4, 6)) is None  # a picture on its side
    assert describe_sizes({(4, 4), (64, 64)}, (4, 4)) == (
        "images of 64 x 64 are resized to the 4 x 4 of the real ones: resizing blurs or sharpens, which changes "
        "distances by itself"
    )
    many = describe_sizes({(8, 8), (9, 9), (10, 12), (11, 11)}, (4, 4))
    assert many.startswith("images of 8 x 8, 9 x 9, 10 x 12, ... are resized to the 4 x 4 of the real ones, and cut to")
