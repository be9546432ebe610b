from dataclasses import replace

import numpy as np
import pytest

from common.figures import plot_samples, save_figure
from evaluation.classification import score_predictions
from evaluation.statistics import Summary
from tasks.prediction_report import write_report
from tasks.prediction_results import Metrics, SeedScores
from tests.browser import look_at, needs_chromium

NAMES = ("ape", "b|e*e*", "<cow>")
TRUE = np.array([0, 0, 0, 0, 1, 1, 2, 2])
METRICS = Metrics(
    settings={},
    versions={},
    fingerprint="abc",
    trained_on={},
    leaks={"test_images": 8, "leaked": 0, "allowed": False},
    summary={"macro_f1": Summary(0.8125, 0.05, 0.125), "accuracy": Summary(0.75, None, None)},
    runs=[
        SeedScores(0, 0.5, score_predictions(TRUE, np.array([0, 0, 0, 1, 1, 1, 0, 2]), NAMES)),
        SeedScores(1, 0.5, score_predictions(TRUE, np.array([0, 0, 1, 1, 1, 1, 2, 2]), NAMES)),
    ],
)


@pytest.fixture
def show(tmp_path):
    """Write the report of metrics, and return its text."""
    for name in ("confusion", "mistakes", "curves"):
        save_figure(tmp_path / f"{name}.png", plot_samples({"cat": np.zeros((3, 8, 8, 1), np.uint8)}))

    def write(**fields):
        write_report(tmp_path, replace(METRICS, **fields), {"data": "my_set"}, "python predict.py --data my_set")
        return (tmp_path / "report.html").read_text("utf-8")

    return write


def test_scores_have_their_means_and_intervals(show):
    page = show()
    assert "<th>mean of 2 seeds</th>" in page
    cells = [f"<td>{cell}</td>" for cell in ("macro f1", "81.25%", "± 12.50%", "accuracy", "75.00%", "-")]
    assert [page.index(cell) for cell in cells] == sorted(page.index(cell) for cell in cells)
    assert "per class          ape 62.5%, b|e*e* 100.0%, &lt;cow&gt; 75.0%" in page
    assert "<strong>data</strong>: my_set" in page
    assert "<pre>python predict.py --data my_set</pre>" in page


def test_the_classes_that_are_confused_most_stand_first_over_all_seeds(show):
    text = show().partition("What is taken for what")[2].partition("most confident")[0]
    assert [line.removeprefix("<li>").removesuffix("</li>") for line in text.splitlines() if "<li>" in line] == [
        "37.5% of ape are taken for b|e*e*",  # 3 of 8
        "25.0% of &lt;cow&gt; are taken for ape",  # 1 of 4
    ]


def test_without_mistakes_no_class_is_named(show):
    scores = score_predictions(TRUE, TRUE, NAMES)
    assert "Nothing: every test image was recognised." in show(runs=[SeedScores(0, 0.5, scores)])


@pytest.mark.parametrize(
    ("leaks", "marked"),
    [
        ({"leaked": 1200, "allowed": True}, "LEAKED: 1,200 images to score on were trained on."),
        ({"leaked": 2, "unlabelled_leaked": 3, "allowed": True}, "LEAKED: 5 images to score on were trained on."),
        ({"leaked": 2, "allowed": False}, None),
        ({"leaked": 0, "allowed": True}, None),
    ],
)
def test_leaks_that_were_allowed_are_marked(show, leaks, marked):
    page = show(leaks={"test_images": 8} | leaks)
    assert (marked in page) if marked else ("LEAKED" not in page)
    is_left_out = "2 of 8 test images had been trained on, and were left out" in page
    assert is_left_out == (leaks["leaked"] == 2 and not leaks["allowed"])


@needs_chromium
def test_every_picture_is_there_and_nothing_is_cut_off(show, tmp_path):
    show()
    assert look_at(tmp_path / "report.html", 360) == {"images": [True] * 3, "cut": []}
