"""The machines that train together: which of them writes, and the tf.distribute strategy."""

from functools import cache

import tensorflow as tf

from common.tf_config import read_tf_config


def is_chief() -> bool:
    """Whether this process is the one that writes: the only one, or of TF_CONFIG's cluster the chief, else worker 0."""
    cluster, task = read_tf_config()
    first = "chief" if "chief" in cluster else "worker"
    return not cluster or task == (first, 0)


def build_strategy() -> tf.distribute.Strategy:
    """Return the tf.distribute strategy of this machine: several GPUs, several hosts (TF_CONFIG), or the default.

    It is the same one at each call, as that of several hosts can be built only before a device is touched.
    Raises RequestError, before a device is touched, for a TF_CONFIG that names no task of a cluster.
    """
    cluster, _ = read_tf_config()
    return _build_strategy(bool(cluster))


@cache
def _build_strategy(several_hosts: bool) -> tf.distribute.Strategy:
    if several_hosts:
        return tf.distribute.MultiWorkerMirroredStrategy()
    gpus = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    return tf.distribute.MirroredStrategy(gpus) if len(gpus) > 1 else tf.distribute.get_strategy()
