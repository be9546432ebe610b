"""Build the networks and the compiled GAN that a recipe describes."""

import keras

from models.dcgan import build_discriminator, build_generator
from models.diffaugment import parse_augmentations
from models.gan import GAN
from models.losses import build_loss
from models.mlp_gan import build_mlp_discriminator, build_mlp_generator


def build_pair(recipe, image_shape, class_count):
    """Build (generator, discriminator) of a recipe; class_count 0 builds them without labels."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.dtype)
    try:
        if recipe.network == "mlp":
            return (
                build_mlp_generator(image_shape, recipe.latent_dim, class_count),
                build_mlp_discriminator(image_shape, class_count),
            )
        return (
            build_generator(
                image_shape,
                recipe.latent_dim,
                class_count,
                width=recipe.generator_width,
                noise=recipe.noise,
                norm=recipe.generator_norm,
            ),
            build_discriminator(
                image_shape, class_count, width=recipe.discriminator_width, norm=recipe.discriminator_norm
            ),
        )
    finally:
        keras.config.set_dtype_policy(previous)


def build_gan(recipe, image_shape, class_count, seed):
    """Build the compiled GAN of a recipe, with random weights drawn from `seed`."""
    keras.utils.set_random_seed(seed)
    generator, discriminator = build_pair(recipe, image_shape, class_count)
    gan = GAN(
        generator,
        discriminator,
        keras.models.clone_model(generator),
        loss=build_loss(recipe.loss),
        penalty=recipe.penalty,
        penalty_weight=recipe.penalty_weight,
        augmentations=parse_augmentations(recipe.augment),
        discriminator_steps=recipe.discriminator_steps,
        ema_decay=recipe.ema_decay,
        seed=seed,
    )
    gan.compile(
        keras.optimizers.Adam(recipe.generator_rate, recipe.beta1, recipe.beta2),
        keras.optimizers.Adam(recipe.discriminator_rate, recipe.beta1, recipe.beta2),
        jit_compile=False,  # slower on the CPU; Keras itself turns it off under any tf.distribute strategy
    )
    return gan
