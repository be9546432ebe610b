import pytest

from tasks.submissions import plan_submission, save_submission


def write(folder, labels, sample=None, **given):
    """Plan and save a submission for test.csv beside a sample; return its lines and the form's note."""
    if sample:
        (folder / "sample_submission.csv").write_text("\n".join(sample) + "\n")
    form = plan_submission(folder / "test.csv", len(labels), **given)
    save_submission(folder / "out.csv", labels, form)
    return (folder / "out.csv").read_text().splitlines(), form.note


def test_without_names_the_images_are_counted_from_1(tmp_path):
    assert write(tmp_path, [7, 0]) == (["ImageId,Label", "1,7", "2,0"], "")


def test_names_of_the_test_file_are_kept_under_theirs(tmp_path):
    lines, _ = write(tmp_path, [7, 0], ids=("0", "1"), id_name="id")
    assert lines == ["id,label", "0,7", "1,0"]


def test_a_sample_gives_the_header_and_the_order(tmp_path):
    lines, note = write(tmp_path, [7, 0, 5], ["key,Digit", "b,0", "c,0", "a,0"], ids=("a", "b", "c"), id_name="id")
    assert (lines, note) == (["key,Digit", "b,0", "c,5", "a,7"], "")


def test_a_sample_gives_the_names_where_the_test_file_has_none(tmp_path):
    lines, note = write(tmp_path, [7, 0], ["id,label", "0,0", "1,0"])
    assert (lines, note) == (["id,label", "0,7", "1,0"], "")


@pytest.mark.parametrize("ids", [None, ("a", "b")])
def test_a_sample_of_other_images_gives_the_header_alone(tmp_path, ids):
    lines, note = write(tmp_path, [7, 0], ["key,Digit", "1,0", "2,0", "3,0"], ids=ids, id_name=ids and "id")
    assert lines == ["key,Digit", *(f"{name},{label}" for name, label in zip(ids or "12", (7, 0), strict=True))]
    assert "names other images (3) than" in note


@pytest.mark.parametrize("sample", [["id,a,b", "1,0,0"], ["id,label"]])
def test_a_sample_of_another_kind_is_left_aside(tmp_path, sample):
    lines, note = write(tmp_path, [7], sample)
    assert lines == ["ImageId,Label", "1,7"]
    assert "is no example of two columns: it is left aside" in note


def test_texts_are_written_as_texts(tmp_path):
    lines, _ = write(tmp_path, ["T-shirt, top", "Bag"], ids=("0", "1"), id_name="id")
    assert lines == ["id,label", '0,"T-shirt, top"', "1,Bag"]


@pytest.mark.parametrize("given", [{}, {"ids": ("a", "b", "c"), "id_name": "id"}])
def test_the_label_may_stand_first(tmp_path, given):
    lines, note = write(tmp_path, [7, 0, 5], ["Label,ImageId", "0,a", "0,b", "0,c"], **given)
    assert (lines, note) == (["Label,ImageId", "7,a", "0,b", "5,c"], "")


@pytest.mark.parametrize("names", [("in/a.png", "in/b.png"), ("a.png", "b.png"), ("a", "b")])
def test_a_sample_may_call_pictures_by_path_name_or_stem(tmp_path, names):
    sample = ["key,what", f"{names[1]},0", f"{names[0]},0"]
    lines, note = write(tmp_path, [7, 0], sample, ids=("in/a.png", "in/b.png"), id_name="file")
    assert (lines, note) == (["key,what", f"{names[1]},0", f"{names[0]},7"], "")


def test_a_sample_does_not_match_pictures_that_share_a_stem(tmp_path):
    lines, note = write(tmp_path, [7, 0], ["key,what", "a,0", "b,0"], ids=("a.png", "a.jpg"), id_name="file")
    assert lines == ["key,what", "a.png,7", "a.jpg,0"]
    assert "names other images" in note
