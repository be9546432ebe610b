"""Data, a finished training and a packed run that tests of several files look at."""

import shutil

import pytest

from models import pretrained
from models.packing import pack
from real.datasets import load_dataset
from tests.models.tiny import TINY, fit


@pytest.fixture(scope="session")
def dataset(data):
    return load_dataset(data)


@pytest.fixture(scope="session")
def finished(dataset, tmp_path_factory):
    """The folder of a finished training, for tests that only look, and whose classifiers the others reuse."""
    folder = tmp_path_factory.mktemp("finished")
    lines = fit(dataset, TINY, folder)
    return folder, lines


@pytest.fixture
def keras_home(data, tmp_path, monkeypatch):
    """Folder where the data set of the run `generated` is found under the name mnist."""
    folder = tmp_path / "keras"
    (folder / "datasets").mkdir(parents=True)
    shutil.copy(data, folder / "datasets" / "mnist.npz")
    monkeypatch.setenv("KERAS_HOME", str(folder))
    return folder


@pytest.fixture
def shipped(generated, keras_home, tmp_path, monkeypatch):
    """Folder that the run `generated` ships in, packed as mnist."""
    monkeypatch.setattr(pretrained, "PRETRAINED_FOLDER", tmp_path / "pretrained")
    pack(generated, "mnist", tmp_path / "pretrained")
    return tmp_path / "pretrained" / "mnist"
