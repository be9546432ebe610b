"""Callbacks of GAN.fit. Keras calls them with one epoch per round of `round_steps` steps."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pandas as pd

from common.errors import TrainingError
from common.files import replacing
from common.progress import open_bar
from common.run_folder import ModelFolder
from models.checkpoint import Progress, save_checkpoint
from models.recipes import Recipe

Logs = dict[str, Any] | None  # {metric: value}, as Keras calls callbacks with it
_FINAL_RATE = 0.02


class StopOnNonFinite(keras.callbacks.Callback):
    """Raise TrainingError as soon as any logged value is NaN or infinite (TerminateOnNaN looks at "loss" alone)."""

    def __init__(self, progress: Progress, title: str) -> None:
        super().__init__()
        self._progress = progress
        self._title = title

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        bad = [name for name, value in (logs or {}).items() if not math.isfinite(np.mean(value))]
        if bad:
            raise TrainingError(
                f"{self._title} diverged near step {self._progress.step}: {', '.join(bad)} should be finite. "
                "Lower --generator-rate and --discriminator-rate, or choose another --recipe."
            )


class Pace(keras.callbacks.Callback):
    """Count steps and seconds, move rates and penalty along the recipe, and stop cleanly when `max_seconds` are over.

    They follow the larger of the two fractions done, of steps and of time, so they reach their end either way.
    """

    def __init__(self, progress: Progress, recipe: Recipe, total_steps: int, max_seconds: float | None = None) -> None:
        super().__init__()
        self._progress = progress
        self._recipe = recipe
        self._total_steps = total_steps
        self._max_seconds = max_seconds or math.inf

    def on_train_begin(self, logs: Logs = None) -> None:
        self._before = self._progress.seconds
        self._start = time.monotonic()
        self._follow_schedules()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._progress.step += 1
        self._progress.seconds = self._before + time.monotonic() - self._start
        self._follow_schedules()
        if self._progress.seconds >= self._max_seconds:
            self.model.stop_training = True

    def _follow_schedules(self) -> None:
        done = max(self._progress.step / self._total_steps, self._progress.seconds / self._max_seconds)
        factor = compute_rate_factor(self._recipe, min(done, 1.0))
        self.model.generator_optimizer.learning_rate = self._recipe.generator_rate * factor
        self.model.discriminator_optimizer.learning_rate = self._recipe.discriminator_rate * factor
        self.model.penalty_weight.assign(compute_penalty_weight(self._recipe, done))


class MeasureRounds(keras.callbacks.Callback):
    """After each round: measure on validation, keep the best weights, write history, grid and checkpoint.

    title: of the training, in messages. measure: callable () -> (Frechet distance, names of collapsed classes).
    save_grid: callable (step). warn: callable (text).
    best_weights: list that holds the best generator's and discriminator's weights.
    """

    def __init__(
        self,
        progress: Progress,
        title: str,
        best_weights: list[np.ndarray],
        folder: ModelFolder,
        *,
        measure: Callable[[], tuple[float, list[str]]],
        save_grid: Callable[[int], None],
        warn: Callable[[str], object],
    ) -> None:
        super().__init__()
        self._progress = progress
        self._title = title
        self._best_weights = best_weights
        self._folder = folder
        self._measure = measure
        self._save_grid = save_grid
        self._warn = warn
        self._collapsed: set[str] | None = None  # at the last round; in the first one no class has formed yet

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        progress = self._progress
        if not all(np.isfinite(weights).all() for weights in self.model.moving_average.get_weights()):
            problem = f"{self._title} diverged near step {progress.step}: the generator's weights are not finite."
            raise TrainingError(problem)
        frechet, collapsed = self._measure()
        new = set(collapsed) - self._collapsed if self._collapsed is not None else set()
        if new:
            names = ", ".join(sorted(new))
            self._warn(f"warning: {self._title}, step {progress.step}: collapsed to nearly one image: class {names}")
        self._collapsed = set(collapsed)
        losses = {name: float(np.mean(value)) for name, value in (logs or {}).items()}
        row = {"step": progress.step, "seconds": round(progress.seconds, 1), **losses, "frechet": frechet}
        progress.history.append(row | {"collapsed": " ".join(collapsed)})
        if frechet < progress.best_frechet:
            progress.best_frechet, progress.best_step = frechet, progress.step
            self._best_weights[:] = self.model.moving_average.get_weights() + self.model.discriminator.get_weights()
        with replacing(self._folder.history) as temporary:
            pd.DataFrame(progress.history).to_csv(temporary, index=False)
        self._save_grid(progress.step)
        save_checkpoint(self._folder.checkpoint, self.model, self._best_weights, progress)


class StopWithoutBetter(keras.callbacks.Callback):
    """Stop cleanly after `patience` rounds without a better one than the best; never where it is 0."""

    def __init__(self, progress: Progress, patience: int) -> None:
        super().__init__()
        self._progress = progress
        self._patience = patience

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self._patience and self._progress.rounds_since_best >= self._patience:
            self.model.stop_training = True


class ProgressBar(keras.callbacks.Callback):
    """Images/s, time left and the last measurements: see common.progress.open_bar."""

    def __init__(self, progress: Progress, title: str, total_steps: int, batch_size: int, quiet: bool) -> None:
        super().__init__()
        self._progress = progress
        self._batch_size = batch_size
        self._bar = open_bar(
            quiet=quiet,
            total=total_steps * batch_size,
            initial=progress.step * batch_size,
            desc=title,
            unit="img",
            unit_scale=True,
        )

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._bar.update(self._batch_size)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        last = self._progress.history[-1]
        best = self._progress.best_frechet
        self._bar.set_postfix({"step": self._progress.step, "Frechet": f"{last['frechet']:.2f}", "best": f"{best:.2f}"})

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._bar.close()


class FitBar(keras.callbacks.Callback):
    """The same for a classifier: steps/s, time left and the last epoch's measurements."""

    _steps = 0  # of this epoch, that the bar has

    def __init__(self, title: str, total_steps: int, quiet: bool) -> None:
        super().__init__()
        self._bar = open_bar(quiet=quiet, total=total_steps, desc=title, unit="step")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        steps = min(batch + 1, self.params["steps"] or batch + 1)  # Keras, many in one call, counts beyond the last
        self._bar.update(steps - self._steps)
        self._steps = steps

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._steps = 0
        self._bar.set_postfix({"epoch": epoch + 1} | {name: f"{value:.4f}" for name, value in (logs or {}).items()})

    def on_train_end(self, logs: Logs = None) -> None:
        self._bar.close()


def compute_rate_factor(recipe: Recipe, done: float) -> float:
    """Return the fraction of the initial rates after the fraction `done` of training, down to 2 %."""
    decayed = max(0.0, (done - recipe.decay_start) / (1.0 - recipe.decay_start))
    falling = {"constant": 1.0, "linear": 1.0 - decayed, "cosine": 0.5 * (1.0 + math.cos(math.pi * decayed))}
    return _FINAL_RATE + (1.0 - _FINAL_RATE) * falling[recipe.rate_decay]


def compute_penalty_weight(recipe: Recipe, done: float) -> float:
    """Return the weight of the gradient penalty after the fraction `done` of training."""
    if recipe.penalty_weight == 0:
        return 0.0
    return recipe.penalty_weight * (recipe.penalty_weight_end / recipe.penalty_weight) ** min(1.0, 2.0 * done)
