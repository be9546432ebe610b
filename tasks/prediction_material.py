"""What a classifier is trained on and scored on: real images, shards or fresh images, and test images without leaks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from common.command_line import print_lines, report_unless
from common.errors import RequestError
from common.kaggle import default_out
from common.run_folder import MANIFEST
from common.run_options import RepeatOptions
from models.batches import draw_fresh
from models.classifier import build_classifier
from models.pretrained import find_model_folder
from models.trained_gan import TrainedGAN
from real.data_options import SubsetOptions
from real.datasets import Dataset
from real.kaggle_files import find_test_csv
from real.leakage import find_leaks
from real.unlabelled import read_unlabelled
from synth.runs import Run, open_run
from synth.shards import load_manifest
from synth.sources import Source, count_rows, index_shards, split_in_memory
from tasks.prediction_options import ClassifierOptions, PredictionOptions, TrainingSetOptions
from tasks.real_data import load_data
from tasks.submissions import SubmissionForm, plan_submission

_SHOWN = 80  # characters of the names of classes in a line


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
    form: SubmissionForm | None = None  # of the predictions for these

    @property
    def mark(self) -> str:
        """What stands before every result of a run whose test images were trained on."""
        leaked = self.leaks["leaked"] + self.leaks.get("unlabelled_leaked", 0)
        return f"LEAKED ({leaked} images were trained on): " if self.leaks["allowed"] and leaked else ""


def gather_material(
    data: SubsetOptions,
    images: TrainingSetOptions,
    classifier: ClassifierOptions,
    test: PredictionOptions,
    run: RepeatOptions,
) -> Material:
    """Bring together what is trained on and scored; RequestError where something is missing or does not fit."""
    origin = _find_run(images, report_unless(run.quiet), has_data=data.data is not None)
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
    without = [name for k, name in enumerate(dataset.class_names) if not rows["synthetic"].get(k)]
    if images.mode == "mixed" and without:
        print_lines([f"note: there are no synthetic images of {', '.join(without)[:_SHOWN]}"], run.quiet)
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
    test_csv = test.test_csv or find_test_csv(dataset.request["data"])
    if not test_csv:
        return (images[keep], labels[keep]), leaks
    read = read_unlabelled(Path(test_csv), dataset, no_cache=data.no_cache, quiet=quiet)
    print_lines((f"note: {note}" for note in read.notes), quiet)
    found = find_leaks(read.images, hashes, allow=test.allow_leak, source=str(test_csv))
    leaks |= {"unlabelled_images": len(found), "unlabelled_leaked": int(found.sum())}
    form = plan_submission(test_csv, len(found), read.ids, read.id_name)
    return (images[keep], labels[keep]), leaks, read.images, test_csv, form


def _find_run(options: TrainingSetOptions, report: Callable[[str], None], *, has_data: bool) -> Run:
    """Find the run that the synthetic images come from; for --real-only, the run whose baseline it is.

    has_data: whether the data are named; else a run that is asked for has to be there.
    """
    if options.fresh:
        assert options.model is not None  # --fresh asks for it
        trained = TrainedGAN(find_model_folder(options.model))
        classes = dict(zip(trained.label_values, trained.class_names, strict=True))
        source = (trained.request, trained.fingerprint, classes)
        return Run(trained, (), *source, trained.train_hashes(), trained.compute_hash())
    if options.mode == "real-only":
        manifest = load_manifest(options.synthetic)
        if not (manifest or has_data or Path(options.synthetic) == default_out()):
            raise RequestError(
                "--real-only --synthetic DIR should name the run whose real images are trained on. There is no "
                f"{MANIFEST} in {options.synthetic}: --data names the images themselves."
            )
        return Run(request=manifest["request"], fingerprint=manifest["fingerprint"]) if manifest else Run()
    return open_run(options.synthetic, report)


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
