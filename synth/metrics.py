"""Distances between sets of feature vectors, in float64 numpy."""

import numpy as np


def compute_frechet_distance(real_features, fake_features):
    """Frechet distance between the Gaussians fitted to two feature sets [N, D] and [M, D].

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), Heusel et al. 2017 (arXiv:1706.08500), eq. 6. The trace of the square
    root is the sum of the square roots of the eigenvalues of A C2 A with A = C1^(1/2), which is symmetric: so it is
    real and finite also with fewer samples than dimensions.
    """
    real_mean, real_covariance = _mean_and_covariance(real_features)
    fake_mean, fake_covariance = _mean_and_covariance(fake_features)
    values, vectors = np.linalg.eigh(real_covariance)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    product_values = np.linalg.eigvalsh(root @ fake_covariance @ root)
    trace_of_root = np.sqrt(np.clip(product_values, 0, None)).sum()
    distance = ((real_mean - fake_mean) ** 2).sum()
    return float(distance + np.trace(real_covariance) + np.trace(fake_covariance) - 2 * trace_of_root)


def compute_spread(features):
    """Total variance of features [N, D]: the trace of their covariance; 0 for a collapsed set."""
    return float(np.asarray(features, np.float64).var(axis=0, ddof=1).sum())


def _mean_and_covariance(features):
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"features should be [N, D] with N of at least 2. Got {features.shape} instead.")
    if not np.isfinite(features).all():
        raise ValueError("features should be finite. Got NaN or infinity instead.")
    return features.mean(axis=0), np.cov(features, rowvar=False).reshape(features.shape[1], -1)
