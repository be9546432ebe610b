"""Distances between two sets of feature vectors, in float64 numpy; all are named by role: real and fake."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from common.errors import RequestError

_BLOCK_ROWS = 1000  # of pairwise distances that are in memory at once


@dataclass(frozen=True)
class Gaussian:
    """What the Frechet distance needs of a set of features: count, mean [D] and unbiased covariance [D, D].

    deviations: [count, D], whose product with its transpose is the covariance, where there are fewer images than
    dimensions: it is a smaller root of the covariance than the symmetric one.
    """

    count: int
    mean: np.ndarray
    covariance: np.ndarray
    deviations: np.ndarray | None = None

    @cached_property
    def root(self) -> np.ndarray:
        """A matrix A with A^T A = covariance, kept for the next distance to this set."""
        if self.deviations is not None:
            return self.deviations
        if self.count > len(self.mean):  # else the covariance is singular
            with suppress(np.linalg.LinAlgError):
                return np.linalg.cholesky(self.covariance).T
        values, vectors = np.linalg.eigh(self.covariance)
        positive = values > _rounding_of(values)
        return (vectors[:, positive] * np.sqrt(values[positive])).T


class Moments:
    """Collects mean and covariance over batches of features in constant memory (Chan et al. 1983, eq. 2.1)."""

    def __init__(self) -> None:
        self.count = 0
        self._mean: Any = 0.0
        self._scatter: Any = 0.0  # sum of the outer products of the deviations from the mean

    def update(self, features: np.ndarray) -> None:
        """Add features [n, D]; RequestError for NaN or infinity."""
        features = _check(features)
        count, mean = len(features), features.mean(axis=0)
        deviations = features - mean
        shift = mean - self._mean
        total = self.count + count
        self._scatter = self._scatter + deviations.T @ deviations
        self._scatter += np.outer(shift, shift) * (self.count * count / total)
        self._mean = self._mean + shift * (count / total)
        self.count = total

    def fit(self) -> Gaussian:
        """Return the Gaussian of all features so far; RequestError for fewer than 2."""
        if self.count < 2:
            raise RequestError(f"features should be of at least 2 images. Got {self.count} instead.")
        return Gaussian(self.count, self._mean, self._scatter / (self.count - 1))


def fit_gaussian(features: np.ndarray) -> Gaussian:
    """Return the Gaussian of features [N, D]; RequestError for fewer than 2 images, NaN or infinity."""
    moments = Moments()
    moments.update(features)
    gaussian = moments.fit()
    if gaussian.count >= len(gaussian.mean):
        return gaussian
    deviations = (np.asarray(features, np.float64) - gaussian.mean) / (gaussian.count - 1) ** 0.5
    return replace(gaussian, deviations=deviations)


def compute_frechet_distance(real: Gaussian, fake: Gaussian) -> float:
    """Frechet distance between two Gaussians.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), Heusel et al. 2017 (arXiv:1706.08500), eq. 6. The trace of the square
    root is the sum of the square roots of the eigenvalues of A C2 A^T with A^T A = C1, which is symmetric: so it is
    real and finite also with fewer samples than dimensions.
    """
    product_values = np.linalg.eigvalsh(real.root @ fake.covariance @ real.root.T)
    trace_of_root = np.sqrt(product_values[product_values > _rounding_of(product_values)]).sum()
    distance = ((real.mean - fake.mean) ** 2).sum()
    return float(distance + np.trace(real.covariance) + np.trace(fake.covariance) - 2 * trace_of_root)


def compute_kernel_distance(
    real_features: np.ndarray,
    fake_features: np.ndarray,
    max_block_size: int = 1000,
    real_strata: np.ndarray | None = None,
    fake_strata: np.ndarray | None = None,
) -> tuple[float, float]:
    """Return (squared maximum mean discrepancy, its standard error) with the kernel (x.y / D + 1)^3.

    Binkowski et al. 2018 (arXiv:1801.01401): the unbiased estimate, which can be negative, as the mean over blocks of
    at most `max_block_size` images of each set in the order given. The error is that of its first-order projection
    (Hoeffding 1948): how much the images' own terms vary. Where both sets are alike it is up to half too large.
    The strata, integers [N] and [M], are classes whose proportions were fixed, in every block, when the images were
    drawn: pairs within a class then stand for those of an image with itself, too. So every block has at least two
    images of each class, which makes it larger where a class is rare.
    """
    real_features, fake_features = _check(real_features), _check(fake_features)
    sets = ((real_features, real_strata), (fake_features, fake_strata))
    sets = [(features, np.zeros(len(features)) if strata is None else strata) for features, strata in sets]
    rarest = min(np.unique(strata, return_counts=True)[1].min() for _, strata in sets)
    if rarest < 2:
        raise RequestError(f"both sets should have at least 2 images (of each class). Got {rarest} instead.")
    count = min(-(-max(len(real_features), len(fake_features)) // max_block_size), int(rarest) // 2)
    blocks = (_cut(array, count) for pair in sets for array in pair)
    values, variances = zip(*(_estimate_discrepancy(*block) for block in zip(*blocks, strict=True)), strict=True)
    return float(np.mean(values)), float(np.sum(variances) ** 0.5 / count)


def compute_prdc(real_features: np.ndarray, fake_features: np.ndarray, neighbours: int = 5) -> dict[str, np.ndarray]:
    """Return {name: one value per image}, whose means are precision, recall, density and coverage.

    Improved precision (of the fake images: float [M]) and recall (of the real ones: [N]), Kynkäänniemi et al. 2019
    (arXiv:1904.06991); density [M] and coverage [N], Naeem et al. 2020 (arXiv:2002.09797). An image's ball reaches to
    its `neighbours`-th nearest neighbour in its own set.
    """
    real_features, fake_features = _check(real_features), _check(fake_features)
    if min(len(real_features), len(fake_features)) <= neighbours:
        raise RequestError(
            f"both sets should have more than {neighbours} images. Got {len(real_features)} and {len(fake_features)}."
        )
    real_radii = _compute_radii(real_features, neighbours)
    fake_radii = _compute_radii(fake_features, neighbours)
    balls_around_fake = np.zeros(len(fake_features))  # how many real balls hold this fake image
    recalled, covered = np.zeros(len(real_features)), np.zeros(len(real_features))
    megabytes = _BLOCK_ROWS * len(fake_features) * 8 / 2**20
    start = 0
    for distances in pairwise_distances_chunked(real_features, fake_features, working_memory=megabytes):
        rows = slice(start, start + len(distances))
        inside = distances <= real_radii[rows, np.newaxis]
        balls_around_fake += inside.sum(axis=0)
        covered[rows] = inside.any(axis=1)
        recalled[rows] = (distances <= fake_radii).any(axis=1)
        start = rows.stop
    precise = (balls_around_fake > 0).astype(np.float64)
    return {"precision": precise, "recall": recalled, "density": balls_around_fake / neighbours, "coverage": covered}


def compute_sliced_wasserstein(real_features: np.ndarray, fake_features: np.ndarray, directions: np.ndarray) -> float:
    """Sliced Wasserstein distance: the mean over `directions` (unit vectors [D, P]) of the 1-D Wasserstein distances.

    Rabin et al. 2011. Sets of different sizes are compared at the quantiles of the smaller one.
    """
    real, fake = _check(real_features) @ directions, _check(fake_features) @ directions  # [N, P], [M, P]
    count = min(len(real), len(fake))
    return float(np.abs(_compute_quantiles(real, count) - _compute_quantiles(fake, count)).mean())


def draw_directions(dimensions: int, count: int = 128, seed: int = 0) -> np.ndarray:
    """Draw random unit vectors [D, P]."""
    directions = np.random.default_rng(seed).standard_normal((dimensions, count))
    return directions / np.linalg.norm(directions, axis=0)


def compute_spread(features: np.ndarray) -> float:
    """Total variance of features [N, D]: the trace of their covariance; 0 for a collapsed set."""
    return float(np.asarray(features, np.float64).var(axis=0, ddof=1).sum())


def _rounding_of(eigenvalues: np.ndarray) -> float:
    """Return the size up to which eigenvalues are rounding errors of 0: their square roots would add up."""
    return len(eigenvalues) * np.finfo(np.float64).eps * np.abs(eigenvalues).max(initial=0.0)


def _estimate_discrepancy(
    real: np.ndarray, real_strata: np.ndarray, fake: np.ndarray, fake_strata: np.ndarray
) -> tuple[float, float]:
    """Return the discrepancy within a block, and its variance."""

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    between = kernel(real, fake)
    value, variance = -2 * between.mean(), 0.0
    sides = ((real, real_strata, between.mean(axis=1)), (fake, fake_strata, between.mean(axis=0)))
    for features, strata, to_others in sides:
        _, position, sizes = np.unique(strata, return_inverse=True, return_counts=True)
        within = (sizes / np.maximum(sizes - 1, 1))[position]  # what stands for the pairs of an image with itself
        weights = np.where(position[:, np.newaxis] == position, within, 1.0)
        np.fill_diagonal(weights, 0.0)
        to_own = (weights * kernel(features, features)).sum(axis=1) / len(features)
        value += to_own.mean()
        own = [(to_own - to_others)[position == k] for k in range(len(sizes))]
        variance += sum(4 * len(terms) / len(features) ** 2 * terms.var(ddof=1) for terms in own if len(terms) > 1)
    return value, variance


def _cut(features: np.ndarray, count: int) -> list[np.ndarray]:
    """Cut into `count` blocks in order, the larger ones last, as TF-GAN does."""
    size, larger = divmod(len(features), count)
    return np.split(features, np.cumsum([size] * (count - larger) + [size + 1] * larger)[:-1])


def _compute_quantiles(projected: np.ndarray, count: int) -> np.ndarray:
    """Return `count` quantiles of each column of [N, P], those in the middles of equal parts."""
    if len(projected) == count:
        return np.sort(projected, axis=0)
    return np.quantile(projected, (np.arange(count) + 0.5) / count, axis=0, method="hazen")


def _compute_radii(features: np.ndarray, neighbours: int) -> np.ndarray:
    distances, _ = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(features).kneighbors()
    return distances[:, -1]


def _check(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, np.float64)
    if features.ndim != 2:
        raise RequestError(f"features should be [N, D]. Got {features.shape} instead.")
    if not np.isfinite(features).all():
        raise RequestError("features should be finite. Got NaN or infinity instead.")
    return features
