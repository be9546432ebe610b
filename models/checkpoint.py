"""Exact resume: every variable that the next training step reads, in one file, and the one before it."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from common.errors import RequestError
from common.files import replacing
from common.run_files import load_arrays
from models.gan import GAN

_LAST, _PREVIOUS = "state.npz", "previous.npz"


@dataclass
class Progress:
    """Where a training stands."""

    step: int = 0
    seconds: float = 0.0  # spent in training steps and measurements
    best_step: int = 0
    best_frechet: float = float("inf")
    history: list[dict[str, Any]] = field(default_factory=list)  # one for each round

    @property
    def rounds_since_best(self) -> int:
        """How many rounds have brought nothing better than the best one."""
        return sum(row["step"] > self.best_step for row in self.history)


def save_checkpoint(folder: Path, gan: GAN, best_weights: list[np.ndarray], progress: Progress) -> None:
    """Write networks, moving average, optimizers, random state, the best generator and discriminator, and progress.

    The checkpoint that was there is kept as the one before.
    """
    path = folder / _LAST
    arrays = {f"state_{index}": variable.numpy() for index, variable in enumerate(_state(gan))}
    arrays |= {f"best_{index}": array for index, array in enumerate(best_weights)}
    with replacing(path) as temporary:
        np.savez(temporary, progress=json.dumps(asdict(progress)), **arrays)
        if path.exists():
            os.replace(path, folder / _PREVIOUS)


def load_checkpoint(folder: Path, gan: GAN, report: Callable[[str], object]) -> tuple[list[np.ndarray], Progress]:
    """Put the last state in `folder` that can be read into `gan`; return (best_weights, progress).

    Where none was saved yet, `gan` stays as it is. report: callable (text), told where it is the one before the last.
    Raises RequestError where none that was saved can be used.
    """
    paths = [path for path in (folder / _LAST, folder / _PREVIOUS) if path.exists()]
    problems = []
    for path in paths:
        try:
            state, best_weights, progress = _read(path, gan)
        except RequestError as error:
            problems.append(str(error))
            continue
        for variable, array in zip(_state(gan), state, strict=True):
            variable.assign(array)
        if path.name == _PREVIOUS:
            (folder / _LAST).unlink(missing_ok=True)  # the next save would put it in the place of the good one
            reason = problems[0] if problems else f"{folder / _LAST} is missing."
            report(f"note: {reason} Training goes on from the checkpoint before it, step {progress.step}.")
        return best_weights, progress
    if problems:
        raise RequestError(f"{problems[0]} Nor can one before it be used: remove {folder} to train anew.")
    return [], Progress()


def remove_checkpoint(folder: Path) -> None:
    """Remove both files, and the folder where it holds nothing else."""
    for name in (_LAST, _PREVIOUS):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _read(path: Path, gan: GAN) -> tuple[list[np.ndarray], list[np.ndarray], Progress]:
    """Return (arrays of the state, best weights, progress); RequestError where they are not those of `gan`."""
    arrays = load_arrays(path)
    progress = _parse_progress(path, arrays.pop("progress", None))
    best = [*gan.moving_average.weights, *gan.discriminator.weights] if progress.best_step else []
    variables = {f"state_{index}": variable for index, variable in enumerate(_state(gan))}
    variables |= {f"best_{index}": variable for index, variable in enumerate(best)}
    expected = {name: (tuple(variable.shape), variable.dtype) for name, variable in variables.items()}
    given = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
    if given != expected:
        wrong = sorted(name for name in given.keys() | expected.keys() if given.get(name) != expected.get(name))
        raise RequestError(
            f"{path}: should hold the {len(expected)} variables of this training. "
            f"Got {len(given)}, of which {wrong[0]} and {len(wrong) - 1} others differ."
        )
    state, best_weights = ([arrays[name] for name in expected if name.startswith(p)] for p in ("state_", "best_"))
    return state, best_weights, progress


def _parse_progress(path: Path, text: np.ndarray | None) -> Progress:
    try:
        progress = Progress(**json.loads(str(text)))
        steps = [progress.step, progress.best_step, *(row["step"] for row in progress.history)]
        if not all(isinstance(step, int) and step >= 0 for step in steps):
            raise ValueError("a step is no count")
        numbers = [progress.seconds, progress.best_frechet, *(row["frechet"] for row in progress.history)]
        if not all(isinstance(number, float) for number in numbers):
            raise ValueError("a measurement is no number")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RequestError(f"{path}: should hold the progress of a training. ({error})") from error
    return progress


def _state(gan: GAN) -> list[keras.Variable]:
    return [
        *gan.generator.variables,
        *(variable for model in gan.discriminators for variable in model.variables),
        *gan.moving_average.variables,
        *gan.generator_optimizer.variables,
        *gan.discriminator_optimizer.variables,
        gan.seed_generator.state,
    ]
