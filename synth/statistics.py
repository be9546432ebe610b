"""Intervals over repeated runs."""

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
