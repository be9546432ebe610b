"""Build the networks and the compiled GAN that a recipe describes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from models.classifier import build_classifier
from models.dcgan import build_discriminator, build_generator
from models.diffaugment import parse_augmentations
from models.feature_discriminator import build_feature_discriminator, build_frozen_features
from models.feature_networks import build_pretrained_judge
from models.gan import GAN, FeatureGame, Rules
from models.losses import build_loss
from models.mlp_gan import build_mlp_discriminator, build_mlp_generator
from models.recipes import OWN_JUDGES, Recipe

_CPU_FLAGS = Path("/proc/cpuinfo")


def choose_dtype(name: str) -> str:
    """Return the Keras dtype policy that a recipe's dtype means on this machine.

    "auto" is mixed_bfloat16 on a CPU with bfloat16 instructions, as far as Linux tells, and float32 elsewhere.
    """
    if name != "auto":
        return name
    on_cpu = not tf.config.list_physical_devices("GPU") and _CPU_FLAGS.exists()
    has_bfloat16 = on_cpu and re.search(r"\b(avx512_bf16|amx_bf16)\b", _CPU_FLAGS.read_text())
    return "mixed_bfloat16" if has_bfloat16 else "float32"


def build_pair(
    recipe: Recipe, image_shape: tuple[int, int, int], class_count: int, dtype: str = "float32"
) -> tuple[keras.Model, keras.Model]:
    """Build (generator, discriminator) of a recipe, which calculate in the Keras policy `dtype`; weights are float32.

    class_count 0 builds them without labels.
    """
    with _policy(dtype):
        if recipe.network == "mlp":
            return (
                build_mlp_generator(image_shape, recipe.latent_dim, class_count),
                build_mlp_discriminator(image_shape, class_count),
            )
        depth: dict[str, Any] = {"growth": recipe.width_growth, "residual_blocks": recipe.residual_blocks}
        return (
            build_generator(
                image_shape,
                recipe.latent_dim,
                class_count,
                width=recipe.generator_width,
                noise=recipe.noise,
                norm=recipe.generator_norm,
                **depth,
            ),
            build_discriminator(
                image_shape, class_count, width=recipe.discriminator_width, norm=recipe.discriminator_norm, **depth
            ),
        )


@contextmanager
def _policy(dtype: str) -> Iterator[None]:
    """Let what is built inside calculate in the Keras policy `dtype`."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def build_untrained_judge(name: str, image_shape: tuple[int, int, int], class_count: int) -> keras.Model:
    """Build the judge of a recipe as it is before training, without a download: what its work costs."""
    if name in OWN_JUDGES:
        return build_classifier(image_shape, class_count, name)
    return build_pretrained_judge(name, image_shape, trained=False)


def build_gan(
    recipe: Recipe,
    image_shape: tuple[int, int, int],
    class_count: int,
    seed: int,
    judge: keras.Model | None = None,
) -> GAN:
    """Build the compiled GAN of a recipe, with random weights drawn from `seed`.

    judge: the network through which a second discriminator sees the images; without it there is none.
    The GAN trains in the recipe's dtype; its moving average, which makes the images, calculates in float32.
    """
    keras.utils.set_random_seed(seed)
    generator, discriminator = build_pair(recipe, image_shape, class_count, choose_dtype(recipe.dtype))
    moving_average, _ = build_pair(recipe, image_shape, class_count)
    feature_game = None
    if judge is not None:
        with _policy(choose_dtype(recipe.dtype)):
            frozen = build_frozen_features(judge)
        second = build_feature_discriminator(frozen.output_shape[-1], class_count)
        feature_game = FeatureGame(frozen, second, recipe.feature_weight)
    rules = Rules(
        loss=build_loss(recipe.loss),
        penalty=recipe.penalty,
        penalty_weight=recipe.penalty_weight,
        augmentations=parse_augmentations(recipe.diffaugment),
        discriminator_steps=recipe.discriminator_steps,
        ema_decay=recipe.ema_decay,
    )
    gan = GAN(generator, discriminator, moving_average, rules, feature_game, seed=seed)
    gan.compile(
        keras.optimizers.Adam(recipe.generator_rate, recipe.beta1, recipe.beta2),
        keras.optimizers.Adam(recipe.discriminator_rate, recipe.beta1, recipe.beta2),
        jit_compile=False,  # slower on the CPU; Keras itself turns it off under any tf.distribute strategy
    )
    return gan
