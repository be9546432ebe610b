import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from models.extractors import build_extractor
from models.feature_networks import build_measuring_network, build_pretrained_judge
from models.monitor import load_or_build_judge
from models.trained_gan import TrainedGAN
from models.training_rate import measure_speed
from tests.models.tiny import TINY, assert_equal_weights, fit


def save_network(path, *, pooled=True, size=None, channels=3):
    """Save a network of two stages, the second of which widens its maps before it hands on narrow ones."""
    keras.utils.set_random_seed(0)
    image = keras.Input((size, size, channels))
    x = layers.Conv2D(3, 3, strides=4, padding="same")(layers.Rescaling(1 / 255)(image))
    x = layers.Conv2D(7, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2D(5, 1, name="handed_on")(x)
    x = layers.Conv2D(9, 1, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x) if pooled else layers.Dense(4)(layers.Flatten()(x))
    network = keras.Model(image, x)
    network.save(path)
    return network


def test_a_file_is_asked_at_its_size_for_colours_of_0_to_255(tmp_path):
    network = save_network(tmp_path / "own.keras", size=24)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 12, 10, 1)).astype(np.float32)
    measuring = build_measuring_network(str(tmp_path / "own.keras"), (12, 10, 1))
    sized = keras.ops.image.resize(np.repeat(images, 3, axis=-1), (24, 24)) * 127.5 + 127.5
    assert np.allclose(measuring(images), network(sized), atol=1e-4)


def test_features_of_a_file_are_known_by_its_weights(dataset, tmp_path):
    network = save_network(tmp_path / "own.keras", size=24)
    first = build_extractor(str(tmp_path / "own.keras"), dataset, "nowhere")
    assert first.dimensions == 9
    network.set_weights([1.5 * array for array in network.get_weights()])
    network.save(tmp_path / "own.keras")
    assert build_extractor(str(tmp_path / "own.keras"), dataset, "nowhere").hash != first.hash


def test_a_judge_gives_cells_of_the_narrowest_maps_and_pooled_features(tmp_path):
    save_network(tmp_path / "own.keras")
    judge = build_pretrained_judge(str(tmp_path / "own.keras"), (16, 16, 3))
    assert judge.output_shape == (None, 4 * 4 * (3 + 5) + 9)  # 16 x 16 maps and 8 x 8 ones, averaged to 4 x 4 cells
    images = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    network = keras.models.load_model(tmp_path / "own.keras")
    sized = keras.ops.image.resize(images, (64, 64)) * 127.5 + 127.5
    pooled = keras.Model(judge.input, judge.get_layer("features").output)(images)
    assert np.allclose(pooled, network(sized), atol=1e-4)
    assert np.allclose(judge(images)[:, -9:], bring_to_scale(pooled), atol=1e-4)
    handed_on = keras.Model(network.input, network.get_layer("handed_on").output)(sized)
    cells = np.asarray(handed_on).reshape(2, 4, 2, 4, 2, 5).mean(axis=(2, 4)).reshape(2, -1)
    assert np.allclose(judge(images)[:, -9 - cells.shape[1] : -9], bring_to_scale(cells), atol=1e-4)
    assert not judge.trainable_variables


def bring_to_scale(features):
    """Mean 0 and deviation 0.2 in each image, as Keras calculates them."""
    features = np.asarray(features)
    centred = features - features.mean(axis=1, keepdims=True)
    return 0.2 * centred / np.sqrt(features.var(axis=1, keepdims=True) + 1e-3)


def test_what_is_no_network_of_features_is_one_line(tmp_path):
    path = tmp_path / "own.keras"
    with pytest.raises(ValueError, match=r"should be a file. No such: .*own\.keras"):
        build_pretrained_judge(str(path), (16, 16, 3))
    path.write_bytes(b"no network")
    with pytest.raises(ValueError, match=r"own\.keras: should be a Keras model file\. \(.+\)"):
        build_pretrained_judge(str(path), (16, 16, 3))
    save_network(path, channels=1)
    with pytest.raises(ValueError, match=r"should be a network from images \(None, H, W, 3\) .*Got one from .* 1\) to"):
        build_pretrained_judge(str(path), (16, 16, 3))
    save_network(path, pooled=False, size=24)
    with pytest.raises(ValueError, match=r"should average its last maps.*Got a network for \(24, 24, 3\)"):
        build_pretrained_judge(str(path), (16, 16, 3))


def test_speed_is_measured_without_a_download(dataset, monkeypatch):
    asked = []

    def build(weights, **options):
        asked.append(weights)
        image = keras.Input((None, None, 3))
        return keras.Model(image, layers.GlobalAveragePooling2D()(image))

    build.__module__ = keras.applications.MobileNetV2.__module__
    monkeypatch.setattr(keras.applications, "MobileNetV2", build)
    assert measure_speed(dataset, replace(TINY, judge="MobileNetV2"), seconds=0.1) > 0
    assert asked == [None]


def test_another_network_in_the_place_of_the_judge_is_not_taken(finished, tmp_path):
    save_network(tmp_path / "own.keras")
    shutil.copy(finished[0] / "frozen.keras", tmp_path / "frozen.keras")
    lines = []
    judge = load_or_build_judge(str(tmp_path / "own.keras"), (28, 28, 1), tmp_path / "frozen.keras", lines.append)
    assert "frozen.keras could not be read, or is another's, and is made anew" in lines[0]
    assert load_or_build_judge("gone", (28, 28, 1), tmp_path / "frozen.keras").output_shape == judge.output_shape


def test_a_run_keeps_its_judge_and_goes_on_without_the_file(dataset, tmp_path):
    save_network(tmp_path / "own.keras")
    recipe = replace(TINY, judge=str(tmp_path / "own.keras"))
    fit(dataset, recipe, tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").glob("*.keras")}
    assert names == {"generator.keras", "discriminator.keras", "filter.keras", "frozen.keras"}
    trained = TrainedGAN(tmp_path / "run")
    assert trained.pretrained_features == "own.keras"
    assert trained.classify(dataset.images[:3]).shape == (3, 2)
    fit(dataset, recipe, tmp_path / "again")
    (tmp_path / "own.keras").unlink()
    (tmp_path / "again/generator.keras").unlink()
    fit(dataset, recipe, tmp_path / "again")
    assert_equal_weights(tmp_path / "run", tmp_path / "again")
