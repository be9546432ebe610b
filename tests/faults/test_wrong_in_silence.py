"""What once was accepted without a word: other data, blind leakage guards, damaged records."""

import json
import shutil

import numpy as np
import pytest

import evaluate_fid
import generate_data
import predict
from common.files import save_json
from tests.conftest import TRAINING, WIDTHS, fail, make_images

pytestmark = pytest.mark.slow


@pytest.fixture
def run(generated, tmp_path):
    """A copy of a run with 40 images of each class."""
    shutil.copytree(generated, tmp_path / "synthetic")
    return tmp_path / "synthetic"


def save_digits(path, seed):
    images, labels = make_images(140, seed=seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, images=images, labels=labels)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A run that was made in one working folder; the working folder is another, with other data by the same name."""
    for seed, place in enumerate(("home", "away")):
        save_digits(tmp_path / place / "data/digits.npz", seed)
    monkeypatch.chdir(tmp_path / "home")
    sampling = ["--filter", "none", "--duplicate-distance", "0", "--class-size", "20", "--quiet"]
    assert generate_data.main(["--data", "data/digits.npz", *TRAINING, *WIDTHS, *sampling]) == 0
    monkeypatch.chdir(tmp_path / "away")
    return tmp_path / "home"


def test_the_data_of_a_run_are_found_from_any_folder_and_only_if_they_are_the_same(elsewhere, capsys):
    run = str(elsewhere / "synthetic")
    fingerprint = json.loads((elsewhere / "synthetic/manifest.json").read_text())["fingerprint"]
    calls = {
        predict.main: ["--synthetic", run, "--dry-run"],
        evaluate_fid.main: [run, "--dry-run"],
    }
    for main, arguments in calls.items():
        assert main(arguments) == 0
        assert f"({fingerprint[:12]})" in capsys.readouterr().out
    fresh = ["--model", run, "--fresh", "--filter", "none"]
    save_digits(elsewhere / "data/digits.npz", seed=2)
    for main, arguments in [*calls.items(), (predict.main, fresh)]:
        code, line = fail(main, capsys, *arguments)
        assert (code, f"the data that the run was made from ({fingerprint[:12]}). It has changed" in line) == (2, True)
    (elsewhere / "data/digits.npz").unlink()
    for main, arguments in [*calls.items(), (predict.main, fresh)]:
        code, line = fail(main, capsys, *arguments)
        assert (code, "data/digits.npz: name them with --data" in line) == (2, True)
    assert predict.main(["--synthetic", run, "--data", "data/digits.npz", "--dry-run", "--quiet"]) == 0


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_bit,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"garbled"),
        lambda path: path.write_bytes(path.read_bytes()[:-8]),
        lambda path: np.save(path, np.zeros(0, np.uint64)),
        lambda path: np.save(path, np.array(["a"], object), allow_pickle=True),
        lambda path: np.save(path, np.zeros(112)),
        lambda path: path.unlink(),
    ],
)
def test_a_blind_leakage_guard_stops_the_run(run, capsys, damage):
    damage(run / "train_hashes.npy")
    code, line = fail(predict.main, capsys, "--synthetic-only", "--synthetic", str(run))
    assert code == 2
    assert "train_hashes.npy: should " in line


@pytest.mark.parametrize(
    "request_",
    [
        {"seed": 0},
        {"data": 5, "seed": 0},
        {"data": "mnist5k", "seed": "0"},
        {"data": "mnist5k", "seed": 0, "other": 1},
        {"data": "mnist5k", "seed": 0, "classes": []},
    ],
)
def test_a_damaged_record_of_the_data_is_one_line(run, capsys, request_):
    manifest = json.loads((run / "manifest.json").read_text())
    save_json(run / "manifest.json", manifest | {"request": request_})
    code, line = fail(predict.main, capsys, "--synthetic-only", "--synthetic", str(run))
    assert code == 2
    assert "request should be an object with data, classes, real_per_class" in line
