"""What is written of a prediction: metrics, figures, the classifier, a submission."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common.figures import save_figure
from common.files import replacing, save_json
from common.output_folder import installed_versions
from evaluation.classification import compute_balanced_error, explain_gap, score_predictions
from evaluation.statistics import Summary, summarise
from models.classifier import compute_accuracy, compute_probabilities, fit_classifier
from models.classifier_training import ScoredClassifier
from synth.sources import stream_images
from tasks.prediction_figures import plot_confusion, plot_learning, plot_mistakes
from tasks.prediction_material import Material
from tasks.submissions import save_submission

_FIDELITY_SEED = 1000  # the network that measures label fidelity is no other one
_FIDELITY_IMAGES = 10_000
_MEASURES = ("accuracy", "balanced_accuracy", "macro_f1")  # that are summarised over the seeds


@dataclass(frozen=True)
class SeedScores:
    """The classifier of one seed: its best validation accuracy, and evaluation.classification's scores on test."""

    seed: int
    validation_accuracy: float
    test: dict


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The content of metrics.json.

    trained_on: {"real" or "synthetic": {class name: images}}. leaks: counts of images that were trained on. summary:
    {measure: over the seeds}. teacher_accuracy, label_fidelity, explanation: None where there is no teacher, where no
    image is synthetic, and where not all are; metrics.json then lacks them.
    """

    settings: dict
    versions: dict[str, str | None]
    fingerprint: str
    trained_on: dict[str, dict[str, int]]
    leaks: dict
    summary: dict[str, Summary]
    runs: list[SeedScores]
    teacher_accuracy: float | None = None
    label_fidelity: float | None = None
    explanation: str | None = None

    def to_dict(self) -> dict:
        """Return the content of metrics.json."""
        found = asdict(self)
        optional = ("teacher_accuracy", "label_fidelity", "explanation")
        return {name: value for name, value in found.items() if value is not None or name not in optional}


def summarise_runs(
    settings: dict,
    material: Material,
    runs: list[ScoredClassifier],
    name: str = "cnn",
    *,
    augment: bool = False,
    flip: bool = False,
    quiet: bool = True,
) -> Metrics:
    """Summarise the scores of all seeds, and measure the teacher and the labels of the synthetic images.

    name, flip: of models.classifier.fit_classifier, for the classifier that measures the labels, without a bar where
    `quiet`. augment: whether the runs had classic augmentation.
    """
    names = material.dataset.class_names
    trained_on = {
        part: {names[k]: rows for k, rows in sorted(counts.items())} for part, counts in material.rows.items()
    }
    summary = {measure: summarise([scored.scores[measure] for scored in runs]) for measure in _MEASURES}
    teacher_accuracy = compute_accuracy(material.teacher, *material.test) if material.teacher else None
    label_fidelity = explanation = None
    if material.rows["synthetic"]:
        label_fidelity, on_real = _measure_fidelity(material, name, flip=flip, quiet=quiet)
        if not material.real and not material.teacher:
            accuracy = summary["balanced_accuracy"].mean
            error = compute_balanced_error(runs[0].scores["confusion"])
            explanation = explain_gap(accuracy, label_fidelity, on_real, error, augmented=augment)
    return Metrics(
        settings=settings,
        versions=installed_versions(),
        fingerprint=material.dataset.fingerprint,
        trained_on=trained_on,
        leaks=material.leaks,
        summary=summary,
        runs=[SeedScores(scored.seed, scored.validation_accuracy, scored.scores) for scored in runs],
        teacher_accuracy=teacher_accuracy,
        label_fidelity=label_fidelity,
        explanation=explanation,
    )


def _measure_fidelity(material: Material, name: str, *, flip: bool, quiet: bool) -> list[float]:
    """Return the balanced accuracies of a classifier trained on the real train part: on synthetic images, and on those
    for validation.

    The first, on up to 10,000 images, is Shmelkov et al.'s GAN-test. A teacher's labels are its likeliest classes.
    """
    images, labels = next(stream_images(material.synthetic(_FIDELITY_SEED), seed=_FIDELITY_SEED))
    images, labels = images[:_FIDELITY_IMAGES], labels[:_FIDELITY_IMAGES]
    labels = compute_probabilities(material.teacher, images).argmax(axis=1) if material.teacher else labels
    options: dict[str, Any] = {"seed": _FIDELITY_SEED, "repeat_few": True, "name": name, "flip": flip}
    options |= {} if quiet else {"title": "label fidelity"}
    names = material.dataset.class_names
    network = fit_classifier(*material.dataset.part("train"), len(names), **options)
    parts = ((images, labels), material.dataset.part("validation"))
    found = [(labels, compute_probabilities(network, images).argmax(axis=1)) for images, labels in parts]
    return [score_predictions(*pair, names)["balanced_accuracy"] for pair in found]


def describe_metrics(metrics: Metrics) -> Iterator[str]:
    """Yield the lines of the table that the terminal shows."""
    for name, summary in metrics.summary.items():
        spread = "" if summary.std is None else f" ± {summary.interval:.2%} (95 %), sd {summary.std:.2%}"
        yield f"{name.replace('_', ' '):<18} {summary.mean:.2%}{spread}"
    yield from describe_details(metrics)


def describe_details(metrics: Metrics) -> Iterator[str]:
    """Yield what the terminal and the page show beside the summary: classes, teacher, label fidelity, leaks."""
    per_class = [scored.test["per_class_accuracy"] for scored in metrics.runs]
    means = (
        f"{name} - (no test images)" if value is None else f"{name} {np.mean([seed[name] for seed in per_class]):.1%}"
        for name, value in per_class[0].items()
    )
    yield "per class          " + ", ".join(means)
    if metrics.teacher_accuracy is not None:
        yield f"teacher            {metrics.teacher_accuracy:.2%}"
    if metrics.label_fidelity is not None:
        yield metrics.explanation or f"label fidelity of the synthetic images: {metrics.label_fidelity:.2%}"
    leaks = metrics.leaks
    if leaks["leaked"] and not leaks["allowed"]:
        yield f"{leaks['leaked']} of {leaks['test_images']} test images had been trained on, and were left out"


def save_outputs(
    out: Path, material: Material, metrics: Metrics, runs: list[ScoredClassifier], best: ScoredClassifier
) -> None:
    """Save metrics.json, the best seed's classifier, the history of all, and the figures."""
    save_json(out / "metrics.json", metrics.to_dict())
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


def write_submission(path: Path, material: Material, best: ScoredClassifier) -> int:
    """Predict the unlabelled images with the best seed's classifier; return their number."""
    assert material.unlabelled is not None  # a submission is for them
    predicted = compute_probabilities(best.classifier, material.unlabelled).argmax(axis=1)
    assert material.form is not None  # it comes with the images
    save_submission(path, [material.dataset.written_labels[k] for k in predicted], material.form)
    return len(predicted)
