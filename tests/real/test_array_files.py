import gzip
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from common.errors import RequestError
from real.idx_folders import read_idx_folder
from real.npz_files import read_npz

IMAGES = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)


def save_npz(folder, **arrays):
    path = folder / "a.npz"
    np.savez(path, **{"images": IMAGES, "labels": [0, 1]} | arrays)
    return path


def make_npy(shape, descr="|u1", data=b""):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue() + data


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"labels": np.array([0, 2**63], np.uint64)},
            r"labels: labels should be .* 64 bits .* Got 9223372036854775808",
        ),
        ({"labels": np.array([0.0, np.nan])}, "labels: should be 2 integers, one per image. Got float64"),
        ({"labels": np.array(3)}, r"labels: should be 2 integers, one per image. Got int64 \(\)"),
        ({"images": IMAGES.astype(complex)}, "pixels should be integers 0..255. Got complex128"),
        ({"images": IMAGES.astype("S3")}, r"pixels should be integers 0..255. Got \|S3"),
        ({"images": IMAGES.astype([("a", np.uint8)])}, "pixels should be integers 0..255"),
        ({"images": np.full((2, 4, 4), np.nan)}, "pixels should be finite numbers. Got NaN or infinity"),
        ({"images": np.array(5)}, r"images should have shape .* Got \(\)"),
        ({"images": np.zeros((2, 0, 4), np.uint8)}, r"images should have pixels. Got the shape \(2, 0, 4, 1\)"),
        ({"images": np.array([None, 1])}, "images.npy should hold numbers or text. Got dtype object"),
        ({"class_names": np.array(["a", None], object)}, "class_names.npy should hold numbers or text"),
        ({"class_names": np.array([["a", "b"]])}, r"class_names should be texts, one per class. Got <U1 \(1, 2\)"),
        ({"class_names": np.array("a")}, "class_names should be texts, one per class"),
        ({"class_names": np.array([b"a", b"b"])}, r"class_names should be texts, one per class. Got \|S1"),
        ({"class_names": np.array([1, 2])}, "class_names should be texts, one per class. Got int64"),
        ({"class_names": np.array(["a", "a"])}, "class_names: class names should differ. Got 'a' twice"),
        ({"class_names": np.array(["a", " "])}, "class names should be one line of text each. Got ' '"),
        ({"class_names": np.array(["a", "b\nc"])}, r"class names should be one line of text each. Got 'b\\nc'"),
        ({"class_names": np.array(["a", "b\x1b"])}, r"class names should be one line of text each. Got 'b\\x1b'"),
        ({"class_names": np.array(["a", "b\ud800"])}, r"class names should be one line of text each. Got 'b\\ud800'"),
        ({"class_names": np.full(2, 2**31, np.uint32).view("<U1")}, "class_names.npy should hold text"),
        ({"synthetic": np.array([0, 1])}, "synthetic should be 2 booleans"),
    ],
)
def test_npz_with_wrong_arrays_is_one_line(tmp_path, arrays, message):
    with pytest.raises(RequestError, match=rf"a\.npz.*{message}"):
        read_npz(save_npz(tmp_path, **arrays))


def test_what_is_not_needed_of_an_npz_is_not_read(tmp_path):
    assert read_npz(save_npz(tmp_path, extra=np.array([None, 1]))).labels.tolist() == [0, 1]


def test_marks_of_other_bytes_than_0_and_1_are_marks(tmp_path):
    marks = read_npz(save_npz(tmp_path, synthetic=np.array([0, 200], np.uint8).view(bool))).synthetic
    assert marks.view(np.uint8).tolist() == [0, 1]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_of_every_order_is_read(tmp_path, order, save):
    save(tmp_path / "a.npz", images=np.asarray(IMAGES, ">u4", order=order), labels=np.array([-5, 7], ">i2"))
    source = read_npz(tmp_path / "a.npz")
    assert np.array_equal(source.images[..., 0], IMAGES)
    assert source.labels.tolist() == [-5, 7]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (make_npy((10**10, 28, 28), data=bytes(100)), "promises 7,840,000,000,000 bytes of data .* It has 100"),
        (make_npy((2, 4, 4), data=bytes(33)), "promises 32 bytes of data .* It has 33"),
        (make_npy((-2, -16), data=bytes(32)), "promises 32 bytes of data for shape"),
        (make_npy((10**12,), "<U0"), "should hold numbers or text. Got dtype <U0"),
        (make_npy((2, 4, 4), data=bytes(32)).replace(b"\x93NUMPY\x01", b"\x93NUMPY\x02"), "should be in version 1.0"),
        (make_npy((2, 4, 4), data=bytes(32)).replace(b"|u1", b"|z1"), "descr is not a valid dtype"),
        (b"\x93NUMPY", "EOF: reading magic string"),
        (b"", "EOF: reading magic string"),
    ],
)
def test_npz_with_a_wrong_header_is_refused_before_memory_is_taken(tmp_path, content, message):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", content)
        archive.writestr("labels.npy", make_npy((2,), data=bytes(2)))
    tracemalloc.start()
    try:
        with pytest.raises(RequestError, match=rf"a\.npz: should be a readable \.npz archive.*{message}"):
            read_npz(tmp_path / "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def change_entry(path, offset, format, value):
    """Overwrite a field of the first entry's record in the archive's central directory."""
    content = bytearray(path.read_bytes())
    struct.pack_into(format, content, content.index(b"PK\1\2") + offset, value)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("offset", "format", "value", "message"),
    [
        (8, "<H", 1, "is encrypted"),
        (10, "<H", 97, "images.npy should be stored or deflated. Got compression 97"),
        (10, "<H", zipfile.ZIP_BZIP2, "images.npy should be stored or deflated. Got compression 12"),
        (10, "<H", zipfile.ZIP_DEFLATED, "a.npz: should be a readable .npz archive"),  # zlib.error
        (16, "<I", 5, "Bad CRC-32"),
        (20, "<I", 10**9, "should have together at most .* They overlap"),
        (24, "<I", 10**9, r"images.npy promises 1,000,000,000 bytes, which \d+ can't hold"),
    ],
)
def test_npz_with_a_wrong_directory_is_one_line(tmp_path, offset, format, value, message):
    path = save_npz(tmp_path)
    change_entry(path, offset, format, value)
    with pytest.raises(RequestError, match=message):
        read_npz(path)


def test_npz_with_an_array_twice_or_a_name_that_is_not_utf_8_is_one_line(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", make_npy((0,)))
        archive.writestr("images", make_npy((0,)))
    with pytest.raises(RequestError, match="each array should be there once. Got 'images' twice"):
        read_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("\u00e9.npy", make_npy((0,)))
    path.write_bytes(path.read_bytes().replace("\u00e9".encode(), b"\xff\xff"))
    with pytest.raises(RequestError, match="should be a readable .npz archive. .*can't decode byte"):
        read_npz(path)


def write_idx(folder, content, suffix=""):
    path = folder / f"train-images-idx3-ubyte{suffix}"
    path.write_bytes(content)
    labels = folder / "train-labels-idx1-ubyte"
    labels.write_bytes(b"\0\0\x08\1" + struct.pack(">I", 2) + b"\3\4")
    return path


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "should be an IDX file of uint8. Its first bytes are  instead"),
        (b"\0\0\x08\0", "should have 1 to 4 dimensions. Got 0"),
        (b"\0\0\x08\5" + bytes(20), "should have 1 to 4 dimensions. Got 5"),
        (b"\0\0\x08\3" + bytes(11), "should have the sizes of 3 dimensions. The file ends before"),
        (b"\0\0\x08\3" + struct.pack(">3I", 2, 4, 4) + bytes(31), r"\[2, 4, 4\] bytes of data. Got 31 bytes"),
        (b"\0\0\x08\3" + struct.pack(">3I", 2, 4, 4) + bytes(33), r"\[2, 4, 4\] bytes of data. Got more"),
        (b"\0\0\x08\3" + b"\xff" * 12, r"\[4294967295, 4294967295, 4294967295\] bytes of data. Got 0 bytes"),
        (b"\0\0\x08\3" + struct.pack(">3I", 2, 0, 4), r"should have pixels. Got the shape \(2, 0, 4, 1\)"),
        (b"\0\0\x08\1" + struct.pack(">I", 2) + bytes(2), "images should have shape"),
    ],
)
def test_damaged_idx_is_one_line(tmp_path, suffix, content, message):
    write_idx(tmp_path, gzip.compress(content) if suffix else content, suffix)
    with pytest.raises(RequestError, match=f"train-images.*{message}"):
        read_idx_folder(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content[:-9], "end-of-stream marker"),
        (lambda content: content[:-8] + bytes(8), "CRC check failed"),
        (lambda content: content[:10] + b"\xff" * 8, "Error -3 while decompressing"),
        (lambda content: b"plain", "Not a gzipped file"),
    ],
)
def test_damaged_gzip_is_one_line(tmp_path, change, message):
    content = b"\0\0\x08\3" + struct.pack(">3I", 2, 4, 4) + bytes(32)
    write_idx(tmp_path, change(gzip.compress(content)), ".gz")
    with pytest.raises(RequestError, match=f"gz: should be a readable IDX file. .*{message}"):
        read_idx_folder(tmp_path)


def test_a_gzip_bomb_is_read_as_far_as_its_header_promises(tmp_path):
    write_idx(tmp_path, gzip.compress(b"\0\0\x08\3" + struct.pack(">3I", 2, 4, 4) + bytes(10**8), 1), ".gz")
    tracemalloc.start()
    try:
        with pytest.raises(RequestError, match="Got more instead"):
            read_idx_folder(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
