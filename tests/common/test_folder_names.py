import pytest

from common.folder_names import class_folder, class_folders, fold_name


def test_class_names_become_safe_folder_names():
    assert class_folder("T-shirt/top") == "T-shirt-top"
    assert class_folder("../..") == "-"
    assert class_folder("-1") == "-1"
    assert class_folder("...") == "class"
    assert class_folder("Ümläut 3") == "Ümläut-3"


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (("T-shirt/top", "3", "Ümläut 3"), ("T-shirt-top", "3", "Ümläut-3")),
        (("(", ")", "+"), ("-", "--2", "+")),
        (("US$5", "US-5", "US 5"), ("US-5", "US-5-2", "US-5-3")),
        (("a b", "a-b", "a-b-2"), ("a-b", "a-b-3", "a-b-2")),  # what does not collide stays
        (("Box", "box", "BOX"), ("Box", "box-2", "BOX-3")),
        (("caf\u00e9", "CAF\u00c9"), ("caf\u00e9", "CAF\u00c9-2")),
        (("con", "NUL.txt", "Console"), ("class-con", "class-NUL.txt", "Console")),
    ],
)
def test_each_class_has_a_folder_of_its_own(names, folders):
    assert class_folders(names) == dict(zip(names, folders, strict=True))


def test_names_too_long_for_a_file_system_are_cut_and_stay_different():
    names = [letter * 300 + end for letter in ("a", "ü", "漢") for end in ("1", "2")]
    folders = class_folders(names).values()
    assert len({fold_name(folder) for folder in folders}) == len(names)
    assert all(90 < len(folder.encode()) <= 100 for folder in folders)
    assert class_folder("a" * 100) == "a" * 100


def test_many_names_that_collide_have_folders_at_once():
    names = [f"{'(' * length}" for length in range(1, 5001)]
    assert len(set(class_folders(names).values())) == 5000
