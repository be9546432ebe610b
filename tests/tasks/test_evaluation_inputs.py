from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.errors import TrainingError
from common.executors import SerialExecutor
from common.images import hash_images
from common.run_options import RunOptions
from evaluation.sides import Leaks
from models.startup import Started
from real.data_options import SubsetOptions
from real.datasets import load_dataset
from synth.runs import Run
from synth.sources import count_rows
from tasks import evaluation_inputs
from tasks.evaluation_inputs import load_compared_data, note_unknown_training, open_runs, prepare, train_recipes
from tasks.evaluation_options import ComparisonOptions, MeasuringOptions
from tests.conftest import make_images

PIXELS = MeasuringOptions(features="pixels")
STARTED = Started(2, "python evaluate_fid.py")


@pytest.fixture
def run(tmp_path):
    return RunOptions(out=tmp_path / "out", quiet=True)


@pytest.fixture
def data(tmp_path):
    """Path of an .npz with 140 images of two classes."""
    return save(tmp_path / "digits.npz", *make_images(140))


def save(path, images, labels):
    path.parent.mkdir(exist_ok=True)
    np.savez(path, images=images, labels=labels)
    return str(path)


def test_runs_are_named_after_their_folders_or_else_their_paths(tmp_path):
    paths = [save(tmp_path / folder / "mine.npz", *make_images(4)) for folder in "ab"]
    other = save(tmp_path / "a" / "other.npz", *make_images(4))
    notes = []
    assert list(open_runs([paths[0], other], notes.append)) == ["mine.npz", "other.npz"]
    assert list(open_runs(paths, notes.append)) == paths
    assert all("the leakage guard does not know" in note for note in notes)
    with pytest.raises(ValueError, match="RUN should be different folders"):
        open_runs([paths[0], paths[0]], notes.append)


def test_data_are_those_that_the_runs_were_made_from(data, run, tmp_path):
    request = load_dataset(data).request
    runs = {"a": Run(request=request), "b": Run()}
    assert load_compared_data(SubsetOptions(), PIXELS, run, runs).request == request
    assert load_compared_data(SubsetOptions(), PIXELS, run, runs | {"c": Run(request=request | {"seed": 1})})
    others = runs | {"c": Run(request=request | {"classes": "0,1"})}
    with pytest.raises(ValueError, match="made from different data: name those to compare them with, by --data"):
        load_compared_data(SubsetOptions(), PIXELS, run, others)
    assert load_compared_data(SubsetOptions(data=data), PIXELS, run, others).request == request


def test_what_can_not_be_compared_is_refused(data, run):
    with pytest.raises(ValueError, match="--features classifier needs two classes or more: use --features pixels"):
        load_compared_data(SubsetOptions(data=data, classes="1"), MeasuringOptions(), run, {})
    with pytest.raises(ValueError, match="label 1 is 'bee' in .* Got 'cow'"):
        load_compared_data(SubsetOptions(data=name_classes(data)), PIXELS, run, {"a": Run(classes={1: "cow"})})


def name_classes(data):
    """Write the images as folders ape and bee; return their path."""
    with np.load(data) as stored:
        images, labels = stored["images"], stored["labels"]
    root = Path(data).parent / "named"
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = root / ("ape", "bee")[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{index:03d}.png")
    return str(root)


def test_real_images_that_were_trained_on_are_left_out(data, tmp_path):
    dataset = load_dataset(data)
    test = dataset.part("test")[0]
    path = save(tmp_path / "mine.npz", *make_images(20, seed=3))
    runs = open_runs([path], lambda note: None)
    runs["mine.npz"] = replace(runs["mine.npz"], hashes=hash_images(test[:6]))
    inputs = prepare(replace(PIXELS, allow_leak=True), dataset, runs, {"small": "diverged"})
    assert inputs.leaks == Leaks(images=14, leaked=6, allowed=True)
    assert inputs.failed == {"small": "diverged"}
    assert count_rows(inputs.compared.sides.sources["mine.npz"]) == {0: 10, 1: 10}
    np.testing.assert_array_equal(inputs.compared.sides.real[0], test)
    with pytest.raises(ValueError, match=r"6 of 14 test images \(42.9%\) were trained on"):
        prepare(PIXELS, dataset, runs, {})


def test_recipes_that_fail_are_named_and_others_go_on(data, run, tmp_path, monkeypatch):
    def generate(data, gan, sampling, run, work, started, save_trained):
        if gan.recipe.name == "small":
            raise TrainingError("training diverged")
        assert (gan.recipe.epochs, sampling.filter, started, save_trained) == (3, "none", STARTED, None)
        save(run.out / "mine.npz", *make_images(4))

    (tmp_path / "out" / "runs").mkdir(parents=True)
    monkeypatch.setattr(evaluation_inputs, "generate", generate)
    monkeypatch.setattr(evaluation_inputs, "open_run", lambda folder, report: Run(paths=[folder]))
    comparison = ComparisonOptions(compare=("small", "quick"), recipe_fields={"epochs": 3})
    runs, failed = train_recipes(SubsetOptions(data=data), comparison, run, SerialExecutor(), STARTED)
    assert runs == {"quick": Run(paths=[tmp_path / "out" / "runs" / "quick"])}
    assert failed == {"small": "training diverged"}
    with pytest.raises(TrainingError, match="no recipe could be trained to its end: training diverged"):
        train_recipes(SubsetOptions(data=data), replace(comparison, compare=("small",)), run, SerialExecutor(), STARTED)


def test_gans_of_other_images_are_noted(data):
    dataset = load_dataset(data)
    known = dataset.train_hashes()
    other = hash_images(dataset.part("test")[0])[:1]
    runs = {"a": Run(hashes=known[:7]), "b": Run(hashes=np.concatenate([known[:3], other])), "c": Run()}
    assert note_unknown_training(runs, dataset) == [
        f"warning: b: 75% of what its GAN was trained on is in the train part of {dataset.name}: copies of the rest "
        "are not seen."
    ]
