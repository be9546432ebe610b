"""The report of generate_data.py: what was made, beside the real images, and what the filter rejected."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from common.errors import RequestError
from common.figures import plot_history, plot_samples, save_figure
from common.run_files import load_histories
from common.run_folder import CURVES, SAMPLES, RunFolder
from common.web_report import describe_plan, escape_text, render_table, save_report
from evaluation.figures import plot_neighbours
from evaluation.memorisation import find_nearest
from models.trained_gan import TrainedGAN
from real.datasets import Dataset
from synth.sampling import sample_blocks
from synth.shard_drawing import build_sieve
from synth.shard_formats import read_shard

FIGURES = (SAMPLES, "beside.png", "rejected.png", "neighbours.png", CURVES)
_COLUMNS = 10
_CLASSES = 20  # that are shown: more would be no picture that anybody looks at
_REJECTED_CLASSES = 10
_SEARCHED = 100  # images of each class whose nearest training image is looked for


def write_report(
    out: Path,
    manifest: dict,
    trained: TrainedGAN,
    dataset: Dataset | None,
    plan: dict[str, str],
    command: str,
    report: Callable[[str], None],
) -> None:
    """Save the figures and report.html. dataset: that the GAN was trained on here, or None for a GAN of --model."""
    first = {entry["class"]: entry["file"] for entry in reversed(manifest["shards"])}
    names = [name for name in manifest["class_names"] if name in first]
    images = {name: read_shard(out / first[name], manifest["image_shape"], rows=_SEARCHED)[0] for name in names}
    save_figure(RunFolder(out).samples, plot_samples(images))
    blocks = [describe_plan(plan), "## What was made", _render_counts(manifest)]
    blocks += _show_real(out, dict(list(images.items())[:_CLASSES]), dataset)
    blocks += _show_rejected(out, manifest, trained)
    blocks += _show_curves(out, report)
    save_report(out, "Synthetic images", blocks, command)


def _render_counts(manifest: dict) -> str:
    """Return the table of each class's images and rejects."""
    reasons = sorted({reason for counts in manifest["classes"].values() for reason in counts["rejected"]})
    rows = [
        [
            escape_text(name),
            f"{counts['accepted']:,}",
            f"{counts['candidates']:,}",
            *(f"{counts['rejected'].get(reason, 0):,}" for reason in reasons),
        ]
        for name, counts in manifest["classes"].items()
    ]
    return render_table(["class", "images", "candidates", *(f"rejected: {reason}" for reason in reasons)], rows)


def _show_real(out: Path, images: dict[str, np.ndarray], dataset: Dataset | None) -> Iterator[str]:
    """Save synthetic images beside real ones, and beside the nearest training images; yield what the report says."""
    if dataset is None:
        yield "## Images"
        yield "![ten synthetic images of each class](samples.png)"
        yield "The GAN was trained before, so its data were not read: `evaluate_fid.py` shows and measures both."
        return
    yield "## Beside the real ones"
    rows = {}
    for name, synthetic in images.items():
        rows[f"{name}, real"] = dataset.part("train", dataset.class_names.index(name))[0][:_COLUMNS]
        rows[f"{name}, synthetic"] = synthetic
    save_figure(out / "beside.png", plot_samples(rows, _COLUMNS))
    yield "![ten real images of each class above ten synthetic ones](beside.png)"
    save_figure(out / "neighbours.png", plot_neighbours({"synthetic": _find_closest(images, dataset.part("train")[0])}))
    yield (
        f"Of up to {_SEARCHED} synthetic images of each class the one that is nearest to a training image, above that "
        "image, with the distance in grey levels (root mean square; 0 is a copy). `evaluate_fid.py` says whether that "
        "is nearer than real images are to each other."
    )
    yield "![the synthetic image of each class nearest to a training image, above that image](neighbours.png)"


def _find_closest(images: dict[str, np.ndarray], train: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of each class, of the first ten, the image that is nearest to a training image, that one, and how far."""
    shown = list(images.values())[:_COLUMNS]
    drawn = np.concatenate(shown)
    distances, nearest = find_nearest(drawn, train)
    stops = np.cumsum([len(of_class) for of_class in shown])
    closest = [start + distances[start:stop].argmin() for start, stop in zip([0, *stops], stops, strict=False)]
    return drawn[closest], train[nearest[closest]], distances[closest]


def _show_rejected(out: Path, manifest: dict, trained: TrainedGAN) -> Iterator[str]:
    """Save images that the filter rejected, and why; yield what the report says."""
    counts = {name: sum(entry["rejected"].values()) for name, entry in manifest["classes"].items()}
    ranked = sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])[:_REJECTED_CLASSES]
    if not ranked:
        return
    seed, latent_std = manifest["seed"], manifest["latent_std"]
    sampling = manifest["filter"] | {"seed": seed, "latent_std": latent_std}
    sieve, _ = build_sieve(trained, sampling, ranked, manifest["filter"].get("thresholds"))
    rows = {}
    for name in ranked:
        k = trained.class_names.index(name)
        block = next(sample_blocks(trained.generate, trained.latent_dim, seed, k, 0, latent_std))
        reasons, _ = sieve(block, k, [])
        for reason in np.unique(reasons[reasons != ""]):
            rows[f"{name}: {reason}"] = block[reasons == reason]
    if rows:
        save_figure(out / "rejected.png", plot_samples(rows, _COLUMNS))
        yield "## What was rejected, and why"
        yield (
            "Of the first candidates of the classes with most rejects. classifier: the filter network does not "
            "recognise the class; discriminator: too unrealistic; density-ratio: too frequent; duplicate: "
            "nearly the same as an earlier one."
        )
        yield "![rejected images, a row for each class and reason](rejected.png)"


def _show_curves(out: Path, report: Callable[[str], None]) -> Iterator[str]:
    """Save the curves of a GAN that was trained here; yield what the report says."""
    try:
        histories = load_histories(RunFolder(out).model.path)
    except RequestError as error:
        report(f"note: {CURVES} is left out. {error}")
        return
    if histories:
        save_figure(RunFolder(out).curves, plot_history(histories))
        yield "## Training"
        yield "![losses, and the Frechet distance on validation](curves.png)"
