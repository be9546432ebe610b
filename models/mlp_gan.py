"""The fully connected pair, conditional or not."""

from collections.abc import Sequence
from math import prod

import keras
from keras import layers


def build_mlp_generator(
    image_shape: tuple[int, int, int],
    latent_dim: int,
    class_count: int = 0,
    widths: Sequence[int] = (128, 256, 512, 1024),
) -> keras.Model:
    """Build noise (+ label embedding) -> Dense `widths` with leaky ReLU -> image in [-1, 1].

    Inputs: latent float [N, latent_dim] and, if class_count > 0, label int [N]. Output: [N, H, W, C].
    The embedding has one dimension per class and is concatenated to the noise (Mirza and Osindero 2014).
    """
    latent = keras.Input((latent_dim,), name="latent")
    inputs, x = _with_label(latent, class_count)
    for width in widths:
        x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(width)(x))
    x = layers.Dense(prod(image_shape), activation="tanh", dtype="float32")(x)
    return keras.Model(inputs, layers.Reshape(image_shape, dtype="float32")(x), name="generator")


def build_mlp_discriminator(
    image_shape: tuple[int, int, int], class_count: int = 0, widths: Sequence[int] = (512, 1024, 1024, 512)
) -> keras.Model:
    """Build image (+ label embedding) -> Dense `widths` with leaky ReLU -> logit [N].

    Inputs: image float [N, H, W, C] and, if class_count > 0, label int [N]. The published sigmoid is part of the
    loss, which works on logits.
    """
    image = keras.Input(image_shape, name="image")
    inputs, x = _with_label(image, class_count, layers.Flatten()(image))
    for width in widths:
        x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(width)(x))
    logit = layers.Dense(1, dtype="float32")(x)
    return keras.Model(inputs, layers.Reshape((), dtype="float32")(logit), name="discriminator")


def _with_label(
    first_input: keras.KerasTensor, class_count: int, flat: keras.KerasTensor | None = None
) -> tuple[list[keras.KerasTensor], keras.KerasTensor]:
    """Return (the inputs, the first one's values followed by the embedding of the label)."""
    flat = first_input if flat is None else flat
    if not class_count:
        return [first_input], flat
    label = keras.Input((), dtype="int32", name="label")
    return [first_input, label], layers.Concatenate()([flat, layers.Embedding(class_count, class_count)(label)])
