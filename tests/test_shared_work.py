"""Seeds, GANs and cells on workers of Ray: the same numbers as of one process, whatever dies."""

import json
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

import augment
import evaluate_fid
import generate_data
import predict
from common.run_folder import RunFolder
from tests.conftest import TRAINING, WIDTHS

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-cluster.txt")


def read_weights(path):
    return keras.models.load_model(path).get_weights()


def assert_same_weights(first, second):
    for a, b in zip(read_weights(first), read_weights(second), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("source", [["--synthetic"], ["--synthetic-only", "--fresh", "--filter", "none", "--model"]])
def test_seeds_of_a_classifier_score_the_same_on_workers(generated, tmp_path, source):
    def run(name, *more):
        arguments = ["--epochs", "1", "--seeds", "2", "--quiet", "--out", str(tmp_path / name), *more]
        assert predict.main([*source, str(generated), *arguments]) == 0
        metrics = json.loads((tmp_path / name / "metrics.json").read_text())
        return {part: metrics[part] for part in ("summary", "runs", "trained_on", "label_fidelity")}

    assert run("serial") == run("workers", "--workers", "2")
    assert_same_weights(tmp_path / "serial/classifier.keras", tmp_path / "workers/classifier.keras")


def descends_from_us(process):
    """Return whether this process started the one of a folder in /proc, through others: tests run beside each other."""
    while process.name not in ("0", "1", str(os.getpid())):
        status = (process / "status").read_text()
        process = process.with_name(status.split("PPid:")[1].split()[0])
    return process.name == str(os.getpid())


def kill_a_busy_worker(killed):
    """Kill the first worker of ours that is seen at work, and note it in the list `killed`."""
    while not killed:
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if killed or not (process / "cmdline").read_bytes().startswith(b"ray::Worker.work"):
                    continue
                if descends_from_us(process):
                    time.sleep(2)  # it is importing or training by then
                    os.kill(int(process.name), signal.SIGKILL)
                    killed.append(process.name)
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are found in /proc")
def test_a_study_has_the_same_results_on_workers_one_of_which_is_killed(data, tmp_path, capfd):
    killed = []
    threading.Thread(target=kill_a_busy_worker, args=[killed], daemon=True).start()

    def run(name, *more):
        size = ["--real", "25", "--added", "0", "10", "--ratios", "--classifier-steps", "5", "--classifier-epochs", "1"]
        arms = ["--arms", "real", "gan", "--seeds", "2", "--gans", "shared:quick", "alone:quick"]
        arms += ["--classifier", "strong"]  # not the default
        arguments = ["--data", data, *size, *arms, *TRAINING, *WIDTHS, "--filter", "none"]
        assert augment.main(["reduced", *arguments, "--out", str(tmp_path / name), *more]) == 0
        return pd.read_csv(tmp_path / name / "results.csv").drop(columns="seconds")

    keys = ["setting", "arm", "seed"]
    serial, workers = (run(*name).sort_values(keys, ignore_index=True) for name in (["a"], ["b", "--workers", "2"]))
    pd.testing.assert_frame_equal(serial, workers, check_exact=True)
    networks = [path.relative_to(tmp_path / "a") for path in sorted((tmp_path / "a/gans").rglob("*.keras"))]
    assert len([path for path in networks if path.stem == "generator"]) == 2 * (1 + 2)  # seeds; for both classes, each
    for path in networks:
        assert_same_weights(tmp_path / "a" / path, tmp_path / "b" / path)
    assert not list((tmp_path / "b").rglob("state.npz"))
    assert (tmp_path / "b/report.md").exists()
    assert killed
    assert capfd.readouterr().out.count("note: a worker has died. Its work is done again by another one") in (1, 2)


def test_recipes_that_are_compared_are_the_same_on_workers(data, tmp_path):
    def run(name, *more):
        compared = ["--compare", "quick", "mlp-cgan", "--features", "pixels", "--bootstrap", "0"]
        arguments = ["--data", data, "--out", str(tmp_path / name), *compared, *TRAINING, *WIDTHS, "--quiet"]
        assert evaluate_fid.main([*arguments, *more]) == 0
        return json.loads((tmp_path / name / "evaluation.json").read_text())["runs"]

    def undo(name):
        RunFolder(tmp_path / name / "runs/quick").model.network("generator").unlink()

    serial = run("serial")
    undo("serial")
    assert run("serial", "--workers", "2") == serial  # continued by workers
    other = run("other", "--seed", "1")
    assert other != serial
    undo("other")
    assert run("other", "--workers", "2", "--overwrite") == serial  # both anew, and nothing of the other seed


@pytest.mark.parametrize("kind", [["--members", "2"], ["--no-conditional"]])
def test_gans_of_a_recipe_are_the_same_on_workers(data, tmp_path, kind):
    def run(name, *more):
        out = tmp_path / name
        arguments = ["--data", data, "--out", str(out), "--quiet", *TRAINING, *WIDTHS, *kind, "--class-size", "5"]
        assert generate_data.main([*arguments, "--filter", "none", *more]) == 0
        return RunFolder(out).model.path

    serial, workers = run("serial"), run("workers", "--workers", "2")
    names = sorted(path.relative_to(serial) for path in serial.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(workers) for path in workers.rglob("*") if path.is_file())
    networks = [name for name in names if name.suffix == ".keras"]
    assert len([name for name in networks if name.stem == "generator"]) == 2
    for name in networks:
        assert_same_weights(serial / name, workers / name)
