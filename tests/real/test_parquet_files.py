import io
import json
import sys

import pytest
from PIL import Image

from common.errors import RequestError
from real.readers import PathReading, read_path

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402


def encode(value, size=(4, 5), mode="L"):
    file = io.BytesIO()
    picture = Image.new(mode, size, value)
    picture.putpixel((0, 0), 0 if mode == "L" else (0, 0, 0))
    picture.save(file, "PNG")
    return file.getvalue()


def write(path, labels, values=None, names=None, struct=True, column="label"):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [encode(value) for value in (values or [100 + 10 * place for place in range(len(labels))])]
    images = [{"bytes": cell, "path": None} for cell in cells] if struct else cells
    table = pa.table({"image": images, column: labels})
    if names:
        features = {
            "info": {"features": {column: {"names": names, "_type": "ClassLabel"}, "image": {"_type": "Image"}}}
        }
        table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, path)
    return path


def read(path, **options):
    return read_path(path, "--data", PathReading(**options))


@pytest.mark.parametrize("struct", [True, False])
def test_pictures_and_labels_of_a_file(tmp_path, struct):
    source = read(write(tmp_path / "a.parquet", [5, 3], [200, 100], struct=struct))
    assert source.images.shape == (2, 5, 4, 1)
    assert source.images[:, 1, 1, 0].tolist() == [200, 100]
    assert source.labels.tolist() == [5, 3]
    assert source.class_names is None


def test_the_parts_of_a_folder_as_hugging_face_names_them(tmp_path):
    names = ["ape", "bee"]
    write(tmp_path / "data" / "train-00000-of-00002.parquet", [0, 1], [100, 110], names)
    write(tmp_path / "data" / "train-00001-of-00002.parquet", [1], [120], names)
    write(tmp_path / "data" / "validation-00000-of-00001.parquet", [0], [130], names)
    write(tmp_path / "data" / "test-00000-of-00001.parquet", [1], [140], names)
    (tmp_path / "README.md").touch()
    source = read(tmp_path)
    assert source.images[:, 1, 1, 0].tolist() == [100, 110, 120]
    assert source.labels.tolist() == [0, 1, 1]
    assert (source.validation.images[0, 1, 1, 0], source.validation.labels.tolist()) == (130, [0])
    assert (source.test.images[0, 1, 1, 0], source.test.labels.tolist()) == (140, [1])
    assert source.class_names == {0: "ape", 1: "bee"}


def test_bytes_are_texts_as_labels(tmp_path):
    source = read(write(tmp_path / "a.parquet", [b"dog", b"cat"]))
    assert source.class_names == {0: "cat", 1: "dog"}


def test_pictures_without_a_group_are_refused(tmp_path):
    path = write(tmp_path / "a.parquet", [0, 1])
    table = pq.read_table(path)
    pq.write_table(table.append_column("patient", pa.array(["p1", None])), path)
    with pytest.raises(RequestError, match="--groups should have a text for each image. 1 have none"):
        read(path, groups="patient")


def test_texts_and_another_label_column(tmp_path):
    source = read(write(tmp_path / "a.parquet", ["dog", "cat"], column="breed"), label_column="breed")
    assert source.labels.tolist() == [1, 0]
    assert source.class_names == {0: "cat", 1: "dog"}
    with pytest.raises(RequestError, match=r"one column of labels \(--label-column names it\)\. Got image \(struct"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("labels", "values", "message"),
    [
        ([-1, -1], None, "each image should have a label. .*2 images with the label -1, which means none, left out"),
        ([1, None], None, "each picture should have one label. Got None in row 2"),
        ([[1], [0, 1]], None, r"each picture should have one label. Got \[1\] in row 1"),
    ],
)
def test_pictures_without_one_label_are_one_line(tmp_path, labels, values, message):
    with pytest.raises(RequestError, match=rf"a\.parquet: {message}"):
        read(write(tmp_path / "a.parquet", labels, values))


def test_damaged_files_and_pictures_are_named(tmp_path):
    path = write(tmp_path / "a.parquet", [0, 1])
    table = pa.table(
        {"image": [{"bytes": encode(9), "path": None}, {"bytes": b"no picture", "path": None}], "label": [0, 1]}
    )
    pq.write_table(table, path)
    with pytest.raises(RequestError, match=r"a\.parquet, row 2: should be a readable image"):
        read(path)
    pq.write_table(pa.table({"image": [{"bytes": None, "path": "1.png"}], "label": [0]}), path)
    with pytest.raises(RequestError, match=r"row 1: should hold the bytes of a picture. Got none"):
        read(path)
    pq.write_table(pa.table({"pixel0": [1], "label": [0]}), path)
    with pytest.raises(RequestError, match=r"one column of encoded pictures. Got pixel0 \(int64\), label"):
        read(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(RequestError, match=r"a\.parquet: should be a readable Parquet file"):
        read(path)


def test_without_pyarrow_one_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "a.parquet").touch()
    with pytest.raises(RequestError, match="reading Parquet needs the package pyarrow: pip install pyarrow"):
        read(tmp_path / "a.parquet")


def test_pictures_without_a_label_are_left_out_where_they_are_marked_so(tmp_path):
    source = read(write(tmp_path / "a.parquet", [0, -1, 1], [100, 110, 120], ["ape", "bee"]))
    assert (source.labels.tolist(), source.images[:, 1, 1, 0].tolist()) == ([0, 1], [100, 120])
    assert source.notes == (f"{tmp_path}/a.parquet: 1 images with the label -1, which means none, left out",)
    write(tmp_path / "b" / "train.parquet", [0, 1], [100, 110], ["ape", "bee"])
    write(tmp_path / "b" / "test.parquet", [-1, -1], names=["ape", "bee"])
    source = read(tmp_path / "b")
    assert source.test is None
    assert source.notes[-1].endswith("test.parquet: 2 images with the label -1, which means none, left out")


def test_a_test_file_without_a_column_of_labels_is_no_test_part(tmp_path):
    write(tmp_path / "train.parquet", [0, 1])
    write(tmp_path / "test.parquet", [0, 1], column="number")
    source = read(tmp_path)
    assert source.test is None
    assert "test.parquet has no labels, and is no test part" in source.notes[-1]


def test_a_column_of_parts_divides_the_pictures(tmp_path):
    path = write(tmp_path / "a.parquet", [0, 1, 0], [100, 110, 120])
    pq.write_table(pq.read_table(path).append_column("Split", pa.array(["train", "train", "test"])), path)
    source = read(path)
    assert (source.labels.tolist(), source.test.images[0, 1, 1, 0]) == ([0, 1], 120)


def test_the_column_of_pictures_is_the_struct_or_the_one_of_that_name(tmp_path):
    path = write(tmp_path / "a.parquet", [0, 1], [100, 110])
    more = pq.read_table(path).append_column("digest", pa.array([b"1", b"2"]))
    pq.write_table(more, path)
    assert read(path).images[:, 1, 1, 0].tolist() == [100, 110]
    write(path, [0, 1], [100, 110], struct=False)
    pq.write_table(pq.read_table(path).append_column("digest", pa.array([b"1", b"2"])), path)
    assert read(path).images[:, 1, 1, 0].tolist() == [100, 110]


def test_the_label_column_may_be_named_in_another_case(tmp_path):
    path = write(tmp_path / "a.parquet", [5, 3], column="Breed")
    assert read(path, label_column="breed").labels.tolist() == [5, 3]
