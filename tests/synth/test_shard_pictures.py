import csv
import json
import os
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from common.files import list_written, mark_folder, remove_temporaries
from synth import shard_pictures
from synth.runs import check_shards, find_shards
from synth.shard_formats import read_shard
from synth.shard_pictures import list_files, save_png, write_pictures
from synth.shard_writing import stream_shards
from synth.shards import load_manifest
from synth.sources import count_rows, index_shards, stream_images
from tests.synth.test_shard_writing import SAMPLING, NoiseModel, stream

SHAPE = (4, 4, 1)
FILES = [f"images/ape/synthetic-{number:08d}.png" for number in range(1, 26)]
FILES += [f"images/bee/synthetic-{number:08d}.png" for number in range(1, 6)]


def write(folder, **changes):
    return stream(folder, format="png", **changes)


def read_pixels(folder):
    return {
        path.relative_to(folder).as_posix(): np.asarray(Image.open(path)).tolist()
        for path in sorted(folder.rglob("*.png"))
    }


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    mark_folder(folder, "generate_data.py", {})
    np.save(folder / "train_hashes.npy", NoiseModel().train_hashes())
    write(folder)
    return folder


def test_a_range_names_its_pictures(tmp_path):
    names = [path.name for path in list_files(tmp_path / "a-b-00000009-00000011.png")]
    assert names == ["a-b-00000009.png", "a-b-00000010.png", "a-b-00000011.png"]
    assert [path.name for path in list_files(tmp_path / "a-99999999-100000000.png")][1] == "a-100000000.png"
    with pytest.raises(ValueError, match=r"a-1\.png: should be named after its first and last picture"):
        list_files(tmp_path / "a-1.png")


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_grey_or_in_colour_and_keep_every_pixel(tmp_path, channels):
    image = np.arange(2 * 3 * channels, dtype=np.uint8).reshape(2, 3, channels) * 14
    save_png(tmp_path / "a.png", image)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == {1: "L", 3: "RGB"}[channels]
        assert np.array_equal(np.asarray(picture).reshape(image.shape), image)


def test_a_run_has_one_folder_a_class_and_numbers_from_1(run):
    assert list(read_pixels(run)) == FILES
    assert {"images/metadata.csv", *FILES} <= set(list_written(run))
    shards = load_manifest(run)["shards"]
    assert [(entry["file"], entry["class"], entry["rows"]) for entry in shards] == [
        ("images/ape/synthetic-00000001-00000010.png", "ape", 10),
        ("images/ape/synthetic-00000011-00000020.png", "ape", 10),
        ("images/ape/synthetic-00000021-00000025.png", "ape", 5),
        ("images/bee/synthetic-00000001-00000005.png", "bee", 5),
    ]


def test_the_metadata_name_every_picture_its_class_and_that_it_is_synthetic(run):
    with (run / "images/metadata.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file_name", "label", "synthetic"]
    assert rows[1:] == [[name.removeprefix("images/"), name.split("/")[1], "1"] for name in FILES]


def test_the_pictures_are_the_images_of_the_other_formats(run, tmp_path):
    stream(tmp_path / "npz", format="npz")
    for part in range(3):
        pictures, labels = read_shard(run / load_manifest(run)["shards"][part]["file"], SHAPE)
        assert np.array_equal(pictures, read_shard(tmp_path / f"npz/shards/ape/part-{part:05d}.npz", SHAPE)[0])
        assert (labels == 4).all()


def test_the_first_pictures_alone_are_read(run):
    first = run / "images/ape/synthetic-00000001-00000010.png"
    (run / FILES[5]).unlink()
    assert len(read_shard(first, SHAPE, rows=5)[0]) == 5
    with pytest.raises(ValueError, match=r"synthetic-00000006\.png: should be a readable image"):
        read_shard(first, SHAPE)


@pytest.mark.parametrize("last", range(1, 31, 4))
def test_an_interrupted_run_goes_on_and_ends_with_the_same_pictures(run, tmp_path, monkeypatch, last):
    moved, replace = [], os.replace

    def replace_or_die(source, target):
        if str(target).endswith(".png"):
            moved.append(target)
            if len(moved) == last:
                raise KeyboardInterrupt
        replace(source, target)

    cut = tmp_path / "cut"
    cut.mkdir()
    mark_folder(cut, "generate_data.py", {})
    monkeypatch.setattr(os, "replace", replace_or_die)
    with pytest.raises(KeyboardInterrupt):
        write(cut)
    manifest = load_manifest(cut)
    assert manifest is None or not manifest["complete"]
    assert not (cut / "images/metadata.csv").exists()
    monkeypatch.setattr(os, "replace", replace)
    write(cut)
    assert read_pixels(cut) == read_pixels(run)
    assert (cut / "images/metadata.csv").read_bytes() == (run / "images/metadata.csv").read_bytes()
    assert [entry["sha256"] for entry in load_manifest(cut)["shards"]] == [
        entry["sha256"] for entry in load_manifest(run)["shards"]
    ]
    assert set(list_written(cut)) == set(list_written(run))


def remove(path):
    path.unlink()


def truncate(path):
    path.write_bytes(path.read_bytes()[:40])


def empty(path):
    path.write_bytes(b"")


def repaint(path):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)


@pytest.mark.parametrize("damage", [remove, truncate, empty, repaint])
def test_a_picture_that_was_lost_or_altered_is_made_again(run, damage):
    before, notes = read_pixels(run), []
    damage(run / FILES[12])
    paths, _ = find_shards(run)
    state = "missing" if damage is remove else "altered or truncated"
    with pytest.raises(ValueError, match=rf"synthetic-00000011-00000020\.png: should be as .* but is {state}"):
        check_shards(paths, run)
    stream_shards(NoiseModel(), SAMPLING | {"format": "png"}, run, quiet=True, report=notes.append)
    assert read_pixels(run) == before
    shard = run / "images/ape/synthetic-00000011-00000020.png"
    assert notes == [f"note: {shard} is not what manifest.json says, and is made again"]
    check_shards(paths, run)


def test_pictures_that_were_only_compressed_anew_are_the_same(run, monkeypatch):
    for name in FILES:
        with Image.open(run / name) as picture:
            picture.load()
        picture.save(run / name, compress_level=0)
    check_shards(find_shards(run)[0], run)
    monkeypatch.setattr(shard_pictures, "write_pictures", None)
    write(run)


def test_metadata_that_were_lost_are_written_anew(run):
    before = (run / "images/metadata.csv").read_bytes()
    (run / "images/metadata.csv").unlink()
    write(run)
    assert (run / "images/metadata.csv").read_bytes() == before


def test_a_picture_of_somebody_elses_is_never_replaced(tmp_path):
    mark_folder(tmp_path, "generate_data.py", {})
    theirs = tmp_path / FILES[3]
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    with pytest.raises(ValueError, match=r"synthetic-00000004\.png should be new, or written by the run"):
        write(tmp_path)
    assert theirs.read_text() == "theirs"
    assert [path.name for path in theirs.parent.iterdir()] == [theirs.name]


def test_what_a_kill_leaves_is_removed(run):
    left = run / "images/ape/.tmp-0123456789abcdef"
    left.mkdir()
    (left / "synthetic-00000001.png").touch()
    remove_temporaries(run)
    assert list(read_pixels(run)) == FILES


@pytest.mark.parametrize("place", ["", "images", "images/ape"])
def test_a_runs_pictures_are_found_by_its_manifest(run, place):
    paths, folder = find_shards(run / place)
    assert folder == run
    sources = index_shards(paths, SHAPE, (4, 9))
    assert count_rows(sources) == ({0: 25} if place.endswith("ape") else {0: 25, 1: 5})
    blocks = list(stream_images(sources, seed=0))
    found = {(image.tobytes(), k) for block in blocks for image, k in zip(*block, strict=True)}
    expected = {
        (np.array(pixels, np.uint8).tobytes(), 0 if "ape" in name else 1)
        for name, pixels in read_pixels(run).items()
        if place in name
    }
    assert found == expected


def test_pictures_without_a_manifest_have_no_label(run):
    (run / "manifest.json").unlink()
    with pytest.raises(ValueError, match=r"should lie below the manifest\.json of its run"):
        read_shard(run / "images/ape/synthetic-00000001-00000010.png", SHAPE)


def test_a_manifest_that_does_not_know_a_picture_is_named(run):
    shard = "images/ape/synthetic-00000002-00000003.png"
    with pytest.raises(ValueError, match=r"manifest\.json: should list synthetic-00000002-00000003\.png"):
        read_shard(run / shard, SHAPE)


def test_a_picture_of_another_shape_is_named(run):
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(run / FILES[1])
    with pytest.raises(ValueError, match=r"synthetic-00000002\.png: should have the shape \(4, 4, 1\)"):
        read_shard(run / "images/ape/synthetic-00000001-00000010.png", SHAPE)


def test_a_class_has_the_folder_that_its_name_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(NoiseModel, "class_names", ("T-shirt/top, cut", "box"))
    write(tmp_path, class_size={"T-shirt/top, cut": 2})
    text = (tmp_path / "images/metadata.csv").read_text().splitlines()
    assert text[1] == 'T-shirt-top-cut/synthetic-00000001.png,"T-shirt/top, cut",1'
    assert index_shards(find_shards(tmp_path)[0], SHAPE, (4, 9))[0].rows == {0: 2}


def test_a_full_disk_leaves_no_picture(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_pictures(tmp_path / "a-00000001-00000003.png", np.zeros((3, 2, 2, 1), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_keras_reads_the_folder(run):
    found = keras.utils.image_dataset_from_directory(
        run / "images", image_size=(4, 4), color_mode="grayscale", batch_size=None, shuffle=False, verbose=False
    )
    assert found.class_names == ["ape", "bee"]
    images, labels = zip(*[(image.numpy(), int(label)) for image, label in found], strict=True)
    assert labels == (0,) * 25 + (1,) * 5
    assert np.array_equal(np.stack(images)[..., 0], list(read_pixels(run).values()))


def test_hugging_face_reads_the_folder(run, tmp_path):
    datasets = pytest.importorskip("datasets")
    folder = shutil.copytree(run / "images", tmp_path / "copy")
    found = datasets.load_dataset("imagefolder", data_dir=str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert found.column_names == ["image", "label", "synthetic"]
    assert sorted(found["label"]) == ["ape"] * 25 + ["bee"] * 5
    assert set(found["synthetic"]) == {1}
    assert json.dumps(sorted(np.asarray(image).tolist() for image in found["image"])) == json.dumps(
        sorted(read_pixels(run).values())
    )
