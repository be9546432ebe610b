import numpy as np
import pytest

from synth.images import check_images, hash_images, resize_images, to_network_range, to_uint8


def test_every_grey_level_survives_the_network_range():
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_uint8(to_network_range(levels.astype("float32"))), levels)


def test_to_uint8_rounds_and_clips_where_a_cast_would_wrap_white_to_black():
    def wrapping(images):  # TF-GAN's own example
        return ((images + 1.0) * 127.5 + 0.5).astype(np.int64).astype(np.uint8)

    too_white = np.array([1.01])
    assert wrapping(too_white)[0] < 10
    assert to_uint8(too_white)[0] == 255
    assert to_uint8([-1.2, 0.0]).tolist() == [0, 128]


def test_check_images_adds_the_channel_axis():
    assert check_images(np.zeros((2, 4, 5), np.int64), "x").shape == (2, 4, 5, 1)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 4)), r"x: images should have shape .* Got \(2, 4\) instead"),
        (np.zeros((2, 4, 4, 2)), r"Got \(2, 4, 4, 2\) instead"),
        (np.zeros((2, 4, 4)), "pixels should be integers 0..255. Got float64 instead"),
        (np.full((2, 4, 4), 256), r"pixels should be in 0..255. Got 256..256 instead"),
        (np.full((2, 4, 4), -1), r"Got -1..-1 instead"),
    ],
)
def test_check_images_says_what_came(images, message):
    with pytest.raises(ValueError, match=message):
        check_images(images, "x")


@pytest.mark.parametrize("channels", [1, 3])
def test_resize_keeps_a_plain_colour(channels):
    images = np.full((2, 6, 9, channels), 77, np.uint8)
    resized = resize_images(images, 4, 5)
    assert resized.shape == (2, 4, 5, channels)
    assert (resized == 77).all()


def test_hashes_tell_images_apart_by_a_single_pixel():
    images = np.zeros((3, 4, 4, 1), np.uint8)
    images[1, 0, 0] = 1
    hashes = hash_images(images)
    assert hashes.dtype == np.uint64
    assert hashes[0] == hashes[2] != hashes[1]
