import keras
import numpy as np
import pytest

from models.dcgan import build_discriminator, build_generator
from models.mlp_gan import build_mlp_discriminator, build_mlp_generator

SHAPES = [(28, 28, 1), (32, 32, 3), (64, 64, 3), (21, 36, 1)]


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
@pytest.mark.parametrize("index", range(8))
def test_saved_networks_open_without_custom_code(tmp_path, index):
    network = build_all((21, 36, 1), 3)[index]
    inputs = draw_inputs(network)
    network.save(tmp_path / "network.keras")
    opened = keras.models.load_model(tmp_path / "network.keras", custom_objects={}, compile=False)
    assert np.array_equal(network(inputs), opened(inputs))


@pytest.mark.parametrize("index", range(8))
def test_the_label_reaches_the_output_of_its_own_image_alone(index):
    network = build_all((28, 28, 1), 3)[index]
    first, labels = draw_inputs(network)
    changed = np.array([0, 2, 2, 0], np.int32)  # the second label differs
    difference = np.abs(np.asarray(network([first, labels])) - np.asarray(network([first, changed])))
    per_image = difference.reshape(4, -1).max(axis=1)
    assert per_image[1] > 1e-7
    assert per_image[[0, 2, 3]].max() < 1e-6


def test_every_noise_pixel_enters_the_generator():
    generator = build_generator((28, 28, 1), 8, 0, width=4)
    assert generator.input_shape == (None, 8 + 14 * 14 + 28 * 28)
    latent = np.zeros((3, generator.input_shape[1]), np.float32)
    latent[1:, -1] = 5.0, -5.0  # the last one: the bottom right pixel; ReLU lets one sign of each channel's gain pass
    plain, *noisy = np.asarray(generator([latent]))
    changed = np.argwhere((plain != noisy).any(axis=0)[..., 0])
    assert len(changed)
    assert changed.min() >= 26


@pytest.mark.parametrize("class_count", [0, 3])
@pytest.mark.parametrize(("norm", "enters"), [("modulated", True), ("batch", False)])
def test_a_modulated_block_sees_the_latent_vector(norm, enters, class_count):
    generator = build_generator((28, 28, 1), 8, class_count, width=4, noise=False, norm=norm)
    generator.set_weights([np.full_like(weights, 0.01) for weights in generator.get_weights()])
    first = next(layer for layer in generator.layers if isinstance(layer, keras.layers.Dense) and layer.units > 64)
    first.set_weights([np.zeros_like(first.kernel), np.ones_like(first.bias)])  # the latent can't enter there
    one, other = np.asarray(
        generator([np.eye(8, dtype=np.float32)[:2] * [[1], [9]], np.ones(2)][: 1 + bool(class_count)])
    )
    assert (np.abs(one - other).max() > 1e-3) == enters


def layer_widths(network, kind):
    return [layer.units for layer in network.layers if isinstance(layer, kind)]


def test_the_published_fully_connected_pair_layer_by_layer():
    generator, discriminator = build_mlp_generator((28, 28, 1), 100, 2), build_mlp_discriminator((28, 28, 1), 2)
    assert layer_widths(generator, keras.layers.Dense) == [128, 256, 512, 1024, 784]
    assert layer_widths(discriminator, keras.layers.Dense) == [512, 1024, 1024, 512, 1]
    assert sum(isinstance(layer, keras.layers.Embedding) for layer in generator.layers + discriminator.layers) == 2


def test_spectral_norm_bounds_the_slope_of_the_discriminator():
    discriminator = build_discriminator((28, 28, 1), width=4, norm="spectral")
    images = np.random.default_rng(0).standard_normal((2, 28, 28, 1)).astype(np.float32)
    for _ in range(50):  # power iterations
        discriminator([images], training=True)
    for layer in discriminator.layers:
        if isinstance(layer, keras.layers.SpectralNormalization):
            kernel = np.asarray(layer.layer.kernel)
            assert np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2) == pytest.approx(1, rel=0.05)
