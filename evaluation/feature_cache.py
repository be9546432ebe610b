"""Features of real images, kept in files: they are the same in every comparison of the same data."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import RequestError
from common.files import replacing
from common.run_files import load_arrays
from evaluation.metrics import Gaussian, fit_gaussian


def load_or_compute(cache: str | Path, images: np.ndarray, extractor: Any) -> tuple[np.ndarray, Gaussian]:
    """Return (features float32 [n, D], their Gaussian) of images uint8 [n, H, W, C], from the cache where it has them.

    cache: folder with a file for each set of images, named after what it holds. extractor: has compute(images) ->
    features and hash. A file that is damaged is made anew.
    """
    digest = hashlib.sha256(extractor.hash.encode() + repr(images.shape).encode() + images.tobytes()).hexdigest()
    path = Path(cache) / f"real-{digest[:16]}.npz"
    if (stored := _load_features(path, extractor.hash, len(images))) is not None:
        return stored
    features = np.asarray(extractor.compute(images), np.float32)
    gaussian = fit_gaussian(features)
    statistics: dict[str, Any] = {"count": gaussian.count, "mean": gaussian.mean, "covariance": gaussian.covariance}
    with replacing(path) as temporary:
        np.savez(temporary, features=features, extractor_hash=extractor.hash, **statistics)
    return features, gaussian


def _load_features(path: Path, extractor_hash: str, count: int) -> tuple[np.ndarray, Gaussian] | None:
    """Return (features, their Gaussian) of `count` images, or None where the file is missing, damaged or another's."""
    try:
        stored = load_arrays(path)
    except RequestError:
        return None
    if stored.keys() != {"features", "extractor_hash", "count", "mean", "covariance"}:
        return None
    features, mean, covariance, images = (stored[name] for name in ("features", "mean", "covariance", "count"))
    dimensions = features.shape[1:]
    shapes = (len(dimensions), features.shape[:1], mean.shape, covariance.shape, images.shape)
    if shapes != (1, (count,), dimensions, dimensions * 2, ()) or str(stored["extractor_hash"]) != extractor_hash:
        return None
    if not all(array.dtype.kind in "fi" and np.isfinite(array).all() for array in (features, mean, covariance, images)):
        return None
    return features, Gaussian(int(images), mean, covariance)
