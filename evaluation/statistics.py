"""Intervals over repeated runs, paired comparisons, and comparisons of samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from common.errors import RequestError


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation and half-width of the 95 % interval (Student's t) of repeated measurements.

    A single value has neither spread nor interval: both are None.
    """

    mean: float
    std: float | None
    interval: float | None


@dataclass(frozen=True)
class PairedDifference(Summary):
    """The differences of two series that were measured with the same seeds, and the number of these.

    verdict: "better" or "worse" where the 95 % interval leaves out zero, "equal" where it does not, and "unknown" for
    a single seed.
    """

    seeds: int

    @property
    def verdict(self) -> str:
        if self.interval is None:
            return "unknown"
        if abs(self.mean) <= self.interval:
            return "equal"
        return "better" if self.mean > 0 else "worse"


def summarise(values: Sequence[float]) -> Summary:
    """Summarise repeated measurements, at least one."""
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return Summary(float(values.mean()), None, None)
    std = float(values.std(ddof=1))
    half_width = float(compute_t_quantile(len(values)) * std / len(values) ** 0.5)
    return Summary(float(values.mean()), std, half_width)


def compare_paired(values: dict[int, float], baseline: dict[int, float]) -> PairedDifference:
    """Compare two series {seed: value} over the seeds that both have; RequestError where no seed is common."""
    seeds = sorted(set(values) & set(baseline))
    if not seeds:
        raise RequestError("paired series should have a seed in common. Got none.")
    summary = summarise([values[seed] - baseline[seed] for seed in seeds])
    return PairedDifference(summary.mean, summary.std, summary.interval, len(seeds))


def compute_rank_probability(values: np.ndarray, others: np.ndarray) -> float:
    """Probability that a random one of `values` is below a random one of `others`, ties counted half: U / (n m)."""
    below = stats.mannwhitneyu(others, values).statistic
    return float(below / (len(values) * len(others)))


def compute_below_probability(below: int, count: int, rank: int, others: int) -> float:
    """Probability that `below` or more of `count` values are below the `rank`-th smallest of so many others.

    All of one continuous distribution: the number is beta-binomial, and rank / (others + 1) of the values are expected.
    """
    return float(stats.betabinom(count, rank, others + 1 - rank).sf(below - 1))


def compute_bootstrap_error(
    function: Callable[[np.ndarray], float], values: np.ndarray, strata: np.ndarray, rounds: int, seed: int
) -> float:
    """Standard deviation of `function` over `rounds` resamples of the rows of `values` [N, ...].

    Rows are drawn with replacement within each of the `strata`, integers [N], whose sizes so stay as they are.
    """
    generator = np.random.default_rng(seed)
    groups = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    drawn = (np.concatenate([generator.choice(group, len(group)) for group in groups]) for _ in range(rounds))
    return float(np.std([function(values[index]) for index in drawn], ddof=1))


def compute_t_quantile(count: int) -> float:
    """Return the factor from the standard error of a mean of `count` values to the half-width of its 95 % interval."""
    return float(stats.t.ppf(0.975, count - 1))


def compute_wilson_error(share: float, count: int, z: float = 1.96) -> float:
    """Return how far the farther end of the 95 % interval of a share of `count` images is (Wilson 1927).

    It is not 0 at a share of 1.
    """
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half_width = z * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5 / (1 + z**2 / count)
    return float(half_width + abs(share - middle))
