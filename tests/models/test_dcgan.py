import keras
import numpy as np
import pytest

from models.dcgan import build_discriminator, build_generator


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


def test_spectral_norm_bounds_the_slope_of_the_discriminator():
    discriminator = build_discriminator((28, 28, 1), width=4, norm="spectral")
    images = np.random.default_rng(0).standard_normal((2, 28, 28, 1)).astype(np.float32)
    for _ in range(50):  # power iterations
        discriminator([images], training=True)
    for layer in discriminator.layers:
        if isinstance(layer, keras.layers.SpectralNormalization):
            kernel = np.asarray(layer.layer.kernel)
            assert np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2) == pytest.approx(1, rel=0.05)
