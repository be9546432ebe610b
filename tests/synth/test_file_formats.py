import gzip

import numpy as np
import pytest
from PIL import Image

from synth.file_formats import is_idx_folder, read_idx_folder, read_image_folder

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


def save_picture(path, size=(5, 4), mode="L", value=9):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 0)).save(path)


def test_image_folder_numbers_the_classes_in_sorted_order(tmp_path):
    save_picture(tmp_path / "zebra" / "1.png", value=200)
    save_picture(tmp_path / "ape" / "deep" / "1.bmp", value=100)
    source = read_image_folder(tmp_path)
    assert source.images.shape == (2, 4, 5, 1)
    assert source.images[:, 0, 0, 0].tolist() == [100, 200]
    assert source.class_names == {0: "ape", 1: "zebra"}


def test_image_folder_with_train_and_test(tmp_path):
    for split in ("Train", "test"):
        save_picture(tmp_path / split / "ape" / "1.png", mode="RGB")
    source = read_image_folder(tmp_path)
    assert source.images.shape == source.test.images.shape == (1, 4, 5, 3)


@pytest.mark.parametrize("splits", [("test", "train", "val"), ("train", "val")])
def test_image_folder_with_another_split_is_refused(tmp_path, splits):
    for split in splits:
        save_picture(tmp_path / split / "ape" / "1.png")
    with pytest.raises(ValueError, match=f"train and test alone. Got {', '.join(splits)}: move the validation images"):
        read_image_folder(tmp_path)


def test_image_folder_leaves_out_runs_and_empty_folders(tmp_path):
    save_picture(tmp_path / "zebra" / "1.png")
    save_picture(tmp_path / "out" / "samples.png")
    (tmp_path / "out" / "config.json").write_text("{}")
    (tmp_path / "ape").mkdir()
    assert read_image_folder(tmp_path).class_names == {0: "zebra"}


def test_16_bit_grey_is_scaled_not_cut_off(tmp_path):
    (tmp_path / "ape").mkdir()
    Image.fromarray(np.array([[0, 257 * 100], [65535, 300]], np.uint16)).save(tmp_path / "ape" / "1.png")
    assert read_image_folder(tmp_path).images[0, :, :, 0].tolist() == [[0, 100], [255, 1]]


def test_one_colour_picture_makes_the_set_colour(tmp_path):
    save_picture(tmp_path / "ape" / "1.png")
    save_picture(tmp_path / "ape" / "2.png", mode="RGB")
    assert read_image_folder(tmp_path).images[:, 0, 0].tolist() == [[9, 9, 9], [9, 0, 0]]


def test_image_folder_of_several_sizes_needs_a_size(tmp_path):
    save_picture(tmp_path / "ape" / "1.png")
    save_picture(tmp_path / "ape" / "2.png", size=(6, 6))
    with pytest.raises(ValueError, match=r"2\.png: .* Got 6 x 6 instead \(--image-size resizes them\)"):
        read_image_folder(tmp_path)
    assert read_image_folder(tmp_path, (8, 8)).images.shape == (2, 8, 8, 1)


def test_corrupt_image_and_empty_folder_are_named(tmp_path):
    (tmp_path / "ape").mkdir()
    with pytest.raises(ValueError, match="should hold one sub-folder per class with images"):
        read_image_folder(tmp_path)
    (tmp_path / "ape" / "broken.png").write_bytes(b"\x89PNG but no more")
    with pytest.raises(ValueError, match=r"broken\.png: should be a readable image"):
        read_image_folder(tmp_path)
