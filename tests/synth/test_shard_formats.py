import resource

import numpy as np
import pandas as pd
import pytest

from synth.shard_formats import (
    CHOICES,
    FORMATS,
    describe_shard,
    find_format,
    has_hash,
    is_whole,
    list_folders,
    list_formats,
    list_suffixes,
    read_shard,
    write_shard,
)


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


def test_every_choice_is_made_of_formats_of_the_table():
    assert set(CHOICES) == {"csv", "npz", "both", "npz-compressed", "png"}
    assert {name for choice in CHOICES for name in list_formats(choice)} == set(FORMATS)
    assert list_formats("both") == ("npz", "csv")
    assert (list_folders("both"), list_folders("png")) == (["shards"], ["images"])
    assert list_suffixes() == [".csv", ".npz"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_shard_in_every_format_is_written_found_again_and_smaller_than_planned(tmp_path, format):
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1)).astype(np.uint8)  # compresses worst
    path = tmp_path / FORMATS[format].place.format(folder="ape", shard=3, first=81, last=120)
    path.parent.mkdir(parents=True)
    write_shard(path, images, 7, np.zeros(40), FORMATS[format])
    assert find_format(path).read is FORMATS[format].read
    entry = describe_shard(path)
    assert is_whole(path, entry)
    assert has_hash(path, entry["sha256"])
    assert not has_hash(path, "0")
    headers = 10_000  # bytes of an archive's headers, and of a CSV's first line
    assert entry["bytes"] <= 40 * FORMATS[format].row_bytes(28 * 28) + headers
    next(iter(FORMATS[format].list_files(path))).unlink()
    assert not is_whole(path, entry)


def test_compressed_archives_have_the_same_arrays_in_fewer_bytes_each_time(tmp_path):
    images = np.zeros((50, 28, 28, 1), np.uint8)
    for name, format in (("a", "npz"), ("b", "npz-compressed"), ("c", "npz-compressed")):
        write_shard(tmp_path / f"{name}.npz", images, 7, np.arange(50.0), FORMATS[format])
    with np.load(tmp_path / "a.npz") as plain, np.load(tmp_path / "b.npz") as compressed:
        assert list(plain) == list(compressed)
        assert all(np.array_equal(plain[key], compressed[key]) for key in plain)
    assert (tmp_path / "b.npz").read_bytes() == (tmp_path / "c.npz").read_bytes()
    assert (tmp_path / "b.npz").stat().st_size < (tmp_path / "a.npz").stat().st_size / 10


@pytest.mark.parametrize("name", ["synthetic-00000001.png", "notes.txt", "part-00000", "a-1-2.png"])
def test_what_is_no_shard_by_its_name_is_refused(tmp_path, name):
    assert find_format(tmp_path / name) is None
    with pytest.raises(ValueError, match=f"{name}: should be a shard, csv, npz, npz-compressed, png"):
        read_shard(tmp_path / name, (2, 2, 1))


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_another_shape_is_named(tmp_path, suffix):
    write_shard(tmp_path / f"a.{suffix}", np.zeros((2, 2, 2, 3), np.uint8), 1, np.zeros(2))
    with pytest.raises(ValueError, match=rf"a\.{suffix}: .*2 x 3 x 1|should have shape \(2, 3, 1\)"):
        read_shard(tmp_path / f"a.{suffix}", (2, 3, 1))
