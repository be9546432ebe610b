"""Gather training images, fit classifiers on them, and score these on real images that nothing was trained on."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.batches import draw_fresh
from models.classifier import build_classifier
from models.classifier_training import fit_and_score
from models.pretrained import find_model_folder
from models.startup import load_data
from models.trained_gan import TrainedGAN, hash_weights
from synth.errors import RequestError
from synth.files import is_claimed
from synth.images import resize_images
from synth.kaggle import find_test_csv
from synth.leakage import find_leaks
from synth.options import list_settings
from synth.output_folder import check_inputs, check_output, open_output
from synth.shards import load_manifest
from synth.sources import Run, count_rows, index_shards, open_run, split_in_memory
from synth.tables import read_unlabelled_csv
from tasks.prediction_results import describe_metrics, save_outputs, summarise_runs, write_submission

SCRIPT = "predict.py"
OWNED = (
    "metrics.json",
    "classifier.keras",
    "history.csv",
    "curves.png",
    "confusion.png",
    "mistakes.png",
    "submission.csv",
)


def predict_and_score(config, out, threads, report):
    """Do what predict.Config says; return the metrics, or the plan of a dry run (dicts).

    threads: that TensorFlow computes in, to be recorded. report: callable (text).
    """

    material = _gather(config, report)
    check_inputs(out, {"--data": material.dataset.request["data"], "--test-csv": material.test_csv})
    _check_submission(config, out, material)
    plan = _make_plan(config, material, out)
    for name, value in plan.items():
        report(f"{name + ':':<12} {value}")
    settings = {name: str(value) for name, value in list_settings(config).items()}
    settings |= {"fingerprint": material.dataset.fingerprint, "synthetic_images": material.run.identity}
    settings |= {"teacher_weights": hash_weights([material.teacher])} if material.teacher else {}
    run = (out, {"prediction": settings}, SCRIPT, OWNED)
    if config.dry_run:
        check_output(*run, overwrite=config.overwrite)
        return plan
    with open_output(*run, overwrite=config.overwrite, threads=threads):
        return _train_and_score(config, out, material, settings, report)


def _train_and_score(config, out, material, settings, report):
    """Fit and score a classifier for each seed, and write everything; return the metrics."""
    options = {
        name: getattr(config, name) for name in ("epochs", "steps", "batch_size", "rate", "rate_decay", "augment")
    }
    options |= {"name": config.classifier, "teacher": material.teacher}
    options |= {"verbose": int(sys.stdout.isatty() and not config.quiet)}
    validation, names = material.dataset.part("validation"), material.dataset.class_names
    runs = []
    for seed in range(config.seed, config.seed + config.seeds):
        sources = material.real + material.synthetic(seed)
        runs.append(fit_and_score(sources, validation, material.test, names, seed=seed, **options))
    metrics = summarise_runs(settings, material, runs)
    best = max(runs, key=lambda scored: scored.validation_accuracy)
    save_outputs(out, material, metrics, runs, best)
    for line in describe_metrics(metrics):
        report(material.mark + line)
    if material.unlabelled is not None:
        write_submission(config, out, material, best, report)
    report(f"metrics.json, classifier.keras and figures are in {out}")
    return metrics


@dataclass(frozen=True)
class _Material:
    """What is trained on and scored: real sources, synthetic sources by seed, and the test part without leaks."""

    dataset: object
    run: object  # synth.sources.Run
    teacher: object  # keras.Model, or None
    real: list
    synthetic: Callable
    rows: dict
    test: tuple
    leaks: dict
    unlabelled: object = None
    test_csv: Path | None = None

    @property
    def mark(self):
        """What stands before every result of a run whose test images were trained on."""
        leaked = self.leaks["leaked"] + self.leaks.get("unlabelled_leaked", 0)
        return f"LEAKED ({leaked} images were trained on): " if self.leaks["allowed"] and leaked else ""


def _gather(config, report):
    run = _find_run(config, report)
    dataset = load_data(config, run.request, run.fingerprint)
    if not dataset.has_classifier:
        raise RequestError(f"--data and --classes should give two classes or more. Got {dataset.class_names[0]} alone.")
    build_classifier(dataset.image_shape, len(dataset.class_names), config.classifier)  # too small images are refused
    run.check_classes(dataset)
    teacher, taught = _find_teacher(config, dataset)
    real = split_in_memory(*dataset.part("train")) if config.mode != "synthetic-only" else []
    synthetic = _find_synthetic(config, dataset, run) if config.mode != "real-only" else lambda seed: []
    rows = {"real": count_rows(real), "synthetic": count_rows(synthetic(config.seed))}
    empty = [
        name for k, name in enumerate(dataset.class_names) if not rows["real"].get(k, 0) + rows["synthetic"].get(k, 0)
    ]
    if empty:
        raise RequestError(f"every class should have images to train on. Got none of {', '.join(empty)}.")
    for split in ("validation", "test"):
        if not len(getattr(dataset, split)):
            raise RequestError(f"the real data should leave images for {split}. Got none: more real images are needed.")
    hashes = [dataset.train_hashes()] if config.mode != "synthetic-only" else []
    hashes += [known for known in (run.hashes, taught) if known is not None]
    hashes = np.concatenate([np.zeros(0, np.uint64), *hashes])
    return _Material(dataset, run, teacher, real, synthetic, rows, *_find_test_images(config, dataset, hashes))


def _find_teacher(config, dataset):
    """Return the classifier of --teacher and the hashes of the images that it was trained on, or (None, None)."""
    if not config.teacher:
        return None, None
    trained = TrainedGAN(find_model_folder(config.teacher, "--teacher"))
    if not trained.has_classifier:
        raise RequestError(f"--teacher should be a run with a classifier. {config.teacher} has no model/filter.keras.")
    given, expected = ((source.label_values, source.image_shape) for source in (trained, dataset))
    if given != expected:
        raise RequestError(
            f"--teacher should know the real data's classes {expected[0]} as {expected[1]} images. "
            f"It knows {given[0]} as {given[1]}."
        )
    Run(classes=dict(zip(trained.label_values, trained.class_names, strict=True))).check_classes(dataset)
    return trained.classifier, trained.train_hashes()


def _find_test_images(config, dataset, hashes):
    """Return the test part without leaked images, what leaked, and the images of --test-csv with their path."""
    images, labels = dataset.part("test")
    leaked = find_leaks(images, hashes, allow=config.allow_leak)
    leaks = {"test_images": len(leaked), "leaked": int(leaked.sum()), "allowed": config.allow_leak}
    keep = ~leaked | config.allow_leak
    test_csv = config.test_csv or (find_test_csv(dataset.request["data"]) if config.data is None else None)
    if not test_csv:
        return (images[keep], labels[keep]), leaks
    size = dataset.request["image_size"]
    shape = dataset.request["image_shape"] or (None if size else dataset.image_shape)
    unlabelled = read_unlabelled_csv(test_csv, shape)
    unlabelled = resize_images(unlabelled, *size, dataset.request["fit"]) if size else unlabelled
    found = find_leaks(unlabelled, hashes, allow=config.allow_leak, source=str(test_csv))
    leaks |= {"unlabelled_images": len(found), "unlabelled_leaked": int(found.sum())}
    return (images[keep], labels[keep]), leaks, unlabelled, test_csv


def _find_run(config, report):
    """Find the run that the synthetic images come from; for --real-only, the run whose baseline it is."""
    if config.fresh:
        trained = TrainedGAN(find_model_folder(config.model))
        classes = dict(zip(trained.label_values, trained.class_names, strict=True))
        source = (trained.request, trained.fingerprint, classes)
        return Run(trained, (), *source, trained.train_hashes(), trained.compute_hash())
    if config.mode == "real-only":
        manifest = load_manifest(config.synthetic)
        return Run(request=manifest["request"], fingerprint=manifest["fingerprint"]) if manifest else Run()
    return open_run(config.synthetic, report)


def _check_submission(config, out, material):
    """Raise RequestError where the predictions that are asked for could not be made or written."""
    if not config.submission:
        return
    path = Path(config.submission)
    if material.unlabelled is None:
        raise RequestError("--submission should come with --test-csv FILE, the images to predict.")
    if path.exists() and not is_claimed(path, out):
        raise RequestError(f"--submission should be a new file, or one of an earlier run in {out}. {path} exists.")
    if path.exists() and not config.overwrite:
        raise RequestError(f"--submission should be a new file. {path} exists: use --overwrite.")
    if not path.absolute().parent.is_dir():
        raise RequestError(f"--submission should be in a folder that exists. Got {path} instead.")


def _find_synthetic(config, dataset, run):
    """Return a callable (seed) -> sources of synthetic images."""
    real_per_class = round(len(dataset.train) / len(dataset.class_names))
    per_class = round(config.ratio * real_per_class) if config.ratio else config.synthetic_per_class
    if per_class == 0:
        raise RequestError(f"--ratio should ask for an image per class or more. Got {config.ratio} instead.")
    if run.trained:
        unknown = set(run.trained.label_values) - set(dataset.label_values)
        if unknown or run.trained.image_shape != dataset.image_shape:
            raise RequestError(
                f"--model should make the real data's classes {dataset.label_values} as {dataset.image_shape} images. "
                f"It makes {run.trained.label_values} as {run.trained.image_shape}."
            )
        if config.filter == "classifier" and not run.trained.has_classifier:
            raise RequestError("--filter classifier needs a model of two classes or more: use --filter none.")
        indices = [dataset.label_values.index(value) for value in run.trained.label_values]
        options = (per_class or real_per_class, config.filter, config.min_probability, config.latent_std)
        return lambda seed: draw_fresh(run.trained, indices, *options, seed)
    skip = tuple(set(run.classes) - set(dataset.label_values)) if config.classes else ()
    names = dataset.class_names
    sources = index_shards(run.paths, dataset.image_shape, dataset.label_values, per_class, skip, names)
    counts = count_rows(sources)
    if per_class and not counts:
        raise RequestError(f"--synthetic should have images that are marked as synthetic. {config.synthetic} has none.")
    for k, count in counts.items():
        if per_class and count < per_class:
            raise RequestError(
                f"{'--ratio' if config.ratio else '--synthetic-per-class'} asks for {per_class} synthetic images of "
                f"each class. The shards have {count} of {dataset.class_names[k]}: make more, or ask for fewer."
            )
    return lambda seed: sources


def _make_plan(config, material, out):
    """Return what will be done, {heading: text}."""
    dataset = material.dataset
    real, synthetic = (sum(material.rows[part].values()) for part in ("real", "synthetic"))
    kind = "drawn anew each epoch" if config.fresh else f"from {config.synthetic}"
    return {
        "data": f"{dataset.name} ({dataset.fingerprint[:12]}), {len(dataset.class_names)} classes",
        "training": f"{real:,} real and {synthetic:,} synthetic images" + (f" {kind}" if synthetic else ""),
        "scoring": f"{len(dataset.validation):,} validation and {len(material.test[1]):,} test images, all real",
        "classifier": f"{config.classifier}, {f'{config.steps:,} steps' if config.steps else f'{config.epochs} epochs'}"
        + (f", labels by the classifier of {config.teacher}" if config.teacher else "")
        + (", classic augmentation" if config.augment else "")
        + f", {config.seeds} seed{'s' * (config.seeds > 1)}, into {out}",
    }
