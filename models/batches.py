"""Feed GANs and classifiers: tf.data streams of batches."""

from functools import lru_cache

import numpy as np
import tensorflow as tf

from synth.filters import Sieve
from synth.images import to_network_range
from synth.sampling import BLOCK_SIZE, sample_blocks, sample_filtered
from synth.sources import Source, stream_images

_FRESH_ROWS = 1000  # images that are drawn together: of the last block of candidates most are not needed


def stream_batches(images, labels, batch_size, first_step, total_steps, seed, balance_classes=False):
    """Return a tf.data.Dataset of the batches first_step..total_steps - 1, as a pure function of the arguments.

    Each pass over the data is a permutation of its own; batches run on over the border between two passes. With
    `balance_classes` each image is drawn by itself: first its class, then one of the class.
    """
    by_class = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    images, labels = tf.constant(images), tf.constant(labels, tf.int32)

    def batches():
        for step in range(first_step, total_steps):
            if balance_classes:
                yield draw_balanced(np.random.default_rng([seed, step, 1]))
                continue
            positions = np.arange(step * batch_size, (step + 1) * batch_size)
            index = np.empty(batch_size, np.int64)
            for one_pass in np.unique(positions // len(images)):
                inside = positions // len(images) == one_pass
                index[inside] = permutation(int(one_pass))[positions[inside] % len(images)]
            yield index

    def draw_balanced(generator):
        classes = generator.integers(len(sizes), size=batch_size)
        return by_class[starts[classes] + generator.integers(sizes[classes])]

    @lru_cache(maxsize=2)
    def permutation(one_pass):
        return np.random.default_rng([seed, one_pass]).permutation(len(images))

    stream = tf.data.Dataset.from_generator(batches, output_signature=tf.TensorSpec((batch_size,), tf.int64))
    return stream.map(lambda index: (tf.gather(images, index), tf.gather(labels, index))).prefetch(2)


def build_stream(sources, image_shape, batch_size, seed, augmentation=None, teacher=None):
    """Return an endless tf.data.Dataset of batches (images float32 in [-1, 1], class indices), epoch after epoch.

    sources: list of synth.sources.Source. Each epoch is another shuffle; its last batch may be smaller. Reading,
    scaling, labelling by `teacher` (a Keras model: its class probabilities [n, K] replace the class indices) and
    `augmentation` (a Keras layer) run ahead of the training step.
    """

    def batches():
        epoch = 0
        while True:
            yield from _cut_batches(stream_images(sources, seed, epoch), batch_size)
            epoch += 1

    def prepare(images, labels):
        images = to_network_range(tf.cast(images, tf.float32))
        labels = labels if teacher is None else teacher(images, training=False)
        return images if augmentation is None else augmentation(images, training=True), labels

    signature = (tf.TensorSpec((None, *image_shape), tf.uint8), tf.TensorSpec((None,), tf.int32))
    stream = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return stream.map(prepare, num_parallel_calls=1, deterministic=True).prefetch(8)


def draw_fresh(trained, class_indices, per_class, filter, min_probability, latent_std, seed):
    """Return sources of images that are drawn while they are read, never the same twice: one per class.

    trained: models.trained_gan.TrainedGAN. class_indices: the index of each of its classes in the real data. filter:
    "classifier" or "none". latent_std: as of synth.sampling.draw_latents. Each epoch draws `per_class` new images.
    The first ones of each class are drawn at once: synth.errors.SamplingError if the filter lets too few pass.
    """
    classify = trained.classify if filter == "classifier" else None
    sieve = Sieve(_skip_scoring, classify=classify, min_probability=min_probability)

    def draw(k, rows, epoch, part):
        # A stream of its own: the first number is the run's, the others are no shard's.
        shard = 2**31 + epoch * 2**20 + part
        blocks = sample_blocks(trained.generate, trained.latent_dim, seed, k, shard, latent_std)
        return sample_filtered(blocks, sieve, k, rows)[0]

    def read(k, epoch):
        for part, start in enumerate(range(0, per_class, _FRESH_ROWS)):
            images = draw(k, min(_FRESH_ROWS, per_class - start), epoch, part)
            yield images, np.full(len(images), class_indices[k])

    count = len(trained.class_names)
    for k in range(count):
        draw(k, min(BLOCK_SIZE, per_class), 0, 0)
    return [Source({class_indices[k]: per_class}, lambda epoch, k=k: read(k, epoch)) for k in range(count)]


def _skip_scoring(images, class_index):
    """Stand in for the discriminator: nobody reads these scores."""
    return np.zeros(len(images), np.float32)


def _cut_batches(blocks, batch_size):
    """Yield batches of `batch_size` from blocks of any size; the last one is what is left."""
    images, labels = None, None
    for block_images, block_labels in blocks:
        if images is not None and len(images):
            block_images = np.concatenate([images, block_images])
            block_labels = np.concatenate([labels, block_labels])
        whole = len(block_images) - len(block_images) % batch_size
        for start in range(0, whole, batch_size):
            yield block_images[start : start + batch_size], block_labels[start : start + batch_size]
        images, labels = block_images[whole:], block_labels[whole:]
    if images is not None and len(images):
        yield images, labels
