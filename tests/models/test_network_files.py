import keras
import numpy as np
import pytest

from models.building import build_pair
from models.classifier import build_classifier
from models.network_files import ANY, load_classifier, load_network, save_packed
from models.recipes import Recipe
from models.trained_gan import TrainedGAN

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
    with pytest.raises(ValueError, match=r"filter\.keras: should be the classifier cnn of 2 classes of \(12"):
        load_classifier(tmp_path, "filter", SHAPE, 2)
    assert load_classifier(tmp_path, "filter", shape, classes).name == "cnn"


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
