"""How fast this machine trains: measured in some seconds, and kept in the user's cache for a day."""

import hashlib
import json
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

import keras
import numpy as np
import tensorflow as tf

from common.cores import count_cores
from common.errors import RequestError
from common.files import load_json, replacing
from common.output_folder import installed_versions
from common.user_cache import find_cache_folder
from models.batches import stream_batches
from models.building import build_gan, build_untrained_judge, choose_dtype
from models.classifier import build_classifier, compile_classifier
from models.cluster import build_strategy
from models.recipes import Recipe
from real.datasets import Dataset

CLASSIFIER_BATCH = 128  # images of a step
_PROBE_STEPS = 50
_PROBE_SECONDS = 5.0
_KEPT_SECONDS = 24 * 3600  # what was measured beside other work is not believed for ever
# fields of a recipe that say how long it trains, not how fast
_LENGTHS = ("name", "members", "steps", "epochs", "round_steps", "patience", "rate_decay", "decay_start")


def measure_speed(dataset: Dataset, recipe: Recipe, seconds: float = float("inf")) -> float:
    """Return steps/s of a recipe's training on this machine, data stream included, measurements on validation not.

    It is the median over 50 steps, after as many for warming up: a short burst of other work does not count. After
    some seconds it stops, with half of the steps that there were, two at least.
    """
    images, labels = dataset.part("train")
    shape, class_count = dataset.image_shape, len(dataset.class_names)
    with build_strategy().scope():
        has_features = recipe.feature_weight and dataset.has_classifier
        judge = build_untrained_judge(recipe.feature_network, shape, class_count) if has_features else None
        gan = build_gan(recipe, shape, class_count * recipe.conditional, seed=0, judge=judge)
    stream = stream_batches(images, labels, recipe.images_per_step, 0, 2 * _PROBE_STEPS, 0, recipe.balance_classes)
    times: list[float] = []

    def note_time(batch: int, logs: object) -> None:
        times.append(time.perf_counter())
        gan.stop_training = len(times) > 2 and times[-1] - times[0] > seconds

    clock = keras.callbacks.LambdaCallback(on_train_batch_end=note_time)
    gan.fit(stream, steps_per_epoch=2 * _PROBE_STEPS, callbacks=[clock], shuffle=False, verbose=0)
    return float(1 / np.median(np.diff(times[len(times) // 2 :])))


def measure_classifier_speed(dataset: Dataset, name: str, seconds: float = float("inf")) -> float:
    """Return the training steps/s, of CLASSIFIER_BATCH images, of a classifier on images like these, as measure_speed.

    name: of models.classifier.build_classifier.
    """
    classifier = build_classifier(dataset.image_shape, len(dataset.class_names), name)
    compile_classifier(classifier, keras.optimizers.Adam())
    images = np.zeros((CLASSIFIER_BATCH, *dataset.image_shape), np.float32)
    labels = np.arange(CLASSIFIER_BATCH) % len(dataset.class_names)
    times: list[float] = []
    while len(times) < 2 * _PROBE_STEPS and not (len(times) > 2 and times[-1] - times[0] > seconds):
        classifier.train_on_batch(images, labels)
        times.append(time.perf_counter())
    return float(1 / np.median(np.diff(times[len(times) // 2 :])))


def recall_speed(dataset: Dataset, recipe: Recipe, threads: int) -> float:
    """Return steps/s as of measure_speed, in so many threads: measured within a day, or else now, and kept.

    What counts is the network, the images' shape, the batch, the dtype, the threads, the machine and the versions.
    """
    network = {name: value for name, value in asdict(recipe).items() if name not in _LENGTHS}
    described = [network, choose_dtype(recipe.dtype)]
    return _recall(dataset, described, threads, lambda: measure_speed(dataset, recipe, _PROBE_SECONDS))


def recall_classifier_speed(dataset: Dataset, name: str, threads: int) -> float:
    """Return steps/s as of measure_classifier_speed, remembered like those of recall_speed."""
    return _recall(dataset, [name], threads, lambda: measure_classifier_speed(dataset, name, _PROBE_SECONDS))


def _recall(dataset: Dataset, described: list, threads: int, measure: Callable[[], float]) -> float:
    folder = find_cache_folder("rates")
    devices = [platform.node(), platform.machine(), count_cores(), len(tf.config.get_visible_devices("GPU"))]
    parts = [*described, dataset.image_shape, len(dataset.class_names), threads, devices, installed_versions()]
    path = folder and folder / f"{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]}.json"
    if path:
        with suppress(RequestError, OSError):  # damaged, or not there
            known = load_json(path).get("steps_per_second")
            is_fresh = time.time() - path.stat().st_mtime < _KEPT_SECONDS
            if is_fresh and isinstance(known, float) and known > 0:
                return known
    speed = measure()
    if path:
        with suppress(OSError):  # the cache can't be written: it is measured again
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_text(json.dumps({"steps_per_second": speed}), encoding="utf-8")
    return speed
