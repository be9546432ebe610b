"""The machines that train together: which of them writes, and the tf.distribute strategy."""

import json
import os
from functools import cache
from typing import Any

import tensorflow as tf

from synth.errors import RequestError

_TASKS = ("chief", "worker")


def is_chief() -> bool:
    """Whether this process is the one that writes: the only one, or of TF_CONFIG's cluster the chief, else worker 0."""
    cluster, task = _read_settings()
    first = "chief" if "chief" in cluster else "worker"
    return not cluster or task == (first, 0)


def build_strategy() -> tf.distribute.Strategy:
    """Return the tf.distribute strategy of this machine: several GPUs, several hosts (TF_CONFIG), or the default.

    It is the same one at each call, as that of several hosts can be built only before a device is touched.
    Raises RequestError, before a device is touched, for a TF_CONFIG that names no task of a cluster.
    """
    cluster, _ = _read_settings()
    return _build_strategy(bool(cluster))


@cache
def _build_strategy(several_hosts: bool) -> tf.distribute.Strategy:
    if several_hosts:
        return tf.distribute.MultiWorkerMirroredStrategy()
    several_gpus = len(tf.config.list_logical_devices("GPU")) > 1
    return tf.distribute.MirroredStrategy() if several_gpus else tf.distribute.get_strategy()


def _read_settings() -> tuple[dict[str, list[str]], tuple[str, int] | None]:
    """Return TF_CONFIG's cluster, {type: addresses}, and this process's task, (type, index); {} and None without."""
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"TF_CONFIG should be JSON. ({error})") from error
    if not isinstance(settings, dict):
        raise RequestError(f"TF_CONFIG should be a JSON object. Got {text:.60} instead.")
    cluster = settings.get("cluster") or {}
    if not isinstance(cluster, dict) or not all(_is_addresses(cluster[name]) for name in cluster):
        raise RequestError(f"TF_CONFIG's cluster should be lists of addresses by task type. Got {cluster!r:.60}.")
    if not cluster:
        return {}, None
    if not set(cluster) <= set(_TASKS):
        raise RequestError(
            f"TF_CONFIG's cluster should have the tasks {', '.join(_TASKS)} alone. Got {', '.join(cluster)}."
        )
    return cluster, _find_task(settings.get("task"), cluster)


def _is_addresses(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(address, str) for address in value)


def _find_task(task: Any, cluster: dict[str, list[str]]) -> tuple[str, int]:
    type, index = (task.get("type"), task.get("index")) if isinstance(task, dict) else (None, None)
    if not isinstance(type, str) or type not in cluster:
        raise RequestError(f"TF_CONFIG's task should be of a type of its cluster, {', '.join(cluster)}. Got {type!r}.")
    if not isinstance(index, int) or index not in range(len(cluster[type])):
        raise RequestError(
            f"TF_CONFIG's task index should be in the range [0, {len(cluster[type])}), for {type}. Got {index!r}."
        )
    return type, index
