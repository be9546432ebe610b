import numpy as np
import pytest

from common.errors import RequestError
from real.npz_files import read_npz

GREY = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)


def test_npz_in_both_layouts(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=GREY, y_train=[0, 1], x_test=GREY[:1], y_test=[1])
    np.savez(tmp_path / "b.npz", images=GREY, labels=[4, 5], scores=[0.0, 1.0])
    assert read_npz(tmp_path / "a.npz").test.images.shape == (1, 4, 4, 1)
    assert read_npz(tmp_path / "b.npz").labels.tolist() == [4, 5]


def test_bad_npz_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", pictures=GREY)
    with pytest.raises(ValueError, match="should have the keys .* Got pictures instead"):
        read_npz(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", images=GREY, labels=[1])
    with pytest.raises(ValueError, match="labels: should be 2 integers"):
        read_npz(tmp_path / "b.npz")
    (tmp_path / "c.npz").write_bytes(b"nothing like it")
    with pytest.raises(ValueError, match=r"c\.npz: should be a readable \.npz archive"):
        read_npz(tmp_path / "c.npz")


BRIGHT = np.array([[[0, 51], [102, 255]], [[255, 0], [51, 102]]], np.uint8)


def save(folder, **arrays):
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


@pytest.mark.parametrize(
    ("images", "labels"),
    [("X", "y"), ("data", "target"), ("data", "labels"), ("x_train", "y_train"), ("X_train", "Y_train"),
     ("train_images", "train_labels"), ("imgs", "label"), ("trainX", "trainY"), ("arr_0", "arr_1")],
)  # fmt: skip
def test_one_part_in_every_spelling(tmp_path, images, labels):
    source = read_npz(save(tmp_path, **{labels: np.array([4, 5]), images: BRIGHT}))
    assert np.array_equal(source.images[..., 0], BRIGHT)
    assert source.labels.tolist() == [4, 5]
    assert (source.validation, source.test, source.notes) == (None, None, ())


@pytest.mark.parametrize("val", ["{}_val", "{}_valid", "val_{}"])
def test_parts_of_a_split_set(tmp_path, val):
    arrays = {"x_train": BRIGHT, "y_train": [0, 1], val.format("x"): BRIGHT[:1] + 1, val.format("y"): [1]}
    source = read_npz(save(tmp_path, **arrays, x_test=BRIGHT[1:] + 2, y_test=[0]))
    assert source.labels.tolist() == [0, 1]
    assert source.validation.images.ravel().tolist() == [1, 52, 103, 0]
    assert source.validation.labels.tolist() == [1]
    assert source.test.images.ravel().tolist() == [1, 2, 53, 104]


def test_medmnist(tmp_path):
    arrays = {}
    for part, count in (("train", 2), ("val", 1), ("test", 1)):
        arrays[f"{part}_images"] = np.stack([BRIGHT[:count]] * 3, axis=-1)
        arrays[f"{part}_labels"] = np.array([[1], [0]], np.uint8)[:count]
    source = read_npz(save(tmp_path, **arrays))
    assert source.images.shape == (2, 2, 2, 3)
    assert (source.labels.tolist(), source.validation.labels.tolist(), source.test.labels.tolist()) == (
        [1, 0],
        [1],
        [1],
    )


def test_a_part_without_labels_is_left_out_and_said(tmp_path):
    source = read_npz(save(tmp_path, x_train=BRIGHT, y_train=[0, 1], x_test=BRIGHT))
    assert source.test is None
    assert source.notes == (f"{tmp_path / 'a.npz'}: x_test is left out",)
    with pytest.raises(RequestError, match="one array of images .* for the train part. Got x_train and X_train"):
        read_npz(save(tmp_path, x_train=BRIGHT, X_train=BRIGHT, y_train=[0, 1]))


@pytest.mark.parametrize(
    ("images", "note"),
    [
        (BRIGHT.astype(np.float32), None),
        (BRIGHT / 255, "pixels from 0..1 are read as 0..255"),
        ((BRIGHT / 255).astype(np.float16), "pixels from 0..1 are read as 0..255"),
        (BRIGHT / 127.5 - 1, "pixels from -1..1 are read as 0..255"),
        (BRIGHT.reshape(2, 4), None),
        (BRIGHT.astype(np.uint16), None),
    ],
)
def test_ranges_and_shapes_of_pixels(tmp_path, images, note):
    source = read_npz(save(tmp_path, images=images, labels=[0, 1]))
    assert source.images.dtype == np.uint8
    assert np.array_equal(source.images[..., 0], BRIGHT)
    assert [text.partition(".npz: ")[2] for text in source.notes] == ([note] if note else [])


def test_all_parts_have_one_range(tmp_path):
    dark = np.full((1, 2, 2), 0.2)
    source = read_npz(save(tmp_path, x_train=BRIGHT / 127.5 - 1, y_train=[0, 1], x_test=dark, y_test=[0]))
    assert source.test.images.ravel().tolist() == [153] * 4  # (0.2 + 1) / 2 * 255
    with pytest.raises(RequestError, match="the parts should all have integers, or all floats"):
        read_npz(save(tmp_path, x_train=BRIGHT, y_train=[0, 1], x_test=dark, y_test=[0]))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 3, 4, 4), np.uint8), r"channels come first: images\.transpose\(0, 2, 3, 1\) puts them last"),
        (np.zeros((2, 1, 4, 4), np.uint8), r"channels come first: images\.transpose\(0, 2, 3, 1\) puts them last"),
        (np.zeros((2, 4, 4, 4), np.uint8), "says how much is seen, and .* puts the others over white"),
        (BRIGHT > 99, r"Got truth values: images\.astype\(numpy\.uint8\) \* 255 makes"),
        (BRIGHT.astype(np.uint16) * 257, r"0\.\.255\. Got 0\.\.65535: \(images // 257\)\.astype\(numpy\.uint8\) makes"),
        (BRIGHT.astype(np.int16) - 1, r"0\.\.255\. Got -1\.\.254 instead"),
        (BRIGHT / 2, r"Got fractions from 0 to 127\.5: numpy\.rint\(images\)"),
        (BRIGHT / 255 - 0.5, r"Got floats from -0\.5 to 0\.5: \(images - images\.min\(\)\)"),
        (BRIGHT / 64 - 2, r"Got floats from -2 to 1\.98438"),
        (np.zeros((2, 3, 64), np.uint8), r"Got \(2, 3, 64\): images\.reshape\(-1, 3, 8, 8\)\.transpose\(0, 2, 3, 1\)"),
        (np.zeros((2, 64, 3), np.uint8), r"Got \(2, 64, 3\): images\.reshape\(-1, 8, 8, 3\) if these are three"),
        (np.zeros((2, 5), np.uint8), "5 pixels a row should be a square image"),
        (np.zeros((2, 12), np.uint8), r"--image-shape 2,2,3 says so.*images\.reshape\(-1, 3, 2, 2\)\.transpose"),
    ],
)
def test_other_pixels_are_one_line_with_the_way_out(tmp_path, images, message):
    with pytest.raises(RequestError, match=rf"a\.npz: images: .*{message}"):
        read_npz(save(tmp_path, images=images, labels=[0, 1]))


@pytest.mark.parametrize("shape", [(2, 16, 1), (2, 1, 16)], ids=str)
def test_rows_of_pixels_may_have_an_axis_more(tmp_path, shape):
    images = np.arange(32, dtype=np.uint8).reshape(shape)
    assert read_npz(save(tmp_path, images=images, labels=[0, 1])).images.shape == (2, 4, 4, 1)


def test_objects_are_one_line_with_the_way_out(tmp_path):
    with pytest.raises(RequestError, match=r"dtype object instead: numpy\.array\(list\(array\)\)"):
        read_npz(save(tmp_path, images=np.array([BRIGHT[0], None], object), labels=[0, 1]))


def test_rows_of_pixels_take_the_shape_that_is_named(tmp_path):
    path = save(tmp_path, images=np.arange(24, dtype=np.uint8).reshape(2, 12), labels=[0, 1])
    assert read_npz(path, (2, 2, 3)).images[0, 0, 1].tolist() == [3, 4, 5]
    with pytest.raises(RequestError, match="2 x 2 x 1 images should have 4 pixels. Got 12"):
        read_npz(path, (2, 2, 1))


@pytest.mark.parametrize(
    "labels",
    [
        np.array([2, 0]),
        np.array([[2], [0]]),
        np.array([2.0, 0.0], np.float32),
        np.array([[0, 0, 1], [1, 0, 0]]),
        np.array([[0, 0, 1], [1, 0, 0]], np.float32),
        np.array([[0, 0, 1], [1, 0, 0]], bool),
        np.array(["2", "0"]),
    ],
)
def test_labels_of_every_kind(tmp_path, labels):
    source = read_npz(save(tmp_path, images=BRIGHT, labels=labels))
    assert source.labels.tolist() == [2, 0]
    assert source.labels.dtype == np.int64
    assert source.class_names is None


@pytest.mark.parametrize("labels", [np.array(["dog", "cat"]), np.array([b"dog", b"cat"]), np.array([["dog"], ["cat"]])])
def test_text_labels_are_class_names(tmp_path, labels):
    source = read_npz(save(tmp_path, images=BRIGHT, labels=labels, test_images=BRIGHT, test_labels=["eel", "cat"]))
    assert source.labels.tolist() == [1, 0]
    assert source.test.labels.tolist() == [2, 0]
    assert source.class_names == {0: "cat", 1: "dog", 2: "eel"}
    assert source.text_labels


def test_text_labels_are_among_the_class_names_that_the_archive_has(tmp_path):
    names = np.array(["dog", "cat"])
    source = read_npz(save(tmp_path, images=BRIGHT, labels=["cat", "dog"], class_names=names))
    assert source.labels.tolist() == [1, 0]
    with pytest.raises(RequestError, match="labels: should be among class_names. Got 'eel' instead"):
        read_npz(save(tmp_path, images=BRIGHT, labels=["cat", "eel"], class_names=names))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[1, 1], [0, 1]], "should be one-hot, a single 1 among zeros"),
        ([[0.5, 0.5], [0, 1]], "should be one-hot"),
        ([0.5, 1], "labels: should be 2 integers, one per image. Got float64"),
        (["", "cat"], "labels should be texts, or integers .* Got nothing in place 0"),
    ],
)
def test_other_labels_are_one_line(tmp_path, labels, message):
    with pytest.raises(RequestError, match=message):
        read_npz(save(tmp_path, images=BRIGHT, labels=labels))


def test_the_formula_for_a_fourth_channel_puts_it_over_white(tmp_path):
    images = np.full((2, 2, 2, 4), (40, 60, 80, 51), np.uint8)
    with pytest.raises(RequestError) as caught:
        read_npz(save(tmp_path, images=images, labels=[0, 1]))
    formula = str(caught.value).partition("is seen, and ")[2].partition(" puts")[0]
    assert eval(formula, {"numpy": np, "images": images})[0, 0, 0].tolist() == [
        212,
        216,
        220,
    ]  # a fifth of each is seen


def test_truth_values_are_labels(tmp_path):
    assert read_npz(save(tmp_path, images=BRIGHT, labels=np.array([True, False]))).labels.tolist() == [1, 0]


@pytest.mark.parametrize("key", ["class_names", "label_names", "target_names"])
def test_names_of_classes_under_the_names_that_people_use(tmp_path, key):
    source = read_npz(save(tmp_path, images=BRIGHT, labels=[0, 1], **{key: np.array(["ape", "bee"])}))
    assert source.class_names == {0: "ape", 1: "bee"}


def test_an_array_that_says_the_parts_divides_the_images(tmp_path):
    source = read_npz(save(tmp_path, images=BRIGHT, labels=[0, 1], split=np.array(["test", "train"])))
    assert (source.labels.tolist(), source.test.labels.tolist()) == ([1], [0])
    assert source.notes == (f"{tmp_path}/a.npz: split says the parts",)
    source = read_npz(save(tmp_path, images=BRIGHT, labels=[0, 1], split=np.array([0, 1])))
    assert source.labels.tolist() == [0, 1]
    assert source.notes == (
        f"{tmp_path}/a.npz: split should say train, validation or test, and has '0': it is not read",
    )


def test_class_names_begin_with_that_of_1_where_labels_do(tmp_path):
    names = np.array(["ape", "bee"])
    source = read_npz(save(tmp_path, images=BRIGHT, labels=[1, 2], class_names=names))
    assert source.class_names == {1: "ape", 2: "bee"}
    assert "labels begin with 1, and class_names with that of 1" in source.notes[0]
    assert read_npz(save(tmp_path, images=BRIGHT, labels=[1, 1], class_names=names)).class_names == {0: "ape", 1: "bee"}


def test_arrays_that_are_not_read_are_noted(tmp_path):
    images, labels = np.arange(64, dtype=np.uint8).reshape(4, 4, 4) * 3, np.array([0, 1, 0, 1])
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels, x_eval=images, y_eval=labels, extra=images)
    source = read_npz(tmp_path / "a.npz")
    assert len(source.test.labels) == 4
    assert source.notes == (f"{tmp_path / 'a.npz'}: extra is left out",)
