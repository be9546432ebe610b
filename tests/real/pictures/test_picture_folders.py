import numpy as np
import pytest
from PIL import Image

from real.pictures.picture_files import Reading
from real.pictures.picture_folders import read_image_folder


def save_picture(path, size=(5, 4), mode="L", value=9):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 0)).save(path)


def test_image_folder_numbers_the_classes_in_sorted_order(tmp_path):
    save_picture(tmp_path / "zebra" / "1.png", value=200)
    save_picture(tmp_path / "ape" / "deep" / "1.bmp", value=100)
    source = read_image_folder(tmp_path)
    assert source.images.shape == (2, 4, 5, 1)
    assert source.images[:, 0, 0, 0].tolist() == [100, 200]
    assert source.class_names == {0: "ape", 1: "zebra"}


def test_image_folder_with_train_and_test(tmp_path):
    for split in ("Train", "test"):
        save_picture(tmp_path / split / "ape" / "1.png", mode="RGB")
    source = read_image_folder(tmp_path)
    assert source.images.shape == source.test.images.shape == (1, 4, 5, 3)


def test_a_validation_part_is_one_with_the_channels_of_all_parts(tmp_path):
    save_picture(tmp_path / "train" / "ape" / "1.png", value=1)
    save_picture(tmp_path / "val" / "ape" / "1.png", value=2)
    save_picture(tmp_path / "test" / "ape" / "1.png", value=3, mode="RGB")
    source = read_image_folder(tmp_path)
    assert [part.images[0, 0, 0].tolist() for part in (source, source.validation, source.test)] == [
        [1, 1, 1],
        [2, 2, 2],
        [3, 0, 0],
    ]


def test_labels_of_a_csv_of_integers_are_these(tmp_path):
    save_picture(tmp_path / "images" / "a.png", value=10)
    save_picture(tmp_path / "images" / "b.png", value=20)
    (tmp_path / "train.csv").write_text("id,label\nb,7\na,10\n")
    source = read_image_folder(tmp_path)
    assert dict(zip(source.labels.tolist(), source.images[:, 0, 0, 0].tolist(), strict=True)) == {7: 20, 10: 10}
    assert source.class_names == {7: "7", 10: "10"}


def test_pictures_that_cannot_be_read_are_named_together_or_left_out(tmp_path):
    for part, name in (("train", "ape"), ("train", "bee"), ("test", "ape")):
        save_picture(tmp_path / part / name / "good.png", value=len(part))
        (tmp_path / part / name / "bad.png").write_bytes(b"")
    names = "train/ape/bad.png, train/bee/bad.png, test/ape/bad.png"
    with pytest.raises(ValueError, match=rf"3 pictures should be readable images: {names} \(--skip-unreadable leaves"):
        read_image_folder(tmp_path)
    source = read_image_folder(tmp_path, Reading(skip_unreadable=True))
    assert (source.labels.tolist(), source.test.labels.tolist()) == ([0, 1], [0])
    assert (source.images.max(), source.test.images.max()) == (5, 4)
    assert source.notes[-1] == f"unreadable pictures left out, 3: {names}"


def test_image_folder_leaves_out_runs_and_empty_folders(tmp_path):
    save_picture(tmp_path / "zebra" / "1.png")
    save_picture(tmp_path / "out" / "samples.png")
    (tmp_path / "out" / "config.json").write_text("{}")
    (tmp_path / "ape").mkdir()
    assert read_image_folder(tmp_path).class_names == {0: "zebra"}


def test_16_bit_grey_is_scaled_not_cut_off(tmp_path):
    (tmp_path / "ape").mkdir()
    Image.fromarray(np.array([[0, 257 * 100], [65535, 300]], np.uint16)).save(tmp_path / "ape" / "1.png")
    assert read_image_folder(tmp_path).images[0, :, :, 0].tolist() == [[0, 100], [255, 1]]


def test_one_colour_picture_makes_the_set_colour(tmp_path):
    save_picture(tmp_path / "ape" / "1.png")
    save_picture(tmp_path / "ape" / "2.png", mode="RGB")
    assert read_image_folder(tmp_path).images[:, 0, 0].tolist() == [[9, 9, 9], [9, 0, 0]]


def test_image_folder_of_several_sizes_needs_a_size(tmp_path):
    save_picture(tmp_path / "ape" / "1.png")
    save_picture(tmp_path / "ape" / "2.png", size=(6, 6))
    with pytest.raises(ValueError, match=r"2\.png: .* Got 6 x 6 instead \(--image-size resizes them\)"):
        read_image_folder(tmp_path)
    assert read_image_folder(tmp_path, Reading((8, 8))).images.shape == (2, 8, 8, 1)


def test_corrupt_image_and_empty_folder_are_named(tmp_path):
    (tmp_path / "ape").mkdir()
    with pytest.raises(ValueError, match="should hold one sub-folder per class with images"):
        read_image_folder(tmp_path)
    (tmp_path / "ape" / "broken.png").write_bytes(b"\x89PNG but no more")
    with pytest.raises(ValueError, match=r"broken\.png: should be a readable image"):
        read_image_folder(tmp_path)


def test_a_class_whose_pictures_can_not_be_read_is_said(tmp_path):
    for name, count in (("ape", 2), ("bee", 2)):
        (tmp_path / name).mkdir()
        for number in range(count):
            Image.new("L", (4, 4), 9 * number).save(tmp_path / name / f"{number}.png")
    for path in (tmp_path / "bee").iterdir():
        path.write_bytes(b"damaged")
    found = read_image_folder(tmp_path, Reading(skip_unreadable=True))
    assert found.labels.tolist() == [0, 0]
    assert found.notes[-1] == "train: no picture of class 'bee' can be read"
