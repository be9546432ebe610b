import pytest

from real.kaggle_files import find_sample, find_test_csv, find_train_csv


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


@pytest.mark.parametrize("header", ["id,target,feature_0,feature_1", "label,text", "pixel0,pixel1", "id,label"])
def test_a_table_of_something_else_is_left_alone(tmp_path, header):
    path = tmp_path / "input" / "playground" / "train.csv"
    path.parent.mkdir(parents=True)
    path.write_text(f"{header}\n")
    assert find_train_csv(tmp_path) is None


def test_any_competition_is_found_and_digit_recognizer_first(tmp_path):
    def mount(folder, *names):
        path = tmp_path / "input" / folder
        path.mkdir(parents=True)
        for name in names:
            (path / name).write_text(
                {"train.csv": "label,pixel0,pixel1\n", "test.csv": "id,pixel0,pixel1\n"}.get(name, "")
            )
        return path / "train.csv"

    mount("a-data-set", "train.csv")
    kannada = mount("competitions/kannada-mnist", "train.csv", "test.csv", "sample_submission.csv")
    assert find_train_csv(tmp_path) == kannada
    digits = mount("competitions/digit-recognizer", "train.csv")
    assert find_train_csv(tmp_path) == digits


def test_test_csv_is_found_beside_train_csv_alone(tmp_path):
    (tmp_path / "test.csv").write_text("id,feature_0,feature_1\n")  # another competition's
    assert find_test_csv(tmp_path / "train.csv") is None
    (tmp_path / "test.csv").write_text("label,pixel0,pixel1\n")  # a labelled one
    assert find_test_csv(tmp_path / "train.csv") is None
    for header in ("pixel0,pixel1", "id,pixel0,pixel1"):
        (tmp_path / "test.csv").write_text(f"{header}\n")
        assert find_test_csv(tmp_path / "train.csv") == tmp_path / "test.csv"
    assert find_test_csv(".") is None
    assert find_test_csv(tmp_path / "mnist") is None
    assert find_test_csv(tmp_path / "elsewhere" / "train.csv") is None


@pytest.mark.parametrize("name", ["sample_submission.csv", "sampleSubmission.csv", "SampleSubmission.csv"])
def test_the_example_of_a_submission_is_found(tmp_path, name):
    assert find_sample(tmp_path) is None
    (tmp_path / name).touch()
    assert find_sample(tmp_path) == tmp_path / name
    assert find_sample(tmp_path / "nowhere") is None
