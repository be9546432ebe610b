"""Feature likelihood divergence: are new real images likely under a density around the synthetic ones?"""

import numpy as np
from scipy.special import logsumexp
from sklearn.metrics.pairwise import euclidean_distances

_MOST = 2000  # images of each set
_ROUNDS = 50
_SETTLED = 1e-3  # gain of the mean log-likelihood of a round, below which the fit has ended
_SMALLEST = 1e-6  # variance of a component, where the features' is 1


def compute_likelihood_divergences(
    train_features: np.ndarray, real_features: np.ndarray, floor_features: np.ndarray, runs: dict[str, np.ndarray]
) -> dict[str, float | None]:
    """Return the feature likelihood divergence of each run's features [M, D], 0 for as good as other real images; None
    where no feature of held-out images varies.

    Jiralerspong et al. 2023 (arXiv:2302.04440), eq. 2 to 5: a Gaussian around each synthetic image, with the variances
    that make the train images likeliest; the negative log-likelihood of held-out real ones (`real_features`) under this
    mixture, times 100 / D. A copy of a train image gets hardly any variance, and so adds nothing for held-out images; a
    mode without images costs them as much. The paper subtracts the value of one half of the train part, fitted to the
    other; here it is that of `floor_features`, real images which `train_features` do not hold. Of each set the first
    2,000 are used, and the dimensions in which held-out images vary, standardised.
    """
    real = np.asarray(real_features[:_MOST], np.float64)
    varying = real.std(axis=0) > 0
    if not varying.any():
        return dict.fromkeys(runs)
    mean, deviation = real[:, varying].mean(axis=0), real[:, varying].std(axis=0)

    def standardise(features: np.ndarray) -> np.ndarray:
        return (np.asarray(features[:_MOST], np.float64)[:, varying] - mean) / deviation

    train, real = standardise(train_features), standardise(real)

    def score(features: np.ndarray) -> float:
        centres = standardise(features)
        variances = _fit_variances(centres, train)
        return -100 / len(mean) * _compute_log_likelihood(_square_distances(real, centres), variances, len(mean)).mean()

    floor = score(floor_features)
    return {name: float(score(features) - floor) for name, features in runs.items()}


def _fit_variances(centres: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the variance [M] of a Gaussian around each centre [M, D], by expectation-maximisation on train [N, D]."""
    squares, dimensions = _square_distances(train, centres), centres.shape[1]
    variances = np.maximum(squares.min(axis=0) / dimensions, _SMALLEST)
    likelihood = -np.inf
    for _ in range(_ROUNDS):
        joint = _log_densities(squares, variances, dimensions)
        total = logsumexp(joint, axis=1, keepdims=True)
        if total.mean() - likelihood < _SETTLED:
            break
        likelihood = total.mean()
        shares = np.exp(joint - total)  # [N, M]
        weights = shares.sum(axis=0)
        fitted = (shares * squares).sum(axis=0) / np.maximum(dimensions * weights, np.finfo(float).tiny)
        variances = np.where(weights > 0, np.maximum(fitted, _SMALLEST), variances)
    return variances


def _compute_log_likelihood(squares: np.ndarray, variances: np.ndarray, dimensions: int) -> np.ndarray:
    """Return log p of each image [N] from its squared distances [N, M] to the centres."""
    return logsumexp(_log_densities(squares, variances, dimensions), axis=1)


def _log_densities(squares: np.ndarray, variances: np.ndarray, dimensions: int) -> np.ndarray:
    """Return log of weight and density of each component at each image, [N, M]."""
    normaliser = np.log(len(variances)) + dimensions / 2 * np.log(2 * np.pi * variances)
    return -squares / (2 * variances) - normaliser


def _square_distances(features: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return euclidean_distances(features, centres, squared=True)
