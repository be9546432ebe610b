import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import generate_data
import predict
from models import pretrained
from models.building import build_pair
from models.network_files import load_network, save_packed
from models.pretrained import PRETRAINED, PRETRAINED_FOLDER, find_model_folder, main, pack
from models.recipes import Recipe
from models.trained_gan import TrainedGAN
from synth.datasets import load_dataset
from synth.leakage import find_leaks
from synth.npz_files import read_npz
from synth.shard_writing import stream_shards
from synth.shards import describe_hashes
from tests.conftest import make_images


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


def test_a_packed_run_makes_the_same_images(generated, shipped):
    original, packed = TrainedGAN(find_model_folder(generated)), TrainedGAN(find_model_folder("mnist"))
    assert (packed.class_names, packed.label_values) == (original.class_names, original.label_values)
    assert (packed.recipe, packed.seed, packed.fingerprint) == (original.recipe, original.seed, original.fingerprint)
    latents = np.random.default_rng(0).standard_normal((50, original.latent_dim), dtype=np.float32)
    for k in range(2):
        images, expected = packed.generate(latents, k), original.generate(latents, k)
        assert np.abs(images.astype(int) - expected).max() <= 2
        np.testing.assert_allclose(packed.score(expected, k), original.score(expected, k), atol=0.02)
        np.testing.assert_allclose(packed.classify(expected), original.classify(expected), atol=0.02)


def test_a_packed_run_knows_its_training_images(data, generated, shipped):
    packed, dataset = TrainedGAN(find_model_folder("mnist")), load_dataset(data)
    assert not find_leaks(dataset.part("test")[0], packed.train_hashes()).any()
    with pytest.raises(ValueError, match="were trained on"):
        find_leaks(dataset.part("train")[0], packed.train_hashes())


def test_a_packed_run_holds_no_path_of_the_machine_that_trained_it(data, shipped):
    description = (shipped / "model" / "recipe.json").read_text()
    assert str(Path(data).parent) not in description
    assert json.loads(description)["request"] == load_dataset("mnist").request
    assert TrainedGAN(shipped / "model").data == "mnist"


def test_the_scripts_take_a_shipped_name(shipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sampling = ["--filter", "none", "--duplicate-distance", "0", "--class-size", "3"]
    assert generate_data.main(["--model", "mnist", "--out", "more", "--quiet", *sampling]) == 0
    assert json.loads(Path("more/manifest.json").read_text())["request"]["data"] == "mnist"
    fresh = ["--model", "mnist", "--fresh", "--synthetic-only", "--filter", "none", "--synthetic-per-class", "20"]
    assert predict.main([*fresh, "--epochs", "1", "--out", "prediction", "--quiet"]) == 0
    leaks = json.loads(Path("prediction/metrics.json").read_text())["leaks"]
    assert leaks == {"test_images": 14, "leaked": 0, "allowed": False}


def test_a_run_of_this_name_goes_before_the_shipped_one(generated, shipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mnist").mkdir()
    assert find_model_folder("mnist") == shipped / "model"
    shutil.copytree(generated / "model", "mnist/model")
    assert find_model_folder("mnist") == Path("mnist/model")


def test_an_unknown_name_is_refused_with_the_shipped_ones():
    message = "--model should be a run's folder, or pretrained: mnist, fashion_mnist. No .* in emnist"
    with pytest.raises(ValueError, match=message):
        find_model_folder("emnist")


def test_an_unfinished_run_is_named_as_such(generated, tmp_path):
    shutil.copytree(generated, tmp_path / "run")
    (tmp_path / "run/model/generator.keras").unlink()
    message = "run is an unfinished run of generate_data.py: the same command again finishes it"
    with pytest.raises(ValueError, match=message):
        TrainedGAN(find_model_folder(tmp_path / "run"))
    shutil.rmtree(tmp_path / "run/model")
    with pytest.raises(ValueError, match=message):
        find_model_folder(tmp_path / "run")
    for sampled in ({"training": {"model_hash": "x"}}, {"study": {}}):
        (tmp_path / "run/config.json").write_text(json.dumps(sampled))
        with pytest.raises(ValueError, match="--model should be a run's folder, or pretrained"):
            find_model_folder(tmp_path / "run")


def test_the_command_prints_sizes_and_replaces_on_request_alone(generated, keras_home, tmp_path, capsys):
    arguments = [str(generated), "mnist", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    networks = ["model/discriminator.npz", "model/filter.npz", "model/generator.npz"]
    names = ["model/density_ratio.npy", *networks, "model/recipe.json", "train_hashes.npy"]
    assert [line.partition("mnist/")[2] for line in lines] == names
    size = (tmp_path / "out/mnist/model/generator.npz").stat().st_size
    assert lines[3].startswith(f"{size:>9,} bytes  ")
    assert main(arguments) == 2
    assert "should be a new folder, or a packed run to replace with --overwrite. It exists" in capsys.readouterr().err
    (tmp_path / "out/mnist/theirs.txt").touch()
    assert main([*arguments, "--overwrite"]) == 2
    assert (tmp_path / "out/mnist/theirs.txt").exists()
    (tmp_path / "out/mnist/theirs.txt").unlink()
    assert main([*arguments, "--overwrite"]) == 0


def test_an_unfinished_run_is_not_packed(generated, keras_home, tmp_path):
    shutil.copytree(generated, tmp_path / "run")
    (tmp_path / "run/model/generator.keras").unlink()
    with pytest.raises(ValueError, match=r"is an unfinished run of generate_data\.py.*generator\.keras"):
        pack(tmp_path / "run", "mnist", tmp_path / "out")
    with pytest.raises(ValueError, match="RUN should be a run's folder"):
        pack(tmp_path / "nowhere", "mnist", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_with_one_gan_per_class_is_not_packed(generated, keras_home, tmp_path):
    shutil.copytree(generated, tmp_path / "run")
    model = tmp_path / "run" / "model"
    description = json.loads((model / "recipe.json").read_text())
    description["recipe"] |= {"name": "dcgan", "conditional": False}
    (model / "recipe.json").write_text(json.dumps(description))
    for name in ("0", "1"):
        (model / name).mkdir()
        for network in build_pair(Recipe(**description["recipe"]), (28, 28, 1), 0):
            network.save(model / name / f"{network.name}.keras")
    with pytest.raises(ValueError, match="should have one GAN for all classes. The recipe dcgan has several"):
        pack(tmp_path / "run", "mnist", tmp_path / "out")


def test_a_run_on_other_images_is_not_packed(generated, keras_home, tmp_path):
    images, labels = make_images(140, seed=1)
    np.savez(keras_home / "datasets" / "mnist.npz", images=images, labels=labels)
    message = (
        r"should be trained on the 112 train images of mnist \(\w{12}\)\. Got 112 images of .*digits\.npz \(\w{12}\)"
    )
    with pytest.raises(ValueError, match=message):
        pack(generated, "mnist", tmp_path / "out")


def test_a_run_on_a_part_of_the_images_is_not_packed(generated, keras_home, tmp_path):
    shutil.copytree(generated, tmp_path / "run")
    hashes = np.load(tmp_path / "run/train_hashes.npy")
    np.save(tmp_path / "run/train_hashes.npy", hashes[:100])
    path = tmp_path / "run/model/recipe.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"train_hashes": describe_hashes(hashes[:100])}))
    with pytest.raises(ValueError, match="should be trained on the 112 train images of mnist .* Got 100 images"):
        pack(tmp_path / "run", "mnist", tmp_path / "out")


def test_networks_that_the_recipe_does_not_build_are_not_packed(generated, keras_home, tmp_path):
    shutil.copytree(generated, tmp_path / "run")
    generator = load_network(generated / "model", "generator")
    changed = keras.models.model_from_json(generator.to_json().replace('"tanh"', '"sigmoid"'))
    changed.set_weights(generator.get_weights())
    changed.save(tmp_path / "run/model/generator.keras")
    with pytest.raises(ValueError, match="should have the networks of its recipe, quick. They differ"):
        pack(tmp_path / "run", "mnist", tmp_path / "out")
    description = tmp_path / "run/model/recipe.json"
    description.write_text(description.read_text().replace('"generator_width": 2', '"generator_width": 3'))
    with pytest.raises(ValueError, match=r"generator\.npz: should be a Keras model file or its packed weights"):
        pack(tmp_path / "run", "mnist", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "equal"), [(lambda scores: scores + 0.01, True), (lambda scores: scores[::-1], False)]
)
def test_scores_are_the_same_when_they_rank_alike(change, equal):
    scores = np.linspace(-0.1, 0.1, 64)

    def build(scores):
        images = np.ones((64, 8, 8, 1), np.uint8)
        calls = {
            "generate": lambda *inputs: images,
            "score": lambda *inputs: scores,
            "classify": lambda *inputs: images,
        }
        return SimpleNamespace(class_names=("a", "b"), latent_dim=2, **calls)

    assert pretrained._is_equal(build(change(scores)), build(scores)) == equal


def test_every_weight_is_kept_up_to_rounding(tmp_path):
    def build():
        return build_pair(Recipe(generator_width=2, latent_dim=4), (28, 28, 1), 2)[0]

    generator = build()
    assert generator.non_trainable_weights  # of batch normalisation
    generator.set_weights([np.random.default_rng(0).normal(size=w.shape) for w in generator.weights])
    save_packed(tmp_path / "generator.npz", generator)
    opened = load_network(tmp_path, "generator", build)
    for weights, expected in zip(opened.get_weights(), generator.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("value", [1e5, np.nan])
def test_a_weight_that_float16_cannot_hold_is_refused(tmp_path, value):
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="last")])
    network.set_weights([np.full((1, 1), value), np.zeros(1)])
    with pytest.raises(ValueError, match=r"last/kernel: weights should be in the range of float16, up to 65504\. Got"):
        save_packed(tmp_path / "network.npz", network)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_packed_network_is_named(shipped):
    (shipped / "model" / "filter.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"filter\.npz: should be a Keras model file"):
        TrainedGAN(shipped / "model")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*PRETRAINED, *(path.name for path in PRETRAINED_FOLDER.glob("*"))}))
def test_what_ships_opens_and_makes_images(name):
    assert name in PRETRAINED
    folder = PRETRAINED_FOLDER / name / "model"
    trained = TrainedGAN(folder)
    assert (folder / "generator.npz").stat().st_size <= 2_000_000
    latents = np.random.default_rng(0).standard_normal((20, trained.latent_dim), dtype=np.float32)
    for k in range(len(trained.class_names)):
        images = trained.generate(latents, k)
        assert (images.shape, images.dtype) == ((20, *trained.image_shape), np.uint8)
        assert images.std() > 10
        assert trained.classify(images).argmax(axis=1).tolist().count(k) > 10
    description = json.loads((folder / "recipe.json").read_text())
    assert len(description["fingerprint"]) == 64
    assert description["train_hashes"] == describe_hashes(trained.train_hashes())
    assert description["data"] == description["request"]["data"] == name
    description.pop("class_names")  # T-shirt/top
    assert not {"/", "\\"} & set(json.dumps(description))


def test_what_ships_makes_the_same_images_as_ever(tmp_path):
    """In grey levels, as the last bit depends on the processor and the versions."""
    trained = TrainedGAN(PRETRAINED_FOLDER / "mnist" / "model")
    sampling = {"filter": "classifier", "keep": 0.9, "min_probability": 0.5, "duplicate_distance": 4.0}
    sampling |= {"latent_std": 1.0, "format": "npz", "shard_size": 100, "seed": 0}
    manifest = stream_shards(trained, {"class_size": dict.fromkeys("0123456789", 12)} | sampling, tmp_path, quiet=True)
    rejected = {name: counts["rejected"] for name, counts in manifest["classes"].items() if counts["rejected"]}
    assert rejected == {"4": {"classifier": 1}}
    images = np.array([read_npz(tmp_path / entry["file"]).images[..., 0] for entry in manifest["shards"]])
    greys = [44.6, 17.5, 34.5, 34.9, 35.2, 34.9, 33.9, 29.7, 36.5, 31.0]  # of each class
    assert images.mean(axis=(1, 2, 3)) == pytest.approx(greys, abs=0.5)
    blocks = images[3, 0].reshape(4, 7, 4, 7).mean(axis=(1, 3))
    first_three = [[2.2, 60.2, 33.9, 0.0], [27.8, 112.1, 145.9, 0.0], [4.8, 93.6, 147.9, 13.0], [0.0, 61.6, 63.7, 0.0]]
    np.testing.assert_allclose(blocks, first_three, atol=2)
