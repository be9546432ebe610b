"""Exact resume: every variable that the next training step reads, in one file, replaced atomically."""

import json
from dataclasses import asdict, dataclass, field

import numpy as np

from synth.errors import RequestError
from synth.files import replacing

CHECKPOINT = "checkpoint/state.npz"


@dataclass
class Progress:
    """Where a training stands."""

    step: int = 0
    seconds: float = 0.0  # spent in training steps and measurements
    best_step: int = 0
    best_frechet: float = float("inf")
    history: list = field(default_factory=list)  # one dict per round


def save_checkpoint(path, gan, best_weights, progress):
    """Write networks, moving average, optimizers, random state, the best generator and discriminator, and progress."""
    arrays = {f"state_{index}": variable.numpy() for index, variable in enumerate(_state(gan))}
    arrays |= {f"best_{index}": array for index, array in enumerate(best_weights)}
    with replacing(path) as temporary:
        np.savez(temporary, progress=json.dumps(asdict(progress)), **arrays)


def load_checkpoint(path, gan):
    """Put the state at `path` into `gan`; return (best_weights, progress)."""
    with np.load(path, allow_pickle=False) as archive:
        variables = _state(gan)
        stored = sum(key.startswith("state_") for key in archive.files)
        if stored != len(variables):
            raise RequestError(f"{path}: should hold {len(variables)} variables. Got {stored} instead.")
        for index, variable in enumerate(variables):
            variable.assign(archive[f"state_{index}"])
        best_count = sum(key.startswith("best_") for key in archive.files)
        best_weights = [archive[f"best_{index}"] for index in range(best_count)]
        return best_weights, Progress(**json.loads(str(archive["progress"])))


def _state(gan):
    return [
        *gan.generator.variables,
        *(variable for model in gan.discriminators for variable in model.variables),
        *gan.moving_average.variables,
        *gan.generator_optimizer.variables,
        *gan.discriminator_optimizer.variables,
        gan.seed_generator.state,
    ]
