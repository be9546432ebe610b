from types import SimpleNamespace

import keras
import numpy as np
import pytest

from models.extractors import build_extractor, draw_spare
from real.datasets import load_dataset

_GREY = SimpleNamespace(image_shape=(8, 6, 1))


@pytest.fixture(scope="module")
def dataset(data):
    return load_dataset(data)


def test_pixels_are_grey_levels_from_0_to_1(dataset):
    extractor = build_extractor("pixels", dataset, cache="nowhere")
    assert (extractor.name, extractor.hash, extractor.dimensions) == ("pixels", "pixels", 784)
    images = np.array([0, 51, 255, 102], np.uint8).reshape(2, 2, 1, 1)
    features = extractor.compute(images)
    assert features.dtype == np.float32
    assert np.allclose(features, [[0, 0.2], [1, 0.4]])


@pytest.mark.slow
def test_the_classifier_is_fitted_once_and_known_by_its_weights(dataset, tmp_path):
    images = dataset.part("test")[0]
    first = build_extractor("classifier", dataset, tmp_path)
    (path,) = tmp_path.iterdir()
    before = path.stat().st_mtime_ns
    again = build_extractor("classifier", dataset, tmp_path)
    assert path.stat().st_mtime_ns == before
    assert (again.hash, again.dimensions) == (first.hash, 128)
    assert np.array_equal(again.compute(images), first.compute(images))
    network = keras.models.load_model(path)
    network.set_weights([1.5 * array for array in network.get_weights()])
    network.save(path)
    assert build_extractor("classifier", dataset, tmp_path).hash != first.hash


def test_spare_images_are_a_fifth_of_the_train_part(dataset):
    images, labels = draw_spare(dataset)
    train, train_labels = dataset.part("train")
    assert len(images) == len(labels) == -(-len(train) // 5)
    position = [np.flatnonzero((train == image).all(axis=(1, 2, 3)))[0] for image in images]
    assert np.array_equal(train_labels[position], labels)


def test_inception_takes_grey_images_and_any_size(monkeypatch):
    """Of a stand-in: the mean over the pixels of each channel."""
    image = keras.Input((299, 299, 3))
    network = keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **options: network)
    lines = []
    extractor = build_extractor("inception", _GREY, "nowhere", report=lines.append)
    assert lines == ["note: the weights of InceptionV3 come from Keras' cache, or are downloaded into it"]
    images = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1).repeat(8, axis=1).repeat(6, axis=2)
    assert extractor.dimensions == 3
    assert np.allclose(extractor.compute(images), [[-1] * 3, [1] * 3], atol=1e-5)


@pytest.mark.slow
def test_missing_inception_weights_are_named(dataset, tmp_path):
    with pytest.raises(ValueError, match=r"--feature-weights should be a file. No such: .*weights\.h5"):
        build_extractor("inception", dataset, tmp_path, tmp_path / "weights.h5")
    (tmp_path / "weights.h5").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"should be those of keras.applications for InceptionV3, .*Got .*weights\.h5"):
        build_extractor("inception", dataset, tmp_path, tmp_path / "weights.h5")


@pytest.mark.parametrize(("name", "black"), [("MobileNetV3Small", 0), ("MobileNetV2", -1)])
def test_any_network_sees_images_as_it_was_trained_to(monkeypatch, name, black):
    """MobileNetV3 scales within the network, MobileNetV2 wants [-1, 1]."""
    image = keras.Input((224, 224, 3))
    network = keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))
    build = getattr(keras.applications, name)
    stand_in = lambda **options: network  # noqa: E731
    stand_in.__module__ = build.__module__
    monkeypatch.setattr(keras.applications, name, stand_in)
    extractor = build_extractor(name, _GREY, "nowhere", report=lambda line: None)
    assert np.allclose(extractor.compute(np.zeros((1, 8, 6, 1), np.uint8)), black)


@pytest.mark.slow
def test_a_network_takes_its_weights_from_a_file(tmp_path):
    keras.utils.set_random_seed(0)
    options = {"include_top": False, "pooling": "avg", "input_shape": (224, 224, 3)}
    network = keras.applications.MobileNetV3Small(weights=None, **options)
    network.save_weights(tmp_path / "notop.weights.h5")
    lines = []
    colour = SimpleNamespace(image_shape=(224, 224, 3))
    extractor = build_extractor("MobileNetV3Small", colour, "nowhere", tmp_path / "notop.weights.h5", lines.append)
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.uint8)
    assert np.allclose(extractor.compute(images), network(images.astype("float32"), training=False), atol=1e-4)
    assert (extractor.dimensions, lines) == (576, [])


def test_an_unknown_network_is_one_line_with_near_names():
    message = r"network of keras\.applications \(MobileNetV3Small, .*\?\) or a \.keras file\. Got 'MobilNetV3Smal'"
    with pytest.raises(ValueError, match=message):
        build_extractor("MobilNetV3Smal", _GREY, "nowhere")
