import gzip

import numpy as np
import pytest

from real.data_files import PathReading
from real.idx_folders import is_idx_folder, read_idx_folder
from real.readers import read_path

GREY = 8 * np.arange(32, dtype=np.uint8).reshape(2, 4, 4)


def write_idx(path, array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_folder(tmp_path, suffix):
    for prefix, count in (("train", 2), ("t10k", 1)):
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte{suffix}", GREY[:count])
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte{suffix}", np.array([3, 4], np.uint8)[:count])
    source = read_idx_folder(tmp_path)
    assert is_idx_folder(tmp_path)
    assert np.array_equal(source.images[..., 0], GREY)
    assert source.test.labels.tolist() == [3]


def test_bad_idx_files_are_named(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    write_idx(path, GREY)
    with pytest.raises(ValueError, match="should hold train-labels-idx1-ubyte"):
        read_idx_folder(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"should hold \[2, 4, 4\] bytes of data. Got 31 bytes"):
        read_idx_folder(tmp_path)
    path.write_bytes(b"plain text")
    with pytest.raises(ValueError, match="should be an IDX file of uint8"):
        read_idx_folder(tmp_path)


def write_pair(folder, name, labels, suffix=""):
    """Images and labels, the files' names with {} for "images-idx3" and "labels-idx1"."""
    folder.mkdir(parents=True, exist_ok=True)
    write_idx(folder / (name.format("images-idx3") + suffix), GREY[: len(labels)])
    write_idx(folder / (name.format("labels-idx1") + suffix), np.array(labels, np.uint8))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("emnist-letters-train-{}-ubyte", "emnist-letters-test-{}-ubyte"),
        ("train-{}-ubyte", "test-{}-ubyte"),
        ("train-{}.ubyte", "t10k-{}.ubyte"),
        ("k49_train-{}-ubyte", "k49_t10k-{}-ubyte"),
    ],
)
def test_idx_files_by_what_their_names_end_with(tmp_path, train, test):
    write_pair(tmp_path, train, [3, 4], ".gz")
    write_pair(tmp_path, test, [5])
    assert is_idx_folder(tmp_path)
    source = read_idx_folder(tmp_path)
    assert (source.labels.tolist(), source.test.labels.tolist()) == ([3, 4], [5])


def test_several_sets_are_one_line_and_a_file_names_one(tmp_path):
    write_pair(tmp_path, "emnist-letters-train-{}-ubyte", [3])
    write_pair(tmp_path, "emnist-digits-train-{}-ubyte", [4])
    path = tmp_path / "emnist-digits-train-images-idx3-ubyte"
    with pytest.raises(ValueError, match=f"one set .* Got emnist-digits, emnist-letters: name a file, .* {path}"):
        read_idx_folder(tmp_path)
    assert is_idx_folder(path)
    assert read_idx_folder(path).labels.tolist() == [4]
    assert read_path(path, "--data", PathReading()).labels.tolist() == [4]


def test_idx_files_in_folders_of_their_own_names_or_in_the_only_folder(tmp_path):
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (tmp_path / "a" / "raw" / name).mkdir(parents=True)
    write_idx(tmp_path / "a/raw/train-images-idx3-ubyte/train-images-idx3-ubyte", GREY)
    write_idx(tmp_path / "a/raw/train-labels-idx1-ubyte/train-labels-idx1-ubyte", np.array([1, 2], np.uint8))
    assert read_idx_folder(tmp_path / "a").labels.tolist() == [1, 2]
