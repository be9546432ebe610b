"""What a classifier's predictions are worth, and what the scores of synthetic images mean."""

from collections.abc import Sequence

import numpy as np
from sklearn import metrics


def score_predictions(labels: np.ndarray, predictions: np.ndarray, class_names: Sequence[str]) -> dict:
    """Return a dict of scores; labels and predictions are class indices [N].

    accuracy, balanced_accuracy (or average class-specific accuracy), geometric_mean (of the recalls), macro_f1;
    per_class_accuracy, the share of a class's images that are taken for it, and per_class_precision, the share of the
    images taken for a class that are its own, 0 where none is, as {class name: share}; confusion, whose rows are the
    true classes. A class without images counts in no mean, and its shares are None.
    """
    confusion = metrics.confusion_matrix(labels, predictions, labels=range(len(class_names)))
    per_class = {
        f"per_class_{measure}": confusion.diagonal() / np.maximum(confusion.sum(axis=axis), 1)
        for measure, axis in (("accuracy", 1), ("precision", 0))
    }
    present = np.flatnonzero(confusion.sum(axis=1))
    recalls = per_class["per_class_accuracy"][present]
    return {
        "images": len(labels),
        "accuracy": float(metrics.accuracy_score(labels, predictions)),
        "balanced_accuracy": float(recalls.mean()),
        "geometric_mean": float(recalls.prod() ** (1 / len(recalls))),
        "macro_f1": float(metrics.f1_score(labels, predictions, labels=present, average="macro", zero_division=0)),
        "confusion": confusion.tolist(),
    } | {
        measure: {name: float(values[k]) if k in present else None for k, name in enumerate(class_names)}
        for measure, values in per_class.items()
    }


def compute_balanced_error(confusion: Sequence[Sequence[int]]) -> float:
    """Return the standard error of a balanced accuracy, which the number of images of each class leaves.

    confusion: of score_predictions.
    """
    counts = np.asarray(confusion).sum(axis=1)
    present = counts > 0
    recalls = np.asarray(confusion).diagonal()[present] / counts[present]
    return float(np.sqrt((recalls * (1 - recalls) / counts[present]).sum()) / len(recalls))


def explain_gap(gan_train: float, gan_test: float, real: float, error: float, *, augmented: bool) -> str:
    """Say in one sentence what the two accuracies mean together (Shmelkov et al. 2018, arXiv:1807.09499).

    All are balanced ones, as the classes' shares may differ. gan_train: of a classifier trained on synthetic images, on
    real ones. gan_test: of a classifier trained on real images, on the synthetic ones (label fidelity). real: that
    classifier's on other real images. error: standard error of gan_train; a gap should exceed its 95 % interval, and a
    hundredth. augmented: whether the first had classic augmentation.
    """
    gap = gan_test - gan_train
    enough = max(0.01, 1.96 * error)
    if gan_test < real - 0.15:
        reason = "too few images show their class: train the GAN longer, or filter by a classifier"
    elif gap > enough:
        reason = "the images mostly show their class, but lack some of the variety of the real ones"
        reason += "" if augmented else ": --augment may make up for it"
    elif gap < -enough:
        reason = "some images do not show their class, or show it ambiguously: a stricter filter may help"
    else:
        reason = "labels and variety are in balance"
    return f"balanced: trained on synthetic {gan_train:.2%}, label fidelity {gan_test:.2%}: {reason}."
