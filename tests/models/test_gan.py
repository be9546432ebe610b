from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from common.images import to_network_range
from models.building import build_gan
from models.classifier import build_classifier
from models.gan import GAN, FeatureGame, Rules
from models.losses import build_loss
from models.recipes import Recipe

SLOPE = np.array([[2.0, -1.0], [0.5, 3.0]], np.float32).reshape(4, 1)


def build_linear_gan(penalty, rate=0.0, feature_game=None, **options):
    """A discriminator that is a dot product with SLOPE, and a generator that is a scaled copy of its latent."""
    image, latent = keras.Input((2, 2, 1)), keras.Input((4,))
    dense = keras.layers.Dense(1, use_bias=False)
    discriminator = keras.Model([image], keras.layers.Reshape(())(dense(keras.layers.Flatten()(image))))
    dense.set_weights([SLOPE])
    generator = keras.Model([latent], keras.layers.Reshape((2, 2, 1))(keras.layers.Dense(4, use_bias=False)(latent)))
    rules = Rules(build_loss("relativistic-pairing"), penalty, penalty_weight=3.0, **options)
    gan = GAN(generator, discriminator, keras.models.clone_model(generator), rules, feature_game)
    gan.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))
    return gan


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        ("none", 0.0),
        ("r1", 0.5 * 3.0 * (SLOPE**2).sum()),
        ("r1-r2", 0.5 * 3.0 * 2 * (SLOPE**2).sum()),
        ("gradient", 3.0 * ((SLOPE**2).sum() ** 0.5 - 1) ** 2),
    ],
)
def test_penalties_of_a_linear_discriminator(penalty, expected):
    gan = build_linear_gan(penalty)
    real, fake = tf.random.normal((5, 2, 2, 1)), tf.random.normal((5, 2, 2, 1))
    value, real_logits, fake_logits = gan._score_both(gan._logits, real, fake, None)
    assert float(value) == pytest.approx(expected, rel=1e-4)
    for images, logits in ((real, real_logits), (fake, fake_logits)):
        assert np.allclose(logits, images.numpy().reshape(5, 4) @ SLOPE[:, 0], atol=1e-5)


def test_the_penalty_pulls_the_slope_towards_zero():
    gan = build_linear_gan("r1", rate=0.01)
    images = np.full((8, 2, 2, 1), 128, np.uint8)
    before = np.linalg.norm(gan.discriminator.get_weights()[0])
    for _ in range(20):
        gan.train_step((tf.constant(images), tf.zeros(8, tf.int32)))
    assert np.linalg.norm(gan.discriminator.get_weights()[0]) < 0.8 * before


@pytest.mark.parametrize(("penalty", "expected"), [("r1", 1.5 * 5.0), ("gradient", 3.0 * (5.0**0.5 - 1) ** 2)])
def test_penalties_of_a_linear_feature_discriminator_are_in_the_features(penalty, expected):
    game = build_linear_features(seen=3.0)
    gan = build_linear_gan(penalty, feature_game=game)
    images = tf.random.normal((5, 2, 2, 1))
    value, _, logits = gan._score_both(
        partial(gan._feature_logits, game), gan._see(game, images), gan._see(game, images), None
    )
    assert float(value) == pytest.approx(expected, rel=1e-4)
    pixels = 3.0 * images.numpy().reshape(5, 4)
    assert np.allclose(logits, pixels[:, 0] - 2.0 * pixels[:, 1], atol=1e-5)


def build_linear_features(seen=1.0, weight=1.0):
    """Frozen features that are the pixels times `seen`, and a discriminator that is the first less twice the second."""
    image, features = keras.Input((2, 2, 1)), keras.Input((4,))
    frozen = keras.Model(image, keras.layers.Rescaling(seen)(keras.layers.Flatten()(image)))
    dense = keras.layers.Dense(1, use_bias=False)
    discriminator = keras.Model([features], keras.layers.Reshape(())(dense(features)))
    dense.set_weights([np.array([[1.0], [-2.0], [0.0], [0.0]], np.float32)])
    return FeatureGame(frozen, discriminator, weight)


def test_the_feature_discriminator_moves_the_generator_by_its_weight():
    images = tf.random.uniform((8, 2, 2, 1), 0, 256, tf.int32)
    moves = {}
    for weight in (None, 0.0, 1.0, 2.0):
        game = None if weight is None else build_linear_features(weight=weight)
        keras.utils.set_random_seed(0)
        gan = build_linear_gan("none", rate=1e-3, feature_game=game)
        before = gan.generator.get_weights()[0]
        gan.train_step((images, tf.zeros(8, tf.int32)))
        moves[weight] = gan.generator.get_weights()[0] - before
    assert np.allclose(moves[0.0], moves[None], atol=1e-7)
    assert np.allclose(moves[2.0] - moves[0.0], 2 * (moves[1.0] - moves[0.0]), atol=1e-7)
    assert np.abs(moves[1.0] - moves[0.0]).max() > 1e-4


def test_each_network_goes_down_its_own_loss():
    gan = build_linear_gan("none", rate=1e-3)
    real, latents = tf.random.normal((64, 2, 2, 1), seed=1), tf.random.normal((64, 4), seed=2)

    def losses():
        fake = gan.generator([latents])
        real_logits, fake_logits = gan.discriminator([real]), gan.discriminator([fake])
        return [float(loss(real_logits, fake_logits)) for loss in gan.rules.loss]

    images = tf.cast(tf.clip_by_value(real * 40 + 128, 0, 255), tf.uint8)
    frozen, start = gan.discriminator.get_weights(), losses()
    for _ in range(30):
        gan.train_step((images, tf.zeros(64, tf.int32)))
        gan.discriminator.set_weights(frozen)
    assert losses()[1] < start[1]


def test_moving_average_follows_the_generator():
    gan = build_linear_gan("none", rate=0.1, ema_decay=0.5)
    before = gan.generator.get_weights()[0]
    assert np.array_equal(gan.moving_average.get_weights()[0], before)
    gan.train_step((tf.zeros((4, 2, 2, 1), tf.uint8), tf.zeros(4, tf.int32)))
    after = gan.generator.get_weights()[0]
    assert not np.array_equal(before, after)
    decay = min(0.5, 2 / 11)  # iterations is 1
    assert np.allclose(gan.moving_average.get_weights()[0], decay * before + (1 - decay) * after)


def test_discriminator_steps_leave_the_generator_alone():
    gan = build_linear_gan("none", discriminator_steps=4)
    gan.train_step((tf.zeros((4, 2, 2, 1), tf.uint8), tf.zeros(4, tf.int32)))
    assert int(gan.discriminator_optimizer.iterations) == 4
    assert int(gan.generator_optimizer.iterations) == 1


def test_each_step_of_the_discriminator_has_real_images_of_its_own(monkeypatch):
    gan, seen = build_linear_gan("none", discriminator_steps=3), []
    play = gan._update
    monkeypatch.setattr(gan, "_update", lambda real, *more, **how: seen.append(real) or play(real, *more, **how))
    gan.train_step((tf.reshape(tf.range(24), (6, 2, 2, 1)), tf.zeros(6, tf.int32)))
    assert np.array_equal(tf.concat(seen, 0), to_network_range(tf.reshape(tf.range(24.0), (6, 2, 2, 1))))
    assert [len(real) for real in seen] == [2, 2, 2]


def assert_equal(weights, expected):
    assert all(np.array_equal(a, b) for a, b in zip(weights, expected, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"loss": "hinge", "penalty": "none", "discriminator_norm": "spectral"},
        {"loss": "non-saturating", "penalty": "r1", "diffaugment": "translation,cutout,brightness,saturation,contrast"},
        {"loss": "hinge", "penalty": "none", "discriminator_norm": "batch", "conditional": False},
        {"penalty": "gradient", "discriminator_steps": 2},
        {"network": "mlp", "noise": False},
        {"dtype": "mixed_bfloat16"},
        {"feature_weight": 0.0},
    ],
)
def test_every_kind_of_recipe_trains_with_finite_losses(options):
    recipe = Recipe(**{"generator_width": 4, "discriminator_width": 4, "latent_dim": 8, "dtype": "float32"} | options)
    classifier = build_classifier((16, 12, 3), 3) if recipe.feature_weight else None
    gan = build_gan(recipe, (16, 12, 3), 3 * recipe.conditional, seed=0, judge=classifier)
    assert len(gan.discriminators) == (2 if classifier else 1)
    images = np.random.default_rng(0).integers(0, 256, (16, 16, 12, 3)).astype(np.uint8)
    data = tf.data.Dataset.from_tensors((images, np.arange(16, dtype=np.int32) % 3)).repeat(3)

    def get_weights():
        return [weights.copy() for model in (gan.generator, *gan.discriminators) for weights in model.get_weights()]

    before = get_weights()
    history = gan.fit(data, verbose=0, shuffle=False)
    assert np.isfinite([history.history[name] for name in ("discriminator_loss", "generator_loss")]).all()
    after = get_weights()
    if classifier:
        assert_equal(gan.feature_game.frozen.get_weights(), classifier.get_weights()[:-2])  # all but the outputs
    assert all(np.isfinite(weights).all() for weights in after)
    assert sum(not np.array_equal(a, b) for a, b in zip(before, after, strict=True)) > len(after) // 2
