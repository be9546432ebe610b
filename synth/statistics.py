"""Intervals over repeated runs, and comparisons of samples."""

import numpy as np


def summarise(values):
    """Return mean, standard deviation and half-width of the 95 % interval (Student's t) of repeated measurements.

    A single value has neither spread nor interval: both are None.
    """
    from scipy import stats

    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return {"mean": float(values.mean()), "std": None, "interval": None}
    std = float(values.std(ddof=1))
    half_width = float(stats.t.ppf(0.975, len(values) - 1) * std / len(values) ** 0.5)
    return {"mean": float(values.mean()), "std": std, "interval": half_width}


def compute_rank_probability(values, others):
    """Probability that a random one of `values` is below a random one of `others`, ties counted half: U / (n m)."""
    from scipy import stats

    below = stats.mannwhitneyu(others, values).statistic
    return float(below / (len(values) * len(others)))


def compute_bootstrap_error(function, values, strata, rounds, seed):
    """Standard deviation of `function` over `rounds` resamples of the rows of `values` [N, ...].

    Rows are drawn with replacement within each of the `strata`, integers [N], whose sizes so stay as they are.
    """
    generator = np.random.default_rng(seed)
    groups = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    drawn = (np.concatenate([generator.choice(group, len(group)) for group in groups]) for _ in range(rounds))
    return float(np.std([function(values[index]) for index in drawn], ddof=1))
