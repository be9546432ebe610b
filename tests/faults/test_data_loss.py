"""What the user has is never removed or replaced, whatever the flags: every way in which it once was."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import augment
import evaluate_fid
import generate_data
import predict
from common.files import save_json
from tests.conftest import fail, make_images

pytestmark = pytest.mark.slow


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def comp(tmp_path, monkeypatch):
    """A folder of the user's with train.csv and test.csv, and the config.json of an earlier run; the working folder."""
    folder = tmp_path / "comp"
    folder.mkdir()
    images, labels = make_images(60, (8, 8, 1))
    columns = [f"pixel{index}" for index in range(64)]
    table = pd.DataFrame(images.reshape(60, -1), columns=columns)
    table.to_csv(folder / "test.csv", index=False)
    table.insert(0, "label", labels)
    table.to_csv(folder / "train.csv", index=False)
    mark = {"program": "gan-augmentation", "script": "augment.py balance"}
    save_json(folder / "config.json", {"made_by": mark, "balance": {"seed": 1}})
    (folder / "model").mkdir()
    (folder / "model" / "cat.png").touch()
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize(
    ("script", "arguments", "flag"),
    [
        (augment, ["balance", "--data", "comp/train.csv"], "--data comp/train.csv lies in comp"),
        (augment, ["reduced", "--data", "comp/../comp/train.csv"], "--data comp/../comp/train.csv lies in comp"),
        (augment, ["imbalance", "--data", "comp", "--minority", "1"], "--data comp is the same folder"),
        (generate_data, ["--data", "comp/train.csv"], "--data comp/train.csv lies in comp"),
        (generate_data, ["--model", "comp/model"], "--model comp/model lies in comp"),
        (predict, ["--data", "comp/train.csv", "--real-only"], "--data comp/train.csv lies in comp"),
        (predict, ["--test-csv", "comp/test.csv", "--real-only"], "--test-csv comp/test.csv lies in comp"),
        (predict, ["--synthetic", "comp/*.csv"], "--synthetic comp/"),
        (predict, ["--teacher", "comp"], "--teacher comp is the same folder"),
        (predict, ["--model", "comp", "--fresh"], "--model comp is the same folder"),
        (evaluate_fid, ["comp/train.csv", "--data", "mnist5k"], "RUN comp/train.csv lies in comp"),
        (evaluate_fid, ["--data", "comp/train.csv"], "--data comp/train.csv lies in comp"),
    ],
)
def test_an_input_in_the_output_folder_is_refused(comp, capsys, script, arguments, flag, overwrite):
    before = snapshot(comp)
    code, line = fail(script.main, capsys, *arguments, "--out", "comp", *overwrite)
    assert code == 2
    assert "--out should be a folder without the inputs" in line
    assert flag in line
    assert snapshot(comp) == before


@pytest.mark.parametrize(
    ("script", "arguments", "flag"),
    [
        (generate_data, ["--out", ""], "--out"),
        (generate_data, ["--model", " "], "--model"),
        (generate_data, ["--data", ""], "--data"),
        (predict, ["--teacher", ""], "--teacher"),
        (predict, ["--synthetic", ""], "--synthetic"),
        (evaluate_fid, [""], "--runs"),
        (augment, ["balance", "--model", ""], "--model"),
        (augment, ["reduced", "--out", ""], "--out"),
    ],
)
def test_an_unset_variable_is_no_folder(capsys, script, arguments, flag):
    code, line = fail(script.main, capsys, *arguments)
    assert code == 2
    assert f"{flag} should not be empty. Is a variable unset" in line


def test_a_folder_of_pictures_is_no_output(comp, capsys):
    shutil.copytree(comp / "model", comp.parent / "photos/model")
    before = snapshot(comp.parent)
    for out, message in (("photos", "--data photos is the same folder"), ("photos/model", "among the pictures")):
        code, line = fail(generate_data.main, capsys, "--data", "photos", "--out", out, "--overwrite")
        assert (code, message in line) == (2, True)
    assert snapshot(comp.parent) == before


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_another_scripts_run_is_not_replaced(generated, data, tmp_path, capsys, overwrite):
    run = tmp_path / "run"
    shutil.copytree(generated, run)
    before = snapshot(run)
    code, line = fail(predict.main, capsys, "--real-only", "--data", data, "--out", str(run), *overwrite)
    assert (code, "holds a run of generate_data.py: choose another --out for predict.py" in line) == (2, True)
    assert snapshot(run) == before


def test_a_submission_never_replaces_somebody_elses_file(comp, data, capsys):
    images, _ = make_images(5, seed=3)
    table = pd.DataFrame(images.reshape(5, -1), columns=[f"pixel{index}" for index in range(784)])
    table.to_csv("test.csv", index=False)
    arguments = ["--real-only", "--data", data, "--test-csv", "test.csv", "--epochs", "1"]
    for path in ("test.csv", "comp/test.csv"):
        before = (comp.parent / path).read_bytes()
        code, line = fail(predict.main, capsys, *arguments, "--submission", path, "--overwrite")
        assert code == 2
        assert "--submission should be a new file, or one of an earlier run" in line
        assert (comp.parent / path).read_bytes() == before
    for more in ([], ["--overwrite"]):  # its own it replaces, where it is asked to
        assert predict.main([*arguments, "--submission", "submission.csv", "--quiet", *more]) == 0


def test_foreign_files_survive_an_overwrite_and_block_what_would_replace_them(generated, data, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(generated, run)
    arguments = ["--model", "mnist", "--out", str(run), "--overwrite", "--filter", "none", "--quiet"]
    theirs = [run / "notes.txt", run / "shards/0/theirs.npz", run / "shards/1/part-00000.npz"]
    ours = json.loads((run / "manifest.json").read_text())["shards"]
    (run / "files.txt").write_text((run / "files.txt").read_text().replace("shards/1/part-00000.npz\n", ""))
    for path in theirs[:2]:
        path.write_bytes(b"theirs")
    kept = {path: path.read_bytes() for path in theirs}
    code, line = fail(generate_data.main, capsys, *arguments[:-1], "--class-size", "5")
    assert code == 2
    assert "part-00000.npz should be new, or written by the run in" in line
    assert {path: path.read_bytes() for path in theirs} == kept
    assert not any((run / entry["file"]).exists() for entry in ours if entry["shard"] == 1)
    with np.load(run / "shards/0/part-00000.npz") as shard:
        assert len(shard["images"]) == 5
