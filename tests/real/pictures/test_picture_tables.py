from pathlib import Path

import pytest

from common.errors import RequestError
from real.pictures.picture_tables import Names, classes_by_prefix, read_classes

PICTURES = [Path("images/a/1.png"), Path("images/a/2.png"), Path("images/b/3.png")]


def read(tmp_path, text, pictures=PICTURES):
    """{class: names} and notes of a CSV with this text."""
    (tmp_path / "t.csv").write_text(text)
    found = read_classes(Names("train", pictures), {tmp_path / "t.csv": None})
    return found and ({name: [path.name for path in paths] for name, paths in found[0].items()}, found[1])


EXPECTED = {"x": ["1.png", "3.png"], "y": ["2.png"]}


@pytest.mark.parametrize(
    "text",
    [
        "id,label\n1,x\n2,y\n3,x\n",
        "file,class\n1.png,x\n2.png,y\n3.png,x\n",
        "label,path\nx,images/a/1.png\ny,./images/a/2.png\nx,images\\b\\3.png\n",
        "\ufeffimage_id;age;dx\n1;50;x\n2;60;y\n3;50;x\n",
        "image\tcategory\n1\tx\n2\ty\n3\tx\n",
        "class id,filepaths,Class Name\n0,1.png,x\n1,2.png,y\n0,3.png,x\n",
        "image,x,y\n1,1.0,0.0\n2,0.0,1.0\n3,1.0,0.0\n",
        "name,kind of thing\n1,x\n2,y\n3,x\n",
        "1,x\n2,y\n3,x\n",
    ],
)
def test_names_and_labels_in_the_ways_that_people_write_them(tmp_path, text):
    assert read(tmp_path, text)[0] == EXPECTED


def test_numbers_that_are_labels_are_not_taken_for_names(tmp_path):
    pictures = [Path(f"{number}.png") for number in range(12)]
    rows = "".join(f"{number % 3},{number}\n" for number in range(12))
    assert {name: len(paths) for name, paths in read(tmp_path, f"label,id\n{rows}", pictures)[0].items()} == {
        "0": 4, "1": 4, "2": 4,
    }  # fmt: skip


def test_an_index_that_was_saved_names_nothing(tmp_path):
    pictures = [Path(f"{number}.png") for number in range(4)]
    for header in (",filename,label", ",id,label", "age,id,label", "Unnamed: 0,picture,label"):
        suffix = ".png" * ("file" in header)
        rows = "".join(f"{3 - number},{number}{suffix},{'xxyy'[number]}\n" for number in range(4))
        assert read(tmp_path, f"{header}\n{rows}", pictures)[0] == {"x": ["0.png", "1.png"], "y": ["2.png", "3.png"]}


def test_a_table_with_a_column_of_labels_comes_before_one_of_folds(tmp_path):
    (tmp_path / "folds.csv").write_text("image,fold\n1,0\n2,1\n3,2\n")
    (tmp_path / "labels.csv").write_text("image,label\n1,x\n2,y\n3,x\n")
    tables = {tmp_path / "folds.csv": None, tmp_path / "labels.csv": None}
    classes, notes, _ = read_classes(Names("train", PICTURES), tables)
    assert sorted(classes) == ["x", "y"]
    assert notes == ["train: classes are read from the column 'label' of labels.csv, pictures are found by 'image'"]
    (tmp_path / "labels.csv").write_text("image,kind\n1,x\n2,y\n3,x\n")
    with pytest.raises(RequestError, match=r"Got folds\.csv: image, fold; labels\.csv: image, kind instead"):
        read_classes(Names("train", PICTURES), tables)


@pytest.mark.parametrize("missing", ["NaN", "nan", "N/A", "null", ""])
def test_missing_labels_are_no_class(tmp_path, missing):
    assert read(tmp_path, f"id,label\n1,1.0\n2,{missing}\n3,0.0\n")[0] == {"0": ["3.png"], "1": ["1.png"]}


def test_a_table_of_windows_keeps_its_letters(tmp_path):
    (tmp_path / "t.csv").write_bytes("id,label\n1,Bär\n2,Bör\n3,Bor\n".encode("cp1252"))
    classes, notes, _ = read_classes(Names("train", PICTURES), {tmp_path / "t.csv": None})
    assert sorted(classes) == ["Bor", "Bär", "Bör"]
    assert notes[1] == "t.csv is not in UTF-8, and read as cp1252"


def test_a_table_in_utf_16_is_read(tmp_path):
    (tmp_path / "t.csv").write_text("id,label\n1,x\n2,y\n3,x\n", encoding="utf-16")
    classes, notes, _ = read_classes(Names("train", PICTURES), {tmp_path / "t.csv": None})
    assert {name: [path.name for path in paths] for name, paths in classes.items()} == EXPECTED
    assert len(notes) == 1


def test_a_column_of_parts_that_is_not_understood_is_said(tmp_path):
    found = read(tmp_path, "id,label,split\n1,x,0\n2,y,1\n3,x,0\n")
    assert found[1][1] == "column 'split' of t.csv does not say train and another part: it is not read"


def test_the_first_row_may_be_a_picture(tmp_path):
    assert read(tmp_path, "1.png,x\n2.png,y\n3.png,x\n")[0] == EXPECTED


def test_what_the_csv_does_not_name_is_counted(tmp_path):
    classes, notes = read(tmp_path, "id,label\n1,x\n2,\n9,y\n")
    assert classes == {"x": ["1.png"]}
    assert notes == [
        "train: classes are read from the column 'label' of t.csv, pictures are found by 'id'",
        "2 rows of t.csv name no picture, or no class (empty, NA, null)",
        "2 pictures that t.csv does not name left out",
    ]


def test_a_csv_of_something_else_is_none(tmp_path):
    assert read(tmp_path, "name,price\napple,3\npear,4\n") is None
    assert read(tmp_path, "") is None


def test_names_without_a_column_of_labels_are_one_line(tmp_path):
    with pytest.raises(RequestError, match="have their classes in a column that is called label.* Got id, age, height"):
        read(tmp_path, "id,age,height\n1,5,6\n2,5,7\n3,6,7\n")


def test_a_picture_of_two_classes_is_one_line(tmp_path):
    with pytest.raises(RequestError, match=r"should give each picture one class\. 1 has x and y"):
        read(tmp_path, "id,label\n1,x\n1,y\n2,x\n3,x\n")


def test_prefixes_of_names():
    names = ("american_bulldog_1", "american_bulldog_20", "pug_1", "pug_2")
    classes, notes, _ = classes_by_prefix([Path(f"{name}.jpg") for name in names])
    assert {name: len(paths) for name, paths in classes.items()} == {"american_bulldog": 2, "pug": 2}
    assert len(notes) == 1
    assert classes_by_prefix([Path("pug_1.jpg"), Path("pug_2.jpg")]) is None
    assert classes_by_prefix([Path("a_1.jpg"), Path("b_2.jpg")]) is None
    for names in (
        ("A320_1", "A380_1", "B737_1", "B747_1"),
        ("video1_frame1", "video2_frame1"),
        ("cat_0_aug_1", "cat_1_aug_1"),
        ("train_cat_", "train_dog_", "test_cat_", "test_dog_"),
    ):
        assert classes_by_prefix([Path(f"{name}{number}.jpg") for name in names for number in range(4)]) is None


def test_names_in_another_case_or_with_the_suffix_of_before(tmp_path):
    pictures = [Path("a/IMG_one.PNG"), Path("a/img_two.png")]
    assert read(tmp_path, "id,label\nimg_ONE.jpg,x\nimg_two.webp,y\n", pictures)[0] == {
        "x": ["IMG_one.PNG"],
        "y": ["img_two.png"],
    }


def test_a_csv_of_pixels_is_none(tmp_path):
    header = "label," + ",".join(f"pixel{number}" for number in range(784))
    assert read(tmp_path, header + "\n1" + ",2" * 784 + "\n") is None


def test_marks_are_no_attributes(tmp_path):
    with pytest.raises(RequestError, match="Got id, Male, Young instead"):
        read(tmp_path, "id,Male,Young\n1,1,-1\n2,-1,1\n3,1,-1\n")


@pytest.mark.parametrize(
    ("part", "split", "expected"),
    [
        ("train", None, {"x": ["1.png"]}),
        ("train", "train", {"x": ["1.png"]}),
        ("train", "test", None),
        ("test", None, None),
        ("test", "train", None),
        ("test", "test", {"x": ["1.png"]}),
    ],
)
def test_a_name_that_two_parts_have_is_of_one(tmp_path, part, split, expected):
    (tmp_path / "t.csv").write_text("id,label\n1,x\n")
    own, other = ([Path(f"{name}/1.png")] for name in (part, {"train": "test", "test": "train"}[part]))
    found = read_classes(Names(part, own, other), {tmp_path / "t.csv": split})
    assert (found and {name: [path.name for path in paths] for name, paths in found[0].items()}) == expected


def test_folders_in_a_name_say_its_part(tmp_path):
    (tmp_path / "t.csv").write_text("path,label\ntrain/1.png,x\ntest/1.png,y\n")
    for part, other, label in (("train", "test", "x"), ("test", "train", "y")):
        names = Names(part, [Path(f"{part}/1.png")], [Path(f"{other}/1.png")])
        assert [*read_classes(names, {tmp_path / "t.csv": None})[0]] == [label]


def test_a_column_of_labels_is_no_mark_beside_its_opposite(tmp_path):
    classes, _ = read(tmp_path, "id,male,label\n1,0,1\n2,1,0\n")
    assert classes == {"0": ["2.png"], "1": ["1.png"]}


@pytest.mark.parametrize(
    "text",
    [
        "image,x,y\n1,True,False\n2,False,True\n3,True,False\n",
        ",image,x,y,split\n0,1,1,0,a\n1,2,0,1,b\n2,3,1,0,a\n",
        "file,label\n1.png,x,\n2.png,y,\n3.png,x,\n",
        "file,label,\n1.png,x,\n2.png,y,\n3.png,x,\n",
        '"file" "label"\n'.replace(" ", ",") + '"1","1.png","x"\n"2","2.png","y"\n"3","3.png","x"\n',
        "# made by hand\n\nfile;label\n1.png;x\n2.png;y\n3.png;x\n",
        "sep=;\nfile;label\n1.png;x\n2.png;y\n3.png;x\n",
    ],
)
def test_tables_as_other_programs_write_them(tmp_path, text):
    assert read(tmp_path, text)[0] == EXPECTED


def test_rows_with_a_separator_too_many_are_counted(tmp_path):
    classes, notes = read(tmp_path, "file,label,title\n1.png,x,a\n2.png,y,b, or c\n3.png,x,d\n")
    assert classes == {"x": ["1.png", "3.png"]}
    assert notes[1].startswith("1 rows of t.csv left out, which have more or fewer than 3 cells")


@pytest.mark.parametrize("labels", [("1.0", "1.5", "2.0"), ("0,5", "1,0", "2,0")])
def test_numbers_to_be_predicted_are_no_classes(tmp_path, labels):
    rows = "".join(f"{number};{label}\n" for number, label in enumerate(labels, 1))
    with pytest.raises(RequestError, match=r"has '\d[.,]5', a number to be predicted"):
        read(tmp_path, f"id;label\n{rows}")


def test_whole_numbers_with_a_comma_are_integers(tmp_path):
    assert read(tmp_path, "id;label\n1;0,0\n2;1,0\n3;0,0\n")[0] == {"0": ["1.png", "3.png"], "1": ["2.png"]}


def test_a_picture_that_is_not_there_is_no_other_of_the_same_name(tmp_path):
    pictures = [Path(f"images/{person}/view{view}.png") for person in "abc" for view in (0, 1)]
    rows = "".join(
        f"images/{path.parent.name}/{path.name},{'xyx'['abc'.index(path.parent.name)]}\n" for path in pictures
    )
    classes, notes = read(tmp_path, f"file,label\n{rows}", [path for path in pictures if path != pictures[1]])
    assert {name: len(paths) for name, paths in classes.items()} == {"x": 3, "y": 2}
    assert notes[1] == "1 rows of t.csv name no picture, or no class (empty, NA, null)"


def test_texts_of_which_each_picture_has_its_own_are_no_classes(tmp_path):
    with pytest.raises(RequestError, match="--label-column names one"):
        read(tmp_path, "file_name,text\n1.png,an ape\n2.png,a bee\n3.png,a cat\n")


def test_names_in_another_unicode_form_are_found(tmp_path):
    pictures = [Path("images/o\u0308l/1\u0301.png"), Path("images/2.png")]
    assert read(tmp_path, "file,label\n1\u00e9.png,x\n2.png,y\n".replace("1\u00e9", "1\u0301"), pictures)[0] == {
        "x": ["1\u0301.png"], "y": ["2.png"],
    }  # fmt: skip
    assert read(tmp_path, "file,label\nimages/\u00f6l/1\u0301.png,x\n2.png,y\n", pictures)[0].keys() == {"x", "y"}


def test_places_are_no_labels(tmp_path):
    with pytest.raises(RequestError, match="Got image, x, y, w, h instead"):
        read(tmp_path, "image,x,y,w,h\n1,5,6,7,8\n2,5,7,7,8\n3,6,7,7,8\n")
