import os
import socket
import struct
import zlib

import pytest
from PIL import Image

from synth.errors import RequestError
from synth.picture_files import Reading
from synth.picture_folders import list_image_classes, read_image_folder


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

    monkeypatch.setattr(Image.Image, "convert", fail)
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
    assert list_image_classes(folder) == ["ape"]
    assert len(read_image_folder(folder).images) == 1


def test_a_folder_that_cannot_be_read_is_not_left_out(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        list_image_classes(folder)


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
