"""Feed GANs and classifiers: tf.data streams of batches."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial

import keras
import numpy as np
import tensorflow as tf

from common.images import to_network_range
from models.trained_gan import TrainedGAN
from synth.filters import Sieve
from synth.sampling import BLOCK_SIZE, sample_blocks, sample_filtered
from synth.sources import Source, stream_images

Block = tuple[np.ndarray, np.ndarray]  # images uint8 [n, H, W, C], class indices [n]
_FRESH_ROWS = 1000  # images that are drawn together: of the last block of candidates most are not needed


def stream_batches(
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int,
    first_step: int,
    total_steps: int,
    seed: int,
    balance_classes: bool = False,
    flip: bool = False,
) -> tf.data.Dataset:
    """Return a tf.data.Dataset of the batches first_step..total_steps - 1, as a pure function of the arguments.

    Each pass over the data is a permutation of its own; batches run on over the border between two passes. With
    `balance_classes` each image is drawn by itself: first its class, then one of the class. With `flip` each
    is mirrored with probability a half.
    """
    by_class = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    count, images, labels = len(images), tf.constant(images), tf.constant(labels, tf.int32)

    def batches() -> Iterator[np.ndarray]:
        for step in range(first_step, total_steps):
            if balance_classes:
                yield draw_balanced(np.random.default_rng([seed, step, 1]))
                continue
            positions = np.arange(step * batch_size, (step + 1) * batch_size)
            index = np.empty(batch_size, np.int64)
            for one_pass in np.unique(positions // count):
                inside = positions // count == one_pass
                index[inside] = permutation(int(one_pass))[positions[inside] % count]
            yield index

    def draw_balanced(generator: np.random.Generator) -> np.ndarray:
        classes = generator.integers(len(sizes), size=batch_size)
        return by_class[starts[classes] + generator.integers(sizes[classes])]

    @lru_cache(maxsize=2)
    def permutation(one_pass: int) -> np.ndarray:
        return np.random.default_rng([seed, one_pass]).permutation(count)

    stream = tf.data.Dataset.from_generator(batches, output_signature=tf.TensorSpec((batch_size,), tf.int64))
    stream = stream.map(lambda index: (tf.gather(images, index), tf.gather(labels, index)))
    return (_mirror_half(stream, first_step, seed) if flip else stream).prefetch(2)


def _mirror_half(stream: tf.data.Dataset, first_step: int, seed: int) -> tf.data.Dataset:
    """Mirror each image of a stream of (images [n, H, W, C], labels) with probability a half, by seed and step."""

    def mirror(step: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.image.stateless_random_flip_left_right(batch[0], (seed, step)), batch[1]

    return stream.enumerate(first_step).map(mirror, num_parallel_calls=1, deterministic=True)


def build_stream(
    sources: list[Source],
    image_shape: tuple[int, ...],
    batch_size: int,
    seed: int,
    augmentation: keras.Layer | None = None,
    teacher: keras.Model | None = None,
) -> tf.data.Dataset:
    """Return an endless tf.data.Dataset of batches (images float32 in [-1, 1], class indices), epoch after epoch.

    TensorFlow may keep it, and with it the sources, to the end of the process: clear their list when it has been read.
    Each epoch is another shuffle; its last batch may be smaller. Reading,
    scaling, labelling by `teacher` (a Keras model: its class probabilities [n, K] replace the class indices) and
    `augmentation` (a Keras layer) run ahead of the training step.
    """

    def batches() -> Iterator[Block]:
        epoch = 0
        while sources:
            yield from _cut_batches(stream_images(sources, seed, epoch), batch_size)
            epoch += 1

    def prepare(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = to_network_range(tf.cast(images, tf.float32))
        labels = labels if teacher is None else teacher(images, training=False)
        return images if augmentation is None else augmentation(images, training=True), labels

    signature = (tf.TensorSpec((None, *image_shape), tf.uint8), tf.TensorSpec((None,), tf.int32))
    stream = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return stream.map(prepare, num_parallel_calls=1, deterministic=True).prefetch(8)


def draw_fresh(
    trained: TrainedGAN,
    class_indices: Sequence[int],
    per_class: int,
    filter: str,
    min_probability: float,
    latent_std: float,
    seed: int,
) -> list[Source]:
    """Return sources of images that are drawn while they are read, never the same twice: one per class.

    class_indices: the index of each class of the GAN in the real data. filter:
    "classifier" or "none". latent_std: as of synth.sampling.draw_latents. Each epoch draws `per_class` new images.
    The first ones of each class are drawn at once: common.errors.SamplingError if the filter lets too few pass.
    """
    classify = trained.classify if filter == "classifier" else None
    sieve = Sieve(_skip_scoring, classify=classify, min_probability=min_probability)

    def draw(k: int, rows: int, epoch: int, part: int) -> np.ndarray:
        # A stream of its own: the first number is the run's, the others are no shard's.
        shard = 2**31 + epoch * 2**20 + part
        blocks = sample_blocks(trained.generate, trained.latent_dim, seed, k, shard, latent_std)
        return sample_filtered(blocks, sieve, k, rows)[0]

    def read(k: int, epoch: int) -> Iterator[Block]:
        for part, start in enumerate(range(0, per_class, _FRESH_ROWS)):
            images = draw(k, min(_FRESH_ROWS, per_class - start), epoch, part)
            yield images, np.full(len(images), class_indices[k])

    count = len(trained.class_names)
    for k in range(count):
        draw(k, min(BLOCK_SIZE, per_class), 0, 0)
    return [Source({class_indices[k]: per_class}, partial(read, k)) for k in range(count)]


def _skip_scoring(images: np.ndarray, class_index: int) -> np.ndarray:
    """Stand in for the discriminator: nobody reads these scores."""
    return np.zeros(len(images), np.float32)


def _cut_batches(blocks: Iterable[Block], batch_size: int) -> Iterator[Block]:
    """Yield batches of `batch_size` from blocks of any size; the last one is what is left."""
    rest: Block | None = None
    for images, labels in blocks:
        if rest is not None:
            images, labels = np.concatenate([rest[0], images]), np.concatenate([rest[1], labels])
        whole = len(images) - len(images) % batch_size
        for start in range(0, whole, batch_size):
            yield images[start : start + batch_size], labels[start : start + batch_size]
        rest = (images[whole:], labels[whole:]) if whole < len(images) else None
    if rest is not None:
        yield rest
