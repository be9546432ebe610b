"""Train well-known small GANs and a recipe of ours side by side: same data, same minutes, same machine.

    python -m benchmarks.peers --data mnist.npz --out peers.csv --minutes 2 5

The others have the layers, rates and batches of their sources, written anew in Keras:

- cgan: the conditional GAN of Keras' own examples (keras.io, "Conditional GAN").
- acgan: the auxiliary classifier GAN of the collection Keras-GAN.
- dcgan: the DCGAN of TensorFlow's tutorial, which has no labels: one for each class, with an equal share of the time.

Each trains for as many steps as it makes in these minutes: its rate is measured first, all of them in turn, so that
other work on the machine while it trains changes nothing. At each mark 1,000 images of each class are drawn,
unfiltered: classifiers that learn from them alone are scored on the test part, and their Frechet distance to the
validation part is computed in the features of a classifier of the train part. Each line goes to --out at once; what is
there is not run again.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers

from benchmarks.measuring import compare_with_validation, draw_images, score_as_training_set
from common.command_line import Parser
from common.images import to_network_range, to_uint8
from models.batches import stream_batches
from models.recipes import RECIPES
from models.trained_gan import TrainedGAN
from models.training import fit_gan
from models.training_rate import measure_speed
from real.datasets import load_dataset

_PER_CLASS = 1000
_DRAWN = 250  # images that are generated together
_WARM_UP, _TIMED, _ROUNDS = 20, 100, 3  # steps and rounds of measuring the rates
_bce = keras.losses.BinaryCrossentropy(from_logits=True)


@dataclass(frozen=True)
class Peer:
    """A GAN that trains on 28 x 28 x 1 images in [-1, 1].

    step: callable (images [N, 28, 28, 1], labels [N]), which trains once. generate: callable (latents, labels [N]) ->
    images in [-1, 1]. by_class: whether it is to be trained for one class alone.
    """

    step: Callable
    generate: Callable
    latent_dim: int
    batch_size: int
    by_class: bool = False


def _leaky(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)


def _update(optimizer, tape, loss, model):
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


def build_cgan(class_count):
    """Return the conditional GAN of keras.io."""
    latent_dim, channels = 128, 1 + class_count
    image = keras.Input((28, 28, channels))
    x = _leaky(layers.Conv2D(64, 3, strides=2, padding="same")(image))
    x = _leaky(layers.Conv2D(128, 3, strides=2, padding="same")(x))
    discriminator = keras.Model(image, layers.Dense(1)(layers.GlobalMaxPooling2D()(x)))
    latent = keras.Input((latent_dim + class_count,))
    x = _leaky(layers.Dense(7 * 7 * (latent_dim + class_count))(latent))
    x = layers.Reshape((7, 7, latent_dim + class_count))(x)
    for _ in range(2):
        x = _leaky(layers.Conv2DTranspose(128, 4, strides=2, padding="same")(x))
    generator = keras.Model(latent, layers.Conv2D(1, 7, padding="same", activation="sigmoid")(x))
    rates = [keras.optimizers.Adam(3e-4) for _ in range(2)]

    def generate(latents, labels):
        return generator(tf.concat([latents, tf.one_hot(labels, class_count)], axis=1)) * 2 - 1

    @tf.function
    def step(images, labels):
        planes = tf.one_hot(labels, class_count)[:, tf.newaxis, tf.newaxis]
        planes = tf.broadcast_to(planes, (len(labels), 28, 28, class_count))
        count = len(labels)
        fake = generate(tf.random.normal((count, latent_dim)), labels) / 2 + 0.5
        both = tf.concat([tf.concat([part, planes], -1) for part in (fake, images / 2 + 0.5)], 0)
        target = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], 0)  # of fake and real, as there
        with tf.GradientTape() as tape:
            loss = _bce(target, discriminator(both, training=True))
        _update(rates[0], tape, loss, discriminator)
        with tf.GradientTape() as tape:
            fake = generate(tf.random.normal((count, latent_dim)), labels) / 2 + 0.5
            loss = _bce(tf.zeros((count, 1)), discriminator(tf.concat([fake, planes], -1), training=True))
        _update(rates[1], tape, loss, generator)

    return Peer(step, generate, latent_dim, 64)


def build_acgan(class_count):
    """Return the auxiliary classifier GAN of Keras-GAN."""
    image = keras.Input((28, 28, 1))
    x = layers.Dropout(0.25)(_leaky(layers.Conv2D(16, 3, strides=2, padding="same")(image)))
    for filters, strides in ((32, 2), (64, 2), (128, 1)):
        x = _leaky(layers.Conv2D(filters, 3, strides=strides, padding="same")(x))
        x = layers.Dropout(0.25)(x if filters == 128 else layers.BatchNormalization(momentum=0.8)(x))
    x = layers.Flatten()(x)
    discriminator = keras.Model(image, [layers.Dense(1)(x), layers.Dense(class_count)(x)])
    latent, label = keras.Input((100,)), keras.Input((), dtype="int32")
    x = layers.Multiply()([latent, layers.Embedding(class_count, 100)(label)])
    x = layers.Reshape((7, 7, 128))(layers.Dense(128 * 7 * 7, activation="relu")(x))
    x = layers.BatchNormalization(momentum=0.8)(x)
    for filters in (128, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(layers.UpSampling2D()(x))
        x = layers.BatchNormalization(momentum=0.8)(x)
    generator = keras.Model([latent, label], layers.Conv2D(1, 3, padding="same", activation="tanh")(x))
    rates = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    classes = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def judge(images, labels, target):
        logits, found = discriminator(images, training=True)
        return _bce(tf.fill(tf.shape(logits), target), logits) + classes(labels, found)

    @tf.function
    def step(images, labels):
        drawn = tf.random.uniform((len(labels),), 0, class_count, tf.int32)
        fake = generator([tf.random.normal((len(labels), 100)), drawn], training=True)
        for batch, own, target in ((images, labels, 1.0), (fake, drawn, 0.0)):
            with tf.GradientTape() as tape:
                loss = judge(batch, own, target)
            _update(rates[0], tape, loss, discriminator)
        with tf.GradientTape() as tape:
            fake = generator([tf.random.normal((len(labels), 100)), drawn], training=True)
            loss = judge(fake, drawn, 1.0)
        _update(rates[1], tape, loss, generator)

    return Peer(step, lambda latents, labels: generator([latents, labels]), 100, 32)


def build_dcgan(class_count):
    """Return the DCGAN of TensorFlow's tutorial, for one class."""
    image, latent = keras.Input((28, 28, 1)), keras.Input((100,))
    x = image
    for filters in (64, 128):
        x = layers.Dropout(0.3)(layers.LeakyReLU()(layers.Conv2D(filters, 5, strides=2, padding="same")(x)))
    discriminator = keras.Model(image, layers.Dense(1)(layers.Flatten()(x)))
    x = layers.LeakyReLU()(layers.BatchNormalization()(layers.Dense(7 * 7 * 256, use_bias=False)(latent)))
    x = layers.Reshape((7, 7, 256))(x)
    for filters, strides in ((128, 1), (64, 2)):
        x = layers.Conv2DTranspose(filters, 5, strides=strides, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh")(x)
    generator = keras.Model(latent, x)
    rates = [keras.optimizers.Adam(1e-4) for _ in range(2)]

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as generator_tape, tf.GradientTape() as tape:
            fake = generator(tf.random.normal((len(labels), 100)), training=True)
            real_logits, fake_logits = discriminator(images, training=True), discriminator(fake, training=True)
            loss = _bce(tf.ones_like(real_logits), real_logits) + _bce(tf.zeros_like(fake_logits), fake_logits)
            generator_loss = _bce(tf.ones_like(fake_logits), fake_logits)
        _update(rates[1], generator_tape, generator_loss, generator)
        _update(rates[0], tape, loss, discriminator)

    return Peer(step, lambda latents, labels: generator(latents), 100, 256, by_class=True)


PEERS = {"cgan": build_cgan, "acgan": build_acgan, "dcgan": build_dcgan}


class Trainer:
    """Trains a Peer on images, and draws from it."""

    def __init__(self, peer, images, labels, seed):
        self.peer, self.steps = peer, 0
        self._batches = iter(stream_batches(images, labels, peer.batch_size, 0, 10**9, seed))

    def train_to(self, step):
        """Train until it has made so many steps."""
        for _ in range(self.steps, step):
            images, labels = next(self._batches)
            self.peer.step(to_network_range(tf.cast(images, tf.float32)), labels)
        self.steps = max(self.steps, step)

    def draw(self, k, count):
        """Return images of class k, uint8 [count, 28, 28, 1]."""
        labels = tf.fill((_DRAWN,), k)
        blocks = [
            self.peer.generate(tf.random.normal((_DRAWN, self.peer.latent_dim)), labels)
            for _ in range(0, count, _DRAWN)
        ]
        return np.concatenate([to_uint8(block) for block in blocks])[:count]


def build_trainers(name, dataset, seed):
    """Return a peer's Trainers: one, or one of each class."""
    keras.utils.set_random_seed(seed)
    images, labels = dataset.part("train")
    classes = range(len(dataset.class_names))
    first = PEERS[name](len(classes))
    if not first.by_class:
        return [Trainer(first, images, labels, seed)]
    parts = [(images[labels == k], labels[labels == k]) for k in classes]
    return [Trainer(PEERS[name](1), *part, seed) for part in parts]


def measure_rate(name, dataset, seed):
    """Return the steps/s of a peer or a recipe, its graph built before."""
    if name not in PEERS:  # "dcgan" is both
        return measure_speed(dataset, RECIPES[name])
    trainer = build_trainers(name, dataset, seed)[0]
    trainer.train_to(_WARM_UP)
    start = time.perf_counter()
    trainer.train_to(_WARM_UP + _TIMED)
    return _TIMED / (time.perf_counter() - start)


def run_peer(name, dataset, marks, seed, rate):
    """Yield (minutes, images, labels) of a peer at each mark; rate: steps/s."""
    trainers = build_trainers(name, dataset, seed)
    classes = range(len(dataset.class_names))
    for mark in marks:
        for trainer in trainers:
            trainer.train_to(round(60 * mark * rate / len(trainers)))
        drawn = [trainers[k % len(trainers)].draw(k, _PER_CLASS) for k in classes]
        yield mark, np.concatenate(drawn), np.repeat(classes, _PER_CLASS)


def run_recipe(name, dataset, marks, seed, rate):
    """Yield the same of a recipe of ours, trained anew for each mark, as its rates fall towards the end."""
    for mark in marks:
        recipe = replace(RECIPES[name], steps=round(60 * mark * rate))
        with tempfile.TemporaryDirectory() as folder:
            fit_gan(dataset, recipe, folder, seed=seed, quiet=True)
            yield mark, *draw_images(TrainedGAN(folder), seed, _PER_CLASS)


def measure(names, dataset, marks, out, seed, classifier_seeds):
    """Write a line for each GAN and mark that is not in `out` yet; return all as a pandas.DataFrame."""
    rows = pd.read_csv(out).to_dict("records") if Path(out).exists() else []
    rounds = [{name: measure_rate(name, dataset, seed) for name in names} for _ in range(_ROUNDS)]
    rates = pd.DataFrame(rounds).median()
    print(rates.round(2).to_string(), flush=True)
    for name in names:
        left = [mark for mark in marks if (name, mark) not in {(row["gan"], row["minutes"]) for row in rows}]
        run = run_peer if name in PEERS else run_recipe
        for minutes, images, labels in run(name, dataset, left, seed, rates[name]):
            scores = score_as_training_set(
                images, labels, dataset.part("test"), len(dataset.class_names), classifier_seeds
            )
            with tempfile.TemporaryDirectory() as cache:
                near = compare_with_validation(dataset, images, labels, cache)
            row = {"gan": name, "minutes": minutes, "steps_per_second": round(rates[name], 2), "seed": seed}
            row |= {"accuracy": round(float(np.mean(scores)), 4), "frechet": round(near["frechet"], 3)}
            rows.append(row | {"frechet_to_floor": round(near["frechet_to_floor"], 2)})
            pd.DataFrame(rows).to_csv(out, index=False)
            print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main(argv=None):
    """Parse the command line, measure, and print the table."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist5k", help="28 x 28 x 1, as of generate_data.py (default: %(default)s)")
    parser.add_argument("--gans", nargs="+", default=[*PEERS, "quick"], choices=[*PEERS, *RECIPES])
    parser.add_argument("--minutes", nargs="+", type=float, default=[2.0, 5.0])
    parser.add_argument("--classifier-seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True, help="CSV of results, continued where it is there")
    options = parser.parse_args(argv)
    dataset = load_dataset(options.data)
    marks = sorted(options.minutes)
    print(measure(options.gans, dataset, marks, options.out, options.seed, options.classifier_seeds).to_string())


if __name__ == "__main__":
    sys.exit(main())
