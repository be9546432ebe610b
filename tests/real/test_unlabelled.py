import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common.errors import RequestError
from real.datasets import load_dataset
from real.unlabelled import read_unlabelled


def save(path, colour, size=(8, 8)):
    """Save a picture of one colour, an integer for grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(colour, int) else "RGB", size, colour).save(path)


@pytest.fixture
def photos(tmp_path):
    """A folder of pictures of two classes, in colour."""
    for index in range(20):
        save(tmp_path / "photos" / "red" / f"{index}.png", (255, index, 0))
        save(tmp_path / "photos" / "blue" / f"{index}.png", (0, index, 255))
    return tmp_path / "photos"


def test_pictures_at_any_depth_are_called_by_their_paths(photos, tmp_path):
    save(tmp_path / "test" / "b.png", (1, 2, 3))
    save(tmp_path / "test" / "more" / "a.png", 9)
    found = read_unlabelled(tmp_path / "test", load_dataset(photos))
    assert (found.ids, found.id_name) == (("b.png", "more/a.png"), "file")
    assert found.images[:, 0, 0].tolist() == [[1, 2, 3], [9, 9, 9]]


def test_pictures_are_resized_as_the_data_were(photos, tmp_path):
    Image.fromarray(np.repeat(np.uint8([0, 255, 255, 0]), 8)[None].repeat(16, 0)).save(tmp_path / "wide.png")
    (tmp_path / "test").mkdir()
    (tmp_path / "wide.png").rename(tmp_path / "test" / "wide.png")
    crop, stretch = (
        read_unlabelled(tmp_path / "test", load_dataset(photos, image_size=(4, 4), fit=fit)).images[0, ..., 0]
        for fit in ("crop", "stretch")
    )
    assert (crop[:, 0] > 200).all()  # the middle alone
    assert (stretch[:, 0] < 50).all()


def test_an_unreadable_picture_is_left_out_where_the_data_leave_them_out(photos, tmp_path):
    save(tmp_path / "test" / "b.png", (1, 2, 3))
    (tmp_path / "test" / "a.png").write_bytes(b"nothing")
    with pytest.raises(RequestError, match=r"a.png.*--skip-unreadable"):
        read_unlabelled(tmp_path / "test", load_dataset(photos))
    found = read_unlabelled(tmp_path / "test", load_dataset(photos, skip_unreadable=True))
    assert found.ids == ("b.png",)
    assert found.notes == ("unreadable pictures left out, 1: a.png",)


def test_a_table_is_brought_to_the_size_of_the_data(photos, tmp_path):
    pd.DataFrame(np.full((2, 8 * 8 * 3), 7), columns=[f"pixel{index}" for index in range(192)]).to_csv(
        tmp_path / "test.csv", index=False
    )
    dataset = load_dataset(photos, image_size=(4, 4))
    assert read_unlabelled(tmp_path / "test.csv", dataset).images.tolist() == np.full((2, 4, 4, 3), 7).tolist()


@pytest.mark.parametrize(
    ("colour", "size", "message"),
    [((1, 2, 3), (9, 8), r"the real data's shape \(8, 8, 3\). Got \(8, 9, 3\)"), (None, None, "none")],
)
def test_no_pictures_or_others_are_refused(photos, tmp_path, colour, size, message):
    (tmp_path / "test").mkdir()
    if size:
        save(tmp_path / "test" / "a.png", colour, size)
    with pytest.raises(RequestError, match=message):
        read_unlabelled(tmp_path / "test", load_dataset(photos))


@pytest.mark.parametrize(("name", "message"), [("a.png", r".*a\.png is neither"), ("nowhere", "There is no .*nowhere")])
def test_what_is_neither_table_nor_folder_is_refused(photos, tmp_path, name, message):
    save(tmp_path / "a.png", 0)
    with pytest.raises(
        RequestError, match=rf"--test-csv should be a table \(\.csv.*\) or a folder of pictures\. {message}"
    ):
        read_unlabelled(tmp_path / name, load_dataset(photos))
