import gzip
import re
import zipfile

import numpy as np
import pytest

from common.errors import RequestError
from real.tables import is_labelled_as, read_csv, read_unlabelled_csv

GREY = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)


def write_csv(path, rows, header=None):
    header = header or "label," + ",".join(f"pixel{index}" for index in range(16))
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_csv_is_read_row_by_row(tmp_path):
    rows = [f"{label}," + ",".join(map(str, GREY[index].ravel())) for index, label in enumerate((5, 3))]
    source = read_csv(write_csv(tmp_path / "train.csv", rows))
    assert np.array_equal(source.images[..., 0], GREY)
    assert source.labels.tolist() == [5, 3]


def test_csv_takes_a_shape_that_is_not_square(tmp_path):
    path = write_csv(tmp_path / "train.csv", ["1," + ",".join(["9"] * 16)])
    assert read_csv(path, (2, 8, 1)).images.shape == (1, 2, 8, 1)
    with pytest.raises(ValueError, match="3 x 3 x 1 images should have 9 pixel columns. Got 16 instead"):
        read_csv(path, (3, 3, 1))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1," + ",".join(["0"] * 15), r"Got nothing \(the line is too short\) in line 3, column pixel15"),
        ("1," + ",".join(["0"] * 15 + ["1.5"]), r"Got 1\.5 in line 3, column pixel15"),
        ("1," + ",".join(["x"] + ["0"] * 15), r"Got 'x' in line 3, column pixel0"),
        ("1," + ",".join(["256"] + ["0"] * 15), r"pixels should be in 0\.\.255\. Got 256 in line 3, pixel 0"),
        ("1," + ",".join(["-1"] + ["0"] * 15), r"Got -1 in line 3, pixel 0"),
        ("1," + ",".join(["0"] * 17), "should be a CSV with the columns label,pixel0"),
    ],
)
def test_bad_csv_rows_are_named(tmp_path, row, message):
    path = write_csv(tmp_path / "train.csv", ["1," + ",".join(["0"] * 16), row])
    with pytest.raises(ValueError, match=message):
        read_csv(path)


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("a,b,c,d,e", ["1,2,3,4,5"], "should have a column 'label', or .* --label-column .* Got a, b, c, d... instead"),
        ("label,class,a,b,c,d", ["1,2,3,4,5,6"], "one column for the label. Got label and class: --label-column names"),
        ("label,a,b,c,d,e", ["1,2,3,4,5,6"], "5 pixel columns should be a square image"),
        ("label,a,b,c,d", [], "should have at least one image"),
    ],
)
def test_bad_csv_headers_are_named(tmp_path, header, rows, message):
    with pytest.raises(ValueError, match=message):
        read_csv(write_csv(tmp_path / "train.csv", rows, header))


PIXELS = ",".join(f"pixel{index}" for index in range(4))
ROWS = ((7, 10, 20, 30, 40), (3, 50, 60, 70, 80), (7, 90, 100, 110, 120))


def write_table(folder, header, rows, name="t.csv", separator=",", ending="\n"):
    lines = ([] if header is None else [header]) + [separator.join(map(str, row)) for row in rows]
    path = folder / name
    path.write_text(ending.join(lines) + ending, newline="")
    return path


def check(source, labels=(7, 3, 7), pixels=(10, 50, 90)):
    assert source.labels.tolist() == list(labels)
    assert source.images.shape == (len(labels), 2, 2, 1)
    assert source.images[:, 0, 0, 0].tolist() == list(pixels)
    assert source.images[:, 1, 1, 0].tolist() == [pixel + 30 for pixel in pixels]


@pytest.mark.parametrize(
    ("header", "order"),
    [
        (f"label,{PIXELS}", (0, 1, 2, 3, 4)),
        (f" Label ,{PIXELS}", (0, 1, 2, 3, 4)),
        (f"{PIXELS},class", (1, 2, 3, 4, 0)),
        ("a,b,Target,c,d", (1, 2, 0, 3, 4)),
        ("y,1x1,1x2,2x1,2x2", (0, 1, 2, 3, 4)),
        ("Sign,px1,px2,px3,px4", (0, 1, 2, 3, 4)),  # of no usual name, but alone not called like the others
        ("V1,V2,V3,V4,answer", (1, 2, 3, 4, 0)),
    ],
)
def test_the_label_column_is_found_wherever_it_stands(tmp_path, header, order):
    rows = [[row[place] for place in order] for row in ROWS]
    check(read_csv(write_table(tmp_path, header, rows)))


@pytest.mark.parametrize(
    ("names", "shape"),
    [
        (sorted(f"pixel{n}" for n in range(16)), (4, 4, 1)),
        ([f"px_{n}" for n in reversed(range(16))], (4, 4, 1)),
        ([f"{colour}{n}" for colour in "rgb" for n in range(4)], (2, 2, 3)),
        (
            [f"blue_{n}" for n in range(4)] + [f"{colour}_{n}" for n in range(4) for colour in ("green", "red")],
            (2, 2, 3),
        ),
    ],
)
def test_pixels_are_in_the_order_of_their_numbers_and_colours(tmp_path, names, shape):
    order = sorted(names, key=lambda name: (int(re.sub(r"\D", "", name)), "rgbp".index(name[0])))
    row = ",".join(str(order.index(name)) for name in names)
    (tmp_path / "a.csv").write_text(f"label,{','.join(names)}\n1,{row}\n0,{row}\n")
    source = read_csv(tmp_path / "a.csv", None)
    assert source.images.tolist() == [np.arange(len(names)).reshape(shape).tolist()] * 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{}_{}_{}", "rgb"),
        ("{}{}x{}", "rgb"),
        ("pixel_{1}_{2}_{0}", ("red", "green", "blue")),
        ("pixel{}{}_{}", "RGB"),
        ("p_{}_{}_{}", (0, 1, 2)),
        ("p_{1}_{2}_{0}", (1, 2, 3)),
        ("ch{0}_px{3}", (0, 1, 2)),
        ("px{3}_{0}", (0, 1, 2)),
    ],
)
def test_colours_of_rows_and_columns_stand_together(tmp_path, name, words):
    places = [(row, column, 4 * row + column) for row in range(4) for column in range(4)]
    names = [name.format(colour, *place) for colour in words for place in places]
    planes = np.arange(48).reshape(3, 4, 4)
    (tmp_path / "a.csv").write_text(f"label,{','.join(names)}\n1,{','.join(map(str, planes.ravel()))}\n")
    source = read_csv(tmp_path / "a.csv")
    assert source.images.tolist() == [planes.transpose(1, 2, 0).tolist()]
    assert source.notes == ()


def test_rows_and_columns_that_are_sorted_as_texts_are_put_right(tmp_path):
    names = sorted(f"{row}x{column}" for row in range(1, 12) for column in range(1, 12))
    values = [11 * (int(name.split("x")[0]) - 1) + int(name.split("x")[1]) - 1 for name in names]
    (tmp_path / "a.csv").write_text(f"label,{','.join(names)}\n1,{','.join(map(str, values))}\n")
    assert read_csv(tmp_path / "a.csv").images.ravel().tolist() == list(range(121))


@pytest.mark.parametrize("are_planes", [False, True])
def test_rows_of_colours_that_look_like_planes_are_warned_of(tmp_path, are_planes):
    rows, columns = np.mgrid[:8, :8]
    image = np.stack([20 * rows + 5 * columns, 30 * rows, 200 - 10 * rows - 9 * columns], axis=-1)
    pixels = (image.transpose(2, 0, 1) if are_planes else image).ravel()
    names = ",".join(f"pixel{k}" for k in range(192))
    (tmp_path / "a.csv").write_text(f"label,{names}\n1,{','.join(map(str, pixels))}\n")
    source = read_csv(tmp_path / "a.csv")
    assert source.images.ravel().tolist() == pixels.tolist()
    assert "rows are read as the red, green and blue of each pixel in turn" in source.notes[0]
    assert ("look like planes, all of red before all of green" in source.notes[0]) is are_planes
    assert read_csv(tmp_path / "a.csv", (8, 8, 3)).notes == ()


def test_a_label_of_no_usual_name_is_noted(tmp_path):
    source = read_csv(write_table(tmp_path, f"Sign,{PIXELS}", ROWS))
    assert source.notes == (
        f"{tmp_path / 't.csv'}: column 'Sign' is taken for the label (--label-column names another)",
    )
    assert read_csv(write_table(tmp_path, f"label,{PIXELS}", ROWS)).notes == ()


@pytest.mark.parametrize("label_column", ["Writer", "writer", "2"])
def test_another_label_column_is_named(tmp_path, label_column):
    rows = [(99, *row) for row in ROWS]
    source = read_csv(write_table(tmp_path, f"label,Writer,{PIXELS}", rows), label_column=label_column)
    check(source)
    assert "left out: label" in source.notes[0]


def test_a_column_may_be_called_by_a_number(tmp_path):
    path = write_table(tmp_path, ",".join(map(str, range(17))), [(*range(20, 36), label) for label in (7, 3)])
    assert read_csv(path, label_column="16").labels.tolist() == [7, 3]  # the name, not the sixteenth
    assert read_csv(path, label_column="17").labels.tolist() == [7, 3]
    with pytest.raises(RequestError, match="--label-column should be the name of a column, or a number from 1 to 17"):
        read_csv(path, label_column="18")
    with pytest.raises(RequestError, match=r"Got 'sort', and the columns 0, 1, 2, 3, \.\.\."):
        read_csv(path, label_column="sort")


def test_a_table_without_a_header_has_its_label_first_or_last(tmp_path):
    source = read_csv(write_table(tmp_path, None, ROWS))
    check(source)
    assert "no column is called label: the first one is taken for it" in source.notes[0]
    rows = [(0, 20, 30, 40, label) for label in (7, 3, 7)]  # the first pixel is black everywhere
    assert read_csv(write_table(tmp_path, None, rows)).labels.tolist() == [7, 3, 7]
    check(read_csv(write_table(tmp_path, None, ROWS), label_column="1"))


def test_a_first_row_with_a_text_as_label_is_no_header(tmp_path):
    rows = [("b", 0, 0, 0, 30), ("a", 50, 60, 70, 80)]
    source = read_csv(write_table(tmp_path, None, rows))
    check(source, (1, 0), (0, 50))
    assert source.class_names == {0: "a", 1: "b"}


def test_names_that_pandas_made_of_zeros_are_a_header(tmp_path):
    """As in A-Z Handwritten Data: 0, 0.1, 0.2, ..."""
    check(read_csv(write_table(tmp_path, "0,0.1,0.2,0.3,0.4", ROWS)))
    check(read_csv(write_table(tmp_path, "7,0,0.1,9,0.2", ROWS)))


def test_numbered_columns_are_a_header(tmp_path):
    rows = [(label, *range(label, label + 16)) for label in (7, 3)]
    for start in (0, 1):
        header = ",".join(str(start + place) for place in range(17))
        assert read_csv(write_table(tmp_path, header, rows)).labels.tolist() == [7, 3]
        header = ",".join(["label", *(str(start + place) for place in range(16))])
        assert read_csv(write_table(tmp_path, header, rows)).labels.tolist() == [7, 3]


def test_an_index_column_is_no_pixel(tmp_path):
    rows = [(place, *row) for place, row in enumerate(ROWS)]
    for name in ("", "Unnamed: 0", "id", "image_id"):
        check(read_csv(write_table(tmp_path, f"{name},label,{PIXELS}", rows)))
    rows = [(*row, f"{place}.png") for place, row in enumerate(ROWS)]
    check(read_csv(write_table(tmp_path, f"label,{PIXELS},filename", rows)))


def test_row_names_of_r_are_no_label(tmp_path):
    rows = [(f'"{place}"', *row) for place, row in enumerate(ROWS, start=1)]
    check(read_csv(write_table(tmp_path, f"label,{PIXELS}", rows)))
    rows[1] = rows[1][1:]
    with pytest.raises(RequestError, match="line 3, column pixel3"):
        read_csv(write_table(tmp_path, f"label,{PIXELS}", rows))
    rows = [(place, *row) for place, row in enumerate(ROWS, start=1)]  # without quotes it may be anything
    with pytest.raises(RequestError, match="Line 2 has 6 values for 5 columns: a column of row names"):
        read_csv(write_table(tmp_path, f"label,{PIXELS}", rows))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_one_behind_each_row(tmp_path, separator):
    header = f"label,{PIXELS}".replace(",", separator)
    check(read_csv(write_table(tmp_path, header, ROWS, separator=separator)))
    trailing = [(*row, "") for row in ROWS]
    for first in (header, header + separator, None):
        check(read_csv(write_table(tmp_path, first, trailing, separator=separator)))


def test_compressed_tables_and_names_in_capitals(tmp_path):
    path = write_table(tmp_path, f"label,{PIXELS}", ROWS, "T.CSV")
    check(read_csv(path))
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    check(read_csv(tmp_path / "t.csv.gz"))
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "folder/t.csv")
        archive.writestr("__MACOSX/folder/._t.csv", b"\0")
    check(read_csv(tmp_path / "t.csv.zip"))
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "a") as archive:
        archive.write(path, "other.csv")
    with pytest.raises(RequestError, match=r"one file, a \.csv\. Got 2 \(folder/t.csv, other.csv\): unpack"):
        read_csv(tmp_path / "t.csv.zip")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(path.read_bytes())[:-9])
    with pytest.raises(RequestError, match=r"t\.csv\.gz: .* Its compression should be sound"):
        read_csv(tmp_path / "t.csv.gz")


def test_text_labels_are_class_names(tmp_path):
    rows = [(name, *row[1:]) for name, row in zip(("dog", "cat ", "dog"), ROWS, strict=True)]
    source = read_csv(write_table(tmp_path, f"label,{PIXELS}", rows))
    check(source, (1, 0, 1))
    assert source.class_names == {0: "cat", 1: "dog"}
    assert source.text_labels
    rows = [(name, *row[1:]) for name, row in zip("A0A", ROWS, strict=True)]  # digits and letters
    assert read_csv(write_table(tmp_path, f"label,{PIXELS}", rows)).class_names == {0: "0", 1: "A"}


def test_whole_numbers_with_a_point_are_integers(tmp_path):
    check(read_csv(write_table(tmp_path, f"label,{PIXELS}", [map(float, row) for row in ROWS])))
    rows = [(7, 0.25, 0.5, 1, 0)]
    with pytest.raises(RequestError, match=r"Got 0\.25 in line 2, .* from 0 to 1 are to be multiplied by 255"):
        read_csv(write_table(tmp_path, f"label,{PIXELS}", rows))


def test_a_column_that_is_no_pixel_is_named(tmp_path):
    rows = [(5, *row) for row in ROWS]
    with pytest.raises(RequestError, match="5 pixel columns should be a square .* are to be taken out: writer"):
        read_csv(write_table(tmp_path, f"writer,label,{PIXELS}", rows))


@pytest.mark.parametrize("name", ["id", "ImageId", "", "Unnamed: 0", "what"])
def test_ids_of_unlabelled_images(tmp_path, name):
    rows = [(f"{place}.png", *row[1:]) for place, row in enumerate(ROWS)]
    found = read_unlabelled_csv(write_table(tmp_path, f"{name},{PIXELS}", rows), (2, 2, 1))
    assert found.images[:, 0, 0, 0].tolist() == [10, 50, 90]
    has_name = name in ("id", "ImageId", "what")
    assert (found.id_name, found.ids) == ((name, ("0.png", "1.png", "2.png")) if has_name else (None, None))


def test_unlabelled_images_without_a_header(tmp_path):
    path = write_table(tmp_path, None, [row[1:] for row in ROWS])
    assert read_unlabelled_csv(path, (2, 2, 1)).images[:, 0, 0, 0].tolist() == [10, 50, 90]
    train = write_table(tmp_path, None, ROWS, "train.csv")
    assert not is_labelled_as(path, train)
    assert is_labelled_as(train, train)


def test_labelled_images_are_not_to_be_predicted(tmp_path):
    path = write_table(tmp_path, f"label,{PIXELS}", ROWS)
    assert is_labelled_as(path, path)
    with pytest.raises(RequestError, match=r"no column 'label'.*\(--test-data takes a labelled test set\)"):
        read_unlabelled_csv(path, None)
    assert not is_labelled_as(write_table(tmp_path, f"id,{PIXELS}", ROWS, "u.csv"), path)
    assert is_labelled_as(write_table(tmp_path, f"{PIXELS},LABEL", ROWS, "v.csv"), path)


def test_pixels_in_one_column_and_parts_in_another(tmp_path):
    """As FER2013 has them."""
    usages = ("Training", "PublicTest", "PrivateTest")
    rows = [(row[0], " ".join(map(str, row[1:])), usage) for row, usage in zip(ROWS, usages, strict=True)]
    source = read_csv(write_table(tmp_path, "emotion,pixels,Usage", rows))
    check(source, (7,), (10,))
    check(source.validation, (3,), (50,))
    check(source.test, (7,), (90,))
    assert source.notes[-1].endswith("t.csv: the parts are those of the column Usage")
    rows[1] = (3, "50 60 70", "Training")
    with pytest.raises(RequestError, match="Got 3 numbers for 4 in line 3, column pixels"):
        read_csv(write_table(tmp_path, "emotion,pixels,Usage", rows))


def test_a_column_of_parts_in_words_that_are_none_is_refused(tmp_path):
    rows = [(*row, split) for row, split in zip(ROWS, ("train", "test", "elsewhere"), strict=True)]
    with pytest.raises(RequestError, match="column split should say train, validation or test. Got 'elsewhere'"):
        read_csv(write_table(tmp_path, f"label,{PIXELS},split", rows))


def test_a_table_without_names_whose_label_could_be_at_both_ends_is_one_line(tmp_path):
    rows = [(k, 20, 30, 40, k % 10) for k in range(256)]
    with pytest.raises(RequestError, match="first or the last column: --label-column 1 or --label-column 5 says which"):
        read_csv(write_table(tmp_path, None, rows))
    assert read_csv(write_table(tmp_path, None, rows), label_column="5").labels.tolist() == [k % 10 for k in range(256)]
    rows = [(pixel, 20, 30, 40, k) for k, pixel in enumerate((9, 200, 77))]
    assert read_csv(write_table(tmp_path, None, rows)).labels.tolist() == [0, 1, 2]


def test_pixels_of_16_bits_are_one_line_with_the_way_out(tmp_path):
    with pytest.raises(RequestError, match=r"0\.\.255\. Got 2570 in line 2, pixel 0 .* are to be divided by 257 first"):
        read_csv(write_table(tmp_path, f"label,{PIXELS}", [(7, 2570, 0, 0, 0)]))


@pytest.mark.parametrize("name", ["pixel_{0}_{1}", "r{0}_c{1}", "{0}x{1}", "pixel_{1}_{0}"])
@pytest.mark.parametrize("size", [(9, 16), (16, 9), (6, 8)], ids=str)
def test_rows_and_columns_in_the_names_say_the_shape(tmp_path, name, size):
    """Of 144 pixels, which could be 12 x 12, and 48, which could be 4 x 4 in colour."""
    names = [name.format(row, column) for row in range(size[0]) for column in range(size[1])]
    path = write_table(tmp_path, f"label,{','.join(names)}", [[1, *range(len(names))]])
    assert read_csv(path).images.tolist() == np.arange(len(names)).reshape(1, *size, 1).tolist()


def test_a_fourth_channel_in_the_names_is_refused(tmp_path):
    names = [f"{channel}{place}" for place in range(4) for channel in "rgba"]
    with pytest.raises(RequestError, match="should have grey pixels, or red, green and blue ones. Got alpha, too"):
        read_csv(write_table(tmp_path, f"label,{','.join(names)}", [[1, *range(16)]]))


def test_columns_that_complete_a_square_are_no_pixels(tmp_path):
    names = ["label", *(f"pixel{place}" for place in range(62)), "age", "sex"]
    path = write_table(tmp_path, ",".join(names), [[1, *range(64)]])
    with pytest.raises(RequestError, match="pixel columns should be called alike. Got age, sex among 64: take out"):
        read_csv(path)
    assert read_csv(path, (8, 8, 1)).images.shape == (1, 8, 8, 1)


@pytest.mark.parametrize("first", ["img_id", "0"])
def test_what_differs_in_each_row_is_no_label(tmp_path, first):
    names = [first, *(f"pixel{place}" if first == "img_id" else str(place + 1) for place in range(4))]
    rows = [[f"im{place:03}", 0, place, 5, 6] for place in range(12)]
    with pytest.raises(RequestError, match="Got texts that all differ in column .*: they are no labels"):
        read_csv(write_table(tmp_path, ",".join(names), rows))


def test_beside_an_index_the_label_may_stand_last(tmp_path):
    rows = [[place, *(17 * place * factor % 256 for factor in (3, 5, 7, 11)), place % 2] for place in range(20)]
    source = read_csv(write_table(tmp_path, ",0,1,2,3,4", rows))
    assert source.labels.tolist() == [0, 1] * 10
    assert source.images.shape == (20, 2, 2, 1)
    assert "the last one is taken for it" in source.notes[0]


def test_a_test_table_may_call_its_label_otherwise(tmp_path):
    train, test = (write_table(tmp_path, f"{name},{PIXELS}", ROWS, f"{name}.csv") for name in ("label", "class"))
    assert is_labelled_as(test, train)
    assert not is_labelled_as(test, train, "label")


def test_of_columns_beside_one_that_holds_all_pixels_one_is_the_label(tmp_path):
    """UTKFace's age_gender.csv."""
    rows = [[20, 1, 0, "a.jpg", "1 2 3 4"], [30, 0, 1, "b.jpg", "5 6 7 8"]]
    source = read_csv(write_table(tmp_path, "age,ethnicity,gender,img_name,pixels", rows), label_column="gender")
    assert source.labels.tolist() == [0, 1]
    assert source.images.reshape(2, 4).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert source.notes == (f"{tmp_path}/t.csv: left out: age, ethnicity, img_name",)


def test_the_column_of_groups_in_another_case(tmp_path):
    rows = [(row[0], f"p{place}", *row[1:]) for place, row in enumerate(ROWS)]
    source = read_csv(write_table(tmp_path, f"label,Patient,{PIXELS}", rows), groups="patient")
    assert source.groups.tolist() == ["p0", "p1", "p2"]
    check(source)


def test_codes_with_leading_zeros_are_class_names(tmp_path):
    rows = [[code, *ROWS[0][1:]] for code in ("001", "010", "10", "001")]
    source = read_csv(write_table(tmp_path, f"label,{PIXELS}", rows))
    assert (source.labels.tolist(), source.class_names) == ([0, 1, 2, 0], {0: "001", 1: "010", 2: "10"})
