"""Class-balancing by repetition and by interpolation of real images, as imbalanced-learn does it."""

import warnings
from types import ModuleType

import numpy as np

from common.errors import RequestError


def import_imblearn() -> ModuleType:
    """Import imbalanced-learn's over-sampling; ModuleNotFoundError names the package to install."""
    try:
        from imblearn import over_sampling
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("for oversampling and SMOTE", name="imbalanced-learn") from error
    return over_sampling


def resample(
    method: str, images: np.ndarray, labels: np.ndarray, counts: dict[int, int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Bring the classes of images uint8 [n, H, W, C] to {class index: count}; the real images come first, unchanged.

    method: "oversampling" repeats images at random; "smote" interpolates between up to 5 nearest neighbours of a
    class (Chawla et al. 2002). Raises RequestError for SMOTE on a class of one image.
    """
    over_sampling = import_imblearn()
    if method == "smote":
        smallest = min(int((labels == k).sum()) for k in counts)
        if smallest < 2:
            raise RequestError(f"SMOTE should have at least 2 images of each class. Got {smallest} instead.")
        sampler = over_sampling.SMOTE(sampling_strategy=counts, k_neighbors=min(5, smallest - 1), random_state=seed)
    else:
        sampler = over_sampling.RandomOverSampler(sampling_strategy=counts, random_state=seed)
    flat = images.reshape(len(images), -1).astype(np.float32)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "After over-sampling", UserWarning)  # all classes may grow: that is asked for
        flat, labels = sampler.fit_resample(flat, labels)
    return np.clip(np.rint(flat), 0, 255).astype(np.uint8).reshape(-1, *images.shape[1:]), labels


def compute_class_weights(labels: np.ndarray) -> dict[int, float]:
    """Weights {class index: weight} that give every class the same total, 1 on average over the images [n]."""
    classes, counts = np.unique(labels, return_counts=True)
    return {int(k): len(labels) / (len(classes) * int(count)) for k, count in zip(classes, counts, strict=True)}
