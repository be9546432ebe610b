import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from models import packing
from models.building import build_pair
from models.network_files import load_network
from models.packing import pack
from models.pretrained import find_model_folder
from models.recipes import Recipe
from models.trained_gan import TrainedGAN
from real.datasets import load_dataset
from real.leakage import find_leaks
from synth.shards import describe_hashes
from tests.conftest import make_images


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


def test_a_run_with_a_judge_of_other_pictures_is_not_packed(generated, keras_home, tmp_path):
    shutil.copytree(generated, tmp_path / "run")
    model = tmp_path / "run" / "model"
    description = json.loads((model / "recipe.json").read_text())
    description["recipe"]["judge"] = "own.keras"
    (model / "recipe.json").write_text(json.dumps(description))
    classifier = load_network(model, "filter")
    classes = keras.layers.Dense(2, activation="softmax", name="classes")
    keras.Model(classifier.input, classes(classifier.get_layer("features").output)).save(model / "filter.keras")
    with pytest.raises(ValueError, match=r"should have a judge that was fitted on its data\. It is own\.keras"):
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

    assert packing._is_equal(build(change(scores)), build(scores)) == equal
