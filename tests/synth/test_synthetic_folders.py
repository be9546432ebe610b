import numpy as np
import pytest
from PIL import Image

from common.errors import RequestError
from synth.runs import find_shards, open_run
from synth.sources import count_rows, index_shards, stream_images
from synth.synthetic_folders import index_names

SHAPE = (4, 4, 1)


def save_folders(folder, counts, mode="L"):
    """Make {sub-folder: pictures}; those of sub-folder number k are of the grey level 20 * (k + 1)."""
    for k, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir()
        for number in range(count):
            colour = 20 * (k + 1)
            Image.new(mode, (4, 4), colour if mode == "L" else (colour,) * 3).save(folder / name / f"{number}.png")
    return folder


def index(folder, values, names, skip=()):
    """The sources of a folder, as of the real data's label values and class names."""
    return index_shards(find_shards(folder)[0], SHAPE, values, skip=skip, class_names=names)


def test_folders_of_numbers_are_these_classes_in_any_order(tmp_path):
    folder = save_folders(tmp_path, {"0": 1, "1": 2, "10": 3, "2": 4})  # as their text is sorted
    sources = index(folder, (0, 1, 2, 10), ("0", "1", "2", "10"))
    assert count_rows(sources) == {0: 1, 1: 2, 2: 4, 3: 3}
    (images, labels), *_ = stream_images(sources, seed=0)
    assert {int(k): set(images[labels == k].ravel().tolist()) for k in range(4)} == {0: {20}, 1: {40}, 2: {80}, 3: {60}}


def test_some_of_the_classes_are_enough(tmp_path):
    folder = save_folders(tmp_path, {"3": 2, "7": 1})
    assert count_rows(index(folder, tuple(range(10)), tuple("0123456789"))) == {3: 2, 7: 1}


def test_folders_are_looked_up_among_names_then_label_values(tmp_path):
    folder = save_folders(tmp_path, {"Sneaker": 1, "T-shirt-top": 2, "9": 3, "BAG": 4})
    names = ("T-shirt/top", "Sneaker", "Bag", "Ankle boot")
    assert count_rows(index(folder, (0, 7, 8, 9), names)) == {0: 2, 1: 1, 2: 4, 3: 3}


def test_names_count_before_label_values_and_case_only_where_it_leaves_no_doubt():
    known = index_names(("1", "box", "Box"), (0, 1, 2))
    assert [known.find_value(name) for name in ("1", "2", "box", "Box", "BOX", "3")] == [0, 2, 1, 2, None, None]


def test_folders_that_are_one_class_by_name_and_by_value_are_refused(tmp_path):
    folder = save_folders(tmp_path, {"0": 1, "1": 1, "2": 1})
    with pytest.raises(RequestError, match="Got 0 and 1, which are the same class, once by its name and once by its"):
        index(folder, (0, 1, 2), ("1", "2", "3"))


@pytest.mark.parametrize("as_text", [True, False])
def test_files_with_names_of_classes_are_looked_up_by_them(tmp_path, as_text):
    names = np.array(["cow", "bee"])
    images = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1) * np.ones((1, 4, 4, 1), np.uint8)
    labels = np.array([0, 1, 1, 1, 0])
    extra = {} if as_text else {"class_names": names}
    np.savez(tmp_path / "a.npz", images=images, labels=names[labels] if as_text else labels, **extra)
    with pytest.raises(RequestError, match="Got cow instead"):
        index(tmp_path / "a.npz", (0, 1), ("ape", "bee"))
    assert count_rows(index(tmp_path / "a.npz", (0, 1, 2), ("ape", "bee", "cow"))) == {1: 3, 2: 2}


def test_unknown_folders_are_one_line_unless_they_are_left_out(tmp_path):
    folder = save_folders(tmp_path, {"ape": 1, "cow": 2})
    message = r"classes should be called as the real data's \(ape, bee, 0, 1, .*\).* Got cow instead"
    with pytest.raises(RequestError, match=message):
        index(folder, (0, 1), ("ape", "bee"))
    run = open_run(folder, lambda line: None)
    assert count_rows(index(folder, (0, 1), ("ape", "bee"), skip=tuple(run.classes))) == {0: 1}


def test_grey_pictures_beside_coloured_data_and_other_sizes(tmp_path):
    folder = save_folders(tmp_path, {"0": 2})
    sources = index_shards([folder], (6, 6, 3), (0,), class_names=("0",))
    images = np.concatenate([images for images, _ in stream_images(sources, seed=0)])
    assert images.shape == (2, 6, 6, 3)
    assert (images == 20).all()


def test_what_is_not_read_is_reported(tmp_path):
    folder = save_folders(tmp_path, {"0": 2})
    (folder / "0" / "3.heic").touch()
    lines = []
    open_run(folder, lines.append)
    assert f"note: {folder}: files of other kinds are not read: 1 .heic" in lines


def test_a_file_that_is_no_shard_does_not_hide_the_pictures(tmp_path):
    folder = save_folders(tmp_path, {"0": 1, "1": 2})
    (folder / "scores.csv").write_text("file,score\n0/0.png,1\n")
    np.savez(folder / "features.npz", mean=np.zeros(3))
    assert count_rows(index(folder, (0, 1), ("0", "1"))) == {0: 1, 1: 2}
    np.savez(folder / "more.npz", images=np.zeros((1, 4, 4), np.uint8), labels=[0])
    with pytest.raises(RequestError, match="pictures, or files of images as more.npz, and holds both: name one"):
        index(folder, (0, 1), ("0", "1"))


def test_flat_pictures_may_have_a_csv_of_labels(tmp_path):
    save_folders(tmp_path, {"all": 3})
    (tmp_path / "labels.csv").write_text("file,label\n0.png,1\n1.png,0\n2.png,1\n")
    for folder in (tmp_path, tmp_path / "all"):
        assert count_rows(index(folder, (0, 1), ("0", "1"))) == {0: 1, 1: 2}
