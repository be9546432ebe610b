"""A classifier two-sample test: can synthetic images be told from real ones?"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evaluation.metrics import draw_directions

_MOST = 2000  # images of each side
_MOST_DIMENSIONS = 2048  # of more, as of pixels, as many random projections
_FOLDS = 5
_STRENGTH = 0.01  # of the fit, against its penalty: there may be as many dimensions as images


def compute_two_sample_accuracy(real_features: np.ndarray, fake_features: np.ndarray) -> tuple[float, int] | None:
    """Return how well a classifier tells features [N, D] and [M, D] apart: (accuracy, images that it was tested on).

    The best is 0.5.
    Lopez-Paz and Oquab 2017 (arXiv:1610.06545): here logistic regression on standardised features and their squares, in
    five folds, on the first 2,000 of each side, as many of both. None of fewer than 5 images of a side.
    """
    count = min(len(real_features), len(fake_features), _MOST)
    if count < _FOLDS:
        return None
    features = np.concatenate([real_features[:count], fake_features[:count]])
    if features.shape[1] > _MOST_DIMENSIONS:
        features = features @ draw_directions(features.shape[1], _MOST_DIMENSIONS)
    features = StandardScaler().fit_transform(features)
    is_fake = np.repeat([0, 1], count)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=_STRENGTH, max_iter=300))
    order = np.random.default_rng(0).permutation(2 * count)  # folds are consecutive, and so are classes that take turns
    found = cross_val_predict(classifier, np.hstack([features, features**2])[order], is_fake[order], cv=_FOLDS)
    return float((found == is_fake[order]).mean()), 2 * count
