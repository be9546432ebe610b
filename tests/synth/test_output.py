import pytest

from synth.files import load_json
from synth.output import open_output

SETTINGS = {"training": {"seed": 0, "recipe": {"steps": 10}}, "sampling": {"keep": 0.9}}
CHANGED = SETTINGS | {"sampling": {"keep": 0.8}}
OWNED = ("model", "manifest.json")


@pytest.fixture
def finished(tmp_path):
    open_output(tmp_path, SETTINGS, OWNED)
    (tmp_path / "model").mkdir()
    (tmp_path / "manifest.json").touch()
    (tmp_path / "notes.txt").touch()
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_same_settings_continue(finished):
    open_output(finished, SETTINGS, OWNED)
    assert names(finished) == ["config.json", "manifest.json", "model", "notes.txt"]
    assert load_json(finished / "config.json")["versions"]["numpy"]


def test_other_settings_are_refused_by_name(finished):
    changed = {"training": {"seed": 1, "recipe": {"steps": 20}}, "sampling": {"keep": 0.9}}
    with pytest.raises(ValueError, match=r"seed: 0 there, 1 here; recipe\.steps: 10 there, 20 here\).*--overwrite"):
        open_output(finished, changed, OWNED)
    assert load_json(finished / "config.json")["training"]["seed"] == 0


def test_a_section_that_one_of_them_lacks_is_named_alone(finished):
    with pytest.raises(ValueError, match=r"\(recipe: given there, nothing here\)"):
        open_output(finished, SETTINGS | {"training": {"seed": 0}}, OWNED)


def test_the_refusal_says_whether_the_model_would_stay(finished):
    with pytest.raises(ValueError, match=r"--overwrite \(its model/ stays, as it is the same\)\.$"):
        open_output(finished, CHANGED, OWNED, keep=("model", "training"))
    with pytest.raises(ValueError, match=r"--overwrite \(its model/ is replaced, too\)\.$"):
        open_output(finished, CHANGED | {"training": {}}, OWNED, keep=("model", "training"))


def test_paths_are_settings_too(tmp_path):
    open_output(tmp_path, {"run": {"data": tmp_path / "a.csv"}}, OWNED)
    open_output(tmp_path, {"run": {"data": str(tmp_path / "a.csv")}}, OWNED)


def test_overwrite_keeps_an_equal_model_and_what_is_not_ours(finished):
    open_output(finished, CHANGED, OWNED, overwrite=True, keep=("model", "training"))
    assert names(finished) == ["config.json", "model", "notes.txt"]
    open_output(finished, CHANGED | {"training": {}}, OWNED, overwrite=True, keep=("model", "training"))
    assert names(finished) == ["config.json", "notes.txt"]


def test_somebody_elses_files_are_not_taken_for_ours(tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(ValueError, match=r"holds model, but no config\.json: choose another --out"):
        open_output(tmp_path, SETTINGS, OWNED)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="--out should be a folder that can be written"):
        open_output(tmp_path / "file" / "out", SETTINGS, OWNED)


def test_a_dry_run_is_refused_like_a_run_and_changes_nothing(finished, tmp_path):
    before = (finished / "config.json").read_bytes()
    with pytest.raises(ValueError, match=r"holds a run with other options \(keep: 0.9 there, 0.8 here\)"):
        open_output(finished, CHANGED, OWNED, dry_run=True)
    open_output(finished, CHANGED, OWNED, overwrite=True, dry_run=True)
    assert names(finished) == ["config.json", "manifest.json", "model", "notes.txt"]
    assert (finished / "config.json").read_bytes() == before
    open_output(tmp_path / "new", SETTINGS, OWNED, dry_run=True)
    assert not (tmp_path / "new").exists()
