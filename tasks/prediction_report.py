"""The report of predict.py: scores, the classes that are taken for each other, mistakes and curves."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from common.web_report import describe_plan, escape_text, render_table, save_report
from tasks.prediction_results import Metrics, describe_details

_WORST_PAIRS = 5


def write_report(out: Path, metrics: Metrics, plan: dict[str, str], command: str) -> None:
    """Write report.html from the metrics and the figures beside it."""
    blocks = [describe_plan(plan), "## Scores on real test images", *_render_scores(metrics)]
    blocks += ["## What is taken for what", *_describe_confusion(metrics)]
    blocks += ["![true classes in rows, predicted ones in columns](confusion.png)"]
    blocks += ["## The most confident mistakes", "![test images, true class and prediction](mistakes.png)"]
    blocks += ["## Training", "![loss and accuracy over epochs](curves.png)"]
    save_report(out, "A classifier, and its score on real images", blocks, command)


def _render_scores(metrics: Metrics) -> Iterator[str]:
    leaks = metrics.leaks
    leaked = leaks["leaked"] + leaks.get("unlabelled_leaked", 0)
    if leaks["allowed"] and leaked:
        yield f"**LEAKED: {leaked:,} images to score on were trained on. No number here says anything of new images.**"
    rows = []
    for name, summary in metrics.summary.items():
        interval = "-" if summary.interval is None else f"± {summary.interval:.2%}"
        rows.append([name.replace("_", " "), f"{summary.mean:.2%}", interval])
    count = len(metrics.runs)
    yield render_table(["measure", f"mean of {count} seeds" if count > 1 else "one seed", "95 % interval"], rows)
    yield "\n".join(f"- {escape_text(line)}" for line in describe_details(metrics))


def _describe_confusion(metrics: Metrics) -> Iterator[str]:
    """Yield the pairs of classes that are confused most, over all seeds."""
    scored = [run.test for run in metrics.runs]
    names = list(scored[0]["per_class_accuracy"])
    confusion = np.sum([test["confusion"] for test in scored], axis=0)  # [true, predicted]
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    worst = np.argsort(-shares, axis=None, kind="stable")[:_WORST_PAIRS]
    pairs = [np.unravel_index(index, shares.shape) for index in worst if shares.flat[index]]
    if not pairs:
        yield "Nothing: every test image was recognised."
    else:
        yield "\n".join(
            f"- {shares[k, other]:.1%} of {escape_text(names[k])} are taken for {escape_text(names[other])}"
            for k, other in pairs
        )
