"""Fit classifiers on the images that are gathered, and score them on real images that nothing was trained on."""

import math
import os
import platform
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from common.command_line import print_plan, report_unless
from common.errors import RequestError
from common.executors import Executor, describe_work, open_executor
from common.files import CONFIG, WRITTEN, claim, find_run, is_claimed
from common.options import list_settings
from common.output_folder import OutputFolder, check_inputs
from common.progress import open_bar
from common.run_options import RepeatOptions, WorkOptions
from common.web_report import REPORT
from models.classifier_training import (
    ClassifierTraining,
    Labelled,
    ScoredClassifier,
    count_epoch_steps,
    fit_and_score,
)
from models.flips import decide_flip
from models.startup import Started, start_worker
from models.trained_gan import hash_weights
from real.data_options import SubsetOptions
from real.resampling import compute_class_weights
from synth.shard_formats import is_there
from synth.sources import Source
from tasks.prediction_material import Material, gather_material
from tasks.prediction_options import ClassifierOptions, PredictionOptions, TrainingSetOptions
from tasks.prediction_report import write_report
from tasks.prediction_results import Metrics, describe_metrics, save_outputs, summarise_runs, write_submission
from tasks.real_data import hint_at_data

SCRIPT = "predict.py"
_ENOUGH_STEPS = 500  # of which a plan says nothing
_SUBMISSION = "submission.csv"
_OTHERS = ("metrics.json", "classifier.keras", "history.csv", "curves.png", "confusion.png", "mistakes.png", REPORT)
OWNED = (*_OTHERS, _SUBMISSION)


def predict_and_score(
    data: SubsetOptions,
    images: TrainingSetOptions,
    classifier: ClassifierOptions,
    test: PredictionOptions,
    run: RepeatOptions,
    work: WorkOptions,
    started: Started,
) -> dict:
    """Train and score a classifier for each seed, and write what comes; return the metrics, or a dry run's plan.

    started: to be recorded.
    """
    out = Path(run.out)
    material = gather_material(data, images, classifier, test, run)
    check_inputs(out, material.dataset.inputs | {"--test-csv": material.test_csv})
    _check_submission(test, run, material)
    decide = partial(decide_flip, classifier.flip, material.dataset, run.seed)
    plan = _make_plan(images, classifier, run, material) | decide(dry=True).describe()
    if data.data is None and not material.run.request:
        plan["data"] += hint_at_data(material.dataset)
    plan |= describe_work(work, started.threads)
    print_plan(plan, run.quiet)
    options = [list_settings(group) for group in (data, images, classifier, test, run)]
    settings: dict[str, str | None] = {name: str(value) for group in options for name, value in group.items()}
    settings |= material.dataset.identity | {"synthetic_images": material.run.identity}
    settings |= {"teacher_weights": hash_weights([material.teacher])} if material.teacher else {}
    folder = OutputFolder(out, {"prediction": settings}, SCRIPT, OWNED, overwrite=run.overwrite)
    if run.dry_run:
        folder.check()
        return plan
    opened = open_executor(work, started.threads, report_unless(run.quiet), start_worker)
    with opened as executor, folder.hold(started.computing):
        decision = decide()
        print_plan(decision.describe(), run.quiet, plan)
        plan |= decision.describe()
        runs = _train(classifier, run, material, executor, flip=decision.flip)
        settings |= decision.describe()
        how = {"augment": classifier.augment, "flip": decision.flip, "quiet": run.quiet}
        metrics = summarise_runs(settings, material, runs, classifier.classifier, **how)
        _report_and_save(test, run, material, metrics, runs)
        write_report(out, metrics, plan, started.command)
        return metrics.to_dict()


@dataclass(frozen=True)
class _Lesson:
    """What the classifiers of all seeds are fitted and scored on.

    parts: validation, test and the classes' names. shards: absolute paths that are read while training.
    """

    training: ClassifierTraining
    real: list[Source]
    synthetic: Callable[[int], list[Source]]
    parts: tuple[Labelled, Labelled, tuple[str, ...]]
    shards: list[Path]

    def fit(self, seed: int) -> ScoredClassifier:
        """Fit and score the classifier of a seed, in this process or in a worker's."""
        missing = next((path for path in self.shards if not (path.is_dir() or is_there(path))), None)
        if missing:
            raise RequestError(
                f"{platform.node()} should have {missing}, whose images are trained on: workers on other machines need "
                "a disk that is shared."
            )
        return fit_and_score(self.training, self.real + self.synthetic(seed), *self.parts, seed)


def _train(
    options: ClassifierOptions, run: RepeatOptions, material: Material, executor: Executor, *, flip: bool
) -> list[ScoredClassifier]:
    """Fit and score a classifier for each seed; return them in the seeds' order."""
    names = ("epochs", "steps", "batch_size", "rate", "rate_decay", "augment")
    counts = Counter(material.rows["real"]) + Counter(material.rows["synthetic"])
    weights = compute_class_weights(np.repeat(list(counts), list(counts.values())))
    training = ClassifierTraining(
        name=options.classifier,
        teacher=material.teacher,
        class_weight=weights if options.class_weights else None,
        flip=flip,
        quiet=run.quiet or executor.is_remote,
        **{name: getattr(options, name) for name in names},
    )
    parts = (material.dataset.part("validation"), material.test, material.dataset.class_names)
    shards = [Path(path).absolute() for path in material.run.paths]
    lesson = _Lesson(training, material.real, material.synthetic, parts, shards)
    seeds, runs = range(run.seed, run.seed + run.seeds), []
    with open_bar(quiet=run.quiet or not executor.is_remote, total=len(seeds), desc="classifiers", unit="seed") as bar:
        for scored in executor.map(lambda: lesson, _Lesson.fit, seeds):
            runs.append(scored)
            bar.update()
    return sorted(runs, key=lambda scored: scored.seed)


def _report_and_save(
    test: PredictionOptions, run: RepeatOptions, material: Material, metrics: Metrics, runs: list[ScoredClassifier]
) -> None:
    """Write everything, of the seed that is best on validation where there is one of a kind."""
    out, report = Path(run.out), report_unless(run.quiet)
    best = max(runs, key=lambda scored: scored.validation_accuracy)
    save_outputs(out, material, metrics, runs, best)
    for line in describe_metrics(metrics):
        report(material.mark + line)
    if material.unlabelled is not None:
        path = Path(test.submission or out / _SUBMISSION)
        claim(path, out)
        count = write_submission(path, material, best)
        report(f"{material.mark}{path}: predictions for the {count:,} images of {material.test_csv}")
    report(f"metrics.json, classifier.keras, {REPORT} and figures are in {out}")


def _check_submission(test: PredictionOptions, run: RepeatOptions, material: Material) -> None:
    """Raise RequestError where the predictions that are asked for could not be made or written."""
    if not test.submission:
        return
    path = Path(test.submission)
    if material.unlabelled is None:
        raise RequestError("--submission should come with --test-csv PATH, the images to predict.")
    out = Path(run.out).absolute()
    if os.path.lexists(path) and not is_claimed(path, out):
        raise RequestError(f"--submission should be a new file, or one of an earlier run in {run.out}. {path} exists.")
    if find_run(path) not in (None, out) or (
        path.absolute().parent == out and path.name in (*_OTHERS, CONFIG, WRITTEN)
    ):
        raise RequestError(f"--submission should be no file of another run, nor another file of this one. Got {path}.")
    if not path.absolute().parent.is_dir():
        raise RequestError(f"--submission should be in a folder that exists. Got {path} instead.")
    if not os.access(path.absolute().parent, os.W_OK):
        raise RequestError(f"--submission should be in a folder that can be written. Got {path} instead.")


def _make_plan(
    images: TrainingSetOptions, classifier: ClassifierOptions, run: RepeatOptions, material: Material
) -> dict[str, str]:
    """Return what will be done, {heading: text}."""
    dataset = material.dataset
    real, synthetic = (sum(material.rows[part].values()) for part in ("real", "synthetic"))
    kind = "drawn anew each epoch" if images.fresh else f"from {images.synthetic}"
    form, submission = material.form, {}
    if form:
        about = f"{len(form.ids):,} images of {material.test_csv}, with the columns {','.join(form.columns)}"
        submission = {"submission": about + (f". {form.note}" if form.note else "")}
    epochs = classifier.epochs
    epoch_steps = count_epoch_steps(real + synthetic, classifier.batch_size, epochs, classifier.steps)
    few, enough = "", math.ceil(_ENOUGH_STEPS / epoch_steps)
    if epochs < enough and not classifier.steps:
        few = f" (few: --epochs {enough} makes {enough * epoch_steps:,})"
    return {
        "data": f"{dataset.name} ({dataset.fingerprint[:12]}), {len(dataset.class_names)} classes",
        "training": f"{real:,} real and {synthetic:,} synthetic images" + (f" {kind}" if synthetic else ""),
        "scoring": f"{len(dataset.validation):,} validation and {len(material.test[1]):,} test images, all real",
        "classifier": f"{classifier.classifier}, {epochs} epochs, {epochs * epoch_steps:,} steps in all{few}"
        + (f", labels by the classifier of {classifier.teacher}" if classifier.teacher else "")
        + (", classic augmentation" if classifier.augment else "")
        + (", class weights" if classifier.class_weights else "")
        + f", {run.seeds} seed{'s' * (run.seeds > 1)}, into {run.out}",
    } | submission
