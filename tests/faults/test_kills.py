"""SIGKILL at random moments: the same command again ends with the same bytes."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from common.files import list_written
from models.trained_gan import TrainedGAN
from tests.conftest import WIDTHS

pytestmark = pytest.mark.slow

KILLED = Path(__file__).with_name("killed.py")
GAN = ["--batch-size", "16", "--dtype", "float32", *WIDTHS, "--steps", "6", "--round-steps", "2"]
PLAIN = ["--filter", "none", "--duplicate-distance", "0"]
WORK = {
    "generate_data": ["--class-size", "12", "--shard-size", "4", "--format", "both", *GAN, *PLAIN],
    "generate_data, pictures": ["--class-size", "12", "--shard-size", "4", "--format", "png", *GAN, *PLAIN],
    "augment balance": [
        *["--recipe", "small", "--surplus", "1", "--format", "both", *GAN, *PLAIN],
    ],
    "augment balance, pictures": [
        *["--recipe", "small", "--surplus", "1", "--format", "png", *GAN, *PLAIN],
    ],
    "augment reduced": [
        *["--real", "24", "--added", "0", "8", "--ratios", "1", "--arms", "real", "classic-gan"],
        *["--gans", "shared:small", "--seeds", "1", "--classifier-steps", "5", *GAN, *PLAIN],
    ],
    "evaluate_fid": ["--compare", "small", "--features", "pixels", "--bootstrap", "0", *GAN],
}  # fmt: skip


def run(folder, work, data, write=0, seconds=0.0, **environment):
    """Run a command, killed around its so many-th write; return (exit code, output, errors)."""
    script, *command = work.partition(",")[0].split()
    arguments = [*command, "--data", data, *WORK[work], "--out", folder]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", **environment}
    call = [sys.executable, KILLED, str(write), str(seconds), script, *arguments]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def read_results(folder):
    """Everything of a run that its bytes are promised for, without times."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (
            (path.suffix == ".npz" and "cache" not in name)
            or name in ("train.csv", "train_hashes.npy")
            or path.parent.parent.name in ("shards", "images")
            or path.name == "metadata.csv"
        ):
            found[name] = path.read_bytes()
        elif path.name == "results.csv":
            found[name] = pd.read_csv(path).drop(columns="seconds").to_csv()
        elif path.name == "evaluation.json":
            scores = json.loads(path.read_text(), parse_float=lambda text: f"{float(text):.6g}")
            found[name] = {key: scores[key] for key in ("runs", "floor", "verdicts")}
        elif path.name == "recipe.json":
            found[name] = TrainedGAN(path.parent).compute_hash()
    return found


def check_written(folder):
    """Every file is listed by the run that it is of, and no temporary one is left."""
    for path in folder.rglob("*"):
        run = next(parent for parent in path.parents if (parent / "config.json").exists())
        if path.is_file() and path.name not in (".lock", "config.json", "files.txt"):
            assert path.relative_to(run).as_posix() in list_written(run)


@pytest.mark.parametrize("work", WORK)
def test_a_run_that_was_killed_again_and_again_ends_as_if_it_never_was(work, data, tmp_path):
    code, writes, errors = run(tmp_path / "whole", work, data)
    assert (code, errors) == (0, "")
    moments = random.Random(work)
    kills = 0
    for seconds in (0.0, 0.05, 0.0, 0.2, 0.0):  # 0: the file is whole and not yet in its place
        write = moments.randint(1, int(writes) // 6)
        code, _, errors = run(tmp_path / "killed", work, data, write, moments.uniform(0, seconds))
        assert (code, errors) in ((-signal.SIGKILL, ""), (0, ""))  # 0: the rest took less
        kills += code != 0
    assert kills >= 3
    threads = json.loads((tmp_path / "killed/config.json").read_text())["threads"]
    code, _, errors = run(tmp_path / "killed", work, data, TF_NUM_INTRAOP_THREADS="1")  # set, not inherited
    assert (code, errors) == (0, "")
    assert json.loads((tmp_path / "killed/config.json").read_text())["threads"] == threads
    results = read_results(tmp_path / "whole")
    assert len(results) >= 2
    again = read_results(tmp_path / "killed")
    assert again.keys() == results.keys()
    for name, expected in results.items():
        assert again[name] == expected, name
    check_written(tmp_path / "killed")
