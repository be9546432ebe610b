import gzip

import numpy as np
import pytest

from common.errors import RequestError
from common.files import mark_folder
from real.readers import PathReading, read_path, takes_label_column
from real.table_folders import find_table_parts

PIXELS = ",".join(f"pixel{index}" for index in range(16))


def write(path, labels, first="label", start=0):
    """A table of 4 x 4 images; pixels from `start` on, so that a part is known by its first pixel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [",".join(map(str, (label, *range(start, start + 80, 5)))) for label in labels]
    text = "\n".join([f"{first},{PIXELS}" if first else PIXELS, *rows]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def read(folder, **options):
    return read_path(folder, "--data", PathReading(**options))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("mnist_train.csv", "mnist_test.csv"),
        ("fashion-mnist_train.csv", "fashion-mnist_test.csv"),
        ("sign_mnist_train/sign_mnist_train.csv", "sign_mnist_test/sign_mnist_test.csv"),
        ("mnist_train.csv/mnist_train.csv", "mnist_test.csv/mnist_test.csv"),
        ("train.csv.gz", "test.csv.gz"),
        ("Train.CSV", "Testing.CSV"),
    ],
)
def test_both_tables_of_a_folder_are_read(tmp_path, train, test):
    write(tmp_path / train, [7, 3], start=1)
    write(tmp_path / test, [3], start=2)
    (tmp_path / "sample_submission.csv").write_text("id,label\n1,0\n")
    source = read(tmp_path)
    assert source.labels.tolist() == [7, 3]
    assert source.images[:, 0, 0, 0].tolist() == [1, 1]
    assert source.test.labels.tolist() == [3]
    assert source.test.images[0, 0, 0, 0] == 2
    names = [name.rpartition("/")[2] for name in (train, test)]
    assert source.notes == (f"read {names[0]} as the train part, {names[1]} as the test part",)
    assert takes_label_column(tmp_path, "label")


def test_a_validation_table_is_the_validation_part(tmp_path):
    for name, label in (("train", 7), ("val", 3), ("test", 7)):
        write(tmp_path / f"set_{name}.csv", [label, 7, 3])
    assert read(tmp_path).validation.labels.tolist() == [3, 7, 3]


def test_texts_are_the_same_classes_in_both_tables(tmp_path):
    write(tmp_path / "train.csv", ["ape", "bee", "cat"])
    write(tmp_path / "test.csv", ["cat"])
    source = read(tmp_path)
    assert source.test.labels.tolist() == [2]
    write(tmp_path / "test.csv", ["eel"])
    with pytest.raises(RequestError, match=r"test\.csv: the test images .* have: ape, bee, cat\. Got 'eel'"):
        read(tmp_path)


@pytest.mark.parametrize("first", ["id", None])
def test_a_test_table_without_labels_is_no_test_part(tmp_path, first):
    write(tmp_path / "train.csv", [7, 3])
    path = write(tmp_path / "test.csv", [0], first)
    if first is None:
        path.write_text(path.read_text().replace("\n0,", "\n"))
    source = read(tmp_path)
    assert source.test is None
    assert "test.csv has no labels, and is no test part (predict.py --test-csv predicts it)" in source.notes[1]


def test_the_label_column_is_named_for_both(tmp_path):
    for name, rows in (("train", ["1,7", "2,3"]), ("test", ["1,3"])):
        write(tmp_path / f"{name}.csv", rows, "label,number")
    source = read(tmp_path, label_column="number")
    assert (source.labels.tolist(), source.test.labels.tolist()) == ([7, 3], [3])


def test_several_sets_are_one_line(tmp_path):
    for name in ("emnist-balanced-train", "emnist-letters-train", "emnist-letters-test"):
        write(tmp_path / f"{name}.csv", [7, 3])
    with pytest.raises(RequestError, match=r"one set. Got emnist-letters-train.csv, emnist-balanced-train.csv: name"):
        read(tmp_path)
    (tmp_path / "emnist-balanced-train.csv").unlink()
    write(tmp_path / "emnist-digits-test.csv", [7])
    assert read(tmp_path).test.labels.tolist() == [7, 3]  # the one of its name
    (tmp_path / "emnist-letters-test.csv").rename(tmp_path / "other-test.csv")
    with pytest.raises(RequestError, match="one test set beside emnist-letters-train.csv. Got other-test.csv, emnist"):
        read(tmp_path)


def test_a_table_of_names_and_labels_is_no_table_of_images(tmp_path):
    (tmp_path / "train.csv").write_text("id,label\n1.png,0\n")
    assert find_table_parts(tmp_path) is None
    assert takes_label_column(tmp_path, "label")
    assert not takes_label_column(tmp_path, "kind")


def test_sets_in_sub_folders_are_one_line_and_an_unpacked_copy_is_no_set(tmp_path):
    write(tmp_path / "age" / "train.csv", [7, 3])
    write(tmp_path / "gender" / "train.csv", [1, 0])
    with pytest.raises(RequestError, match=r"files of one set. Got age/train.csv, gender/train.csv: name one"):
        read(tmp_path)
    write(tmp_path / "train.csv", [5, 6])
    source = read(tmp_path)
    assert source.labels.tolist() == [5, 6]
    assert source.notes == ("read train.csv as the train part", "not read: age/train.csv, gender/train.csv")


@pytest.mark.parametrize(
    "names", [("train-00000-of-00002.csv", "train-00001-of-00002.csv"), ("0.csv", "1.csv")], ids=str
)
def test_pieces_of_a_table_are_never_left_out_in_silence(tmp_path, names):
    for name in names:
        write(tmp_path / name, [7, 3])
    with pytest.raises(RequestError, match=f"one file for the train part. Got {', '.join(names)}: join them into one"):
        read(tmp_path)


@pytest.mark.parametrize("names", [("train.csv", "training.csv"), ("mnist-train.csv", "mnist_train.tsv")], ids=str)
def test_two_files_of_one_part_are_refused(tmp_path, names):
    for name in names:
        write(tmp_path / name, [7, 3])
    with pytest.raises(RequestError, match="should hold the files of one set. Got"):
        read(tmp_path)


def test_beside_a_test_part_eval_is_for_validation(tmp_path):
    for name, labels in (("train", [1, 2, 3]), ("eval", [2]), ("test", [3])):
        write(tmp_path / f"{name}.csv", labels)
    source = read(tmp_path)
    assert (source.validation.labels.tolist(), source.test.labels.tolist()) == ([2], [3])


@pytest.mark.parametrize("name", ["validation", "holdout_val"])
def test_a_lone_validation_table_may_have_another_stem(tmp_path, name):
    write(tmp_path / "digits_train.csv", [7, 3])
    write(tmp_path / f"{name}.csv", [3])
    assert read(tmp_path).validation.labels.tolist() == [3]


def save_npz(path, labels, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    images = np.full((len(labels), 4, 4), value, np.uint8)
    images[:, 0, 0] = 0
    np.savez(path, images=images, labels=labels)


def test_parts_may_be_npz_files(tmp_path):
    save_npz(tmp_path / "train.npz", [7, 3], 100)
    save_npz(tmp_path / "test.npz", [3], 200)
    np.savez(tmp_path / "statistics.npz", mean=np.zeros(4))
    source = read(tmp_path)
    assert (source.labels.tolist(), source.test.labels.tolist()) == ([7, 3], [3])
    assert (source.images[0, 1, 1, 0], source.test.images[0, 1, 1, 0]) == (100, 200)
    with pytest.raises(
        RequestError, match=r"--label-column is for tables \(.csv, .parquet\). .*train.npz has no columns: leave it out"
    ):
        read(tmp_path, label_column="digit")


@pytest.mark.parametrize("name", ["mnist.npz", "default/train/0000.npz", "test.npz"])
def test_the_only_file_of_a_folder_is_the_set(tmp_path, name):
    save_npz(tmp_path / name, [7, 3], 100)
    (tmp_path / "README.md").touch()
    assert read(tmp_path).labels.tolist() == [7, 3]
    save_npz(tmp_path / "other.npz", [7, 3], 100)
    if "train" not in name:
        with pytest.raises(RequestError, match="files of one set. Got .*other.npz"):
            read(tmp_path)


def test_folders_may_say_the_parts(tmp_path):
    for part in ("train", "test"):
        for piece in ("0000", "0001"):
            path = tmp_path / "default" / part / f"{piece}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    found = find_table_parts(tmp_path).files
    assert {part: [path.stem for path in paths] for part, paths in found.items()} == {
        "train": ["0000", "0001"], "test": ["0000", "0001"],
    }  # fmt: skip


def test_the_shards_of_a_run_are_no_set(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    mark_folder(run, "generate_data.py", {})
    save_npz(run / "shards" / "a" / "1.npz", [7, 3], 100)
    assert find_table_parts(run) is None
    assert find_table_parts(tmp_path) is None


def test_pieces_may_have_a_hash(tmp_path):
    names = ("train-00000-of-00002-b42a0e", "train-00001-of-00002-3c11ff", "validation-00000-of-00001-0f11")
    for name in names:
        (tmp_path / f"{name}.parquet").touch()
    found = find_table_parts(tmp_path)
    assert {part: [path.stem for path in paths] for part, paths in found.files.items()} == {
        "train": [*names[:2]], "validation": [names[2]],
    }  # fmt: skip


def test_minus_one_in_train_is_said_once(tmp_path):
    for name in ("train", "test"):
        write(tmp_path / f"{name}.csv", [0, 1, -1])
    assert [note for note in read(tmp_path).notes if "label -1" in note and str(tmp_path / "t") not in note] == [
        f"{tmp_path}: label -1 is read as a class like the others"
    ]
    write(tmp_path / "train.csv", [0, 1, 2, -1])
    source = read(tmp_path)
    assert source.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "header",
    [
        "image_id,label,width,height,x1,y1,x2,y2,age,weight,hour",
        "image_id," + ",".join(f"class {index}" for index in range(12)),
        "id,species," + ",".join(f"margin{index}" for index in range(64)),
    ],
)
def test_a_table_beside_pictures_is_one_of_images_where_it_surely_is(tmp_path, header):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/1.png").touch()
    (tmp_path / "train.csv").write_text(f"{header}\n{','.join('1' for _ in header.split(','))}\n")
    assert find_table_parts(tmp_path) is None
    write(tmp_path / "train.csv", [7, 3])
    assert find_table_parts(tmp_path).files == {"train": [tmp_path / "train.csv"]}
    (tmp_path / "train.csv").write_text("\n".join([",".join("7" * 65)] * 2))  # without a header
    assert find_table_parts(tmp_path).files == {"train": [tmp_path / "train.csv"]}


def test_a_table_with_all_pixels_in_one_column_is_found(tmp_path):
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n0,1 2 3 200,Training\n1,1 2 3 200,PublicTest\n")
    assert read(tmp_path).validation.labels.tolist() == [1]


def test_a_table_that_names_pictures_is_no_table_of_images(tmp_path):
    (tmp_path / "labels.csv").write_text("file,label,width\n1.png,a,3\n2.png,b,3\n")
    expected = (
        "should have the pixels of an image in each row. Got file, label, width: if it names pictures, name their"
    )
    with pytest.raises(RequestError, match=expected):
        read(tmp_path / "labels.csv")
