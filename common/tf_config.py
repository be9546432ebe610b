"""TF_CONFIG: the hosts that train together, as TensorFlow is told of them."""

import json
import os
from typing import Any

from common.errors import RequestError

_TASKS = ("chief", "worker")


def read_tf_config() -> tuple[dict[str, list[str]], tuple[str, int] | None]:
    """Return TF_CONFIG's cluster, {type: addresses}, and this process's task, (type, index); {} and None without.

    Raises RequestError for what is malformed, and where it names no task of its cluster.
    """
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
