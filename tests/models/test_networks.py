import keras
import numpy as np
import pytest

from models.dcgan import build_discriminator, build_generator
from models.mlp_gan import build_mlp_discriminator, build_mlp_generator

SHAPES = [(28, 28, 1), (32, 32, 3), (64, 64, 3), (128, 128, 3), (21, 36, 1)]


def draw_inputs(model, count=4, seed=0):
    """Random values for every input of a model; labels run through 0, 1, 2, 0."""
    generator = np.random.default_rng(seed)
    return [
        np.arange(count, dtype=np.int32) % 3
        if tensor.name == "label"
        else generator.standard_normal((count, *tensor.shape[1:])).astype(np.float32)
        for tensor in model.inputs
    ]


def build_all(shape, class_count):
    return [
        build_generator(shape, 8, class_count, width=4),
        build_generator(shape, 8, class_count, width=4, norm="batch"),
        build_generator(shape, 8, class_count, width=4, noise=False, norm="none"),
        build_discriminator(shape, class_count, width=4),
        build_discriminator(shape, class_count, width=4, norm="spectral"),
        build_discriminator(shape, class_count, width=4, norm="batch"),
        build_mlp_generator(shape, 8, class_count),
        build_mlp_discriminator(shape, class_count),
        build_generator(shape, 8, class_count, width=4, residual_blocks=2, growth=1.5),
        build_discriminator(shape, class_count, width=4, residual_blocks=2, growth=1.5),
        build_discriminator(shape, class_count, width=4, norm="spectral", residual_blocks=1),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("class_count", [0, 3])
def test_networks_are_built_from_the_image_shape(shape, class_count):
    for network in build_all(shape, class_count):
        output = np.asarray(network(draw_inputs(network)))
        assert output.shape == ((4, *shape) if network.name == "generator" else (4,))
        assert np.isfinite(output).all()
        if network.name == "generator":
            assert np.abs(output).max() <= 1
            assert output.std() > 0


@pytest.mark.slow
@pytest.mark.parametrize("index", range(11))
def test_saved_networks_open_without_custom_code(tmp_path, index):
    network = build_all((21, 36, 1), 3)[index]
    inputs = draw_inputs(network)
    network.save(tmp_path / "network.keras")
    opened = keras.models.load_model(tmp_path / "network.keras", custom_objects={}, compile=False)
    assert np.array_equal(network(inputs), opened(inputs))


@pytest.mark.parametrize("index", range(11))
def test_the_label_reaches_the_output_of_its_own_image_alone(index):
    network = build_all((28, 28, 1), 3)[index]
    first, labels = draw_inputs(network)
    changed = np.array([0, 2, 2, 0], np.int32)  # the second label differs
    difference = np.abs(np.asarray(network([first, labels])) - np.asarray(network([first, changed])))
    per_image = difference.reshape(4, -1).max(axis=1)
    assert per_image[1] > 1e-7
    assert per_image[[0, 2, 3]].max() < 1e-6
