import gzip

import numpy as np
import pytest

from synth.idx_folders import is_idx_folder, read_idx_folder

GREY = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)


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
