"""Runs in a process of its own (tests/models/test_distribution.py), since devices are set before TensorFlow starts.

python distribution_worker.py replicas N: trains a tiny linear GAN on N logical CPU devices; prints its weights.
python distribution_worker.py fit FOLDER: trains a tiny recipe, with the strategy that TF_CONFIG names.
python distribution_worker.py cards FOLDER: the same on two logical CPU devices that are taken for GPUs.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import tensorflow as tf


def split_cpu(count):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)


def train_on_replicas(count):
    split_cpu(count)
    import keras

    from tests.models.test_gan import build_linear_gan

    devices = [f"CPU:{index}" for index in range(count)]
    strategy = tf.distribute.MirroredStrategy(devices) if count > 1 else tf.distribute.get_strategy()
    with strategy.scope():
        gan = build_linear_gan("r1", ema_decay=0.5)
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.01))
    gan.generator.set_weights([np.zeros((4, 4), np.float32)])
    gan.moving_average.set_weights([np.ones((4, 4), np.float32)])
    images = np.full((48, 2, 2, 1), 200, np.uint8)  # the same for every replica, so that all losses are
    data = tf.data.Dataset.from_tensor_slices((images, np.zeros(48, np.int32))).batch(16, drop_remainder=True)
    history = gan.fit(data, epochs=2, verbose=0, shuffle=False).history
    networks = (gan.discriminator, gan.generator, gan.moving_average)
    weights = [network.get_weights()[0].ravel().tolist() for network in networks]
    print(json.dumps({"weights": weights, "losses": np.ravel(history["discriminator_loss"]).tolist()}))


def fit(folder):
    from models.cluster import build_strategy

    strategy = build_strategy()  # before anything else touches a device
    from models.training import fit_gan
    from real.datasets import load_dataset
    from tests.models.tiny import TINY

    fit_gan(load_dataset(f"{folder}/digits.npz"), TINY, f"{folder}/model", quiet=True)
    print(json.dumps({"replicas": strategy.num_replicas_in_sync}))


def fit_on_cards(folder):
    split_cpu(2)
    devices = tf.config.list_logical_devices("CPU")
    tf.config.list_logical_devices = lambda kind: devices
    fit(folder)


if __name__ == "__main__":
    commands = {"replicas": lambda count: train_on_replicas(int(count)), "fit": fit, "cards": fit_on_cards}
    commands[sys.argv[1]](sys.argv[2])
