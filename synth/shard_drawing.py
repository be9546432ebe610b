"""Draw shards with a model and its filter, in this process or in another one that is sent them."""

import hashlib
import math
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.errors import RequestError
from synth.filters import Sieve, calibrate_thresholds
from synth.sampling import CALIBRATION_SHARD, draw_latents, sample_blocks, sample_filtered

_CALIBRATION_BLOCKS = 4


@dataclass(frozen=True)
class ShardTask:
    """A shard to make. name: of its class. files: {path below the run's folder: format}."""

    name: str
    files: dict[str, str]
    shard: int
    rows: int


@dataclass(frozen=True)
class DrawnShard:
    """What was drawn for a task: images uint8 [rows, H, W, C], scores float32 [rows], and a tally of candidates."""

    task: ShardTask
    images: np.ndarray
    scores: np.ndarray
    tally: dict[str, int]


@dataclass(frozen=True)
class Drawer:
    """A model and its filter (as of stream_shards) with the sampling options."""

    model: Any
    sieve: Sieve
    sampling: dict

    def hash_first_block(self) -> str:
        """Return a SHA-256 over the first candidates, their scores and why they are rejected, as hex."""
        name = next(iter(self.sampling["class_size"]))
        k = self.model.class_names.index(name)
        seed, latent_std = self.sampling["seed"], self.sampling["latent_std"]
        block = next(sample_blocks(self.model.generate, self.model.latent_dim, seed, k, 0, latent_std))
        reasons, scores = self.sieve(block, k, [])
        return hashlib.sha256(block.tobytes() + scores.tobytes() + "\n".join(reasons).encode()).hexdigest()


def draw_shard(drawer: Drawer, task: ShardTask) -> DrawnShard:
    """Draw the images of one shard."""
    k = drawer.model.class_names.index(task.name)
    seed, latent_std = drawer.sampling["seed"], drawer.sampling["latent_std"]
    return DrawnShard(task, *sample_shard(drawer.model, drawer.sieve, seed, k, task.shard, task.rows, latent_std))


@dataclass(frozen=True)
class DrawerElsewhere:
    """Builds a Drawer in another process, and holds its first block to that of the process that has sent this.

    thresholds: of the discriminator, or None. first_block: its hash.
    """

    model: Any
    sampling: dict
    thresholds: dict[str, float] | None
    first_block: str

    def __call__(self) -> Drawer:
        """Return the Drawer; RequestError, which names the machine, where it draws other bytes."""
        sieve, _ = build_sieve(self.model, self.sampling, self.sampling["class_size"], self.thresholds)
        drawer = Drawer(self.model, sieve, self.sampling)
        if drawer.hash_first_block() != self.first_block:
            raise RequestError(
                f"{platform.node()} should draw the images that the driver draws. Its first ones are others, as on "
                "another kind of processor: leave that machine out."
            )
        return drawer


def sample_shard(
    model: Any, sieve: Sieve, seed: int, class_index: int, shard: int, rows: int, latent_std: float
) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Sample the first `rows` images of a shard: as synth.sampling.sample_filtered. More rows begin with the fewer.

    Where the sieve keeps a share of the best, that is of a pool for so many rows, and more rows have another pool.
    """
    blocks = sample_blocks(model.generate, model.latent_dim, seed, class_index, shard, latent_std)
    pool = math.ceil(rows / sieve.best_share)
    images, scores, tally = sample_filtered(blocks, sieve, class_index, pool)
    if pool > rows:
        best = np.sort(np.argsort(-scores, kind="stable")[:rows])
        images, scores = images[best], scores[best]
        tally["ranked"] = pool - rows
    return images, scores, tally


def build_sieve(
    model: Any, sampling: dict, class_names: Iterable[str], thresholds: dict[str, float] | None = None
) -> tuple[Sieve, dict[str, float] | None]:
    """Return the sieve of the sampling options and the discriminator's thresholds, {class name: score} or None.

    What is not given in `thresholds` is calibrated, once per class, on a fixed first draw.
    """
    filter, by_index = sampling["filter"], None
    if filter in ("discriminator", "both"):
        seed, latent_std = sampling["seed"], sampling["latent_std"]
        missing = [name for name in class_names if name not in (thresholds or {})]
        scores = {name: _draw_scores(model, name, seed, latent_std) for name in missing}
        thresholds = (thresholds or {}) | calibrate_thresholds(scores, sampling["keep"])
        by_index = {model.class_names.index(name): threshold for name, threshold in thresholds.items()}
    classify = model.classify if filter in ("classifier", "both") else None
    log_ratio = model.compute_log_ratio if filter == "density-ratio" else None
    sieve = Sieve(
        model.score,
        by_index,
        classify,
        log_ratio=log_ratio,
        min_probability=sampling["min_probability"],
        duplicate_distance=sampling["duplicate_distance"],
        best_share=sampling["keep"] if filter == "ranked" else 1.0,
    )
    return sieve, thresholds


def _draw_scores(model: Any, name: str, seed: int, latent_std: float) -> list[float]:
    k = model.class_names.index(name)
    scores = []
    for block in range(_CALIBRATION_BLOCKS):
        latents = draw_latents(seed, k, CALIBRATION_SHARD, block, model.latent_dim, latent_std)
        scores += model.score(model.generate(latents, k), k).tolist()
    return scores
