import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common.errors import RequestError
from synth.matched_sources import index_matched, keep_classes, merge_classes
from synth.runs import open_run
from synth.sources import count_rows, split_in_memory, stream_images

GREY = np.array([10, 200], np.uint8).reshape(2, 1, 1, 1) + np.zeros((2, 4, 4, 1), np.uint8)
RED = GREY * np.array([1, 0, 0], np.uint8)


def save_flat(folder, images, ending="png"):
    """Save pictures side by side."""
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(np.squeeze(image)).save(folder / f"{number}.{ending}")
    return folder


def save_npz(path, images):
    np.savez(path, images=images, labels=np.arange(len(images)))
    return path


def read(found):
    """The first pixel of each image, in order of the first channel."""
    ((images, _),) = stream_images(found.sources, 0)
    return sorted(images[:, 0, 0].tolist())


def test_images_like_the_real_ones_stay_as_they_are(tmp_path):
    found = index_matched([save_npz(tmp_path / "a.npz", RED)], (4, 4, 3), (0, 1))
    assert (read(found), found.notes, found.classless) == ([[10, 0, 0], [200, 0, 0]], (), ())


def test_a_grey_run_beside_colour_data_becomes_rgb(tmp_path):
    found = index_matched([save_npz(tmp_path / "a.npz", GREY)], (4, 4, 3), (0, 1))
    assert read(found) == [[10] * 3, [200] * 3]
    assert count_rows(found.sources) == {0: 1, 1: 1}
    assert found.notes == ("the images are grey, and are read as RGB with three equal channels",)


def test_a_colour_run_beside_grey_data_becomes_grey(tmp_path):
    found = index_matched([save_npz(tmp_path / "a.npz", RED)], (4, 4, 1), (0, 1))
    assert read(found) == [[3], [60]]  # 0.299 of the red
    assert [note[:54] for note in found.notes] == ["the images are in colour (their channels differ by 105"]


def test_a_csv_of_another_size_is_resized(tmp_path):
    table = pd.DataFrame(GREY.reshape(2, -1), columns=[f"pixel{k}" for k in range(16)])
    table.insert(0, "label", [0, 1])
    table.to_csv(tmp_path / "a.csv", index=False)
    found = index_matched([tmp_path / "a.csv"], (8, 8, 3), (0, 1))
    assert read(found) == [[10] * 3, [200] * 3]
    assert found.notes[1].startswith("images of 4 x 4 are resized to the 8 x 8 of the real ones: resizing")


@pytest.mark.parametrize(("shape", "pixels"), [((4, 4, 1), [[10], [200]]), ((2, 2, 3), [[10] * 3, [200] * 3])])
def test_a_flat_folder_has_no_classes(tmp_path, shape, pixels):
    folder = save_flat(tmp_path / "flat", GREY)
    assert open_run(folder, lambda line: None, classless=True).paths == [folder]
    found = index_matched([folder], shape, (0, 1), class_names=("ape", "bee"))
    assert (count_rows(found.sources), found.classless) == ({0: 2}, (folder,))
    assert read(found) == pixels


def test_names_that_begin_alike_are_no_classes_unless_the_data_know_them(tmp_path):
    folder = tmp_path / "named"
    folder.mkdir()
    for name in ("ape_1", "ape_2", "bee_1", "bee_2"):
        Image.fromarray(GREY[0, ..., 0]).save(folder / f"{name}.png")
    assert count_rows(index_matched([folder], (4, 4, 1), (0, 1), class_names=("ape", "bee")).sources) == {0: 2, 1: 2}
    found = index_matched([folder], (4, 4, 1), (0, 1), class_names=("cow", "dog"))
    assert (count_rows(found.sources), found.classless) == ({0: 4}, (folder,))


def test_class_folders_keep_their_classes_and_jpegs_are_noted(tmp_path):
    for name, image in zip(("ape", "bee"), GREY, strict=True):
        save_flat(tmp_path / name, [np.tile(image, (2, 2, 1))], "jpg")
    found = index_matched([tmp_path], (4, 4, 3), (0, 1), class_names=("ape", "bee"))
    assert (count_rows(found.sources), found.classless) == ({0: 1, 1: 1}, ())
    assert read(found) == [[10] * 3, [200] * 3]
    assert [note.split(":")[0] for note in found.notes] == [
        "some are JPEGs",
        "the images are grey, and are read as RGB with three equal channels",
        "images of 8 x 8 are resized to the 4 x 4 of the real ones",
    ]


def test_folders_of_other_classes_are_still_refused(tmp_path):
    save_flat(tmp_path / "cow", GREY)
    with pytest.raises(RequestError, match="classes should be called as the real data's .* Got cow"):
        index_matched([tmp_path], (4, 4, 1), (0, 1), class_names=("ape", "bee"))


def test_some_classes_or_all_as_one():
    sources = split_in_memory(GREY, np.array([0, 1])) + split_in_memory(GREY[:1], np.array([0]))
    kept = keep_classes(sources, [1])
    assert [source.rows for source in kept] == [{1: 1}]
    ((images, labels),) = stream_images(kept, 0)
    assert (images[:, 0, 0].tolist(), labels.tolist()) == ([[200]], [1])
    merged = merge_classes(sources)
    assert count_rows(merged) == {0: 3}
    ((_, labels),) = stream_images(merged, 0)
    assert labels.tolist() == [0, 0, 0]
