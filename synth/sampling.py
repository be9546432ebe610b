"""Filtered sampling whose result depends on (model, seed, class, shard) alone."""

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from common.errors import SamplingError

BLOCK_SIZE = 256  # candidates per generator call; fixed, so that no option changes a pixel
CALIBRATION_SHARD = 2**32 - 1  # no shard: the draw on which thresholds are calibrated
_FREE_BLOCKS = 20  # drawn before a low acceptance rate counts
_CANDIDATES_PER_ROW = 50


def draw_latents(
    seed: int, class_index: int, shard: int, block: int, latent_dim: int, latent_std: float = 1.0
) -> np.ndarray:
    """Draw normal latents, float32 [BLOCK_SIZE, latent_dim], as a pure function of the arguments.

    The standard deviation is 1, or that of each image is uniform between 1 and `latent_std`.
    """
    generator = np.random.default_rng([seed, class_index, shard, block])
    latents = generator.standard_normal((BLOCK_SIZE, latent_dim), dtype=np.float32)
    if latent_std != 1:
        latents *= generator.uniform(1, latent_std, (BLOCK_SIZE, 1)).astype(np.float32)
    return latents


def sample_blocks(
    generate: Callable[[np.ndarray, int], np.ndarray],
    latent_dim: int,
    seed: int,
    class_index: int,
    shard: int,
    latent_std: float = 1.0,
) -> Iterator[np.ndarray]:
    """Yield blocks of candidates without end, uint8 [BLOCK_SIZE, H, W, C].

    generate: callable (latents [n, latent_dim], class_index) -> uint8 [n, H, W, C]. latent_std: as of draw_latents.
    """
    block = 0
    while True:
        yield generate(draw_latents(seed, class_index, shard, block, latent_dim, latent_std), class_index)
        block += 1


def sample_filtered(
    blocks: Iterator[np.ndarray],
    sieve: Callable[[np.ndarray, int, list[np.ndarray]], tuple[np.ndarray, np.ndarray]],
    class_index: int,
    rows: int,
) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Collect `rows` accepted images: (images uint8 [rows, H, W, C], scores float32 [rows], tally).

    blocks: iterator of candidates; sieve: a synth.filters.Sieve, or callable (images, class_index, accepted images so
    far) -> (reasons [n], "" for an image to keep, scores [n]). The tally counts "candidates" and each
    reject reason up to the last accepted image. Raises SamplingError, with the acceptance rate, once more than
    20 blocks + 50 candidates per row have gone by.
    """
    images: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    tally: Counter[str] = Counter(candidates=0)
    found, limit = 0, _FREE_BLOCKS * BLOCK_SIZE + _CANDIDATES_PER_ROW * rows
    for block in blocks:
        reasons, block_scores = sieve(block, class_index, images)
        keep = np.flatnonzero(reasons == "")
        if found + len(keep) >= rows:  # cut behind the last image that is needed
            keep = keep[: rows - found]
            reasons = reasons[: keep[-1] + 1]
        tally["candidates"] += len(reasons)
        tally.update(reason for reason in reasons.tolist() if reason)
        images.append(block[keep])
        scores.append(block_scores[keep])
        found += len(keep)
        if found == rows:
            return np.concatenate(images), np.concatenate(scores), dict(tally)
        if tally["candidates"] >= limit:
            raise SamplingError(_describe_failure(found, rows, tally))
    raise AssertionError("blocks should go on without end")


def _describe_failure(found: int, rows: int, tally: Counter[str]) -> str:
    """Say how few candidates were accepted, why, and what helps against the most frequent reason."""
    rejects = ", ".join(f"{reason} {count}" for reason, count in tally.items() if reason != "candidates")
    advice = {
        "discriminator": "Use --filter none or a higher --keep.",
        "density-ratio": "Use --filter none.",
        "duplicate": "Train longer, or use --duplicate-distance 0.",
    }.get(max(tally, key=lambda reason: tally[reason] * (reason != "candidates")))
    return (
        f"the filter accepted {found} of {tally['candidates']} candidates "
        f"({found / tally['candidates']:.2%}; rejected: {rejects}), of {rows} asked. "
        f"{advice or 'Train longer, or use --filter none or a lower --min-probability.'}"
    )
