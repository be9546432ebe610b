"""Tiny literal data that many tests share. No test needs the network or a data set from elsewhere."""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

import generate_data
from synth.shards import describe_hashes, save_hashes

TRAINING = ["--steps", "2", "--round-steps", "2", "--batch-size", "16", "--dtype", "float32"]
WIDTHS = ["--latent-dim", "4", "--generator-width", "2", "--discriminator-width", "2"]


@pytest.hookimpl(tryfirst=True)  # before -m "not slow" chooses
def pytest_collection_modifyitems(items):
    """A test is slow, too, where one of its fixtures trains a GAN."""
    for item in items:
        if {"generated", "finished"} & set(item.fixturenames):
            item.add_marker("slow")


def make_images(count, shape=(28, 28, 1), class_count=2, seed=0):
    """Images uint8 and labels int64: class k has a bright bar at a height that tells the classes apart."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 60, (count, *shape)).astype(np.uint8)
    labels = np.arange(count) % class_count
    rows = shape[0] // class_count
    for k in range(class_count):
        images[labels == k, k * rows : (k + 1) * rows] += 150
    return images, labels


def fail(main, capsys, *arguments):
    """Run a script's main, which must fail; return (exit code, the one line on stderr)."""
    try:
        code = main([*arguments, "--quiet"])
    except SystemExit as exit:
        code = exit.code
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return code, lines[0]


def train_on(run, hashes):
    """Make a run say that its GAN was trained on the images of these hashes."""
    save_hashes(run, hashes)
    for path in (run / "manifest.json", run / "model" / "recipe.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"train_hashes": describe_hashes(hashes)}))


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Path of an .npz with 140 images of two classes, without a test part."""
    images, labels = make_images(140)
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, images=images, labels=labels)
    return str(path)


@pytest.fixture
def digits_npz(tmp_path):
    """Path of an .npz with 120 images of two classes and 20 test images, in the layout of Keras' mnist.npz."""
    images, labels = make_images(140)
    path = tmp_path / "digits.npz"
    parts = {"x_train": images[:120, ..., 0], "y_train": labels[:120]}
    np.savez(path, **parts, x_test=images[120:, ..., 0], y_test=labels[120:])
    return path


@pytest.fixture(scope="session")
def generated(data, tmp_path_factory):
    """Folder of a run that was hardly trained on `data`, with 40 unfiltered images of each class; not to be changed."""
    out = tmp_path_factory.mktemp("run") / "synthetic"
    sampling = ["--filter", "none", "--duplicate-distance", "0", "--class-size", "40", "--shard-size", "25"]
    arguments = ["--data", data, "--out", str(out), "--quiet", *TRAINING, *WIDTHS, *sampling]
    assert generate_data.main(arguments) == 0
    return out
