import os
import socket
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile, features

from common.errors import RequestError
from real.pictures import picture_files
from real.pictures.folder_layout import find_layout
from real.pictures.picture_files import Reading, decoding, read_picture
from real.pictures.picture_folders import read_image_folder


@pytest.fixture
def folder(tmp_path):
    """A folder with one class, "ape", and one good picture in it."""
    (tmp_path / "ape").mkdir()
    Image.new("L", (5, 4), 9).save(tmp_path / "ape" / "1.png")
    return tmp_path


def make_png(width, height):
    """A PNG that promises more than its few bytes hold."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 60_000])  # Pillow warns of the one and raises for the other
@pytest.mark.parametrize("size", [None, (8, 8)])
def test_decompression_bombs_are_one_line(folder, side, size):
    (folder / "ape" / "bomb.png").write_bytes(make_png(side, side))
    with pytest.raises(RequestError, match=r"bomb\.png: should be a readable image\. .*decompression bomb"):
        read_image_folder(folder, Reading(size))


def test_pictures_too_large_to_keep_need_a_size(folder):
    Image.new("L", (1025, 4)).save(folder / "ape" / "0.png")
    with pytest.raises(RequestError, match=r"0\.png: should have at most 1024 x 1024 pixels. Got 4 x 1025 instead"):
        read_image_folder(folder)
    assert read_image_folder(folder, Reading((8, 8))).images.shape == (2, 8, 8, 1)


@pytest.mark.parametrize(
    "error", [struct.error, zlib.error, MemoryError, OverflowError, IndexError, TypeError, KeyError, RuntimeError]
)
def test_whatever_pillow_raises_is_one_line(folder, monkeypatch, error):
    def fail(*arguments, **options):
        raise error("odd\nbytes")

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(RequestError, match=r"1\.png: should be a readable image\. \(.*odd.*bytes.*\)"):
        read_image_folder(folder)


def test_other_formats_are_refused(folder):
    (folder / "ape" / "2.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 5\n")
    with pytest.raises(RequestError, match=r"2\.png: should be a readable image\. Its bytes are no PNG, JPEG"):
        read_image_folder(folder)


def test_what_is_no_regular_file_is_skipped(folder, monkeypatch):
    os.mkfifo(folder / "ape" / "pipe.png")
    (folder / "ape" / "device.png").symlink_to("/dev/zero")
    (folder / "ape" / "dangling.png").symlink_to("nowhere.png")
    (folder / "ape" / "folder.png").mkdir()
    (folder / "bee").mkdir()
    os.mkfifo(folder / "bee" / "pipe.png")
    monkeypatch.chdir(folder / "ape")  # a socket's path may have 108 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
    assert find_layout(folder).class_names == ["ape"]
    assert len(read_image_folder(folder).images) == 1


def test_a_folder_that_cannot_be_read_is_not_left_out(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        find_layout(folder)


def test_a_link_to_a_picture_is_a_picture(folder):
    (folder / "ape" / "2.png").symlink_to("1.png")
    assert len(read_image_folder(folder).images) == 2


@pytest.mark.parametrize("name", [b"caf\xe9", b"two\nlines", b"bell\x07"])
def test_class_folders_whose_names_are_no_text_are_one_line(folder, name):
    (folder / "ape").rename(folder / os.fsdecode(name))
    with pytest.raises(RequestError, match=r"class names should be one line of text each. Got '[\x20-\x7e]+' instead"):
        read_image_folder(folder)


def test_a_picture_whose_name_is_not_utf_8_is_read_and_named(folder):
    path = folder / "ape" / os.fsdecode(b"caf\xe9.png")
    (folder / "ape" / "1.png").rename(path)
    assert len(read_image_folder(folder).images) == 1
    path.write_bytes(b"broken")
    with pytest.raises(RequestError, match=r"caf\\udce9\.png: should be a readable image"):
        read_image_folder(folder)


def test_two_folders_named_train_are_refused(folder):
    for name in ("train", "Train", "test"):
        (folder / name).mkdir()
        Image.new("L", (5, 4), 9).save(folder / name / "1.png")
    with pytest.raises(RequestError, match="train and test alone. Got Train, ape, test, train"):
        read_image_folder(folder)


def read_one(path, picture, **options):
    """Save a picture and read it, as nested lists [H][W][C]."""
    picture.save(path, **options)
    with decoding():
        return read_picture(path, Reading()).tolist()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path, orientation, suffix):
    upright = np.zeros((16, 24), np.uint8)
    upright[:8, :8] = 255  # top left
    upright[8:, :8] = 128
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: np.rot90(upright), 7: upright[::-1, ::-1].T, 8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(np.ascontiguousarray(stored))
    found = np.array(read_one(tmp_path / f"a.{suffix}", picture, exif=exif))
    assert np.abs(found[..., 0].astype(int) - upright).max() < 12


def test_damaged_exif_data_are_no_reason_to_refuse_a_picture(tmp_path):
    assert read_one(tmp_path / "a.png", Image.new("L", (1, 1), 7), exif=b"Exif\0\0II*\0\xff\xff\xff\xff") == [[[7]]]


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("RGBA", (1, 1), (0, 0, 0, 0)), [255, 255, 255]),
        (Image.new("RGBA", (1, 1), (100, 0, 0, 255)), [100, 0, 0]),
        (Image.new("RGBA", (1, 1), (0, 0, 0, 127)), [128, 128, 128]),
        (Image.new("LA", (1, 1), (9, 0)), [255]),
        (Image.new("LA", (1, 1), (9, 255)), [9]),
        (Image.new("1", (1, 1), 1), [255]),
        (Image.new("L", (1, 1), 9), [9]),
    ],
)
def test_alpha_is_over_white_and_grey_stays_grey(tmp_path, picture, expected):
    assert read_one(tmp_path / "a.png", picture) == [[expected]]


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_palettes(tmp_path, suffix):
    picture = Image.new("P", (3, 1))
    picture.putpalette([0, 0, 0, 200, 10, 10, 90, 90, 90])
    picture.putdata([0, 1, 2])
    assert read_one(tmp_path / f"a.{suffix}", picture) == [[[0, 0, 0], [200, 10, 10], [90, 90, 90]]]
    shown = [[[255, 255, 255], [200, 10, 10], [90, 90, 90]]]
    assert read_one(tmp_path / f"b.{suffix}", picture, transparency=0) == shown
    picture.putdata([0, 2, 2])
    assert read_one(tmp_path / f"c.{suffix}", picture) == [[[0], [90], [90]]]


def test_a_transparent_grey_or_colour_in_a_png_is_white(tmp_path):
    assert read_one(tmp_path / "a.png", Image.new("L", (1, 1), 7), transparency=7) == [[[255]]]
    assert read_one(tmp_path / "b.png", Image.new("RGB", (1, 1), (1, 2, 3)), transparency=(1, 2, 3)) == [[[255] * 3]]


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("L", (2, 1), value) for value in (50, 200)]
    assert read_one(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:]) == [[[50], [50]]]


def test_cmyk(tmp_path):
    found = np.array(read_one(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), quality=100))
    assert np.abs(found[0, 0].astype(int) - [255, 0, 0]).max() < 8


@pytest.mark.parametrize("suffix", ["ppm", "pgm", "jfif", "jpe", "JPG", "avif", "pnm"])
def test_more_suffixes_are_read(folder, suffix):
    if suffix == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    Image.new("L", (5, 4), 9).save(folder / "ape" / f"2.{suffix}")
    assert len(read_image_folder(folder).images) == 2


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size(tmp_path, monkeypatch):
    picture = Image.linear_gradient("L").resize((3000, 2000))
    picture.save(tmp_path / "a.jpg")
    decoded, fit = [], picture_files.fit_picture
    monkeypatch.setattr(picture_files, "fit_picture", lambda one, *size: decoded.append(one.size) or fit(one, *size))
    with decoding():
        found = read_picture(tmp_path / "a.jpg", Reading((64, 96)))
    assert decoded == [(375, 250)]
    expected = np.asarray(picture.resize((96, 64), Image.Resampling.BILINEAR))
    assert np.abs(found[..., 0].astype(int) - expected).max() < 4
