import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from common.files import list_written, mark_folder
from common.folder_names import class_folders
from real.datasets import load_dataset
from synth.runs import find_shards
from synth.shard_formats import read_shard
from synth.sources import count_rows, index_shards, stream_images
from tasks.balance_set import save_training_set


def draw(number, size=(5, 4)):
    """A picture of its own for each number."""
    return np.full(size, number, np.uint8)


@pytest.fixture
def pictures(tmp_path):
    """A folder of pictures of two classes, some in folders below, and a test part."""
    folder = tmp_path / "pets"
    files = {
        "train/ape/b.png": 1,
        "train/ape/a.jpg": 90,
        "train/ape/old/b.png": 3,
        "train/ape/old/synthetic-00000001.png": 4,
    }
    files |= {f"train/bee/{number}.png": number for number in range(10, 20)} | {
        "test/bee/10.png": 99,
        "test/ape/b.png": 98,
    }
    for name, number in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(number)).save(folder / name)
    return folder


def save(out, data, added=2, **changes):
    """Top up the first class of a data set; return (Dataset, manifest, rows of metadata.csv)."""
    dataset = load_dataset(str(data), **changes)
    labelled = dataset.labelled()
    images = np.concatenate([dataset.images[labelled], np.full((added, *dataset.image_shape), 200, np.uint8)])
    values = np.array(dataset.label_values)[dataset.labels[labelled]]
    labels = np.concatenate([values, np.full(added, dataset.label_values[0])])
    out.mkdir(exist_ok=True)
    mark_folder(out, "augment.py balance", {})
    manifest = save_training_set(out, "png", images, labels, np.arange(len(labels)) >= len(labelled), dataset, {})
    with (out / "images/metadata.csv").open(newline="") as file:
        return dataset, manifest, list(csv.reader(file))[1:]


def test_real_pictures_are_copied_as_they_are_under_their_own_names(pictures, tmp_path):
    _, manifest, rows = save(tmp_path / "out", pictures)
    names = {name: (label, synthetic) for name, label, synthetic in rows}
    real = {"ape/b.png", "ape/a.jpg", "ape/b-2.png", "ape/synthetic-00000001-2.png"}
    assert {name for name, row in names.items() if row == ("ape", "0")} == real
    assert {name for name, row in names.items() if row == ("bee", "0")} == {f"bee/{n}.png" for n in range(10, 20)}
    assert {name for name, (_, mark) in names.items() if mark == "1"} == {
        f"ape/synthetic-0000000{n}.png" for n in (1, 2)
    }
    copies = {
        "ape/a.jpg": "ape/a.jpg",
        "bee/12.png": "bee/12.png",
        "ape/synthetic-00000001-2.png": "ape/old/synthetic-00000001.png",
    }
    for copy, original in copies.items():
        assert (tmp_path / "out/images" / copy).read_bytes() == (pictures / "train" / original).read_bytes()
    written = {path.relative_to(tmp_path / "out/images").as_posix() for path in tmp_path.glob("out/images/*/*")}
    assert written == set(names)
    assert {f"images/{name}" for name in names} <= set(list_written(tmp_path / "out"))
    assert manifest["classes"]["ape"] == {"label": 0, "real": 4, "synthetic": 2}


def test_only_the_synthetic_pictures_are_read_back(pictures, tmp_path):
    dataset, manifest, _ = save(tmp_path / "out", pictures)
    assert [entry["file"] for entry in manifest["shards"]] == ["images/ape/synthetic-00000001-00000002.png"]
    paths, run = find_shards(tmp_path / "out")
    assert run == tmp_path / "out"
    sources = index_shards(paths, dataset.image_shape, dataset.label_values)
    assert count_rows(sources) == {0: 2}
    ((images, labels),) = stream_images(sources, seed=0)
    assert (images == 200).all()
    assert labels.tolist() == [0, 0]


def test_pictures_in_two_sizes_stay_what_they_are(pictures, tmp_path):
    Image.fromarray(draw(50, (9, 7))).save(pictures / "train/bee/large.png")
    save(tmp_path / "out", pictures, image_size=(5, 4))
    with Image.open(tmp_path / "out/images/bee/large.png") as picture:
        assert picture.size == (7, 9)


def test_a_picture_that_is_there_twice_is_copied_twice(pictures, tmp_path):
    shutil.copy(pictures / "train/bee/11.png", pictures / "train/bee/twin.png")
    shutil.copy(pictures / "train/bee/11.png", pictures / "train/ape/wrong.png")
    _, _, rows = save(tmp_path / "out", pictures)
    assert {"bee/11.png", "bee/twin.png", "ape/wrong.png"} <= {name for name, *_ in rows}


def test_images_of_an_array_are_written_as_pictures(data, tmp_path):
    dataset, _, rows = save(tmp_path / "out", data)
    folders = class_folders(dataset.class_names)
    real = [name for name, _, synthetic in rows if synthetic == "0"]
    assert real[:2] == [f"{folders['0']}/real-00000001.png", f"{folders['0']}/real-00000002.png"]
    assert len(real) == 140
    with Image.open(tmp_path / "out/images" / real[1]) as picture:
        assert np.array_equal(np.asarray(picture), dataset.images[dataset.labels == 0][1, ..., 0])


def test_a_set_that_nothing_is_added_to_has_no_shards(data, tmp_path):
    _, manifest, rows = save(tmp_path / "out", data, added=0)
    assert manifest["shards"] == []
    assert len(rows) == 140


def test_the_same_again_replaces_its_own(pictures, tmp_path):
    _, first, rows = save(tmp_path / "out", pictures)
    (tmp_path / "out/images/ape/b.png").unlink()
    _, second, again = save(tmp_path / "out", pictures)
    assert rows == again
    assert [entry["sha256"] for entry in first["shards"]] == [entry["sha256"] for entry in second["shards"]]
    images, _ = read_shard(tmp_path / "out" / second["shards"][0]["file"], (5, 4, 1))
    assert images.shape == (2, 5, 4, 1)


@pytest.mark.parametrize("place", ["", "images", "images/ape"])
def test_a_set_with_synthetic_pictures_is_no_real_data(pictures, tmp_path, place):
    save(tmp_path / "out", pictures)
    with pytest.raises(ValueError, match="--data should hold real images alone: 2 of the 16 in"):
        load_dataset(str(tmp_path / "out" / place))


def test_a_copy_without_its_manifest_is_not_taken_for_synthetic_alone(pictures, tmp_path):
    save(tmp_path / "out", pictures)
    shutil.copytree(tmp_path / "out/images", tmp_path / "copy")
    with pytest.raises(ValueError, match=r"should be the run's folder: .*copy holds real pictures, too"):
        find_shards(tmp_path / "copy")


def test_what_was_renamed_since_is_not_there_twice(pictures, tmp_path):
    out = tmp_path / "out"
    save(out, pictures)
    (out / "images/bee/mine.png").touch()
    (pictures / "train/bee/19.png").rename(pictures / "train/bee/nineteen.png")
    for part in ("train", "test"):
        (pictures / part / "ape").rename(pictures / part / "monkey")
    _, _, rows = save(out, pictures)
    there = {path.relative_to(out / "images").as_posix() for path in (out / "images").rglob("*.*")}
    assert there == {name for name, *_ in rows} | {"metadata.csv", "bee/mine.png"}
