"""Differentiable augmentation of what the discriminator sees (Zhao et al. 2020, arXiv:2006.10738).

Drawing the randomness is apart from applying it: `draw_*` gives tensors, `apply_*` is a plain function of them.
No flips: models.flips decides on these, for the real images alone.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from common.errors import RequestError

AUGMENTATIONS = ("translation", "cutout", "brightness", "saturation", "contrast")


def augment(images: tf.Tensor, names: Sequence[str], seed_generator: keras.random.SeedGenerator) -> tf.Tensor:
    """Apply the named augmentations in turn to images [N, H, W, C] in [-1, 1], with fresh randomness per image."""
    for name in names:
        draw, apply = _TABLE[name]
        images = apply(images, draw(tf.shape(images), seed_generator))
    return images


def parse_augmentations(text: str) -> tuple[str, ...]:
    """Turn "translation,cutout" into a tuple of names; "" and "none" into (). RequestError for an unknown one."""
    names = tuple(name.strip() for name in text.split(",") if name.strip() not in ("", "none"))
    for name in names:
        if name not in AUGMENTATIONS:
            raise RequestError(f"--diffaugment should name some of {', '.join(AUGMENTATIONS)}. Got {name!r} instead.")
    return names


def draw_translation(shape: tf.Tensor, seed_generator: keras.random.SeedGenerator) -> tf.Tensor:
    """Draw shifts [N, 2] (rows, columns), whole pixels up to an eighth of the image each way."""
    limits = tf.cast(shape[1:3], tf.float32) / 8.0
    uniform = keras.random.uniform((shape[0], 2), -1.0, 1.0, seed=seed_generator)
    return tf.cast(tf.round(uniform * limits), tf.int32)


def apply_translation(images: tf.Tensor, shifts: tf.Tensor) -> tf.Tensor:
    """Shift each image; the border is repeated outwards (so grey digits stay on their ground)."""
    height, width = images.shape[1:3]
    rows = tf.clip_by_value(tf.range(height)[tf.newaxis] - shifts[:, :1], 0, height - 1)  # [N, H]
    columns = tf.clip_by_value(tf.range(width)[tf.newaxis] - shifts[:, 1:], 0, width - 1)  # [N, W]
    return tf.gather(tf.gather(images, rows, batch_dims=1), columns, axis=2, batch_dims=1)


def draw_cutout(shape: tf.Tensor, seed_generator: keras.random.SeedGenerator) -> tf.Tensor:
    """Draw the centre of the hole [N, 2] as fractions of height and width."""
    return keras.random.uniform((shape[0], 2), seed=seed_generator)


def apply_cutout(images: tf.Tensor, centres: tf.Tensor) -> tf.Tensor:
    """Set a square of half the image's size around each centre to mid-grey (0)."""
    height, width = images.shape[1:3]
    rows = tf.abs(tf.range(height, dtype=tf.float32)[tf.newaxis] - centres[:, :1] * height) < height / 4  # [N, H]
    columns = tf.abs(tf.range(width, dtype=tf.float32)[tf.newaxis] - centres[:, 1:] * width) < width / 4  # [N, W]
    hole = tf.logical_and(rows[:, :, tf.newaxis], columns[:, tf.newaxis, :])[..., tf.newaxis]
    return tf.where(hole, tf.zeros_like(images), images)


def draw_brightness(shape: tf.Tensor, seed_generator: keras.random.SeedGenerator) -> tf.Tensor:
    """Draw offsets [N] in [-0.5, 0.5]."""
    return keras.random.uniform((shape[0],), -0.5, 0.5, seed=seed_generator)


def apply_brightness(images: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
    """Add one offset to all pixels of an image."""
    return images + offsets[:, tf.newaxis, tf.newaxis, tf.newaxis]


def draw_saturation(shape: tf.Tensor, seed_generator: keras.random.SeedGenerator) -> tf.Tensor:
    """Draw factors [N] in [0, 2]."""
    return keras.random.uniform((shape[0],), 0.0, 2.0, seed=seed_generator)


def apply_saturation(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Stretch each pixel's channels around their mean by its image's factor; grey images stay as they are."""
    mean = tf.reduce_mean(images, axis=3, keepdims=True)
    return (images - mean) * factors[:, tf.newaxis, tf.newaxis, tf.newaxis] + mean


def draw_contrast(shape: tf.Tensor, seed_generator: keras.random.SeedGenerator) -> tf.Tensor:
    """Draw factors [N] in [0.5, 1.5]."""
    return keras.random.uniform((shape[0],), 0.5, 1.5, seed=seed_generator)


def apply_contrast(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Stretch each image's pixels around their mean by its factor."""
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) * factors[:, tf.newaxis, tf.newaxis, tf.newaxis] + mean


_TABLE = {
    "translation": (draw_translation, apply_translation),
    "cutout": (draw_cutout, apply_cutout),
    "brightness": (draw_brightness, apply_brightness),
    "saturation": (draw_saturation, apply_saturation),
    "contrast": (draw_contrast, apply_contrast),
}
