"""What a classifier's predictions are worth, and what the scores of synthetic images mean."""

import numpy as np


def score_predictions(labels, predictions, class_names):
    """Return accuracy, balanced accuracy, geometric mean of the recalls, macro F1, per-class accuracy and confusion.

    The rows of the confusion matrix are the true classes. Balanced accuracy is also called average class-specific
    accuracy. Classes without images count in neither of the two means.
    """
    from sklearn import metrics

    indices = range(len(class_names))
    confusion = metrics.confusion_matrix(labels, predictions, labels=indices)
    per_class = confusion.diagonal() / np.maximum(confusion.sum(axis=1), 1)
    recalls = per_class[confusion.sum(axis=1) > 0]
    return {
        "images": len(labels),
        "accuracy": float(metrics.accuracy_score(labels, predictions)),
        "balanced_accuracy": float(recalls.mean()),
        "geometric_mean": float(recalls.prod() ** (1 / len(recalls))),
        "macro_f1": float(metrics.f1_score(labels, predictions, labels=indices, average="macro", zero_division=0)),
        "per_class_accuracy": dict(zip(class_names, map(float, per_class), strict=True)),
        "confusion": confusion.tolist(),
    }


def explain_gap(gan_train, gan_test):
    """Say in one sentence what the two accuracies mean together (Shmelkov et al. 2018, arXiv:1807.09499).

    gan_train: of a classifier trained on synthetic images, on real ones. gan_test: of a classifier trained on real
    images, on the synthetic ones (label fidelity).
    """
    gap = gan_test - gan_train
    if gan_test < 0.8:
        reason = "too few images show their class: train the GAN longer, or filter by a classifier"
    elif gap > 0.01:
        reason = "the images mostly show their class, but lack some of the variety of the real ones"
    elif gap < -0.01:
        reason = "some images do not show their class, or show it ambiguously: a stricter filter may help"
    else:
        reason = "labels and variety are in balance"
    return f"trained on synthetic {gan_train:.2%}, label fidelity {gan_test:.2%}: {reason}."
