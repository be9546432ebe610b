import pytest

from synth.kaggle import default_out, find_test_csv, find_train_csv, save_submission


@pytest.mark.parametrize(
    "folder",
    ["competitions/digit-recognizer", "digit-recognizer", "datasets/someone/digits", "some-digits"],
)
def test_train_csv_is_found_under_every_mount_layout(tmp_path, folder):
    path = tmp_path / "input" / folder / "train.csv"
    path.parent.mkdir(parents=True)
    path.write_text("label,pixel0,pixel1\n")
    assert find_train_csv(tmp_path) == path


def test_another_competitions_train_csv_is_left_alone(tmp_path):
    path = tmp_path / "input" / "titanic" / "train.csv"
    path.parent.mkdir(parents=True)
    path.write_text("PassengerId,Survived\n")
    assert find_train_csv(tmp_path) is None


def test_test_csv_is_found_beside_train_csv_alone(tmp_path):
    (tmp_path / "test.csv").write_text("id,pixel0,pixel1\n")  # another competition's
    assert find_test_csv(tmp_path / "train.csv") is None
    (tmp_path / "test.csv").write_text("pixel0,pixel1\n")
    assert find_test_csv(tmp_path / "train.csv") == tmp_path / "test.csv"
    assert find_test_csv(".") is None
    assert find_test_csv(tmp_path / "mnist") is None
    assert find_test_csv(tmp_path / "elsewhere" / "train.csv") is None


def test_submission_counts_from_1(tmp_path):
    save_submission(tmp_path / "submission.csv", [7, 0])
    assert (tmp_path / "submission.csv").read_text() == "ImageId,Label\n1,7\n2,0\n"


def test_output_goes_to_kaggles_working_folder(tmp_path):
    assert str(default_out(root=tmp_path)) == "synthetic"
    (tmp_path / "working").mkdir()
    assert default_out(root=tmp_path) == tmp_path / "working" / "synthetic"
