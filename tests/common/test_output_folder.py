import multiprocessing
import os
from contextlib import contextmanager

import pytest

from common.errors import RequestError, RunError
from common.files import load_json, mark_folder, replacing, save_json
from common.output_folder import OutputFolder, check_inputs, list_same_sections, read_threads

SETTINGS = {"training": {"seed": 0, "recipe": {"steps": 10}}, "sampling": {"keep": 0.9}}
CHANGED = SETTINGS | {"sampling": {"keep": 0.8}}
OWNED = ("model", "manifest.json")
SCRIPT = "generate_data.py"


@contextmanager
def opened(folder, settings=SETTINGS, script=SCRIPT, *, computing=None, **options):
    with OutputFolder(folder, settings, script, OWNED, **options).hold(computing):
        yield


def write(path):
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text("ours")


@pytest.fixture
def finished(tmp_path):
    with opened(tmp_path, computing={"threads": 2}):
        write(tmp_path / "model/generator.keras")
        write(tmp_path / "manifest.json")
    (tmp_path / "notes.txt").touch()
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_the_same_settings_continue(finished):
    with opened(finished):
        pass
    assert names(finished) == ["config.json", "files.txt", "manifest.json", "model", "notes.txt"]
    config = load_json(finished / "config.json")
    assert config["versions"]["numpy"]
    assert config["made_by"] == {"program": "gan-augmentation", "script": "generate_data.py"}


def test_other_settings_are_refused_by_name(finished):
    changed = {"training": {"seed": 1, "recipe": {"steps": 20}}, "sampling": {"keep": 0.9}}
    message = r"seed: 0 there, 1 here; recipe\.steps: 10 there, 20 here\).*--overwrite"
    with pytest.raises(RequestError, match=message), opened(finished, changed):
        pass
    assert load_json(finished / "config.json")["training"]["seed"] == 0


def test_a_section_that_one_of_them_lacks_is_named_alone(finished):
    changed = SETTINGS | {"training": {"seed": 0}}
    with pytest.raises(RequestError, match=r"\(recipe: given there, nothing here\)"), opened(finished, changed):
        pass


def test_a_config_with_the_names_of_an_earlier_version_is_the_same(tmp_path):
    stored = """{
        "made_by": {"program": "gan-augmentation", "script": "s"},
        "training": {"recipe": {"name": "small", "augment": "cutout"}, "seed": 0},
        "gans": {"recipes": {"shared:small": {"augment": "cutout"}}},
        "balance": {"classes": "7", "ratio": "auto"},
        "study": {"synthetic": [0, 9], "classes": null, "recipe_fields": {"augment": "cutout"}},
        "sampling": {"class_size": {"augment": 5}},
        "prediction": {"augment": "True", "ratio": "2.0", "synthetic": "x"}
    }"""
    (tmp_path / "config.json").write_text(stored)
    settings = {
        "training": {"recipe": {"name": "small", "diffaugment": "cutout"}, "seed": 0},
        "gans": {"recipes": {"shared:small": {"diffaugment": "cutout"}}},
        "balance": {"top_up": "7", "surplus": "auto"},
        "study": {"added": (0, 9), "classes": None, "recipe_fields": {"diffaugment": "cutout"}},
        "sampling": {"class_size": {"augment": 5}},
        "prediction": {"augment": "True", "ratio": "2.0", "synthetic": "x"},
    }
    assert OutputFolder(tmp_path, settings, "s", OWNED).check() == []
    assert list_same_sections(tmp_path, settings) == set(settings)
    with pytest.raises(RequestError, match=r"\(surplus: auto there, 1 here\)"):
        OutputFolder(tmp_path, settings | {"balance": {"top_up": "7", "surplus": "1"}}, "s", OWNED).check()
    with opened(tmp_path, settings, "s"):
        pass
    assert load_json(tmp_path / "config.json")["balance"] == settings["balance"]


def test_an_option_that_came_later_is_the_same_where_it_is_not_asked_for(finished):
    later = SETTINGS | {"sampling": {"keep": 0.9, "skip": False, "column": None}}
    assert OutputFolder(finished, later, SCRIPT, OWNED).check() == []
    assert list_same_sections(finished, later) == {"training", "sampling"}
    later["sampling"]["classifier"] = "cnn"  # what there was before the option
    assert OutputFolder(finished, later, SCRIPT, OWNED).check() == []
    later["sampling"]["classifier"] = "resnet20"
    with pytest.raises(RequestError, match="classifier: nothing there, resnet20 here"):
        OutputFolder(finished, later, SCRIPT, OWNED).check()
    asked = SETTINGS | {"sampling": {"keep": 0.9, "skip": True}}
    with pytest.raises(RequestError, match=r"\(skip: nothing there, True here\)"):
        OutputFolder(finished, asked, SCRIPT, OWNED).check()
    assert list_same_sections(finished, asked) == {"training"}


def test_the_refusal_says_whether_the_model_would_stay(finished):
    keep = ("model", "training")
    with pytest.raises(RequestError, match=r"--overwrite \(its model/ stays, as it is the same\)\.$"):
        OutputFolder(finished, CHANGED, SCRIPT, OWNED, keep=keep).check()
    with pytest.raises(RequestError, match=r"--overwrite \(its model/ is replaced, too\)\.$"):
        OutputFolder(finished, CHANGED | {"training": {}}, SCRIPT, OWNED, keep=keep).check()


def test_paths_are_settings_too(tmp_path):
    for path in (tmp_path / "a.csv", str(tmp_path / "a.csv")):
        with opened(tmp_path, {"run": {"data": path}}):
            pass


def test_overwrite_keeps_an_equal_model_and_what_is_not_ours(finished):
    (finished / "model/theirs.txt").touch()
    for settings, left in ((CHANGED, ["generator.keras", "theirs.txt"]), (CHANGED | {"training": {}}, ["theirs.txt"])):
        with opened(finished, settings, overwrite=True, keep=("model", "training")):
            assert names(finished) == ["config.json", "files.txt", "model", "notes.txt"]
            assert names(finished / "model") == left


def test_somebody_elses_files_are_not_taken_for_ours(tmp_path):
    (tmp_path / "model").mkdir()
    for overwrite in (False, True):
        with pytest.raises(RequestError, match=r"holds model, but no config\.json: choose another --out"):
            OutputFolder(tmp_path, SETTINGS, SCRIPT, OWNED, overwrite=overwrite).check()


def test_somebody_elses_file_in_a_run_is_named_before_anything_happens(finished):
    OutputFolder(finished, CHANGED, SCRIPT, (*OWNED, "samples.png"), overwrite=True).check()
    (finished / "samples.png").touch()
    with pytest.raises(RequestError, match=r"holds samples\.png, which the run there has not written"):
        OutputFolder(finished, CHANGED, SCRIPT, (*OWNED, "samples.png"), overwrite=True).check()


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_programs_folder_is_never_replaced(tmp_path, overwrite):
    save_json(tmp_path / "config.json", {"architectures": ["BertModel"]})
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights.bin").touch()
    with pytest.raises(RequestError, match=r"of another program.*Nothing there is replaced"):
        OutputFolder(tmp_path, SETTINGS, SCRIPT, OWNED, overwrite=overwrite).check()


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_scripts_run_is_never_replaced(finished, overwrite):
    with pytest.raises(RequestError, match=r"holds a run of generate_data\.py: choose another --out for predict\.py"):
        OutputFolder(finished, SETTINGS, "predict.py", OWNED, overwrite=overwrite).check()


def test_a_run_of_version_01_is_continued_and_never_replaced(tmp_path):
    save_json(tmp_path / "config.json", SETTINGS | {"versions": {"numpy": "2.0"}})
    (tmp_path / "manifest.json").touch()
    before = (tmp_path / "config.json").read_bytes()
    with opened(tmp_path):
        write(tmp_path / "manifest.json")
    with pytest.raises(RequestError, match=r"of version 0\.1 with other options \(keep: 0\.9 there, 0\.8 here\)"):
        OutputFolder(tmp_path, CHANGED, SCRIPT, OWNED, overwrite=True).check()
    assert (tmp_path / "config.json").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    message = "--out should be a folder that can be written"
    with pytest.raises(RequestError, match=message), opened(tmp_path / "file" / "out"):
        pass


def test_a_check_refuses_like_a_run_and_changes_nothing(finished, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    with pytest.raises(RequestError, match=r"holds a run with other options \(keep: 0.9 there, 0.8 here\)"):
        OutputFolder(finished, CHANGED, SCRIPT, OWNED).check()
    OutputFolder(finished, CHANGED, SCRIPT, OWNED, overwrite=True).check()
    OutputFolder(tmp_path / "new", SETTINGS, SCRIPT, OWNED).check()
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before
    assert not (tmp_path / "new").exists()


def test_the_same_option_written_otherwise_is_no_other_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = {"sampling": {"data": "a.npz", "surplus": 1, "synthetic": str(tmp_path / "runs/a"), "classes": "01"}}
    mark_folder(tmp_path, SCRIPT, there)
    here = {"sampling": {"data": "./a.npz", "surplus": "1", "synthetic": "runs/a", "classes": "01"}}
    OutputFolder(tmp_path, here, SCRIPT, OWNED).check()
    with pytest.raises(RequestError, match="classes: 01 there, 1 here"):
        OutputFolder(tmp_path, {"sampling": here["sampling"] | {"classes": "1"}}, SCRIPT, OWNED).check()


def test_the_threads_of_a_run_are_recorded(finished, tmp_path):
    assert read_threads(finished) == 2
    assert read_threads(tmp_path / "new") is None


def test_two_runs_at_once_are_refused_and_the_holder_is_named(tmp_path):
    with opened(tmp_path):
        message = rf"is in use by generate_data\.py, process {os.getpid()} on .*, since .*another --out"
        with pytest.raises(RunError, match=message), opened(tmp_path):
            pass
    with opened(tmp_path):
        pass


def _hold_and_die(folder):
    with opened(folder):
        os.kill(os.getpid(), 9)


def test_the_lock_of_a_killed_process_is_dropped(tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=_hold_and_die, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -9
    with opened(tmp_path):
        pass


def test_inputs_in_the_output_folder_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "comp/deep").mkdir(parents=True)
    (tmp_path / "comp/train[1].csv").touch()
    (tmp_path / "link").symlink_to(tmp_path / "comp")
    for path in ("comp/train[1].csv", tmp_path / "comp/deep", "comp/*.csv", "link/train[1].csv"):
        with pytest.raises(RequestError, match=r"without the inputs.*--data .*(train\[1\]\.csv|deep) lies in "):
            check_inputs("comp", {"--data": path})
    with pytest.raises(RequestError, match="--model link is the same folder: choose another --out"):
        check_inputs("comp", {"--data": None, "--model": "link"})
    with pytest.raises(RequestError, match=r"RUN comp/deep lies in \.: choose"):
        check_inputs(".", {"RUN": ("nowhere", "comp/deep")})
    check_inputs("comp/out", {"--data": "comp/train[1].csv", "--model": "mnist", "RUN": ("comp",)})


def test_the_output_folder_is_not_among_the_pictures_of_a_class(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos/train/cats").mkdir(parents=True)
    (tmp_path / "photos/train/cats/1.JPG").touch()
    (tmp_path / "photos/cover.png").touch()
    for out in ("photos/train/cats", "photos/train/cats/out"):
        with pytest.raises(RequestError, match="--out should not be among the pictures of --data photos"):
            check_inputs(out, {"--data": "photos"})
    check_inputs("photos/out", {"--data": "photos"})
    with opened(tmp_path / "photos/out"):
        write(tmp_path / "photos/out/samples.png")
    check_inputs("photos/out", {"--data": "photos"})


@pytest.mark.parametrize("name", ["files.txt", ".lock", ".lock-holder"])
def test_a_file_of_the_users_with_the_name_of_ours_is_left_alone(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(RequestError, match=f"{name}.*choose another --out"), opened(tmp_path):
        pass
    assert names(tmp_path) == ([name] if name == "files.txt" else [])
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("name", ["files.txt", ".lock", ".lock-holder"])
def test_nothing_of_ours_is_written_through_a_link(finished, tmp_path_factory, name):
    victim = tmp_path_factory.mktemp("elsewhere") / "thesis.txt"
    victim.write_text("mine")
    (finished / name).unlink(missing_ok=True)
    (finished / name).symlink_to(victim)
    with pytest.raises(RequestError, match="choose another --out"), opened(finished):
        pass
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("place", ["cats", "cats/lying", "test/cats"])
def test_a_folder_of_pictures_becomes_no_run(tmp_path, place):
    out = tmp_path / place.split("/")[0]
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "1.JPG").touch()
    with (
        pytest.raises(RequestError, match="holds 1.JPG, a picture, but no config.json: choose another --out"),
        opened(out),
    ):
        pass
    assert [path.name for path in tmp_path.rglob("*.*")] == ["1.JPG"]


def test_the_pictures_of_runs_in_a_folder_are_not_the_users(tmp_path):
    with opened(tmp_path / "inner"):
        write(tmp_path / "inner/samples.png")
    with opened(tmp_path):
        pass
    assert (tmp_path / "config.json").exists()


@pytest.mark.parametrize("out", ["loop", "n" * 300])
def test_a_path_that_cannot_be_opened_is_one_line(tmp_path, out):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(RequestError, match="--out should be a path that can be opened"):
        check_inputs(tmp_path / out, {})
