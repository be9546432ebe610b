import numpy as np
import pytest

from synth.tables import read_csv

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
        ("digit,a,b,c,d", ["1,2,3,4,5"], "should have a column 'label'. Got digit, a, b, c"),
        ("label,a,b,c,d,e", ["1,2,3,4,5,6"], "5 pixel columns should be a square image"),
        ("label,a,b,c,d", [], "should have at least one image"),
    ],
)
def test_bad_csv_headers_are_named(tmp_path, header, rows, message):
    with pytest.raises(ValueError, match=message):
        read_csv(write_csv(tmp_path / "train.csv", rows, header))
