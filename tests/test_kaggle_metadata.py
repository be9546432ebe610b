"""The rules that Kaggle's command line (2.2.4) applies to the metadata files, held against the templates."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from real.npz_files import read_npz
from tests.test_architecture import STACK

ROOT = Path(__file__).resolve().parent.parent
LICENSES = {
    "CC0-1.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", "GPL-2.0", "ODbL-1.0", "DbCL-1.0",
    "copyright-authors", "other", "unknown", "CC-BY-4.0", "CC-BY-NC-4.0", "PDDL", "CC-BY-3.0", "CC-BY-3.0-IGO",
    "US-Government-Works", "CC-BY-NC-SA-3.0-IGO", "CDLA-Permissive-1.0", "CDLA-Sharing-1.0", "CC-BY-ND-4.0",
    "CC-BY-NC-ND-4.0", "ODC-BY-1.0", "LGPL-3.0", "AGPL-3.0", "FDL-1.3", "EU-ODP-Legal-Notice", "apache-2.0",
    "GPL-3.0",
}  # fmt: skip
ACCELERATORS = {"NvidiaTeslaT4", "NvidiaTeslaT4Highmem", "NvidiaL4", "TpuV5E8"}  # of the docs; P100 is phased out


@pytest.fixture
def dataset():
    return json.loads((ROOT / "kaggle/dataset-metadata.json").read_text())


@pytest.fixture
def kernel():
    return json.loads((ROOT / "kaggle/kernel-metadata.json").read_text())


def slugify(title):
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def test_titles_and_slugs_have_allowed_lengths_and_agree(dataset, kernel):
    assert 6 <= len(dataset["title"]) <= 50
    assert 20 <= len(dataset["subtitle"]) <= 80
    assert 5 <= len(kernel["title"]) <= 50
    for metadata in (dataset, kernel):
        owner, slug = metadata["id"].split("/")
        assert owner == "YOUR_NAME"
        assert slug == slugify(metadata["title"])
        assert 6 <= len(slug) <= 50


def test_the_license_is_one_that_kaggle_knows(dataset):
    assert len(dataset["licenses"]) == 1
    assert dataset["licenses"][0]["name"] in LICENSES
    assert "MIT" in dataset["description"]  # "other" is to be named there


def test_the_notebook_attaches_the_bundle_and_the_competition(dataset, kernel):
    assert kernel["dataset_sources"] == [dataset["id"]]
    assert kernel["competition_sources"] == ["digit-recognizer"]
    assert (ROOT / "notebooks" / kernel["code_file"]).is_file()
    assert (kernel["language"], kernel["kernel_type"]) == ("python", "notebook")


def test_switches_are_written_out(kernel):
    assert kernel["enable_internet"] is False  # the command line's default is true
    assert kernel["is_private"] is True
    assert (kernel["enable_gpu"], kernel["enable_tpu"]) == (True, False)
    assert kernel["machine_shape"] in ACCELERATORS


@pytest.fixture
def archive_command():
    """The line of docs/kaggle.md that makes build/bundle/."""
    return re.search(r"^git archive .+ \| tar -x$", (ROOT / "docs/kaggle.md").read_text(), re.M)[0]


def test_the_documented_commands_take_the_files_that_exist_and_the_folders_along(archive_command):
    archived = re.fullmatch(r"git archive --prefix=\S+ HEAD ':\(glob\)\*\.py' (.+) \| tar -x", archive_command)[
        1
    ].split()
    assert {*STACK, "LICENSE"} <= set(archived)
    assert all((ROOT / path).exists() for path in archived)
    assert re.findall(r"^kaggle datasets create .*-r zip$", (ROOT / "docs/kaggle.md").read_text(), re.M)


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("git") and shutil.which("tar") and (ROOT / ".git").exists()), reason="no clone")
def test_the_documented_archive_runs_from_anywhere(archive_command, tmp_path):
    """What is committed is archived: a file that is needed and not in the folders of the command is missed here."""
    subprocess.run(archive_command.replace("tar -x", f"tar -x -C {tmp_path}"), shell=True, cwd=ROOT, check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, tmp_path / "build/bundle/generate_data.py", "--model", "mnist", "--class-size", "3"]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "KAGGLE_ROOT")}
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shards = sorted(elsewhere.glob("synthetic/shards/*/part-00000.npz"))
    assert [len(read_npz(path).images) for path in shards] == [3] * 10
