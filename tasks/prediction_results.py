"""What is written of a prediction: metrics, figures, the classifier, a submission."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from evaluation.classification import explain_gap
from evaluation.statistics import summarise
from models.classifier import compute_accuracy, compute_probabilities, fit_classifier
from models.classifier_training import ScoredClassifier
from synth.datasets import Dataset
from synth.figures import plot_confusion, plot_learning, plot_mistakes, save_figure
from synth.files import replacing, save_json
from synth.kaggle import save_submission
from synth.output_folder import installed_versions
from synth.sources import Run, Source, stream_images

_FIDELITY_SEED = 1000  # the network that measures label fidelity is no other one
_FIDELITY_IMAGES = 10_000


@dataclass(frozen=True)
class Material:
    """What is trained on and scored: real sources, synthetic sources by seed, and the test part without leaks."""

    dataset: Dataset
    run: Run
    teacher: keras.Model | None
    real: list[Source]
    synthetic: Callable[[int], list[Source]]
    rows: dict[str, dict[int, int]]  # of "real" and "synthetic"
    test: tuple[np.ndarray, np.ndarray]
    leaks: dict
    unlabelled: np.ndarray | None = None
    test_csv: Path | None = None

    @property
    def mark(self) -> str:
        """What stands before every result of a run whose test images were trained on."""
        leaked = self.leaks["leaked"] + self.leaks.get("unlabelled_leaked", 0)
        return f"LEAKED ({leaked} images were trained on): " if self.leaks["allowed"] and leaked else ""


def summarise_runs(settings: dict, material: Material, runs: list[ScoredClassifier]) -> dict:
    """Return the content of metrics.json."""
    names = material.dataset.class_names
    trained_on = {
        part: {names[k]: rows for k, rows in sorted(counts.items())} for part, counts in material.rows.items()
    }
    measures = ("accuracy", "balanced_accuracy", "macro_f1")
    metrics: dict[str, Any] = {
        "settings": settings,
        "versions": installed_versions(),
        "fingerprint": material.dataset.fingerprint,
        "trained_on": trained_on,
        "leaks": material.leaks,
        "summary": {name: summarise([scored.scores[name] for scored in runs]) for name in measures},
        "runs": [
            {"seed": scored.seed, "validation_accuracy": scored.validation_accuracy, "test": scored.scores}
            for scored in runs
        ],
    }
    if material.teacher:
        metrics["teacher_accuracy"] = compute_accuracy(material.teacher, *material.test)
    if material.rows["synthetic"]:
        metrics["label_fidelity"], on_real = _measure_fidelity(material)
        if not material.real and not material.teacher:
            accuracy = metrics["summary"]["accuracy"]["mean"]
            metrics["explanation"] = explain_gap(accuracy, metrics["label_fidelity"], on_real)
    return metrics


def _measure_fidelity(material: Material) -> list[float]:
    """Return the accuracies of a classifier trained on the real train part, on synthetic and on validation images.

    The first, on up to 10,000 images, is Shmelkov et al.'s GAN-test. A teacher's labels are its likeliest classes.
    """
    images, labels = next(stream_images(material.synthetic(_FIDELITY_SEED), seed=_FIDELITY_SEED))
    images, labels = images[:_FIDELITY_IMAGES], labels[:_FIDELITY_IMAGES]
    labels = compute_probabilities(material.teacher, images).argmax(axis=1) if material.teacher else labels
    network = fit_classifier(*material.dataset.part("train"), len(material.dataset.class_names), seed=_FIDELITY_SEED)
    parts = ((images, labels), material.dataset.part("validation"))
    return [compute_accuracy(network, *part) for part in parts]


def describe_metrics(metrics: dict) -> Iterator[str]:
    """Yield the lines of the table that the terminal shows."""
    for name, summary in metrics["summary"].items():
        spread = "" if summary["std"] is None else f" ± {summary['interval']:.2%} (95 %), sd {summary['std']:.2%}"
        yield f"{name.replace('_', ' '):<18} {summary['mean']:.2%}{spread}"
    per_class = [scored["test"]["per_class_accuracy"] for scored in metrics["runs"]]
    means = (
        f"{name} - (no test images)" if value is None else f"{name} {np.mean([seed[name] for seed in per_class]):.1%}"
        for name, value in per_class[0].items()
    )
    yield "per class          " + ", ".join(means)
    if "teacher_accuracy" in metrics:
        yield f"teacher            {metrics['teacher_accuracy']:.2%}"
    if "label_fidelity" in metrics:
        yield metrics.get("explanation", f"label fidelity of the synthetic images: {metrics['label_fidelity']:.2%}")
    leaks = metrics["leaks"]
    if leaks["leaked"] and not leaks["allowed"]:
        yield f"{leaks['leaked']} of {leaks['test_images']} test images had been trained on, and were left out"


def save_outputs(
    out: Path, material: Material, metrics: dict, runs: list[ScoredClassifier], best: ScoredClassifier
) -> None:
    """Save metrics.json, the best seed's classifier, the history of all, and the figures."""

    history = pd.concat([scored.history for scored in runs])
    with replacing(out / "history.csv") as temporary:
        history.to_csv(temporary, index=False)
    with replacing(out / "classifier.keras") as temporary:
        best.classifier.save(temporary)
    names = material.dataset.class_names
    figures = {
        "curves": plot_learning(history),
        "confusion": plot_confusion(best.scores["confusion"], names),
        "mistakes": plot_mistakes(*material.test, best.probabilities, names),
    }
    for name, figure in figures.items():
        if material.mark:
            figure.suptitle(material.mark.rstrip(": "), color="red")
        save_figure(out / f"{name}.png", figure)
    save_json(out / "metrics.json", metrics)


def write_submission(path: Path, material: Material, best: ScoredClassifier) -> int:
    """Predict the unlabelled images with the best seed's classifier; return their number."""
    assert material.unlabelled is not None  # a submission is for them
    predicted = compute_probabilities(best.classifier, material.unlabelled).argmax(axis=1)
    save_submission(path, np.array(material.dataset.label_values)[predicted])
    return len(predicted)
