from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluation.classification import score_predictions
from evaluation.statistics import Summary
from models.classifier_training import ScoredClassifier
from synth.runs import Run
from tasks import prediction_results
from tasks.prediction_material import Material
from tasks.prediction_results import Metrics, SeedScores, describe_metrics, summarise_runs, write_submission
from tasks.submissions import plan_submission

SCORES = {"accuracy": 0.75, "per_class_accuracy": {"ape": 0.5, "bee": None}}
METRICS = Metrics(
    settings={"epochs": "1"},
    versions={"python": "3.12.3"},
    fingerprint="abc",
    trained_on={"real": {"ape": 3}, "synthetic": {}},
    leaks={"test_images": 4, "leaked": 0, "allowed": False},
    summary={"accuracy": Summary(0.75, None, None)},
    runs=[SeedScores(0, 0.5, SCORES)],
)
CONTENT = {
    "settings": {"epochs": "1"},
    "versions": {"python": "3.12.3"},
    "fingerprint": "abc",
    "trained_on": {"real": {"ape": 3}, "synthetic": {}},
    "leaks": {"test_images": 4, "leaked": 0, "allowed": False},
    "summary": {"accuracy": {"mean": 0.75, "std": None, "interval": None}},
    "runs": [{"seed": 0, "validation_accuracy": 0.5, "test": SCORES}],
}


def build_material(**fields):
    names = {"class_names": ("ape", "bee"), "label_values": (4, 9), "written_labels": (4, 9)}
    dataset = SimpleNamespace(fingerprint="abc", **names)
    rows = {"real": {1: 2, 0: 3}, "synthetic": {}}
    material = Material(dataset, Run(), None, ["a source"], lambda seed: [], rows, (None, np.arange(4)), METRICS.leaks)
    return replace(material, **fields)


def build_scored(seed, predictions):
    scores = score_predictions(np.array([0, 0, 1, 1]), np.array(predictions), ("ape", "bee"))
    return ScoredClassifier(seed, None, pd.DataFrame({"val_accuracy": [0.5, 0.75, 0.25]}), None, scores)


def test_the_content_of_metrics_json_is_this():
    assert METRICS.to_dict() == CONTENT
    assert list(METRICS.to_dict()) == list(CONTENT)
    whole = replace(METRICS, teacher_accuracy=0.9, label_fidelity=0.8, explanation="b.")
    assert whole.to_dict() == CONTENT | {"teacher_accuracy": 0.9, "label_fidelity": 0.8, "explanation": "b."}


def test_the_terminal_shows_means_intervals_and_what_was_left_out():
    assert list(describe_metrics(METRICS)) == [
        "accuracy           75.00%",
        "per class          ape 50.0%, bee - (no test images)",
    ]
    runs = [*METRICS.runs, SeedScores(1, 0.5, {"per_class_accuracy": {"ape": 1.0, "bee": None}})]
    leaks = {"test_images": 4, "leaked": 1, "allowed": False}
    summary = {"macro_f1": Summary(0.75, 0.125, 0.25)}
    more = {"teacher_accuracy": 0.9, "label_fidelity": 0.8}
    metrics = replace(METRICS, runs=runs, leaks=leaks, summary=summary, **more)
    assert list(describe_metrics(metrics)) == [
        "macro f1           75.00% ± 25.00% (95 %), sd 12.50%",
        "per class          ape 75.0%, bee - (no test images)",
        "teacher            90.00%",
        "label fidelity of the synthetic images: 80.00%",
        "1 of 4 test images had been trained on, and were left out",
    ]
    assert "in balance." in list(describe_metrics(replace(metrics, explanation="in balance.")))


def test_scores_are_summarised_over_the_seeds():
    metrics = summarise_runs({}, build_material(), [build_scored(0, [0, 0, 1, 1]), build_scored(1, [0, 0, 1, 0])])
    assert metrics.trained_on == {"real": {"ape": 3, "bee": 2}, "synthetic": {}}
    assert metrics.summary["accuracy"].mean == 0.875
    assert metrics.summary["accuracy"].std == pytest.approx(0.25 / 2**0.5)
    assert [(scored.seed, scored.validation_accuracy) for scored in metrics.runs] == [(0, 0.75), (1, 0.75)]
    assert (metrics.teacher_accuracy, metrics.label_fidelity, metrics.explanation) == (None, None, None)


@pytest.mark.parametrize(("real", "explained"), [([], True), (["a source"], False)])
def test_the_gap_is_explained_of_synthetic_images_alone(monkeypatch, real, explained):
    monkeypatch.setattr(prediction_results, "_measure_fidelity", lambda material, name, flip, quiet: (0.75, 0.75))
    material = build_material(real=real, rows={"real": {}, "synthetic": {0: 2}})
    metrics = summarise_runs({}, material, [build_scored(0, [0, 0, 1, 0])])
    assert metrics.label_fidelity == 0.75
    assert (metrics.explanation is not None) == explained


def test_results_on_images_that_were_trained_on_are_marked():
    leaks = {"test_images": 4, "leaked": 1, "allowed": True, "unlabelled_leaked": 2}
    assert build_material(leaks=leaks).mark == "LEAKED (3 images were trained on): "
    assert build_material(leaks=leaks | {"allowed": False}).mark == ""
    assert build_material().mark == ""


def test_a_submission_has_the_label_values_of_the_source(tmp_path, monkeypatch):
    chances = np.array([[0.1, 0.9], [0.6, 0.4]])
    monkeypatch.setattr(prediction_results, "compute_probabilities", lambda classifier, images: chances)
    form = plan_submission(tmp_path / "test.csv", 2)
    material = replace(build_material(), unlabelled=np.zeros((2, 8, 8, 1), np.uint8), form=form)
    assert write_submission(tmp_path / "submission.csv", material, build_scored(0, [0, 0, 1, 1])) == 2
    assert (tmp_path / "submission.csv").read_text() == "ImageId,Label\n1,9\n2,4\n"
