import keras
import numpy as np
import pytest

from models.building import build_pair
from models.classifier import build_classifier
from models.network_files import ANY, load_classifier, load_network
from models.recipes import Recipe

TINY = Recipe(latent_dim=4, generator_width=2, discriminator_width=2)
SHAPE = (12, 12, 1)


def save_lambda(path):
    image = keras.Input(SHAPE)
    keras.Model(image, keras.layers.Lambda(lambda x: 2 * x)(image)).save(path)


def save_not_finite(path):
    generator, _ = build_pair(TINY, SHAPE, 2)
    generator.set_weights([np.full(weight.shape, np.nan) for weight in generator.weights])
    generator.save(path)


def save_truncated(path):
    build_pair(TINY, SHAPE, 2)[0].save(path)
    path.write_bytes(path.read_bytes()[:-500])


@pytest.mark.parametrize(
    ("save", "message"),
    [
        (lambda path: path.write_bytes(b""), "should be a Keras model file"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)), "should be a Keras model file"),
        (lambda path: path.mkdir(), "should be a Keras model file"),
        (save_truncated, "should be a Keras model file"),
        (save_lambda, "should be a Keras model file"),
        (save_not_finite, "weights should be finite"),
        (lambda path: build_classifier(SHAPE, 2).save(path), "should be a network from any, "),
        (lambda path: build_pair(TINY, SHAPE, 0)[0].save(path), "should be a network from any, "),
        (lambda path: build_pair(TINY, SHAPE, 3)[0].save(path), "should know 2 classes. It knows 3"),
    ],
)
def test_what_is_no_such_network_is_named(tmp_path, save, message):
    save(tmp_path / "generator.keras")
    with pytest.raises(ValueError, match=rf"generator\.keras: {message}.*Restore it, or remove it"):
        load_network(tmp_path, "generator", shapes=([ANY, ()], SHAPE), class_count=2)


@pytest.mark.parametrize(("shape", "classes"), [((14, 14, 1), 2), (SHAPE, 3)])
def test_another_classifier_is_named(tmp_path, shape, classes):
    build_classifier(shape, classes).save(tmp_path / "filter.keras")
    with pytest.raises(ValueError, match=r"filter\.keras: should be the classifier of 2 classes of \(12"):
        load_classifier(tmp_path, "filter", SHAPE, 2)
    assert load_classifier(tmp_path, "filter", shape, classes).name == "cnn"
