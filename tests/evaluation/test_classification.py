import numpy as np
import pytest

from evaluation.classification import compute_balanced_error, explain_gap, score_predictions


def test_scores_of_an_imbalanced_prediction():
    scores = score_predictions(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), ("ape", "bee"))
    assert scores["accuracy"] == 0.75
    assert scores["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["geometric_mean"] == pytest.approx((2 / 3) ** 0.5)
    assert scores["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert scores["per_class_accuracy"] == pytest.approx({"ape": 2 / 3, "bee": 1})
    assert scores["per_class_precision"] == pytest.approx({"ape": 1, "bee": 1 / 2})
    assert scores["confusion"] == [[2, 1], [0, 1]]


def test_a_class_without_test_images_does_not_count():
    scores = score_predictions(np.array([0, 0]), np.array([0, 0]), ("ape", "bee"))
    assert (scores["balanced_accuracy"], scores["macro_f1"]) == (1, 1)
    assert scores["per_class_accuracy"] == scores["per_class_precision"] == {"ape": 1, "bee": None}


def test_a_class_that_is_never_predicted_has_no_precision():
    scores = score_predictions(np.array([0, 1]), np.array([0, 0]), ("ape", "bee"))
    assert scores["per_class_precision"] == {"ape": 0.5, "bee": 0}


@pytest.mark.parametrize(
    ("gan_train", "gan_test", "real", "words"),
    [
        (0.95, 0.99, 0.99, "variety of the real ones"),
        (0.90, 0.85, 0.99, "do not show their class"),
        (0.95, 0.955, 0.99, "in balance"),
        (0.5, 0.5, 0.99, "too few images"),
        (0.7, 0.7, 0.7, "in balance"),  # a hard set
    ],
)
def test_the_gap_is_explained(gan_train, gan_test, real, words):
    assert words in explain_gap(gan_train, gan_test, real, 0.002, augmented=True)


@pytest.mark.parametrize(("error", "words"), [(0.021, "in balance"), (0.02, "variety")])  # ± 4.1, 3.9 points
def test_a_gap_within_the_chance_of_few_test_images_is_none(error, words):
    assert words in explain_gap(0.75, 0.79, 0.8, error, augmented=True)


def test_a_rare_class_makes_a_balanced_accuracy_uncertain():
    assert compute_balanced_error([[50, 50], [0, 0]]) == pytest.approx(0.05)  # of the one class that is there
    assert compute_balanced_error([[50, 50], [5, 5]]) == pytest.approx((0.25 / 100 + 0.25 / 10) ** 0.5 / 2)


@pytest.mark.parametrize("augmented", [False, True])
def test_augmentation_is_advised_where_variety_is_missing(augmented):
    assert ("--augment" in explain_gap(0.85, 0.97, 0.97, 0.03, augmented=augmented)) == (not augmented)
    assert "--augment" not in explain_gap(0.97, 0.97, 0.97, 0.03, augmented=augmented)
