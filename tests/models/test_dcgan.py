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


@pytest.mark.parametrize(("growth", "widths"), [(2.0, [8, 4, 2]), (1.0, [2, 2, 2]), (1.5, [4, 3, 2])])
def test_the_width_grows_as_the_size_is_halved(growth, widths):
    generator = build_generator((32, 32, 3), 4, width=2, growth=growth)
    blocks = [layer.output.shape[-1] for layer in generator.layers if isinstance(layer, keras.layers.ReLU)]
    assert blocks == widths
    discriminator = build_discriminator((32, 32, 3), width=2, growth=growth)
    convolutions = [layer.filters for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert convolutions == widths[::-1]


@pytest.mark.parametrize("blocks", [0, 1])
def test_residual_generators_leave_no_checkerboard(blocks):
    generator = build_generator((32, 32, 1), 4, width=2, noise=False, norm="none", residual_blocks=blocks)
    first, enlarged = (
        layer
        for layer in generator.layers
        if isinstance(layer, keras.layers.Conv2DTranspose | keras.layers.UpSampling2D)
    )
    up = keras.Model(first.input, first.output)
    flat = np.asarray(up(np.ones((1, *first.input.shape[1:]), np.float32)))[0, 4:-4, 4:-4]
    assert (np.ptp(flat, axis=(0, 1)).max() < 1e-6) == (blocks > 0)  # a flat input stays flat
    assert enlarged.output.shape[1:3] == (32, 32)


def test_residual_blocks_begin_near_the_identity():
    discriminator = build_discriminator((32, 32, 3), width=8, residual_blocks=1)
    add = next(layer for layer in discriminator.layers if isinstance(layer, keras.layers.Add))
    images = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype(np.float32)
    kept, added = keras.Model(discriminator.inputs, add.input)([images])
    assert 0 < np.std(added) < 0.3 * np.std(kept)
