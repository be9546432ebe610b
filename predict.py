"""Train a classifier on synthetic, real or mixed images, and score it on real images that nothing was trained on.

python predict.py --synthetic-only
python predict.py --real-only --data fashion_mnist --seeds 3
python predict.py --real-per-class 300 --ratio 2 --augment
python predict.py --model synthetic --fresh --synthetic-only --epochs 20
python predict.py --synthetic-only --teacher synthetic
python predict.py --data train.csv --test-csv test.csv --submission submission.csv
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synth import command_line  # first: it refuses a Python that is too old or too new

# isort: split

import numpy as np

from evaluation.classification import explain_gap
from evaluation.statistics import summarise
from models.pretrained import A_RUN, find_model_folder
from models.recipes import GANOptions
from synth.command_line import parse_config, report_unless, run
from synth.errors import RequestError
from synth.files import claim, is_claimed
from synth.kaggle import default_out, find_test_csv, save_submission
from synth.leakage import find_leaks
from synth.options import (
    FilterOptions,
    RepeatOptions,
    ScoringOptions,
    SubsetOptions,
    add_flags,
    check_options,
    like,
    list_settings,
    option,
)
from synth.shards import load_manifest

MODES = ("mixed", "synthetic-only", "real-only")
CLASSIFIERS = ("cnn", "lenet5", "strong")
RATE_DECAYS = ("constant", "cosine")
OWNED = (
    "metrics.json",
    "classifier.keras",
    "history.csv",
    "curves.png",
    "confusion.png",
    "mistakes.png",
    "submission.csv",
)
_JUDGE_SEED = 1000  # the network that measures label fidelity is no other one
_JUDGED_IMAGES = 10_000


@dataclass(frozen=True, kw_only=True)
class Config(SubsetOptions, ScoringOptions, RepeatOptions):
    """What to train on and how; the flags of the same names say more."""

    mode: str = option("mixed", "which images to train on", choices=MODES)
    synthetic: str | Path = option(default_out, "folder or glob of shards, CSV or NPZ", metavar="DIR")
    synthetic_per_class: int | None = option(None, "synthetic images per class to use", minimum=1, metavar="N")
    ratio: float | None = option(None, "synthetic images per real one", above=0, metavar="R")
    model: str | Path | None = like(GANOptions, "model")
    fresh: bool = option(False, "draw new synthetic images from --model in every epoch, without shards")
    filter: str = like(  # fresh images have no other filter
        FilterOptions, "filter", default="classifier", choices=("classifier", "none"), help="what rejects fresh images"
    )
    min_probability: float = like(FilterOptions, "min_probability")
    latent_std: float = like(FilterOptions, "latent_std")
    classifier: str = option("cnn", "network to train", choices=CLASSIFIERS)
    epochs: int = option(5, "passes over the training images", minimum=1, metavar="N")
    steps: int | None = option(
        None,
        "optimiser steps in all, in --epochs equal parts, instead of passes over the images",
        minimum=1,
        metavar="N",
    )
    batch_size: int = option(32, "images per step", minimum=1, metavar="N")
    rate: float = option(1e-3, "learning rate of Adam", above=0, metavar="R")
    rate_decay: str = option("cosine", "how the learning rate falls; cosine: to zero", choices=RATE_DECAYS)
    augment: bool = option(False, "add classic augmentation: shift, rotation, zoom; never flips")
    teacher: str | Path | None = option(
        None, f"label the images by this run's classifier (knowledge distillation): {A_RUN}", metavar="DIR"
    )
    seeds: int = like(RepeatOptions, "seeds", default=1)  # a first answer; more give intervals
    test_csv: str | Path | None = option(None, "images to predict, as Kaggle's test.csv", metavar="FILE")
    submission: str | Path | None = option(
        None, "where the predictions go (default: OUT/submission.csv)", metavar="FILE"
    )
    out: str | Path | None = like(
        RepeatOptions, "out", default=None, help="output folder (default: prediction-synthetic-only, ...)"
    )

    def __post_init__(self):
        check_options(self)
        if self.ratio is not None and (self.mode != "mixed" or self.synthetic_per_class):
            raise RequestError("--ratio is for mixed training, without --synthetic-per-class.")
        if self.fresh and not self.model:
            raise RequestError("--fresh should come with --model DIR, the trained run to draw from.")
        if self.model and not self.fresh:
            raise RequestError("--model is for --fresh; to use shards, make them: generate_data.py --model DIR.")
        if self.fresh and self.mode == "real-only":
            raise RequestError("--fresh draws synthetic images: leave out --real-only.")
        if self.latent_std != 1 and not self.fresh:
            raise RequestError("--latent-std is for --fresh; shards have that of generate_data.py --latent-std.")
        if self.steps and self.steps % self.epochs:
            raise RequestError(f"--steps should be a multiple of --epochs, {self.epochs}. Got {self.steps} instead.")


def predict(config):
    """Train the classifier that `config` describes, score it, and return the metrics (a dict).

    With `dry_run` nothing is trained or written, and the plan (a dict) is returned. Raises RequestError for what is
    wrong with the request, before costly work, and synth.errors.RunError for a run that fails.
    """
    from models.startup import start
    from synth.output_folder import check_inputs, check_output, open_output

    report = report_unless(config.quiet)
    out = Path(config.out or default_out(f"prediction-{config.mode}"))
    inputs = ("data", "model", "teacher", "test_csv") + (() if config.fresh else ("synthetic",))
    threads = start(out, {f"--{name.replace('_', '-')}": getattr(config, name) for name in inputs}, report)
    from models.trained_gan import hash_weights

    material = _gather(config, report)
    check_inputs(out, {"--data": material.dataset.request["data"], "--test-csv": material.test_csv})
    _check_submission(config, out, material)
    plan = _make_plan(config, material, out)
    for name, value in plan.items():
        report(f"{name + ':':<12} {value}")
    settings = {name: str(value) for name, value in list_settings(config).items()}
    settings |= {"fingerprint": material.dataset.fingerprint, "synthetic_images": material.run.identity}
    settings |= {"teacher_weights": hash_weights([material.teacher])} if material.teacher else {}
    run = (out, {"prediction": settings}, Path(__file__).name, OWNED)
    if config.dry_run:
        check_output(*run, overwrite=config.overwrite)
        return plan
    with open_output(*run, overwrite=config.overwrite, threads=threads):
        return _train_and_score(config, out, material, settings, report)


def _train_and_score(config, out, material, settings, report):
    """Fit and score a classifier for each seed, and write everything; return the metrics."""
    from models.classifier_training import fit_and_score

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
    metrics = _summarise(settings, material, runs)
    best = max(runs, key=lambda scored: scored.validation_accuracy)
    _save_outputs(out, material, metrics, runs, best)
    for line in _describe(metrics):
        report(material.mark + line)
    if material.unlabelled is not None:
        _write_submission(config, out, material, best, report)
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
    from models.classifier import build_classifier
    from models.startup import load_data
    from synth.sources import count_rows, split_in_memory

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
    from models.trained_gan import TrainedGAN
    from synth.sources import Run

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
    from synth.file_formats import read_unlabelled_csv
    from synth.images import resize_images

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
    unlabelled = resize_images(unlabelled, *size) if size else unlabelled
    found = find_leaks(unlabelled, hashes, allow=config.allow_leak, source=str(test_csv))
    leaks |= {"unlabelled_images": len(found), "unlabelled_leaked": int(found.sum())}
    return (images[keep], labels[keep]), leaks, unlabelled, test_csv


def _find_run(config, report):
    """Find the run that the synthetic images come from; for --real-only, the run whose baseline it is."""
    from models.trained_gan import TrainedGAN
    from synth.sources import Run, open_run

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
    from models.batches import draw_fresh
    from synth.sources import count_rows, index_shards

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
    sources = index_shards(run.paths, dataset.image_shape, dataset.label_values, per_class, skip)
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


def _summarise(settings, material, runs):
    """Return the content of metrics.json."""
    from models.classifier import compute_accuracy
    from synth.output_folder import installed_versions

    names = material.dataset.class_names
    trained_on = {
        part: {names[k]: rows for k, rows in sorted(counts.items())} for part, counts in material.rows.items()
    }
    measures = ("accuracy", "balanced_accuracy", "macro_f1")
    metrics = {
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


def _measure_fidelity(material):
    """Return the accuracies of a classifier trained on the real train part, on synthetic and on validation images.

    The first, on up to 10,000 images, is Shmelkov et al.'s GAN-test. A teacher's labels are its likeliest classes.
    """
    from models.classifier import compute_accuracy, compute_probabilities, fit_classifier
    from synth.sources import stream_images

    images, labels = next(stream_images(material.synthetic(_JUDGE_SEED), seed=_JUDGE_SEED))
    images, labels = images[:_JUDGED_IMAGES], labels[:_JUDGED_IMAGES]
    labels = compute_probabilities(material.teacher, images).argmax(axis=1) if material.teacher else labels
    judge = fit_classifier(*material.dataset.part("train"), len(material.dataset.class_names), seed=_JUDGE_SEED)
    judged = ((images, labels), material.dataset.part("validation"))
    return [compute_accuracy(judge, *part) for part in judged]


def _describe(metrics):
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


def _save_outputs(out, material, metrics, runs, best):
    """Save metrics.json, the best seed's classifier, the history of all, and the figures."""
    import pandas as pd

    from synth.figures import plot_confusion, plot_learning, plot_mistakes, save_figure
    from synth.files import replacing, save_json

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


def _write_submission(config, out, material, best, report):
    """Predict the unlabelled images with the best seed's classifier."""
    from models.classifier import compute_probabilities

    predicted = compute_probabilities(best.classifier, material.unlabelled).argmax(axis=1)
    path = Path(config.submission or out / "submission.csv")
    claim(path, out)
    save_submission(path, np.array(material.dataset.label_values)[predicted])
    report(f"{material.mark}{path}: predictions for the {len(predicted):,} images of {material.test_csv}")


def parse_args(argv=None):
    """Turn the command line into a Config."""
    return parse_config(build_parser(), lambda options: Config(**options), argv)


def build_parser():
    """Build the parser; every default comes from Config."""
    parser = command_line.build_parser(__file__, __doc__)
    add_flags(parser.add_argument_group("data"), Config, SubsetOptions)
    images = parser.add_argument_group("training images (default: real and synthetic)")
    mode = images.add_mutually_exclusive_group()
    for name in ("synthetic-only", "real-only"):
        help = f"train on {name.removesuffix('-only')} images alone"
        mode.add_argument(f"--{name}", dest="mode", action="store_const", const=name, default=Config.mode, help=help)
    add_flags(images, Config, ("synthetic", "synthetic_per_class", "ratio", "model", "fresh"))
    add_flags(images, Config, FilterOptions)
    names = ("classifier", "epochs", "steps", "batch_size", "rate", "rate_decay", "augment", "teacher")
    add_flags(parser.add_argument_group("classifier"), Config, names)
    add_flags(parser.add_argument_group("scoring"), Config, ("test_csv", "submission", "allow_leak"))
    add_flags(parser.add_argument_group("run"), Config, RepeatOptions)
    return parser


def main(argv=None):
    """Run the script; return the exit code."""
    config = parse_args(argv)
    return run(build_parser(), lambda: predict(config), "The same command again starts over.")


if __name__ == "__main__":
    sys.exit(main())
