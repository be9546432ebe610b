import numpy as np
import pytest
from PIL import Image

from common.errors import RequestError
from real.array_folders import is_array_folder
from real.data_files import PathReading
from real.readers import read_path

IMAGES = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
LABELS = np.array([3, 8, 8, 3])


def read(folder, **reading):
    return read_path(folder, "--data", PathReading(**reading))


@pytest.mark.parametrize(
    "names", [("X.npy", "Y.npy"), ("x_train.npy", "y_train.npy"), ("sign-images.npy", "sign-labels.npy")]
)
def test_a_file_for_each_array(tmp_path, names):
    for name, array in zip(names, (IMAGES, LABELS), strict=True):
        np.save(tmp_path / name, array)
    found = read(tmp_path)
    assert np.array_equal(found.images[..., 0], IMAGES)
    assert found.labels.tolist() == LABELS.tolist()
    with pytest.raises(RequestError, match="--label-column is for tables"):
        read(tmp_path, label_column="y")


def test_files_of_parts_with_a_name_before(tmp_path):
    for part, count in (("train", 4), ("test", 2)):
        np.savez(tmp_path / f"kmnist-{part}-imgs.npz", IMAGES[:count])
        np.savez(tmp_path / f"kmnist-{part}-labels.npz", LABELS[:count])
    (tmp_path / "kmnist_classmap.csv").write_text("index,char\n0,a\n")
    found = read(tmp_path)
    assert (len(found.labels), found.test.labels.tolist()) == (4, [3, 8])


def test_one_hot_rows_and_floats_are_read_as_of_one_file(tmp_path):
    np.save(tmp_path / "X.npy", IMAGES / 255.0)
    np.save(tmp_path / "Y.npy", np.eye(2)[[0, 1, 1, 0]])
    found = read(tmp_path)
    assert np.array_equal(found.images[..., 0], IMAGES)
    assert found.labels.tolist() == [0, 1, 1, 0]


def test_what_is_damaged_is_one_line(tmp_path):
    np.save(tmp_path / "X.npy", IMAGES)
    (tmp_path / "Y.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(RequestError, match="Y.npy: should be a readable .npy file"):
        read(tmp_path)


def test_features_beside_pictures_are_no_images(tmp_path):
    np.save(tmp_path / "embedding.npy", IMAGES)
    assert not is_array_folder(tmp_path)
    np.save(tmp_path / "labels.npy", LABELS)
    np.save(tmp_path / "features.npy", IMAGES)
    (tmp_path / "weights.npz").write_text("version https://git-lfs.github.com/spec/v1")
    for number, image in enumerate(IMAGES):
        folder = tmp_path / ("ape" if number < 2 else "bee")
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    assert read(tmp_path).class_names == {0: "ape", 1: "bee"}
