"""The script end to end, on tiny data: what a user sees, and what survives a kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import generate_data as script
from generate_data import Config, generate_data, main, parse_args
from synth.shards import load_hashes
from tests.browser import look_at, needs_chromium
from tests.conftest import fail

pytestmark = pytest.mark.slow

ROOT = Path(script.__file__).parent
WIDTHS = ["--latent-dim", "4", "--generator-width", "2", "--discriminator-width", "2"]
TINY = ["--steps", "4", "--round-steps", "2", "--batch-size", "16", "--dtype", "float32", *WIDTHS]
FILES = ["--class-size", "12", "--shard-size", "5", "--format", "both"]
SAMPLING = ["--filter", "none", "--duplicate-distance", "0", *FILES]


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """The output folder of a whole run of the command."""
    out = tmp_path_factory.mktemp("run") / "out"
    assert main(["--data", data, "--out", str(out), "--quiet", *TINY, *SAMPLING]) == 0
    return out


def shard_bytes(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in (out / "shards").rglob("*.*")}


def test_a_run_leaves_what_the_design_says(finished):
    names = {path.name for path in finished.iterdir()}
    assert names == {
        ".lock", "config.json", "files.txt",
        "manifest.json", "train_hashes.npy", "model", "shards", "report.html",
        "samples.png", "beside.png", "neighbours.png", "curves.png",
    }  # fmt: skip
    manifest = json.loads((finished / "manifest.json").read_text())
    assert manifest["complete"]
    assert {name: counts["accepted"] for name, counts in manifest["classes"].items()} == {"0": 12, "1": 12}
    assert len(load_hashes(finished)) == 112
    config = json.loads((finished / "config.json").read_text())
    assert config["training"]["recipe"]["steps"] == 4
    assert config["sampling"]["class_size"] == {"0": 12, "1": 12}


@needs_chromium
def test_the_report_shows_every_figure(finished):
    assert look_at(finished / "report.html", 360) == {"images": [True] * 3, "cut": []}


def test_csv_shards_are_laid_out_as_kaggles_train_csv(finished):
    table = pd.read_csv(finished / "shards/1/part-00001.csv")
    assert list(table.columns) == ["label", *(f"pixel{index}" for index in range(784))]
    assert (table["label"] == 1).all()
    with np.load(finished / "shards/1/part-00001.npz") as shard:
        assert np.array_equal(table.drop(columns="label").to_numpy(), shard["images"].reshape(5, 784))


def test_the_library_call_does_the_same_as_the_command(finished, data, tmp_path):
    shutil.copytree(finished, tmp_path / "out")
    config = parse_args(["--data", data, "--out", str(tmp_path / "out"), "--quiet", *TINY, *SAMPLING])
    fields = {"latent_dim": 4, "generator_width": 2, "discriminator_width": 2, "batch_size": 16}
    fields |= {"steps": 4, "round_steps": 2, "dtype": "float32"}
    assert config == Config(
        data=data,
        out=str(tmp_path / "out"),
        recipe="quick",
        recipe_fields=fields,
        filter="none",
        duplicate_distance=0.0,
        class_size="12",
        shard_size=5,
        format="both",
        quiet=True,
    )
    assert generate_data(config) == json.loads((finished / "manifest.json").read_text())


def test_a_damaged_history_leaves_out_the_curves(finished, data, tmp_path, capsys):
    shutil.copytree(finished, tmp_path / "out")
    (tmp_path / "out/curves.png").unlink()
    (tmp_path / "out/model/history.csv").write_bytes(b"\xff\x00")
    assert main(["--data", data, "--out", str(tmp_path / "out"), *TINY, *SAMPLING]) == 0
    assert "note: curves.png is left out. " in capsys.readouterr().out
    assert not (tmp_path / "out/curves.png").exists()


def test_a_number_of_thousands_of_digits_is_one_short_line(capsys):
    for digits in (4000, 5000):
        code, line = fail(main, capsys, "--steps", "9" * digits)
        assert code == 2
        assert "--steps" in line
        assert len(line) < 1100


def test_a_trained_run_is_sampled_without_training(finished, tmp_path, capsys):
    arguments = ["--model", str(finished), "--out", str(tmp_path), "--class-size", "1:7", "--format", "npz"]
    assert main([*arguments, "--filter", "discriminator", "--keep", "0.5"]) == 0
    assert "trained on" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert list(manifest["classes"]) == ["1"]
    assert manifest["classes"]["1"]["rejected"]["discriminator"] > 0
    assert not (tmp_path / "model").exists()
    assert np.array_equal(load_hashes(tmp_path), load_hashes(finished))
    with np.load(tmp_path / "shards/1/part-00000.npz") as shard:
        assert (shard["scores"] >= manifest["filter"]["thresholds"]["1"]).all()


def test_images_can_be_kept_in_proportion_to_their_density_ratio(finished, data, tmp_path, capsys):
    shutil.copytree(finished, tmp_path / "run")
    arguments = ["--data", data, "--out", str(tmp_path / "run"), *TINY, *FILES, "--filter", "density-ratio"]
    assert main([*arguments, "--duplicate-distance", "0", "--quiet", "--overwrite"]) == 0
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert {name: counts["accepted"] for name, counts in manifest["classes"].items()} == {"0": 12, "1": 12}
    assert all(set(counts["rejected"]) <= {"density-ratio"} for counts in manifest["classes"].values())
    assert np.load(tmp_path / "run/model/density_ratio.npy").shape == (2, 129)
    arguments = ["--class-size", "3", "--filter", "density-ratio", "--out", str(tmp_path / "more")]
    assert main([*arguments, "--model", str(tmp_path / "run"), "--quiet"]) == 0
    code, line = fail(main, capsys, *arguments, "--model", str(finished), "--overwrite")
    assert code == 2
    assert "density_ratio.npy, which is fitted after a training with this filter" in line
    (tmp_path / "run/model/density_ratio.npy").write_bytes(b"cut off")
    code, line = fail(main, capsys, *arguments, "--model", str(tmp_path / "run"), "--overwrite")
    assert code == 2
    assert "density_ratio.npy: should be a readable NumPy file" in line


def test_dry_run_says_that_another_run_is_in_the_way(generated, data, capsys):
    code, line = fail(main, capsys, "--data", data, "--out", str(generated), "--dry-run", *TINY, "--class-size", "3")
    assert code == 2
    assert "holds a run with other options" in line


def test_another_split_is_another_run(finished, data, capsys):
    arguments = ["--data", data, "--out", str(finished), "--dry-run", *TINY, *SAMPLING]
    assert main([*arguments, "--quiet"]) == 0
    code, line = fail(main, capsys, *arguments, "--resplit", "60/20/20")
    assert code == 2
    assert "(resplit: nothing there, 60/20/20 here)" in line


def test_dry_run_prints_the_plan_and_leaves_nothing(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["--data", data, "--out", str(tmp_path / "out"), "--dry-run", *TINY, "--class-size", "0:3"]) == 0
    plan = capsys.readouterr().out
    assert "112 train, 14 validation, 14 test" in plan
    assert "4 steps of 16 images, float32" in plan
    kept = [json.loads(path.read_text()) for path in (tmp_path / "cache").rglob("rates/*.json")]
    assert len(kept) == 2  # of the GAN and of the classifiers that judge it
    assert any(f"({rate['steps_per_second']:.3g} steps/s of the GAN in " in plan for rate in kept)
    assert "3 images, npz, filter classifier, at most 0.0 MB" in plan
    assert "of them for the classifiers that measure and filter" in plan
    one_class = ["--classes", "1", "--no-conditional"]
    assert main(["--data", data, "--out", str(tmp_path / "out"), "--dry-run", *TINY, *one_class]) == 0
    assert "classifiers that measure" not in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def run_command(arguments, kill_when=None):
    """Run the script in a process of its own; SIGKILL it as soon as `kill_when()` is true."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "generate_data.py", *arguments],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        if kill_when and kill_when():
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


def test_a_killed_run_continues_to_the_same_bytes(finished, data, tmp_path):
    out = tmp_path / "out"
    arguments = ["--data", data, "--out", str(out), *TINY, *SAMPLING]
    killed = [
        lambda: list(out.glob("model/checkpoint/.tmp-state*")) or (out / "model/checkpoint/state.npz").exists(),
        lambda: list(out.glob("shards/*/.tmp-*")) or len(list(out.glob("shards/*/*.npz"))) > 2,
    ]
    for kill_when in killed:
        assert run_command(arguments, kill_when)[0] == -signal.SIGKILL
    code, output, errors = run_command(arguments)
    assert (code, errors) == (0, "")
    assert "shards/, manifest.json, samples.png and report.html are in" in output
    assert shard_bytes(out) == shard_bytes(finished)
    assert not list(out.rglob(".tmp-*"))


def test_a_full_disk_is_one_line_and_keeps_what_is_finished(finished, tmp_path, capsys):
    import resource

    arguments = ["--model", str(finished), "--out", str(tmp_path), "--filter", "none", "--class-size", "50"]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        code, line = fail(main, capsys, *arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 1
    assert "File too large" in line
    assert "make room and run the same command again" in line
    assert not list(tmp_path.rglob(".tmp-*"))
    assert not list(tmp_path.rglob("part-*"))
    assert main([*arguments, "--quiet"]) == 0


def test_a_filter_that_rejects_everything_is_a_failed_run(finished, tmp_path, capsys):
    arguments = ["--model", str(finished), "--out", str(tmp_path), "--class-size", "5", "--filter", "none"]
    code, line = fail(main, capsys, *arguments, "--duplicate-distance", "255")
    assert "the filter accepted 1 of 5376 candidates" in line
    assert code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere.csv"], "--data should be one of mnist, fashion_mnist, mnist5k, a file or a folder"),
        (["--classes", "7"], "--classes should be one of 0, 1. Got '7' instead"),
        (["--class-size", "0"], "should be an integer of at least 1. Got '0' instead"),
        (["--class-size", "-5"], "should be an integer of at least 1. Got '-5' instead"),
        (["--class-size", "many"], "should be an integer of at least 1. Got 'many' instead"),
        (["--class-size", "9:5"], "--class-size: class should be one of 0, 1. Got '9' instead"),
        (["--batch-size", "1000"], "--batch-size should be at most the number of train images, 112"),
        (["--keep", "0"], "--keep should be in the range (0, 1]. Got 0.0 instead"),
        (["--recipe", "fine"], "argument --recipe: invalid choice: 'fine'"),
        (["--steps", "-1"], "--steps should be in the range [0, 1000000000]. Got -1 instead"),
        (["--image-size", "28x28"], "should be SIZE or HEIGHT,WIDTH"),
        (["--classes", "1", "--filter", "classifier"], "--filter classifier needs two classes or more"),
        (["--classes", "1", "--filter", "density-ratio"], "--filter density-ratio needs two classes or more"),
        (["--max-minutes", "0"], "--max-minutes should be above 0 and finite. Got 0.0 instead"),
        (["--seed", "5000000000"], "--seed should be in the range [0, 2147483648). Got 5000000000 instead"),
        (["--penalty-weight-end", "0"], "--penalty-weight-end should be above 0, the weight falls geometrically"),
    ],
)
def test_wrong_requests_are_one_line_and_exit_code_2(data, tmp_path, capsys, arguments, message):
    code, line = fail(main, capsys, "--data", data, "--out", str(tmp_path / "out"), *TINY, *arguments)
    assert code == 2
    assert message in line
    assert not (tmp_path / "out").exists()


def test_an_output_folder_of_another_run_is_refused(finished, data, capsys):
    options = ["--data", data, "--out", str(finished), *TINY, *SAMPLING]
    code, line = fail(main, capsys, *options, "--steps", "6", "--keep", "0.5")
    assert code == 2
    assert "recipe.steps: 4 there, 6 here" in line
    assert "keep: 0.9 there, 0.5 here" in line


def test_an_output_folder_that_cannot_be_written_is_refused(data, tmp_path, capsys):
    (tmp_path / "file").touch()
    code, line = fail(main, capsys, "--data", data, "--out", str(tmp_path / "file" / "out"), *TINY)
    assert code == 2
    assert "--out should be a folder that can be written" in line


def test_a_model_for_another_image_shape_is_refused(finished, tmp_path, capsys):
    code, line = fail(main, capsys, "--model", str(finished), "--out", str(tmp_path), "--image-size", "32")
    assert code == 2
    assert "--image-size should be that of the model, (28, 28). Got (32, 32) instead" in line
    about_data = ("--resplit", "60/20/20", "--fit", "pad", "--skip-unreadable")
    code, line = fail(main, capsys, "--model", str(finished), "--out", str(tmp_path), *about_data)
    assert code == 2
    assert "leave out --resplit, --fit, --skip-unreadable." in line
    code, line = fail(main, capsys, "--model", str(finished), "--out", str(tmp_path), "--recipe", "best")
    assert code == 2
    assert "--model is trained already: leave out --recipe, its fields' flags and --max-minutes" in line
    code, line = fail(main, capsys, "--model", str(tmp_path), "--out", str(tmp_path / "out"))
    assert code == 2
    assert "--model should be a run's folder" in line


def test_the_models_own_folder_is_never_the_output(finished, capsys):
    before = sorted(finished.rglob("*"))
    code, line = fail(main, capsys, "--model", str(finished), "--out", str(finished), "--overwrite")
    assert code == 2
    assert "--out should be a folder without the inputs" in line
    assert f"--model {finished} is the same folder" in line
    assert sorted(finished.rglob("*")) == before


def test_class_size_can_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("CLASS_SIZE", "77")
    assert parse_args([]).class_size == "77"
    assert parse_args(["--class-size", "5"]).class_size == "5"
    assert Config().class_size == "77"


def test_importing_starts_nothing_heavy_and_help_answers_at_once():
    code = (
        "import sys, generate_data; print(sorted({'tensorflow', 'keras', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
    result = subprocess.run(
        [sys.executable, ROOT / "generate_data.py", "--help"], capture_output=True, text=True, check=True
    )
    assert "--class-size" in result.stdout
