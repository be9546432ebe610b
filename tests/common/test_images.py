import numpy as np
import pytest
from PIL import Image

from common.errors import RequestError
from common.images import check_contrast, check_images, hash_images, resize_images, to_network_range, to_uint8


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


def test_ways_to_bring_an_image_to_other_proportions():
    image = np.full((1, 20, 80, 3), 100, np.uint8)
    image[:, :, 30:50] = 200  # the middle square
    crop, pad, stretch = (resize_images(image, 20, 20, fit)[0, ..., 0] for fit in ("crop", "pad", "stretch"))
    assert (crop == 200).all()
    assert (pad[:7] == 0).all()
    assert (pad[13:] == 0).all()
    assert (pad[8:12, [0, 10, 19]] == [100, 200, 100]).all()
    assert (stretch[:, [0, 10, 19]] == [100, 200, 100]).all()


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_equal_proportions_are_resized_alike(fit):
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype(np.uint8)
    expected = [
        np.asarray(Image.fromarray(image[..., 0]).resize((32, 32), Image.Resampling.BILINEAR)) for image in images
    ]
    assert np.array_equal(resize_images(images, 32, 32, fit)[..., 0], expected)


@pytest.mark.parametrize(("value", "what"), [(0, "black"), (255, "white"), (7, r"in 7\.\.7")])
def test_a_set_without_contrast_is_one_line(value, what):
    images = np.full((2, 3, 3, 1), value, np.uint8)
    with pytest.raises(RequestError, match=f"set: pixels should differ by 20 or more .* All are {what}"):
        check_contrast(images, "set")
    images[1, 0, 0] = value + 20 if value < 200 else value - 20
    check_contrast(images, "set")
