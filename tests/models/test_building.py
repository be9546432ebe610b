from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import building
from models.building import build_gan, build_pair, choose_dtype
from models.recipes import Recipe


@pytest.mark.parametrize(
    ("cpu_flags", "gpus", "expected"),
    [
        ("flags\t\t: fpu avx512_bf16 avx512f\n", [], "mixed_bfloat16"),
        ("flags\t\t: fpu amx_bf16\n", [], "mixed_bfloat16"),
        ("flags\t\t: fpu avx512_bf16\n", ["a GPU"], "float32"),
        ("flags\t\t: fpu avx512f\n", [], "float32"),
        (None, [], "float32"),
    ],
)
def test_auto_is_bfloat16_on_a_cpu_that_has_it(tmp_path, monkeypatch, cpu_flags, gpus, expected):
    if cpu_flags:
        (tmp_path / "cpuinfo").write_text(cpu_flags)
    monkeypatch.setattr(building, "_CPU_FLAGS", tmp_path / "cpuinfo")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    assert choose_dtype("auto") == expected
    assert choose_dtype("float32") == "float32"
    assert choose_dtype("mixed_bfloat16") == "mixed_bfloat16"


def test_the_recipe_reaches_networks_rules_and_optimizers():
    recipe = Recipe(latent_dim=4, noise=False, generator_width=2, discriminator_width=3, penalty="r1", beta1=0.4)
    recipe = replace(recipe, diffaugment="cutout", discriminator_steps=2, ema_decay=0.5, generator_rate=3e-4)
    gan = build_gan(replace(recipe, dtype="float32"), (12, 12, 3), 2, seed=0)
    assert gan.generator.output_shape == (None, 12, 12, 3)
    assert [tensor.shape[1:] for tensor in gan.generator.inputs] == [(4,), ()]
    assert gan.discriminator.layers[1].filters == 3
    assert (gan.rules.penalty, gan.rules.augmentations, gan.rules.discriminator_steps) == ("r1", ("cutout",), 2)
    assert gan.rules.ema_decay == 0.5
    assert gan.feature_game is None
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(3e-4)
    assert gan.discriminator_optimizer.beta_1 == 0.4


def test_the_seed_decides_the_weights_and_the_average_begins_as_the_generator():
    recipe = Recipe(latent_dim=4, generator_width=2, discriminator_width=2, dtype="float32")
    gans = [build_gan(recipe, (8, 8, 1), 2, seed) for seed in (0, 0, 1)]
    first, again, other = ([array.ravel() for array in gan.generator.get_weights()] for gan in gans)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    average = gans[0].moving_average.get_weights()
    assert all(np.array_equal(a, b.ravel()) for a, b in zip(first, average, strict=True))


@pytest.mark.parametrize(("network", "class_count", "inputs"), [("mlp", 3, 2), ("mlp", 0, 1), ("dcgan", 0, 1)])
def test_the_pair_is_of_the_named_network(network, class_count, inputs):
    pair = build_pair(Recipe(network=network, generator_width=2, discriminator_width=2), (16, 16, 1), class_count)
    assert [model.name for model in pair] == ["generator", "discriminator"]
    assert [len(model.inputs) for model in pair] == [inputs, inputs]
    convolutions = [layer for layer in pair[0].layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert bool(convolutions) == (network == "dcgan")


def test_depth_and_growth_reach_both_networks():
    recipe = Recipe(generator_width=2, discriminator_width=2, residual_blocks=3, width_growth=1.5)
    for network in build_pair(recipe, (16, 16, 1), 2):
        kernels = [layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
        assert max(kernels) == 3  # 2 x 1.5, at half the size
        assert sum(layer.name.startswith("up_sampling") for layer in network.layers) == (network.name == "generator")


def test_a_residual_gan_trains_in_bfloat16_with_gradient_penalties():
    recipe = Recipe(latent_dim=4, generator_width=4, discriminator_width=4, residual_blocks=1, dtype="mixed_bfloat16")
    gan = build_gan(recipe, (16, 16, 3), 2, seed=0)
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3)).astype(np.uint8)
    before = [array.copy() for array in gan.discriminator.get_weights()]
    logs = gan.train_step((tf.constant(images), tf.constant(np.arange(8) % 2, tf.int32)))
    assert all(np.isfinite(value).all() for value in logs.values())
    assert any((a != b).any() for a, b in zip(before, gan.discriminator.get_weights(), strict=True))
