"""Files of a run that were changed by a few bytes, or by a value: a right result or one line, never a traceback."""

import json
import os
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import RequestError, RunError
from common.output_folder import OutputFolder
from common.run_files import load_histories
from evaluation.feature_cache import load_or_compute
from models.building import build_gan, build_pair
from models.checkpoint import Progress, load_checkpoint, save_checkpoint
from models.classifier import build_classifier
from models.description import list_pairs, load_description, save_description
from models.network_files import ANY, load_classifier, load_network, save_packed
from models.recipes import Recipe
from models.trained_gan import TrainedGAN, save_density_ratio
from synth.runs import open_run
from synth.shard_writing import stream_shards
from synth.shards import save_hashes
from tasks.study_cells import Cell, load_table, run_study
from tests.synth.test_shard_writing import SAMPLING, NoiseModel

pytestmark = pytest.mark.slow

TINY = Recipe(latent_dim=4, generator_width=2, discriminator_width=2, dtype="float32")
SHAPE = (12, 12, 1)
TIMES = int(os.environ.get("MUTATIONS", "1"))  # times as many examples, to hunt
ODD = [None, True, -1, 0, 0.5, 10**30, float("nan"), "", "0", "\x00\n", [], [None], {}, {"a": 1}, [1, 1], [2, 1]]


def examples(count):
    return settings(
        max_examples=TIMES * count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model folder with untrained, packed networks."""
    folder = tmp_path_factory.mktemp("run") / "model"
    folder.mkdir()
    request = {"data": "x.npz", "classes": None, "real_per_class": 5, "image_size": (12, 12), "image_shape": None}
    dataset = SimpleNamespace(image_shape=SHAPE, class_names=("a", "b"), label_values=(0, 7), name="x.npz")
    dataset.count_train = lambda: np.array([7, 3])
    dataset.request, dataset.fingerprint = request | {"seed": 0}, "f" * 64
    dataset.train_hashes = lambda: np.arange(10, dtype=np.uint64)
    save_description(folder, TINY, dataset, 0)
    for name, network in zip(("generator", "discriminator"), build_pair(TINY, SHAPE, 2), strict=True):
        save_packed(folder / f"{name}.npz", network)
    save_packed(folder / "filter.npz", build_classifier(SHAPE, 2))
    save_density_ratio(folder, np.ones((2, 129), np.float32))
    return folder


def mutate_bytes(draw, content):
    kind = draw(st.sampled_from(["flip", "insert", "delete", "truncate", "empty"]))
    at = draw(st.integers(0, len(content) - 1))
    if kind == "flip":
        return content[:at] + bytes([content[at] ^ draw(st.integers(1, 255))]) + content[at + 1 :]
    if kind == "insert":
        return content[:at] + draw(st.binary(min_size=1, max_size=9)) + content[at:]
    if kind == "delete":
        return content[:at] + content[at + draw(st.integers(1, 9)) :]
    return content[:at] if kind == "truncate" else b""


def mutate_json(draw, content):
    """Drop a value somewhere in a JSON text, replace it by an odd one, or double it."""
    inside = whole = {"all": json.loads(content)}
    key = "all"
    while draw(st.booleans()) and isinstance(inside[key], dict | list) and inside[key]:
        inside = inside[key]
        key = draw(st.sampled_from(sorted(inside))) if isinstance(inside, dict) else len(inside) - 1
    kind = draw(st.sampled_from(["drop", "odd", "double", "add"]))
    if kind == "drop" and inside is not whole:
        del inside[key]
    elif kind == "add" and isinstance(inside[key], dict):
        inside[key]["added"] = draw(st.sampled_from(ODD))
    else:
        inside[key] = [inside[key]] * 2 if kind == "double" else draw(st.sampled_from(ODD))
    return json.dumps(whole["all"]).encode()


def check(path, content, open_it):
    """Write `content` to `path`, open it, put back what was there, and return what was opened; None after one line."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        return open_it()
    except (RequestError, RunError) as error:
        message = " ".join(str(error).split())  # as scripts show it
    finally:
        path.write_bytes(before)
    assert path.name in message or str(path.parent) in message or "unfinished run" in message
    return None


@given(case=st.data())
@examples(300)
def test_recipe_json(model, case):
    path = model / "recipe.json"
    mutate = case.draw(st.sampled_from([mutate_bytes, mutate_json, mutate_json]))
    found = check(path, mutate(case.draw, path.read_bytes()), lambda: load_description(model))
    if found:
        assert len(found.label_values) == len(found.class_names)
        assert list_pairs(found.recipe, found.class_names)


@given(case=st.data())
@examples(6)
def test_a_run_with_another_recipe_json(model, case):
    path = model / "recipe.json"
    trained = check(path, mutate_json(case.draw, path.read_bytes()), lambda: TrainedGAN(model))
    assert not trained or trained.image_shape == SHAPE


@given(case=st.data())
@examples(15)
def test_packed_networks(model, case):
    name = case.draw(st.sampled_from(["generator", "filter"]))
    path = model / f"{name}.npz"

    def load():
        if name == "filter":
            return load_classifier(model, name, SHAPE, 2)
        return load_network(model, name, lambda: build_pair(TINY, SHAPE, 2)[0], ([ANY, ()], SHAPE), 2)

    opened = check(path, mutate_bytes(case.draw, path.read_bytes()), load)
    if opened:
        with np.load(path) as stored:
            assert all(np.array_equal(stored[f"arr_{k}"], weights) for k, weights in enumerate(opened.get_weights()))


@pytest.fixture(scope="module")
def trained(model):
    return TrainedGAN(model)


@given(case=st.data())
@examples(150)
def test_density_ratio(model, trained, case):
    path = model / "density_ratio.npy"
    content = mutate_bytes(case.draw, path.read_bytes())
    weights = check(path, content, trained._load_density_ratio)
    assert weights is None or (weights.shape == (2, 129) and np.isfinite(weights).all())


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint folder, and its GAN."""
    folder = tmp_path_factory.mktemp("checkpoint")
    gan = build_gan(TINY, SHAPE, 2, seed=0)
    history = [{"step": 2, "seconds": 1.0, "frechet": 2.0, "collapsed": ""}]
    best = gan.moving_average.get_weights() + gan.discriminator.get_weights()
    save_checkpoint(folder, gan, best, Progress(2, 1.0, 2, 2.0, history))
    return folder, gan, best


@given(case=st.data())
@examples(60)
def test_checkpoint(saved, case):
    folder, gan, best = saved
    path = folder / "state.npz"
    content = mutate_bytes(case.draw, path.read_bytes())
    found = check(path, content, lambda: load_checkpoint(folder, gan, print))
    if found:
        assert found[1].step == 2
        assert all(np.array_equal(*pair) for pair in zip(found[0], best, strict=True))


@given(case=st.data())
@examples(200)
def test_results(case, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "study"
    folder.mkdir(exist_ok=True)
    cells = [Cell("20:1, Sneaker", arm, seed) for arm in ("real", "gan") for seed in (0, 1)]
    run_study(cells, folder, lambda cells: ((cell, ({"accuracy": 0.5}, [{"epoch": 1}])) for cell in cells), quiet=True)
    path = folder / "results.csv"
    table = check(path, mutate_bytes(case.draw, path.read_bytes()), lambda: load_table(path, ["accuracy"]))
    if table is not None:
        assert table["seed"].dtype == np.int64
        assert table["accuracy"].dtype.kind in "fi"


@given(case=st.data())
@examples(200)
def test_history(case, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "history"
    folder.mkdir(exist_ok=True)
    path = folder / "history.csv"
    path.write_text(
        "step,seconds,discriminator_loss,generator_loss,frechet,collapsed\n2,1.5,0.5,0.5,9.5,\n4,3.0,0.5,0.5,8.5,0 1\n"
    )
    found = check(path, mutate_bytes(case.draw, path.read_bytes()), lambda: load_histories(folder))
    assert not found or np.isfinite(found[""]["frechet"]).all()


@given(case=st.data())
@examples(100)
def test_cached_features(case, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "features"
    folder.mkdir(exist_ok=True)
    images = np.arange(12 * 4, dtype=np.uint8).reshape(12, 2, 2, 1)
    extractor = SimpleNamespace(hash="h", compute=lambda images: images.reshape(len(images), -1) / 7)
    load = partial(load_or_compute, folder, images, extractor)
    right = load()
    (path,) = folder.glob("*.npz")
    found = check(path, mutate_bytes(case.draw, path.read_bytes()), load)
    assert np.array_equal(found[0], right[0])
    assert np.array_equal(found[1].covariance, right[1].covariance)


SETTINGS = {"training": {"seed": 0, "recipe": {"steps": 10}}, "sampling": {"keep": 0.9}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder with two shards of noise, as generate_data.py leaves it."""
    folder = tmp_path_factory.mktemp("shards")
    with OutputFolder(folder, SETTINGS, "generate_data.py", ("shards",)).hold({"threads": 2}):
        save_hashes(folder, NoiseModel().train_hashes())
        stream_shards(NoiseModel(), SAMPLING | {"shard_size": 30}, folder, quiet=True)
    return folder


def open_all(folder):
    """Open the run as it goes on, and as its shards are used; return the manifest and the Run."""
    with OutputFolder(folder, SETTINGS, "generate_data.py", ("shards",)).hold({"threads": 2}):
        manifest = stream_shards(
            NoiseModel(), SAMPLING | {"shard_size": 30}, folder, quiet=True, report=lambda text: None
        )
    return manifest, open_run(folder, lambda text: None)


@given(case=st.data())
@examples(150)
def test_manifest(run, case):
    path = run / "manifest.json"
    mutate = case.draw(st.sampled_from([mutate_bytes, mutate_json, mutate_json]))
    found = check(path, mutate(case.draw, path.read_bytes()), lambda: open_all(run))
    if found:
        assert sum(entry["rows"] for entry in found[0]["shards"]) == 2 * 30
        assert found[1].hashes.tolist() == [0, 1, 2]


@given(case=st.data())
@examples(100)
def test_journal(run, case):
    """Of a run whose shards are all in its journal: as if it had been killed before the last line was written."""
    manifest = json.loads((run / "manifest.json").read_text())
    whole, path = (run / "manifest.json").read_bytes(), run / "shards.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in manifest["shards"]))
    head = json.dumps(manifest | {"shards": [], "complete": False}).encode()
    mutated = mutate_bytes(case.draw, path.read_bytes())
    try:
        found = check(run / "manifest.json", head, lambda: check(path, mutated, lambda: open_all(run)))
    finally:
        path.unlink(missing_ok=True)
        (run / "manifest.json").write_bytes(whole)
    if found:
        assert sum(entry["rows"] for entry in found[0]["shards"]) == 2 * 30


@given(case=st.data())
@examples(100)
def test_config(run, case):
    path = run / "config.json"
    mutate = case.draw(st.sampled_from([mutate_bytes, mutate_json]))
    found = check(path, mutate(case.draw, path.read_bytes()), lambda: open_all(run))
    assert not found or found[0]["complete"]


@given(case=st.data())
@examples(100)
def test_hashes(run, case):
    path = run / "train_hashes.npy"
    before = path.read_bytes()
    found = check(path, mutate_bytes(case.draw, before), lambda: open_run(run, lambda text: None))
    assert not found or found.hashes.tolist() == [0, 1, 2]


@given(case=st.data())
@examples(100)
def test_list_of_files(run, case):
    path = run / "files.txt"
    theirs = run.parent / "theirs.txt"
    theirs.write_text("theirs")
    check(path, mutate_bytes(case.draw, path.read_bytes()) + b"../theirs.txt\n", lambda: open_all(run))
    assert theirs.read_text() == "theirs"
