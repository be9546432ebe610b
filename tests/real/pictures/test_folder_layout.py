import pytest

from common.errors import RequestError
from real.pictures.folder_layout import find_layout


@pytest.fixture
def make(tmp_path):
    """Make files of these names in a folder, whose layout depends on names alone; return the folder."""

    def make_files(*names, **tables):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text)
        return tmp_path

    return make_files


def show(layout):
    """{part: {class: names of its pictures}}"""
    return {
        part: {name: [path.name for path in paths] for name, paths in classes.items()}
        for part, classes in layout.parts.items()
    }


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Training", "Testing"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("archive/archive/trainset", "archive/archive/test-set"),
        ("train_images", "test_images"),
        ("asl_alphabet_train/asl_alphabet_train", "asl_alphabet_test/asl_alphabet_test"),
    ],
)
def test_parts_in_all_their_spellings(make, train, test):
    folder = make(f"{train}/ape/1.png", f"{train}/bee/2.png", f"{test}/bee/3.png", f"{test}/ape/4.png")
    layout = find_layout(folder)
    assert show(layout) == {"train": {"ape": ["1.png"], "bee": ["2.png"]}, "test": {"ape": ["4.png"], "bee": ["3.png"]}}
    assert layout.notes == []


@pytest.mark.parametrize("wrapper", ["train", "data/train/train", "set/set", "ape/ape/train"])
def test_wrappers_and_a_lone_part_are_stepped_into(make, wrapper):
    assert show(find_layout(make(f"{wrapper}/ape/1.png", f"{wrapper}/bee/2.png"))) == {
        "train": {"ape": ["1.png"], "bee": ["2.png"]}
    }


def test_a_validation_part_and_what_lies_beside_the_parts(make):
    folder = make(
        "train/a/1.png", "train/b/1.png", "val/a/2.png", "val/b/2.png", "Meta/3.png", "Docs/text.txt", "4.png"
    )
    layout = find_layout(folder)
    assert [*layout.parts] == ["train", "validation"]
    assert layout.notes == ["the parts of the set are train, val. Not read: Meta (1 picture), 1 picture"]


def test_train_is_a_class_among_vehicles(make):
    assert find_layout(make("bus/1.png", "car/1.png", "train/1.png")).class_names == ["bus", "car", "train"]
    assert find_layout(make("train/steam/1.png", "train/diesel/1.png")).class_names == ["bus", "car", "train"]


def test_classes_of_the_other_parts_are_found_by_name_whatever_their_case(make):
    folder = make("train/box/1.png", "train/disc/1.png", "test/BOX/2.png", "test/other/3.png", "test/other/4.png")
    layout = find_layout(folder)
    assert show(layout)["test"] == {"box": ["2.png"]}
    assert layout.notes == [
        "test: 2 pictures of classes that are not in train left out: other",
        "test: has no pictures of disc",
    ]


def test_a_flat_test_part_is_left_out(make):
    layout = find_layout(make("train/a/1.png", "train/b/1.png", "test1/5.png", "test1/6.png"))
    assert [*layout.parts] == ["train"]
    assert layout.notes == ["test1: 2 pictures without labels left out (predict.py --test-csv predicts them)"]


def test_variants_of_one_set_are_one_line(make):
    folder = make(*(f"{kind}/{name}/1.png" for kind in ("color", "grayscale") for name in ("ill", "well")))
    message = rf"color, grayscale all hold the same folders, ill, well: name one of them, as --data {folder}/color\."
    with pytest.raises(RequestError, match=message):
        find_layout(folder)


def test_pieces_of_a_set_are_no_classes(make):
    folder = make(*(f"images_part{n}/{name} {n}/{n}.png" for n in (1, 2) for name in ("ill", "well")))
    with pytest.raises(RequestError, match=f"Got images_part1, images_part2, .* --data {folder}/images_part1"):
        find_layout(folder)


@pytest.mark.parametrize("wrapper", ["/frames", "/2020/raw", ""])
def test_patients_with_the_same_classes_are_none(make, wrapper):
    folder = make(*(f"patient {n}{wrapper}/{name}/{n}.png" for n in (1, 2) for name in ("ill", "well")))
    with pytest.raises(RequestError, match="patient 1, patient 2 all hold the same folders, ill, well"):
        find_layout(folder)


def test_a_class_of_folders_is_said_and_a_folder_in_each_class_is_none(make):
    layout = find_layout(make("ape/a/1.png", "ape/b/2.png", "bee/images/3.png"))
    assert show(layout) == {"train": {"ape": ["1.png", "2.png"], "bee": ["3.png"]}}
    assert layout.notes == ["all that lies in the sub-folders of ape is read as that class"]


def test_what_machines_leave_is_not_there_at_any_depth(make):
    layout = find_layout(
        make(
            "ape/1.png", "bee/2.png", "bee/deep/.ipynb_checkpoints/2-checkpoint.png", "ape/._1.png", "ape/Thumbs.db",
            "__MACOSX/ape/._1.png", "bee/@eaDir/2.png", ".DS_Store", ".hidden/3.png",
        )
    )  # fmt: skip
    assert show(layout) == {"train": {"ape": ["1.png"], "bee": ["2.png"]}}
    assert layout.notes == []


def test_what_is_not_read_is_counted(make):
    folder = make("ape/1.JPG", "ape/1.txt", "ape/2.heic", "bee/1.ppm", "bee/3.heic", "out/config.json", "out/a.png")
    (folder / "out/config.json").write_text('{"made_by": {"program": "gan-augmentation", "script": "predict.py"}}')
    (folder / "cow").mkdir()
    layout = find_layout(folder)
    assert show(layout) == {"train": {"ape": ["1.JPG"], "bee": ["1.ppm"]}}
    assert layout.notes == [
        "files of other kinds are not read: 2 .heic, 1 .txt",
        "folders without pictures are left out: cow",
        "1 folder with a config.json left out: the results of a run",
    ]


def test_a_config_of_something_else_makes_no_run_of_a_class(make):
    folder = make("ape/1.png", "bee/2.png")
    (folder / "bee/config.json").write_text("{}")
    assert find_layout(folder).class_names == ["ape", "bee"]


def test_a_csv_that_says_other_classes_than_the_folders_is_said(make):
    layout = find_layout(make("a/1.png", "b/2.png", labels="path,target\na/1.png,yes\nb/2.png,no\n"))
    assert layout.class_names == ["a", "b"]
    assert layout.notes == ["the classes are not read from labels.csv, but from the names of folders or files"]


def test_a_column_of_a_csv_says_the_parts(make):
    rows = "".join(f"{n}.png,{'ab'[n % 2]},{('Train', 'val', 'test')[n // 4]}\n" for n in range(9))
    layout = find_layout(make(*(f"images/{n}.png" for n in range(9)), list=f"file,label,Split\n{rows}"))
    assert show(layout) == {
        "train": {"a": ["0.png", "2.png"], "b": ["1.png", "3.png"]},
        "validation": {"a": ["4.png", "6.png"], "b": ["5.png", "7.png"]},
        "test": {"a": ["8.png"]},
    }
    assert layout.notes[1:] == ["the parts are those that list.csv says", "test: has no pictures of b"]


def test_a_table_of_pixels_names_no_pictures(make):
    table = "".join(f"{row},{row % 2},7,7,7\n" for row in range(4))
    folder = make("0.png", "1.png", "2.png", "3.png", digits=f",species,pixel0,pixel1,pixel2\n{table}")
    with pytest.raises(RequestError, match="nothing that says their classes"):
        find_layout(folder)


def test_one_class_alone_is_said(make):
    assert find_layout(make("ape/1.png")).notes == ["there is one class alone, 'ape'"]


def test_links_are_followed_but_not_in_circles(make):
    folder = make("data/bee/1.png", "elsewhere/2.png")
    (folder / "data" / "ape").symlink_to(folder / "elsewhere")
    (folder / "data" / "bee" / "again").symlink_to(folder / "data")
    assert show(find_layout(folder / "data"))["train"]["ape"] == ["2.png"]
    assert show(find_layout(folder / "data"))["train"]["bee"] == ["1.png"]


@pytest.mark.parametrize("where", ["train.csv", "images/labels.csv"])
def test_a_csv_beside_the_pictures_or_among_them_says_the_classes(make, where):
    folder = make("images/1.png", "images/2.png", "images/3.png", where)
    (folder / where).write_text("id,label\n1.png,ape\n2.png,bee\n3.png,ape\n")
    assert show(find_layout(folder)) == {"train": {"ape": ["1.png", "3.png"], "bee": ["2.png"]}}
    assert find_layout(folder / "images").class_names == ["ape", "bee"]


def test_pictures_in_pieces_and_a_csv(make):
    folder = make(
        "ham_images_part_1/1.jpg", "ham_images_part_2/2.jpg", meta="lesion,image_id,dx,age\nx,1,nv,9\nx,2,bkl,8\n"
    )
    assert show(find_layout(folder)) == {"train": {"bkl": ["2.jpg"], "nv": ["1.jpg"]}}


def test_pieces_without_a_csv_are_no_classes(make):
    with pytest.raises(RequestError, match="Got 2 pictures in .* and nothing that says their classes"):
        find_layout(make("ham_images_part_1/1.jpg", "ham_images_part_2/2.jpg"))


def test_flat_parts_with_a_csv_each_and_a_sample_submission(make):
    tables = {"train": "id,breed\n1,pug\n2,boxer\n", "sample_submission": "id,breed\n3,pug\n4,pug\n"}
    layout = find_layout(make("train/1.jpg", "train/2.jpg", "test/3.jpg", "test/4.jpg", **tables))
    assert show(layout) == {"train": {"boxer": ["2.jpg"], "pug": ["1.jpg"]}}
    assert layout.notes[-1] == "test: 2 pictures without labels left out (predict.py --test-csv predicts them)"


def test_a_csv_with_folders_in_its_names_labels_a_flat_test_part(make):
    tables = {"Test": "Width,ClassId,Path\n9,1,Test/1.png\n9,0,Test/2.png\n"}
    layout = find_layout(make("Train/0/1.png", "Train/1/1.png", "Test/1.png", "Test/2.png", **tables))
    assert show(layout)["test"] == {"0": ["2.png"], "1": ["1.png"]}


def test_names_that_begin_with_their_class(make):
    layout = find_layout(
        make("train/cat.0.jpg", "train/cat.1.jpg", "train/dog.0.jpg", "train/dog.1.jpg", "test1/1.jpg")
    )
    assert show(layout) == {"train": {"cat": ["cat.0.jpg", "cat.1.jpg"], "dog": ["dog.0.jpg", "dog.1.jpg"]}}
    assert layout.notes[0] == (
        "classes are read from the beginnings of the file names (cat.0.jpg): no folder or CSV says"
    )


@pytest.mark.parametrize("names", [["1.png", "2.png"], ["IMG_1.png", "IMG_2.png", "DSC_1.png", "DSC_2.png"]])
def test_pictures_without_classes_are_one_line(make, names):
    with pytest.raises(RequestError, match=r"should hold one sub-folder per class .*nothing that says their classes"):
        find_layout(make(*names))


def test_a_part_among_the_classes(make):
    layout = find_layout(make("cat/1.png", "dog/2.png", "test/cat/3.png", "test/Dog/4.png"))
    assert show(layout) == {"train": {"cat": ["1.png"], "dog": ["2.png"]}, "test": {"cat": ["3.png"], "dog": ["4.png"]}}


def test_valid_may_be_a_class(make):
    assert find_layout(make("valid/1.png", "invalid/2.png")).class_names == ["invalid", "valid"]


def test_a_test_part_without_a_train_part_is_said(make):
    layout = find_layout(make("test/cat/1.png", "test/dog/2.png", "train/nothing.txt"))
    assert layout.class_names == ["cat", "dog"]
    assert layout.notes[0] == "test is read as the whole set: there are no pictures of a train part beside it"


def test_numbers_that_name_folders_are_numbered_by_their_text_and_those_of_a_csv_are_the_labels(make):
    tables = {"Test": "ClassId,Path\n10,Test/1.png\n"}
    folder = make("Train/10/1.png", "Train/2/1.png", "Test/1.png", **tables)
    assert find_layout(folder).number_classes() == {"10": 0, "2": 1}
    assert show(find_layout(folder))["test"] == {"10": ["1.png"]}


def test_integers_of_a_csv_are_the_labels(make):
    assert find_layout(make("a/x.png", "a/y.png", t="id,label\nx,10\ny,2\n")).number_classes() == {"2": 2, "10": 10}


def test_numbers_that_parts_have_in_common_are_labelled_by_their_own_csv(make):
    tables = {"trainLabels": "id,label\n1,a\n2,b\n", "sampleSubmission": "id,label\n1,a\n2,a\n"}
    layout = find_layout(make("train/1.png", "train/2.png", "test/1.png", "test/2.png", **tables))
    assert show(layout) == {"train": {"a": ["1.png"], "b": ["2.png"]}}
    folder = make(test="id,label\n1,b\n2,a\n")
    assert show(find_layout(folder))["test"] == {"b": ["1.png"], "a": ["2.png"]}


def test_a_csv_in_each_part(make):
    folder = make("train/images/1.png", "train/images/2.png", "test/images/1.png", "test/images/2.png")
    (folder / "train" / "labels.csv").write_text("id,label\n1,a\n2,b\n")
    (folder / "test" / "labels.csv").write_text("id,label\n1,b\n2,a\n")
    assert show(find_layout(folder)) == {
        "train": {"a": ["1.png"], "b": ["2.png"]},
        "test": {"b": ["1.png"], "a": ["2.png"]},
    }


def test_pictures_in_one_folder_whose_names_begin_with_their_class(make):
    folder = make("images/pug_1.jpg", "images/pug_2.jpg", "images/boxer_1.jpg", "images/boxer_2.jpg")
    assert find_layout(folder).class_names == ["boxer", "pug"]


def test_masks_beside_images_are_not_read(make):
    folder = make(*(f"{name}/{kind}/1.png" for name in ("ill", "well") for kind in ("images", "masks")))
    layout = find_layout(folder)
    assert show(layout) == {"train": {"ill": ["1.png"], "well": ["1.png"]}}
    assert layout.notes[0] == "not read, as they belong to the images beside them: ill/masks, well/masks"


def test_leading_zeros_make_no_other_class(make):
    layout = find_layout(make("train/00000/1.png", "train/00001/1.png", "test/0/2.png", "test/1/3.png"))
    assert show(layout)["test"] == {"00000": ["2.png"], "00001": ["3.png"]}


def test_a_flat_test_folder_among_classes_is_said(make):
    layout = find_layout(make("cat/1.png", "dog/2.png", "test/3.png"))
    assert layout.notes == ["test: read as a class, as it holds no class folders"]


def test_other_kinds_of_files_alone_are_named(make):
    with pytest.raises(RequestError, match=r"Got none, but 2 \.heic\."):
        find_layout(make("cat/1.heic", "dog/2.heic"))


def test_tables_for_each_part_divide_pictures_that_lie_together(make):
    tables = {"train": "id,label\nx1,a\nx2,b\n", "test": "id,label\nx3,b\nx1,a\n", "val": "id,label\nx4,a\n"}
    layout = find_layout(make(*(f"images/x{number}.png" for number in range(1, 6)), **tables))
    assert show(layout) == {
        "train": {"a": ["x1.png"], "b": ["x2.png"]},
        "validation": {"a": ["x4.png"]},
        "test": {"b": ["x3.png"]},
    }
    assert "test: classes are read from the column 'label' of test.csv, pictures are found by 'id'" in layout.notes
    assert "1 picture of test.csv that other parts have stay there" in layout.notes
    assert "1 picture that train.csv and test.csv and val.csv do not name left out" in layout.notes
    folder = make(test="id,fold\nx3,1\n")  # which is to be predicted
    assert "test" not in show(find_layout(folder))


def test_parts_inside_the_classes(make):
    folder = make("cat/train/1.png", "cat/test/2.png", "dog/train/3.png", "dog/val/4.png", "dog/test/5.png")
    layout = find_layout(folder)
    assert show(layout) == {
        "train": {"cat": ["1.png"], "dog": ["3.png"]},
        "validation": {"dog": ["4.png"]},
        "test": {"cat": ["2.png"], "dog": ["5.png"]},
    }
    assert layout.notes == [
        "the parts, test, train, val, are read from inside the class folders",
        "validation: has no pictures of cat",
    ]


def test_people_who_all_have_the_same_folders_are_no_classes_but_a_csv_may_say_them(make):
    names = [f"{person}/{kind}/{person}{kind}.png" for person in ("p1", "p2") for kind in ("ill", "well")]
    folder = make(*names)
    with pytest.raises(RequestError, match="p1, p2 all hold the same folders, ill, well: .* --groups person"):
        find_layout(folder)
    rows = [f"{name},{name.split('/')[1]},{name[:2]}" for name in names]
    folder = make(people="\n".join(["file,label,person", *rows]))
    assert show(find_layout(folder)) == {
        "train": {"ill": ["p1ill.png", "p2ill.png"], "well": ["p1well.png", "p2well.png"]}
    }


def test_masks_in_the_folder_of_their_pictures_are_not_read(make):
    names = ["benign (1).png", "benign (1)_mask.png", "benign (1)_mask_1.png", "gas_mask.png"]
    layout = find_layout(make(*(f"benign/{name}" for name in names), "normal/1.png", "normal/1-seg.png"))
    assert show(layout) == {"train": {"benign": ["benign (1).png", "gas_mask.png"], "normal": ["1.png"]}}
    assert layout.notes[0] == (
        "not read, as they belong to the images beside them: 2 pictures as benign/benign (1)_mask.png, "
        "1 picture as normal/1-seg.png"
    )


def test_links_to_nothing_are_counted(make):
    folder = make("ape/1.png", "bee/1.png")
    for number in (2, 3):
        (folder / "bee" / f"{number}.png").symlink_to("gone.png")
    assert find_layout(folder).notes == ["links to files that are not there, left out, 2: 2.png, 3.png"]


def test_pictures_beside_the_only_folder_are_not_read(make):
    layout = find_layout(make("cover.png", "data/ape/1.png", "data/bee/2.png"))
    assert show(layout) == {"train": {"ape": ["1.png"], "bee": ["2.png"]}}
    assert layout.notes == ["1 picture beside data not read"]


def test_json_lines_say_the_classes(make):
    folder = make("train/1.png", "train/2.png", "train/metadata.jsonl")
    lines = ['{"file_name": "1.png", "label": "ape", "boxes": [1, 2]}', '{"file_name": "2.png", "label": "bee"}', ""]
    (folder / "train" / "metadata.jsonl").write_text("\n".join(lines))
    assert show(find_layout(folder)) == {"train": {"ape": ["1.png"], "bee": ["2.png"]}}
    (folder / "train" / "metadata.jsonl").write_text("no JSON\n")
    with pytest.raises(RequestError, match=r"metadata\.jsonl: should be a readable table"):
        find_layout(folder)


PATIENTS = [f"patient{k}/{picture}.png" for k in range(3) for picture in (1, 2)]


def test_a_csv_of_most_pictures_counts_more_than_folders_that_say_something_else(make):
    rows = [f"{name},{'ape' if '/1' in name else 'bee'}" for name in PATIENTS]
    folder = make(*PATIENTS, labels="\n".join(["path,label", *rows]))
    layout = find_layout(folder)
    assert show(layout) == {"train": {"ape": ["1.png"] * 3, "bee": ["2.png"] * 3}}
    assert layout.notes == [
        "train: classes are read from the column 'label' of labels.csv, pictures are found by 'path'",
        "patient0, patient1, patient2 are no classes then (--label-column folders: they are)",
    ]
    assert find_layout(folder, "folders").class_names == ["patient0", "patient1", "patient2"]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["flower"] * 8, "{}/{}{}.png"),  # the same of all
        ([f"no {k}" for k in range(8)], "{}/{}{}.png"),  # different of all
        (["training", "testing"] * 4, "{}/{}{}.png"),
        (["Ape", *["ape"] * 3, *["bee"] * 4], "{}/{}{}.png"),  # as the folders, but for a letter
        (["bee", *["ape"] * 3, *["bee"] * 4], "{}/{}{}.png"),  # but for one picture
        (["x", "y"] * 3, "{}/{}{}.png"),  # of too few
        (["x", "y"] * 4, "{0}/{2}.png"),  # of names that several folders have
        (["0.5", "1", "2", "1"] * 2, "{}/{}{}.png"),
    ],
)
def test_a_csv_that_is_not_surely_one_of_classes_leaves_the_folders(make, labels, names):
    pictures = [names.format(name, name, k) for name in ("ape", "bee") for k in range(4)]
    rows = [f"{picture.split('/')[1]},{label}" for picture, label in zip(pictures, labels, strict=False)]
    layout = find_layout(make(*pictures, meta="\n".join(["file,label", *rows])))
    assert layout.class_names == ["ape", "bee"]
    assert sum(map(len, layout.parts["train"].values())) == 8


@pytest.mark.parametrize("place", ["..", "ape"])
def test_a_csv_above_the_set_or_in_a_class_leaves_the_folders(make, place):
    pictures = [f"{name}/{name}{k}.png" for name in ("ape", "bee") for k in range(4)]
    folder = make(*(f"set/{picture}" for picture in pictures))
    rows = [f"{picture.split('/')[1]},{k % 2}" for k, picture in enumerate(pictures)]
    (folder / "set" / place / "labels.csv").write_text("\n".join(["file,label", *rows]))
    assert find_layout(folder / "set").class_names == ["ape", "bee"]


def test_what_a_csv_says_of_train_holds_for_the_other_parts(make):
    names = [f"{part}/{name}/{part}-{name}" for part in ("train", "test") for name in ("ape", "bee")]
    pictures = [f"{name}{k}.png" for name in names for k in range(4)]
    rows = [f"{picture.split('/')[2]},{'A' if 'ape' in picture else 'B'}" for picture in pictures]
    rows[8] = rows[8].replace(",A", ",B")  # in the test part
    layout = find_layout(make(*pictures, meta="\n".join(["file,label", *rows])))
    assert [*layout.parts["train"]] == [*layout.parts["test"]] == ["ape", "bee"]


def test_a_class_of_folders_called_photos_is_no_wrapper(make):
    layout = find_layout(make("drawings/1.png", "paintings/2.png", "photos/2019/3.png", "photos/2020/4.png"))
    assert layout.class_names == ["drawings", "paintings", "photos"]


@pytest.mark.parametrize(
    "column",
    ["species", "height", "label"],
    ids=["of something else, perhaps", "of something else", "as the folders, and of few pictures"],
)
def test_folders_are_classes_beside_a_csv_that_is_not_sure_to_say_others(make, column):
    names = ["ape/1.png", "ape/2.png", "bee/3.png", "bee/4.png", "bee/5.png"]
    rows = [f"{name},{k % 2}" for k, name in enumerate(names[: 2 if column == "label" else 5])]
    folder = make(*names, meta="\n".join([f"file,{column}", *rows]))
    layout = find_layout(folder)
    assert show(layout) == {"train": {"ape": ["1.png", "2.png"], "bee": ["3.png", "4.png", "5.png"]}}
    assert layout.notes == ["the classes are not read from meta.csv, but from the names of folders or files"]
    if column != "label":
        assert find_layout(folder, column).class_names == ["0", "1"]


def test_a_column_of_labels_that_no_csv_has_is_one_line(make):
    folder = make("images/1.png", "images/2.png", labels="file,kind,tone\n1.png,ape,a\n2.png,bee,b")
    assert find_layout(folder, "kind").class_names == ["ape", "bee"]
    assert find_layout(folder, "3").class_names == ["a", "b"]
    with pytest.raises(RequestError, match="called colour. Got file, kind, tone instead: --label-column names one"):
        find_layout(folder, "colour")
    (folder / "labels.csv").unlink()
    with pytest.raises(RequestError, match="Got 'kind', which no such CSV has .there is none."):
        find_layout(folder, "kind")


@pytest.mark.parametrize(("wrapper", "beside"), [("data", "plots"), ("birds", "plots"), ("images", "parts")])
def test_a_flat_folder_beside_a_wrapped_set_is_no_class(make, wrapper, beside):
    inner = ("train/ape/1.png", "train/bee/2.png", "test/ape/3.png", "test/bee/4.png")
    inner = tuple(f"{name}/{k}.png" for name in ("ape", "bee") for k in (1, 2)) if wrapper == "images" else inner
    layout = find_layout(make(*(f"{wrapper}/{name}" for name in inner), f"{beside}/5.png"))
    assert layout.class_names == ["ape", "bee"]
    assert ("test" in layout.parts) is (wrapper != "images")
    assert layout.notes == [f"1 picture beside {wrapper} not read"]


def test_a_class_with_folders_among_flat_ones_wraps_nothing(make):
    layout = find_layout(make("dog/husky/1.png", "dog/poodle/2.png", "cat/3.png", "ape/4.png"))
    assert layout.class_names == ["ape", "cat", "dog"]


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ("labels.json", "labels.json can't be read, a CSV can"),
        ("labels.xlsx", "labels.xlsx can't be read, a CSV can"),
        ("labels.csv", "labels.csv names none of them, as img_1.png"),
    ],
)
def test_labels_that_are_not_read_make_no_class_of_images(make, file, hint):
    folder = make("images/img_1.png", "images/img_2.png")
    (folder / file).write_text("id,label\n1,ape\n2,bee\n")
    with pytest.raises(RequestError, match=f"nothing that says their classes: {hint}"):
        find_layout(folder)


@pytest.mark.parametrize("form", ["{}.png {}", "images/{}.png\t{}", "{},{}"])
def test_a_list_of_names_and_labels_says_the_classes(make, form):
    folder = make(*(f"images/{k}.png" for k in range(4)), "README.txt")
    rows = [form.format(k, ("ape", "bee")[k % 2]) for k in range(4)]
    (folder / "labels.txt").write_text("\n".join(["id,label"] * ("," in form) + rows))
    assert show(find_layout(folder)) == {"train": {"ape": ["0.png", "2.png"], "bee": ["1.png", "3.png"]}}


@pytest.mark.parametrize("form", ["cat.{0}.png", "5d41402abc4b2a76b9719d911017c59{0}  cat.{0}.png", 'cat.{0}.png,"'])
def test_lists_of_names_alone_or_with_hashes_say_no_classes(make, form):
    folder = make(*(f"{name}.{k}.png" for name in ("cat", "dog") for k in range(4)))
    (folder / "files.txt").write_text("\n".join(form.format(k) for k in range(4)))
    assert find_layout(folder).class_names == ["cat", "dog"]


def test_lists_of_one_picture_each_are_not_read(make):
    boxes = [f"images/{k}.txt" for k in range(11)]
    folder = make("images/1.png", "images/2.png", *boxes)
    assert find_layout(folder).notes[0] == "files of other kinds are not read: 11 .txt"


def test_masks_of_a_class_in_a_folder_of_their_own_are_not_read(make):
    layout = find_layout(make("ape/1.png", "ape/masks/1_mask.png", "bee/2.png", "bee/masks/2.png", "bee/nest/2.png"))
    assert show(layout) == {"train": {"ape": ["1.png"], "bee": ["2.png", "2.png"]}}
    assert layout.notes[0] == "not read, as they belong to the images beside them: ape/masks, bee/masks"
    layout = find_layout(make("cat/4.png", "cat/labels/5.png"))
    assert show(layout)["train"]["cat"] == ["4.png", "5.png"]


def test_the_same_name_with_two_suffixes_is_said(make):
    layout = find_layout(make("ape/1.png", "ape/1.jpg", "bee/1.jpg", "bee/3.png"))
    assert layout.notes == [
        "1 picture called as another but for the suffix, as 1: masks and copies should be taken out"
    ]


def test_loose_pictures_and_flat_classes_beside_parts_inside_the_classes(make):
    layout = find_layout(make("ape/train/1.png", "ape/test/2.png", "ape/cover.png", "bee/3.png"))
    assert show(layout) == {"train": {"ape": ["cover.png", "1.png"], "bee": ["3.png"]}, "test": {"ape": ["2.png"]}}
    assert layout.notes == [
        "the parts, test, train, are read from inside the class folders",
        "2 pictures in the class folders themselves: of the train part",
        "test: has no pictures of bee",
    ]


@pytest.mark.parametrize(
    ("header", "train", "test"),
    [
        ("file,label,set", "train", "test"),
        ("file,label,where", "Training", "testing"),
        ("file,label,is_test", "0", "True"),
    ],
)
def test_a_column_that_says_the_parts_may_have_any_name(make, header, train, test):
    rows = [f"{k}.png,{'ape' if k % 2 else 'bee'},{train if k < 5 else test}" for k in range(1, 7)]
    layout = find_layout(make(*(f"images/{k}.png" for k in range(1, 7)), labels="\n".join([header, *rows])))
    assert show(layout)["test"] == {"ape": ["5.png"], "bee": ["6.png"]}


def test_tables_that_are_alike_are_read_together(make):
    names = [f"images/{k}.png" for k in range(4)]
    folder = make(*names, part1="file,label\n0.png,ape\n1.png,bee", part2="file,label\n2.png,ape\n3.png,bee")
    layout = find_layout(folder)
    assert show(layout) == {"train": {"ape": ["0.png", "2.png"], "bee": ["1.png", "3.png"]}}
    assert layout.notes == [
        "train: classes are read from the column 'label' of part1.csv and part2.csv, pictures are found by 'file'"
    ]
    (folder / "part2.csv").write_text("file,label\n0.png,bee")  # an older one, perhaps
    assert show(find_layout(folder)) == {"train": {"ape": ["0.png"], "bee": ["1.png"]}}
    (folder / "images/more.csv").write_text("file,label\n2.png,cow\n3.png,dog")  # of another folder
    assert find_layout(folder).class_names in (["ape", "bee"], ["cow", "dog"])


def test_paths_of_another_machine_are_found_by_their_longest_common_ending(make):
    names = [f"{part}/{k}.png" for part in ("train", "test") for k in (1, 2)]
    rows = [f"/content/x/{name},{'ape' if ('1' in name) == ('train' in name) else 'bee'}" for name in names]
    layout = find_layout(make(*names, labels="\n".join(["path,label", *rows])))
    assert show(layout) == {
        "train": {"ape": ["1.png"], "bee": ["2.png"]},
        "test": {"ape": ["2.png"], "bee": ["1.png"]},
    }


def test_labels_that_are_no_classes_are_one_line(make):
    folder = make("images/1.png", "images/2.png", labels="id,label\n1,0.5\n2,1.5")
    with pytest.raises(
        RequestError, match="should have a class for each picture.* has '0.5', a number to be predicted"
    ):
        find_layout(folder)


def test_files_of_arrays_are_told_what_can_be_read(make):
    with pytest.raises(RequestError, match=r"but 2 .npy: numpy.savez\(file, images=..., labels=...\) makes a file"):
        find_layout(make("x_train.npy", "y_train.npy"))


def test_idx_files_below_are_named(make):
    folder = make(
        "MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte", "MNIST/processed/training.pt"
    )
    with pytest.raises(RequestError, match="/MNIST/raw can be named with --data"):
        find_layout(folder)


@pytest.mark.parametrize("copy", ["cell_images", "cell_images/cell_images"])
def test_a_folder_that_holds_the_classes_beside_it_again_is_no_class(make, copy):
    layout = find_layout(make("ape/1.png", "bee/2.png", f"{copy}/ape/1.png", f"{copy}/bee/2.png"))
    assert show(layout) == {"train": {"ape": ["1.png"], "bee": ["2.png"]}}
    assert layout.notes == ["not read, as it holds the same folders as lie beside it: cell_images"]


def test_one_folder_of_classes_beside_a_flat_test_part(make):
    layout = find_layout(make("flowers/daisy/1.png", "flowers/rose/2.png", "test/3.png"))
    assert show(layout) == {"train": {"daisy": ["1.png"], "rose": ["2.png"]}}
    assert layout.notes == ["test: 1 picture without labels left out (predict.py --test-csv predicts them)"]


@pytest.mark.parametrize("other", ["B/Inner/train/x/5.png", "B/JPEGImages/5.png"])
def test_parts_inside_of_what_lies_beside_something_else_are_one_line(make, other):
    inside = [
        f"A/Inner/{part}/{name}/{number}.png" for part in ("train", "valid") for name in "xy" for number in (1, 2)
    ]
    with pytest.raises(RequestError, match=r"should hold one set.*parts are inside of A/Inner.*--data .*/A/Inner"):
        find_layout(make(*inside, other, "test/test/4.png"))


def test_numbered_pieces_may_hold_a_folder_of_images(make):
    names = [f"images_00{number}/images/{number}.png" for number in (1, 2, 3)]
    layout = find_layout(make(*names, labels="id,label\n1,ape\n2,bee\n3,ape\n"))
    assert show(layout) == {"train": {"ape": ["1.png", "3.png"], "bee": ["2.png"]}}
    (make() / "labels.csv").unlink()
    with pytest.raises(RequestError, match="nothing that says their classes"):
        find_layout(make())


@pytest.mark.parametrize("form", ["sample_sub.csv", "sample_submit.csv", "gender_submission.csv"])
def test_a_form_of_a_submission_labels_nothing(make, form):
    folder = make("train/1.png", "train/2.png", "test/3.png", "test/4.png", train="id,label\n1,ape\n2,bee\n")
    (folder / form).write_text("id,label\n3,ape\n4,ape\n")
    assert show(find_layout(folder)) == {"train": {"ape": ["1.png"], "bee": ["2.png"]}}


def test_a_column_of_parts_is_no_label(make):
    folder = make("1.png", "2.png", "3.png", split="file,split\n1.png,train\n2.png,train\n3.png,test\n")
    with pytest.raises(RequestError, match="should have their classes in a column"):
        find_layout(folder)


def test_parts_in_a_table_of_their_own(make):
    attributes = "image_id,Male,Young\n1.jpg,1,-1\n2.jpg,-1,1\n3.jpg,1,1\n4.jpg,-1,1\n"
    partition = "image_id,partition\n1.jpg,0\n2.jpg,0\n3.jpg,1\n4.jpg,2\n"
    folder = make(*(f"img/{number}.jpg" for number in (1, 2, 3, 4)), list_attr=attributes, list_eval=partition)
    layout = find_layout(folder, "Male")
    assert show(layout) == {
        "train": {"-1": ["2.jpg"], "1": ["1.jpg"]}, "validation": {"1": ["3.jpg"]}, "test": {"-1": ["4.jpg"]},
    }  # fmt: skip
    assert "the parts are those of list_eval.csv" in layout.notes
    with pytest.raises(RequestError, match="--label-column names one"):
        find_layout(folder)


def test_class_folders_are_divided_by_lists_of_each_part(make):
    folder = make("images/ape/1.png", "images/ape/2.png", "images/bee/1.png", "images/bee/2.png")
    (folder / "meta").mkdir()
    (folder / "meta/train.txt").write_text("ape/1\nbee/2\n")
    (folder / "meta/test.txt").write_text("ape/2\nbee/1\n")
    layout = find_layout(folder)
    assert show(layout) == {
        "train": {"ape": ["1.png"], "bee": ["2.png"]}, "test": {"ape": ["2.png"], "bee": ["1.png"]},
    }  # fmt: skip
    assert layout.notes == ["the parts are those of test.txt and train.txt"]
    (folder / "meta/test.txt").write_text("ape/1\nbee/1\n")  # one is in both
    assert list(show(find_layout(folder))) == ["train"]
    (folder / "meta/test.txt").write_text("bee/1\nbee/2\n")
    (folder / "meta/train.txt").write_text("ape/1\nape/2\n")
    layout = find_layout(folder)
    assert list(show(layout)) == ["train"]
    assert layout.notes == ["the parts are not those of test.txt and train.txt, with no train pictures of bee"]


def test_class_folders_are_divided_by_a_column_of_parts(make):
    rows = "file,label,split\nape/1.png,ape,train\nbee/2.png,bee,train\nape/3.png,ape,test\n"
    layout = find_layout(make("ape/1.png", "bee/2.png", "ape/3.png", meta=rows))
    assert show(layout) == {"train": {"ape": ["1.png"], "bee": ["2.png"]}, "test": {"ape": ["3.png"]}}


def test_tables_in_a_folder_beside_the_parts(make):
    folder = make("train/1.png", "train/2.png", "test/3.png")
    (folder / "labels").mkdir()
    (folder / "labels/train_labels.csv").write_text("id,label\n1,ape\n2,bee\n")
    (folder / "labels/test_labels.csv").write_text("id,label\n3,ape\n")
    assert show(find_layout(folder)) == {"train": {"ape": ["1.png"], "bee": ["2.png"]}, "test": {"ape": ["3.png"]}}


def test_lists_of_two_parts_over_one_folder(make):
    folder = make("images/1.png", "images/2.png", "images/3.png", "images/4.png", "images/5.png")
    (folder / "train.txt").write_text("images/1.png 0\nimages/2.png 1\nimages/3.png 1\nimages/4.png 0\n")
    (folder / "test.txt").write_text("images/5.png 1\nimages/9.png 1\n")
    assert show(find_layout(folder)) == {
        "train": {"0": ["1.png", "4.png"], "1": ["2.png", "3.png"]}, "test": {"1": ["5.png"]},
    }  # fmt: skip


def test_a_list_with_other_numbers_has_its_labels_in_the_texts(make):
    names = [f"train/{name}/images/{name}_{number}.JPEG" for name in ("n01", "n02") for number in (0, 1)]
    folder = make(*names, *(f"val/images/val_{number}.JPEG" for number in range(4)))
    rows = [
        f"val_{number}.JPEG\t{'n01' if number < 2 else 'n02'}\t{number}\t3\t62\t{9 - number}\n" for number in range(4)
    ]
    (folder / "val/val_annotations.txt").write_text("".join(rows))
    assert show(find_layout(folder))["validation"] == {
        "n01": ["val_0.JPEG", "val_1.JPEG"], "n02": ["val_2.JPEG", "val_3.JPEG"],
    }  # fmt: skip


def test_beginnings_of_names_that_say_parts_are_no_classes(make):
    with pytest.raises(RequestError, match="nothing that says their classes"):
        find_layout(make("Train_0.png", "Train_1.png", "Test_0.png", "Test_1.png"))


def test_pictures_in_folders_inside_of_a_class_are_noted(make):
    layout = find_layout(make("ape/1.png", "ape/thumbs/1.png", "bee/2.png"))
    assert layout.notes == ["all that lies in the sub-folders of ape is read as that class"]


def test_a_folder_that_is_called_by_a_dot_is_the_same(make, monkeypatch):
    folder = make("set/ape/1.png", "set/ape/2.png", "set/bee/1.png", "set/bee/2.png")
    (folder / "train.txt").write_text("ape/1\nbee/2\n")
    (folder / "test.txt").write_text("ape/2\nbee/1\n")
    expected = show(find_layout(folder / "set"))
    assert list(expected) == ["train", "test"]
    monkeypatch.chdir(folder / "set")
    assert show(find_layout(".")) == expected
    monkeypatch.chdir(folder / "set/ape")
    assert show(find_layout("..")) == expected


@pytest.mark.parametrize("above", ["sep=,\n", "# by hand\n\n"])
def test_parts_are_read_below_what_is_above_a_header(make, above):
    table = f"{above}file_name,split\nape/1.png,train\nbee/2.png,train\nape/3.png,test\n"
    folder = make("ape/1.png", "bee/2.png", "ape/3.png", meta=table)
    assert list(show(find_layout(folder))) == ["train", "test"]


def test_parts_are_read_from_json_lines(make):
    folder = make("ape/1.png", "bee/2.png", "ape/3.png")
    lines = [
        f'{{"file_name": "{name}", "split": "{part}"}}\n'
        for name, part in (("ape/1.png", "train"), ("bee/2.png", "train"), ("ape/3.png", "test"))
    ]
    (folder / "metadata.jsonl").write_text("".join(lines))
    assert list(show(find_layout(folder))) == ["train", "test"]


def test_pieces_with_parts_inside_and_no_labels_are_one_line(make):
    with pytest.raises(RequestError, match="nothing that says their classes"):
        find_layout(make(*(f"part_{n}/{part}/{n}.png" for n in (1, 2) for part in ("train", "test"))))


def test_more_labelled_pictures_than_a_folder_beside_them_has_are_the_set(make):
    names = [f"{name}.{number}.jpg" for name in ("cat", "dog") for number in range(4)]
    layout = find_layout(make(*names, "test1/1.jpg", "test1/2.jpg"))
    assert show(layout) == {"train": {"cat": names[:4], "dog": names[4:]}}
    assert layout.notes[-1] == "2 pictures in test1, beside more with labels, not read"


@pytest.mark.parametrize("part", ["", "simpsons/", "train/"])
def test_a_copy_of_the_class_folders_is_none_in_a_part_too(make, part):
    classes = [f"{name}/{name}_{number}.jpg" for name in ("bart", "lisa") for number in range(3)]
    inner = part.split("/")[0] or "set"
    copies = [f"{part}{inner}/{name}" for name in classes]
    layout = find_layout(make(*[f"{part}{name}" for name in classes], *copies, "simpsons_test/1.jpg"))
    assert list(layout.class_names) == ["bart", "lisa"] if part else ["bart", "lisa", "simpsons_test"]
    assert f"not read, as it holds the same folders as lie beside it: {inner}" in layout.notes


@pytest.mark.parametrize(
    "inside",
    [
        [f"5/{writer}/5_{writer}.jpg" for writer in (1, 2)],  # few of the classes
        [f"{first}/{second}/{first}{second}.jpg" for first in range(4) for second in range(4)],  # other pictures
    ],
)
def test_sub_folders_that_are_called_as_others_are_no_copies(make, inside):
    names = [f"{number}/{number}.jpg" for number in range(10)]
    layout = find_layout(make(*names, *inside))
    assert sum(map(len, layout.parts["train"].values())) == len(names) + len(inside)
    assert len(layout.class_names) == 10


def test_labels_of_several_words_in_a_list(make):
    names = [f"{number}.jpg" for number in range(8)]
    folder = make(*names)
    lines = [f"{name} {label}" for name, label in zip(names, ["lily of the valley", "rose"] * 4, strict=True)]
    (folder / "labels.txt").write_text("\n".join(lines))
    assert show(find_layout(folder)) == {"train": {"lily of the valley": names[::2], "rose": names[1::2]}}


def test_a_second_version_of_the_labels_is_said(make):
    rows = {f"{number}.png": ("ape", "bee")[number % 2] for number in range(6)}
    lines = [f"{name},{label}" for name, label in rows.items()]
    corrected = [*lines[:4], "4.png,bee", "5.png,ape"]
    tables = {"labels": "id,label\n" + "\n".join(lines), "labels_corrected": "id,label\n" + "\n".join(corrected)}
    layout = find_layout(make(*rows, **tables))
    note = "warning: labels_corrected.csv says other classes of 2 pictures, for which labels.csv counts"
    assert note in layout.notes


@pytest.mark.parametrize(("column", "texts"), [("is_training_image", "01"), ("is_train", ("no", "yes"))])
def test_columns_that_say_whether_a_picture_is_to_train_on(make, column, texts):
    rows = [f"{number}.png,{('ape', 'bee')[number % 2]},{texts[number < 6]}" for number in range(8)]
    layout = find_layout(
        make(*[f"{number}.png" for number in range(8)], labels=f"id,label,{column}\n" + "\n".join(rows))
    )
    assert show(layout)["test"] == {"ape": ["6.png"], "bee": ["7.png"]}


def test_a_list_of_two_parts_does_not_hide_those_of_each(make):
    names = [f"{name}/{name}{number}.png" for name in ("ape", "bee") for number in range(3)]
    folder = make(*names)
    for place, part in enumerate(("train", "val", "test")):
        (folder / f"{part}.txt").write_text("\n".join(names[place::3]))
    (folder / "train_val.txt").write_text("\n".join(names[0::3] + names[1::3]))
    assert show(find_layout(folder))["validation"] == {"ape": ["ape1.png"], "bee": ["bee1.png"]}


@pytest.mark.parametrize("masks", ["Label", "Segmentation", "GT"])
def test_masks_are_known_by_the_pictures_that_they_are_called_as(make, masks):
    names = [f"{name}/{number}.png" for name in ("bad", "good") for number in range(3)]
    layout = find_layout(make(*names, f"bad/{masks}/0_label.png", f"bad/{masks}/1_label.png"))
    assert show(layout) == {"train": {name: ["0.png", "1.png", "2.png"] for name in ("bad", "good")}}
    assert layout.notes == [f"not read, as they belong to the images beside them: bad/{masks}"]


def test_a_class_that_is_called_as_masks_are_is_one(make):
    names = [f"{name}/{name}{number}.png" for name in ("label", "gt", "cat") for number in range(3)]
    assert find_layout(make(*names)).class_names == ["cat", "gt", "label"]


@pytest.mark.parametrize("name", ["labels.csv.gz", "labels.npy", "labels.yaml"])
def test_labels_in_files_that_are_not_read_are_asked_for(make, name):
    with pytest.raises(RequestError, match="nothing that says their classes"):
        find_layout(make("images/1.png", "images/2.png", name))


def test_names_that_differ_by_case_alone_are_told_apart(make):
    folder = make("aB3.jpg", "Ab3.jpg", "c.jpg", "d.jpg", labels="id,label\naB3,x\nAb3,y\nc,x\nd,y")
    assert show(find_layout(folder)) == {"train": {"x": ["aB3.jpg", "c.jpg"], "y": ["Ab3.jpg", "d.jpg"]}}


def test_lists_of_train_and_validation_together_and_of_test(make):
    names = [f"{name}/{name}{number}.png" for name in ("ape", "bee") for number in range(3)]
    folder = make(*names)
    (folder / "train_val_list.txt").write_text("\n".join(names[0::3] + names[1::3]))
    (folder / "test_list.txt").write_text("\n".join(names[2::3]))
    assert {part: sum(map(len, classes.values())) for part, classes in find_layout(folder).parts.items()} == {
        "train": 4,
        "test": 2,
    }


def test_a_flat_folder_that_is_called_as_a_part_beside_one_class_is_said_to_be_a_class(make):
    layout = find_layout(make("normal/1.png", "normal/2.png", "test/3.png"))
    assert layout.class_names == ["normal", "test"]
    assert layout.notes == ["test: read as a class, as it holds no class folders"]


def test_beside_test_a_folder_eval_is_for_validation_and_so_is_the_word_in_a_column(make):
    parts = ("train", "train", "eval", "test")
    names = [f"{part}/{name}/{number}.png" for number, part in enumerate(parts) for name in ("ape", "bee")]
    found = show(find_layout(make(*names)))
    assert {part: classes["ape"] for part, classes in found.items()} == {
        "train": ["0.png", "1.png"],
        "validation": ["2.png"],
        "test": ["3.png"],
    }
    rows = [f"{number}.png,{('ape', 'bee')[number % 2]},{parts[number // 2]}" for number in range(8)]
    folder = make(*[f"flat/{number}.png" for number in range(8)])
    (folder / "flat/labels.csv").write_text("id,label,split\n" + "\n".join(rows))
    assert show(find_layout(folder / "flat"))["validation"] == {"ape": ["4.png"], "bee": ["5.png"]}
