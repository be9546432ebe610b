import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from common.errors import RequestError
from real.pictures import picture_sets
from real.pictures.picture_files import Reading
from real.pictures.picture_sets import read_pictures


def save(folder, images):
    """Save arrays as PNGs; return their paths."""
    paths = [folder / f"{number:04d}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(np.asarray(image)).save(path)
    return paths


@pytest.fixture(autouse=True)
def no_cache_of_the_user(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize("worth", [0.0, 1e9])
def test_many_pictures_keep_their_order_with_and_without_processes(tmp_path, monkeypatch, worth):
    monkeypatch.setattr(picture_sets, "_WORTH_PROCESSES", worth)
    images = np.arange(300, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones((1, 2, 3), np.uint8)
    assert np.array_equal(read_pictures(save(tmp_path, images), Reading(), tmp_path).images[..., 0], images)


def test_the_first_coloured_picture_makes_three_channels_of_those_before(tmp_path):
    images = [np.full((2, 2), 5, np.uint8)] * 80 + [np.full((2, 2, 3), (1, 2, 3), np.uint8)]
    found = read_pictures(save(tmp_path, images), Reading(), tmp_path).images
    assert (found[:80] == 5).all()
    assert found[80, 0, 0].tolist() == [1, 2, 3]


def test_pictures_of_more_bits_wait_for_the_range_of_all(tmp_path):
    images = [np.full((2, 2), 160, np.uint16), np.full((2, 2), 9, np.uint8), np.full((2, 2), 4080, np.uint16)]
    found = read_pictures(save(tmp_path, images), Reading(), tmp_path)
    assert found.images[:, 0, 0, 0].tolist() == [10, 9, 255]
    assert found.notes == ("pixels of more than 8 bits are in 160..4080 over the whole set: read as 12 bits",)


def test_the_first_error_in_order_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_sets, "_WORTH_PROCESSES", 0.0)
    images = [np.zeros((4, 4), np.uint8)] * 70
    images[40] = images[60] = np.zeros((5, 4), np.uint8)
    with pytest.raises(RequestError, match=r"0040\.png: .* size of the first, 4 x 4. Got 5 x 4 instead"):
        read_pictures(save(tmp_path, images), Reading(), tmp_path)


def test_ten_unreadable_pictures_are_named_and_the_others_counted(tmp_path):
    paths = save(tmp_path, [np.zeros((4, 4), np.uint8)] * 20)
    for path in paths[5:17]:
        path.write_bytes(b"")
    with pytest.raises(RequestError, match=r"12 pictures should be readable images: 0005\.png, .*0014\.png and 2 more"):
        read_pictures(paths, Reading(), tmp_path)
    found = read_pictures(paths, Reading(skip_unreadable=True), tmp_path)
    assert (len(found.images), np.flatnonzero(~found.kept).tolist()) == (8, list(range(5, 17)))


def test_nothing_but_unreadable_pictures_is_one_line(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(RequestError, match=r"None of them can"):
        read_pictures([tmp_path / "a.png"], Reading(skip_unreadable=True), tmp_path)


def test_memory_is_the_array_and_little_more(tmp_path):
    paths = save(tmp_path, [np.zeros((64, 64, 3), np.uint8)] * 400)
    read_pictures(paths[:40], Reading(), tmp_path)  # imports
    tracemalloc.start()
    found = read_pictures(paths, Reading(), tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * found.images.nbytes


def test_what_took_long_is_cached_and_decoded_once(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_sets, "WORTH_CACHING", -1.0)
    paths = save(tmp_path, [np.full((4, 4), value, np.uint8) for value in (10, 200)])
    first = read_pictures(paths, Reading(), tmp_path)
    monkeypatch.setattr(picture_sets, "read_picture", None)  # it is called no more
    assert np.array_equal(read_pictures(paths, Reading(), tmp_path).images, first.images)
    with pytest.raises(TypeError):
        read_pictures(paths, Reading(no_cache=True), tmp_path)
    with pytest.raises(TypeError):
        read_pictures(paths, Reading((2, 2)), tmp_path)


def save_deep(path, pixels):
    """Save integers [H, W, 3 or 4] as a PNG of 16 bits a channel, which Pillow can't write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


def test_colour_of_more_bits_is_scaled_by_what_the_set_uses(tmp_path):
    dark = save_deep(tmp_path / "1.png", np.full((2, 2, 3), (160, 16, 0)))
    bright = save_deep(tmp_path / "2.png", np.full((2, 2, 3), (4080, 2048, 0)))
    found = read_pictures([dark, bright], Reading(), tmp_path)
    assert found.images[:, 0, 0].tolist() == [[10, 1, 0], [255, 128, 0]]
    assert found.notes == ("pixels of more than 8 bits are in 0..4080 over the whole set: read as 12 bits",)


def test_colour_of_more_bits_that_is_seen_in_part_is_put_over_white(tmp_path):
    path = save_deep(tmp_path / "1.png", np.full((2, 2, 4), (65535, 0, 25700, 13107)))  # a fifth is seen
    assert read_pictures([path], Reading(), tmp_path).images[0, 0, 0].tolist() == [255, 204, 224]


def test_pages_that_are_not_read_are_noted(tmp_path):
    pages = [Image.fromarray(np.full((4, 4), tone, np.uint8)) for tone in (0, 255, 255)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    found = read_pictures([tmp_path / "stack.tif"], Reading(), tmp_path)
    assert found.images.max() == 0
    assert found.notes == ("stack.tif has 3 pages: of such files the first page alone is read",)
