from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from common.errors import TrainingError
from models import callbacks
from models.building import build_gan
from models.callbacks import Pace, StopWithoutBetter, compute_penalty_weight, compute_rate_factor
from models.checkpoint import Progress
from models.gan import GAN
from tests.models.tiny import TINY, assert_equal_weights, fit, weights_of


@pytest.mark.parametrize(
    ("decay", "start", "factors"),
    [
        ("constant", 0.0, [1, 1, 1, 1]),
        ("linear", 0.0, [1, 0.755, 0.51, 0.02]),
        ("linear", 0.5, [1, 1, 1, 0.02]),
        ("cosine", 0.0, [1, 0.8565, 0.51, 0.02]),
    ],
)
def test_rates_fall_to_2_percent(decay, start, factors):
    recipe = replace(TINY, rate_decay=decay, decay_start=start)
    assert [compute_rate_factor(recipe, done) for done in (0, 0.25, 0.5, 1)] == pytest.approx(factors, abs=1e-4)


def test_penalty_falls_geometrically_over_the_first_half():
    recipe = replace(TINY, penalty_weight=4.0, penalty_weight_end=0.04)
    weights = [compute_penalty_weight(recipe, done) for done in (0, 0.25, 0.5, 1)]
    assert weights == pytest.approx([4, 0.4, 0.04, 0.04])
    assert compute_penalty_weight(replace(recipe, penalty_weight=0.0), 0.5) == 0


def test_a_time_limit_ends_training_with_the_rates_at_their_end(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(clock))
    gan = build_gan(TINY, (8, 8, 1), 2, seed=0)
    pace = Pace(Progress(), replace(TINY, rate_decay="linear", decay_start=0.0), total_steps=1000, max_seconds=5)
    pace.set_model(gan)
    pace.on_train_begin()
    rates = []
    while not gan.stop_training:
        pace.on_train_batch_end(0)
        rates.append(float(gan.generator_optimizer.learning_rate) / TINY.generator_rate)
    assert np.allclose(rates, [0.804, 0.608, 0.412, 0.216, 0.02], atol=1e-3)


def test_the_best_generator_is_kept_and_patience_ends_training(dataset, finished, tmp_path, monkeypatch):
    scores = iter([5.0, 3.0, 4.0, 6.0, 1.0])
    kept = []
    monkeypatch.setattr("models.monitor.Monitor.measure", lambda self, sampler: (next(scores), []))
    on_epoch_end = callbacks.MeasureRounds.on_epoch_end

    def record(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        kept.append([array.copy() for array in self._best_weights])

    monkeypatch.setattr(callbacks.MeasureRounds, "on_epoch_end", record)
    fit(dataset, replace(TINY, steps=10, patience=2), tmp_path, finished)
    assert len(kept) == 4
    assert all(np.array_equal(a, b) for a, b in zip(kept[1], weights_of(tmp_path), strict=True))


def test_a_collapsed_class_is_named_once(dataset, finished, tmp_path, monkeypatch):
    rounds = iter([[0, 1], [], [1]])
    monkeypatch.setattr("models.monitor.Monitor.measure", lambda self, sampler: (1.0, next(rounds)))
    warnings = [line for line in fit(dataset, TINY, tmp_path, finished) if line.startswith("warning")]
    assert warnings == ["warning: training, step 6: collapsed to nearly one image: class 1"]


def test_non_finite_losses_stop_the_run_and_keep_the_checkpoint(dataset, finished, tmp_path, monkeypatch):
    train_step = GAN.train_step
    broken = tf.constant(4, tf.int64)

    def poisoned(self, data):
        logs = train_step(self, data)
        factor = tf.where(tf.cast(self.generator_optimizer.iterations, tf.int64) >= broken, np.nan, 1.0)
        return logs | {"generator_loss": logs["generator_loss"] * factor}

    monkeypatch.setattr(GAN, "train_step", poisoned)
    with pytest.raises(TrainingError, match="diverged near step 3: generator_loss should be finite"):
        fit(dataset, TINY, tmp_path, finished)
    assert (tmp_path / "checkpoint" / "state.npz").exists()


def test_a_non_finite_generator_is_not_kept(dataset, finished, tmp_path, monkeypatch):
    update = GAN._update_moving_average

    def poisoned(self):
        update(self)
        first = self.moving_average.trainable_variables[0]
        broken = tf.cast(self.generator_optimizer.iterations, tf.int64) >= 3
        first.assign(first * tf.where(broken, np.nan, 1.0))

    with monkeypatch.context() as patch:
        patch.setattr(GAN, "_update_moving_average", poisoned)
        with pytest.raises(TrainingError, match="diverged near step 4: the generator's weights are not finite"):
            fit(dataset, TINY, tmp_path, finished)
    fit(dataset, TINY, tmp_path)  # continues from the checkpoint of step 2
    assert_equal_weights(tmp_path, finished[0])


@pytest.mark.parametrize(("patience", "stops"), [(0, False), (2, True), (3, False)])
def test_training_ends_after_so_many_rounds_without_a_better_one(patience, stops):
    history = [{"step": step} for step in (10, 20, 30, 40)]
    callback = StopWithoutBetter(Progress(step=40, best_step=20, history=history), patience)
    callback.set_model(SimpleNamespace(stop_training=False))
    callback.on_epoch_end(3)
    assert callback.model.stop_training == stops
