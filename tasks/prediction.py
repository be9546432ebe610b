"""Gather training images, fit classifiers on them, and score these on real images that nothing was trained on."""

import platform
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np

from models.batches import draw_fresh
from models.classifier import build_classifier
from models.classifier_training import (
    ClassifierTraining,
    Labelled,
    ScoredClassifier,
    count_epoch_steps,
    fit_and_score,
)
from models.flips import decide_flip
from models.pretrained import find_model_folder
from models.startup import Started, start_worker
from models.trained_gan import TrainedGAN, hash_weights
from synth.command_line import report_unless
from synth.datasets import Dataset
from synth.errors import RequestError
from synth.executors import Executor, describe_work, open_executor
from synth.files import claim, is_claimed
from synth.kaggle import find_test_csv
from synth.leakage import find_leaks
from synth.options import list_settings
from synth.output_folder import check_inputs, check_output, open_output
from synth.progress import open_bar
from synth.resampling import compute_class_weights
from synth.runs import Run, open_run
from synth.shards import load_manifest
from synth.shared_options import RepeatOptions, SubsetOptions, WorkOptions
from synth.sources import Source, count_rows, index_shards, split_in_memory
from synth.submissions import plan_submission
from synth.unlabelled import read_unlabelled
from synth.web_report import REPORT
from tasks.prediction_options import ClassifierOptions, PredictionOptions, TrainingSetOptions
from tasks.prediction_report import write_report
from tasks.prediction_results import (
    Material,
    Metrics,
    describe_metrics,
    save_outputs,
    summarise_runs,
    write_submission,
)
from tasks.real_data import load_data, print_lines, print_plan

SCRIPT = "predict.py"
OWNED = (
    "metrics.json",
    "classifier.keras",
    "history.csv",
    "curves.png",
    "confusion.png",
    "mistakes.png",
    "submission.csv",
    REPORT,
)


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
    material = _gather(data, images, classifier, test, run)
    check_inputs(out, material.dataset.inputs | {"--test-csv": material.test_csv})
    _check_submission(test, run, material)
    decide = partial(decide_flip, classifier.flip, material.dataset, run.seed)
    plan = _make_plan(images, classifier, run, material) | decide(dry=True).describe()
    plan |= describe_work(work, started.threads)
    print_plan(plan, run.quiet)
    options = [list_settings(group) for group in (data, images, classifier, test, run)]
    settings: dict[str, str | None] = {name: str(value) for group in options for name, value in group.items()}
    settings |= material.dataset.identity | {"synthetic_images": material.run.identity}
    settings |= {"teacher_weights": hash_weights([material.teacher])} if material.teacher else {}
    folder = (out, {"prediction": settings}, SCRIPT, OWNED)
    if run.dry_run:
        check_output(*folder, overwrite=run.overwrite)
        return plan
    with ExitStack() as stack:
        report = report_unless(run.quiet)
        executor = stack.enter_context(open_executor(work, started.threads, report, start_worker))
        stack.enter_context(open_output(*folder, overwrite=run.overwrite, computing=started.computing))
        decision = decide()
        print_plan(decision.describe(), run.quiet)
        plan |= decision.describe()
        runs = _train(classifier, run, material, executor, flip=decision.flip)
        metrics = summarise_runs(settings | decision.describe(), material, runs)
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
        missing = next((path for path in self.shards if not path.exists()), None)
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
        path = Path(test.submission or out / "submission.csv")
        claim(path, out)
        count = write_submission(path, material, best)
        report(f"{material.mark}{path}: predictions for the {count:,} images of {material.test_csv}")
    report(f"metrics.json, classifier.keras, {REPORT} and figures are in {out}")


def _gather(
    data: SubsetOptions,
    images: TrainingSetOptions,
    classifier: ClassifierOptions,
    test: PredictionOptions,
    run: RepeatOptions,
) -> Material:
    """Bring together what is trained on and scored; RequestError where something is missing or does not fit."""
    origin = _find_run(images, report_unless(run.quiet))
    dataset = load_data(data, run, origin.request, origin.fingerprint)
    if not dataset.has_classifier:
        raise RequestError(f"--data and --classes should give two classes or more. Got {dataset.class_names[0]} alone.")
    build_classifier(dataset.image_shape, len(dataset.class_names), classifier.classifier)  # refuses too small images
    origin.check_classes(dataset)
    teacher, taught = _find_teacher(classifier.teacher, dataset)
    real = split_in_memory(*dataset.part("train")) if images.mode != "synthetic-only" else []
    synthetic = _no_images if images.mode == "real-only" else _find_synthetic(data, images, dataset, origin)
    rows = {"real": count_rows(real), "synthetic": count_rows(synthetic(run.seed))}
    _check_rows(dataset, rows)
    hashes = [dataset.train_hashes()] if images.mode != "synthetic-only" else []
    hashes += [known for known in (origin.hashes, taught) if known is not None]
    hashes = np.concatenate([np.zeros(0, np.uint64), *hashes])
    found = _find_test_images(data, test, dataset, hashes, quiet=run.quiet)
    return Material(dataset, origin, teacher, real, synthetic, rows, *found)


def _no_images(seed: int) -> list[Source]:
    return []


def _check_rows(dataset: Dataset, rows: dict[str, dict[int, int]]) -> None:
    """Raise RequestError where a class has nothing to train on, or a part nothing to score on."""
    found = {k for counts in rows.values() for k, count in counts.items() if count}
    empty = [name for k, name in enumerate(dataset.class_names) if k not in found]
    if empty:
        raise RequestError(f"every class should have images to train on. Got none of {', '.join(empty)}.")
    for split in ("validation", "test"):
        if not len(getattr(dataset, split)):
            raise RequestError(f"the real data should leave images for {split}. Got none: more real images are needed.")


def _find_teacher(folder: str | Path | None, dataset: Dataset) -> tuple[keras.Model, np.ndarray] | tuple[None, None]:
    """Return the classifier of --teacher and the hashes of the images that it was trained on, or (None, None)."""
    if not folder:
        return None, None
    trained = TrainedGAN(find_model_folder(folder, "--teacher"))
    if not trained.has_classifier:
        raise RequestError(f"--teacher should be a run with a classifier. {folder} has no model/filter.keras.")
    given, expected = ((source.label_values, source.image_shape) for source in (trained, dataset))
    if given != expected:
        raise RequestError(
            f"--teacher should know the real data's classes {expected[0]} as {expected[1]} images. "
            f"It knows {given[0]} as {given[1]}."
        )
    Run(classes=dict(zip(trained.label_values, trained.class_names, strict=True))).check_classes(dataset)
    return trained.classifier, trained.train_hashes()


def _find_test_images(
    data: SubsetOptions, test: PredictionOptions, dataset: Dataset, hashes: np.ndarray, *, quiet: bool
) -> tuple:
    """Return the test part without leaked images, what leaked, and the images of --test-csv with their path
    and the form of their submission."""
    images, labels = dataset.part("test")
    leaked = find_leaks(images, hashes, allow=test.allow_leak)
    leaks = {"test_images": len(leaked), "leaked": int(leaked.sum()), "allowed": test.allow_leak}
    keep = ~leaked | test.allow_leak
    test_csv = test.test_csv or (find_test_csv(dataset.request["data"]) if data.data is None else None)
    if not test_csv:
        return (images[keep], labels[keep]), leaks
    read = read_unlabelled(Path(test_csv), dataset, no_cache=data.no_cache, quiet=quiet)
    print_lines((f"note: {note}" for note in read.notes), quiet)
    found = find_leaks(read.images, hashes, allow=test.allow_leak, source=str(test_csv))
    leaks |= {"unlabelled_images": len(found), "unlabelled_leaked": int(found.sum())}
    form = plan_submission(test_csv, len(found), read.ids, read.id_name)
    return (images[keep], labels[keep]), leaks, read.images, test_csv, form


def _find_run(options: TrainingSetOptions, report: Callable[[str], None]) -> Run:
    """Find the run that the synthetic images come from; for --real-only, the run whose baseline it is."""
    if options.fresh:
        assert options.model is not None  # --fresh asks for it
        trained = TrainedGAN(find_model_folder(options.model))
        classes = dict(zip(trained.label_values, trained.class_names, strict=True))
        source = (trained.request, trained.fingerprint, classes)
        return Run(trained, (), *source, trained.train_hashes(), trained.compute_hash())
    if options.mode == "real-only":
        manifest = load_manifest(options.synthetic)
        return Run(request=manifest["request"], fingerprint=manifest["fingerprint"]) if manifest else Run()
    return open_run(options.synthetic, report)


def _check_submission(test: PredictionOptions, run: RepeatOptions, material: Material) -> None:
    """Raise RequestError where the predictions that are asked for could not be made or written."""
    if not test.submission:
        return
    path = Path(test.submission)
    if material.unlabelled is None:
        raise RequestError("--submission should come with --test-csv PATH, the images to predict.")
    if path.exists() and not is_claimed(path, Path(run.out)):
        raise RequestError(f"--submission should be a new file, or one of an earlier run in {run.out}. {path} exists.")
    if path.exists() and not run.overwrite:
        raise RequestError(f"--submission should be a new file. {path} exists: use --overwrite.")
    if not path.absolute().parent.is_dir():
        raise RequestError(f"--submission should be in a folder that exists. Got {path} instead.")


def _find_synthetic(
    data: SubsetOptions, options: TrainingSetOptions, dataset: Dataset, run: Run
) -> Callable[[int], list[Source]]:
    """Return a callable (seed) -> sources of synthetic images."""
    real_per_class = round(len(dataset.train) / len(dataset.class_names))
    per_class = round(options.ratio * real_per_class) if options.ratio else options.synthetic_per_class
    if per_class == 0:
        raise RequestError(f"--ratio should ask for an image per class or more. Got {options.ratio} instead.")
    if run.trained:
        return _draw_synthetic(options, per_class or real_per_class, dataset, run.trained)
    skip = tuple(set(run.classes) - set(dataset.label_values)) if data.classes else ()
    names = dataset.class_names
    sources = index_shards(run.paths, dataset.image_shape, dataset.label_values, per_class, skip, names)
    counts = count_rows(sources)
    if per_class and not counts:
        raise RequestError(
            f"--synthetic should have images that are marked as synthetic. {options.synthetic} has none."
        )
    for k, count in counts.items():
        if per_class and count < per_class:
            raise RequestError(
                f"{'--ratio' if options.ratio else '--synthetic-per-class'} asks for {per_class} synthetic images of "
                f"each class. The shards have {count} of {dataset.class_names[k]}: make more, or ask for fewer."
            )
    return lambda seed: sources


def _draw_synthetic(
    options: TrainingSetOptions, per_class: int, dataset: Dataset, trained: TrainedGAN
) -> Callable[[int], list[Source]]:
    """Return a callable (seed) -> sources that draw new images of a GAN, which should fit the data."""
    unknown = set(trained.label_values) - set(dataset.label_values)
    if unknown or trained.image_shape != dataset.image_shape:
        raise RequestError(
            f"--model should make the real data's classes {dataset.label_values} as {dataset.image_shape} images. "
            f"It makes {trained.label_values} as {trained.image_shape}."
        )
    if options.filter == "classifier" and not trained.has_classifier:
        raise RequestError("--filter classifier needs a model of two classes or more: use --filter none.")
    indices = [dataset.label_values.index(value) for value in trained.label_values]
    drawing = (per_class, options.filter, options.min_probability, options.latent_std)
    return lambda seed: draw_fresh(trained, indices, *drawing, seed)


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
    steps = epochs * count_epoch_steps(real + synthetic, classifier.batch_size, epochs, classifier.steps)
    return {
        "data": f"{dataset.name} ({dataset.fingerprint[:12]}), {len(dataset.class_names)} classes",
        "training": f"{real:,} real and {synthetic:,} synthetic images" + (f" {kind}" if synthetic else ""),
        "scoring": f"{len(dataset.validation):,} validation and {len(material.test[1]):,} test images, all real",
        "classifier": f"{classifier.classifier}, {epochs} epochs, {steps:,} steps in all"
        + (f", labels by the classifier of {classifier.teacher}" if classifier.teacher else "")
        + (", classic augmentation" if classifier.augment else "")
        + (", class weights" if classifier.class_weights else "")
        + f", {run.seeds} seed{'s' * (run.seeds > 1)}, into {run.out}",
    } | submission
