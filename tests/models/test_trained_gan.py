import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from common.images import to_network_range
from models.description import list_pairs
from models.inference import Sampler
from models.trained_gan import TrainedGAN
from tests.models.tiny import TINY, assert_equal_weights, fit


def test_a_run_without_its_filter_is_not_taken_for_one_of_one_class(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "filter.keras").unlink()
    with pytest.raises(ValueError, match=r"No filter\.keras there: the command that trained the run"):
        TrainedGAN(tmp_path)


@pytest.mark.parametrize("names", [["0"], ["0", "1", "2"]])
def test_a_run_of_other_classes_than_its_networks_is_refused(finished, tmp_path, names):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    path = tmp_path / "recipe.json"
    content = json.loads(path.read_text()) | {"class_names": names, "label_values": [*range(len(names))]}
    content["train_counts"] = [9] * len(names)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"generator\.keras: should know {len(names)} classes. It knows 2"):
        TrainedGAN(tmp_path)


@pytest.mark.parametrize("conditional", [True, False])
def test_members_are_trained_from_other_seeds_and_take_turns(dataset, finished, tmp_path, conditional):
    recipe = replace(TINY, conditional=conditional, members=2)
    lines = fit(dataset, recipe, tmp_path, finished)
    assert len(lines) == recipe.plan_gans(2, len(dataset.train))[0]
    trained = TrainedGAN(tmp_path)
    latents = np.random.default_rng(0).standard_normal((301, trained.latent_dim), dtype=np.float32)
    images = trained.generate(latents, 1)
    assert np.array_equal(images[:7], trained.generate(latents[:7], 1))
    assert trained.generate(latents[:1], 1).shape == (1, 28, 28, 1)
    pairs = [tmp_path / folder for k, _, folder in list_pairs(recipe, dataset.class_names) if k in (None, 1)]
    for m, pair in enumerate(pairs):
        generator = keras.models.load_model(pair / "generator.keras")
        alone = Sampler(generator)(latents[m::2], np.full(len(latents[m::2]), 1))
        assert np.abs(images[m::2].astype(int) - alone).max() <= 1  # blocks of another size round otherwise
    discriminators = [keras.models.load_model(pair / "discriminator.keras") for pair in pairs]
    inputs = [to_network_range(images[:5].astype(np.float32)), *([np.full(5, 1)] if conditional else [])]
    scores = np.mean([np.ravel(discriminator(inputs)) for discriminator in discriminators], axis=0)
    assert np.allclose(trained.score(images[:5], 1), scores, atol=1e-4)
    if conditional:
        assert_equal_weights(pairs[0], finished[0])  # the first is the GAN of the recipe without members
    (pairs[1] / "generator.keras").unlink()
    with pytest.raises(ValueError, match=r"unfinished run.*member-1/generator\.keras"):
        TrainedGAN(tmp_path)


def test_trained_networks_are_opened_and_checked(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    trained = TrainedGAN(tmp_path)
    images = trained.generate(np.zeros((300, trained.latent_dim), np.float32), 1)
    assert images.shape == (300, 28, 28, 1)
    assert images.dtype == np.uint8
    assert trained.score(images, 1).shape == (300,)
    assert np.allclose(trained.classify(images).sum(axis=1), 1, atol=1e-5)
    description = tmp_path / "recipe.json"
    description.write_text(description.read_text().replace("28", "32"))
    with pytest.raises(ValueError, match=r"from any, \(\) to \(32, 32, 1\)\. Got one .*to \(28, 28, 1\)"):
        TrainedGAN(tmp_path)
    (tmp_path / "generator.keras").write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"generator\.keras: should be a Keras model file"):
        TrainedGAN(tmp_path)
    (tmp_path / "generator.keras").unlink()
    with pytest.raises(ValueError, match=r"is an unfinished run of generate_data\.py: .*generator\.keras"):
        TrainedGAN(tmp_path)


@pytest.mark.parametrize("name", ["generator.keras", "discriminator.keras", "filter.keras"])
def test_every_network_counts_in_the_hash(finished, tmp_path, name):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    before = TrainedGAN(tmp_path).compute_hash()
    network = keras.models.load_model(tmp_path / name)
    network.set_weights([1.5 * array for array in network.get_weights()])
    network.save(tmp_path / name)
    assert TrainedGAN(tmp_path).compute_hash() != before
