import resource

import numpy as np
import pandas as pd
import pytest

from synth.shards import class_folder, class_folders, fold_name, load_hashes, read_shard, save_hashes, write_shard


@pytest.mark.parametrize("label", [7, 0, 12345, -1])
@pytest.mark.parametrize("shape", [(3, 4, 1), (2, 2, 3)])
def test_csv_is_byte_equal_to_pandas(tmp_path, label, shape):
    images = np.random.default_rng(0).integers(0, 256, (1100, *shape)).astype(np.uint8)
    write_shard(tmp_path / "part.csv", images, label, np.zeros(1100))
    table = pd.DataFrame(images.reshape(1100, -1), columns=[f"pixel{index}" for index in range(images[0].size)])
    table.insert(0, "label", label)
    assert (tmp_path / "part.csv").read_bytes() == table.to_csv(index=False).encode()


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_shards_read_back(tmp_path, suffix):
    images = np.arange(48, dtype=np.uint8).reshape(2, 2, 4, 3)
    path = tmp_path / f"part.{suffix}"
    write_shard(path, images, 7, np.array([0.5, 1.5]))
    read, labels = read_shard(path, (2, 4, 3))
    assert np.array_equal(read, images)
    assert labels.tolist() == [7, 7]
    assert len(read_shard(path, (2, 4, 3), rows=1)[0]) == 1


def test_npz_keys_and_types(tmp_path):
    write_shard(tmp_path / "part.npz", np.zeros((2, 3, 3, 1), np.uint8), 4, np.zeros(2))
    with np.load(tmp_path / "part.npz") as shard:
        assert {key: shard[key].dtype.name for key in shard} == {
            "images": "uint8",
            "labels": "int64",
            "scores": "float32",
        }


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_the_same_images_give_the_same_bytes(tmp_path, suffix):
    for name in ("a", "b"):
        write_shard(tmp_path / f"{name}.{suffix}", np.zeros((2, 3, 3, 1), np.uint8), 4, np.zeros(2))
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, suffix):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_shard(tmp_path / f"part.{suffix}", np.zeros((100, 20, 20, 1), np.uint8), 4, np.zeros(100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_class_names_become_safe_folder_names():
    assert class_folder("T-shirt/top") == "T-shirt-top"
    assert class_folder("../..") == "-"
    assert class_folder("-1") == "-1"
    assert class_folder("...") == "class"
    assert class_folder("Ümläut 3") == "Ümläut-3"


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (("T-shirt/top", "3", "Ümläut 3"), ("T-shirt-top", "3", "Ümläut-3")),
        (("(", ")", "+"), ("-", "--2", "+")),
        (("US$5", "US-5", "US 5"), ("US-5", "US-5-2", "US-5-3")),
        (("a b", "a-b", "a-b-2"), ("a-b", "a-b-3", "a-b-2")),  # what does not collide stays
        (("Box", "box", "BOX"), ("Box", "box-2", "BOX-3")),
        (("caf\u00e9", "CAF\u00c9"), ("caf\u00e9", "CAF\u00c9-2")),
        (("con", "NUL.txt", "Console"), ("class-con", "class-NUL.txt", "Console")),
    ],
)
def test_each_class_has_a_folder_of_its_own(names, folders):
    assert class_folders(names) == dict(zip(names, folders, strict=True))


def test_names_too_long_for_a_file_system_are_cut_and_stay_different():
    names = [letter * 300 + end for letter in ("a", "ü", "漢") for end in ("1", "2")]
    folders = class_folders(names).values()
    assert len({fold_name(folder) for folder in folders}) == len(names)
    assert all(90 < len(folder.encode()) <= 100 for folder in folders)
    assert class_folder("a" * 100) == "a" * 100


def test_many_names_that_collide_have_folders_at_once():
    names = [f"{'(' * length}" for length in range(1, 5001)]
    assert len(set(class_folders(names).values())) == 5000


def test_hashes_read_back(tmp_path):
    save_hashes(tmp_path, np.array([1, 2**64 - 1], np.uint64))
    assert load_hashes(tmp_path).tolist() == [1, 2**64 - 1]
    with pytest.raises(ValueError, match="should hold the hashes of the training images"):
        load_hashes(tmp_path / "nowhere")
