"""Top up the classes of a data set: what to try, what to choose, and the training set that comes out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from real.datasets import Dataset
from synth.shard_formats import FORMATS, describe_shard, list_formats
from synth.shards import save_manifest
from tasks.arms import Arm
from tasks.balance_pictures import save_picture_set
from tasks.study_report import compare_arms, describe_difference, find_best

_SURPLUSES = (0.0, 1.0, 2.0)  # synthetic images on top of the balanced classes, per image of the largest class


def list_candidates(counts: np.ndarray, filter: str, classes: tuple[int, ...]) -> list[Arm]:
    """Return the arms that --surplus auto chooses from: none first, then every surplus, filtered and not.

    "none" is the real images with class weights, so that no candidate wins by balanced classes alone. counts: images
    per class [K]; a surplus that adds nothing is left out. filter: as --filter. classes: indices of those to top up.
    """
    filters = {"auto": (False, True), "none": (False,)}.get(filter, (True,))
    arms = [
        build_candidate(f"surplus {surplus:g}", filtered, ratio=surplus, classes=classes)
        for surplus in _SURPLUSES
        for filtered in filters
    ]
    return [Arm("none", balance="class-weights")] + [arm for arm in arms if arm.count_added(counts)]


def build_candidate(name: str, filtered: bool, **amount: Any) -> Arm:
    """Return an arm that adds images of the GAN; amount: ratio, added and classes as in tasks.arms.Arm."""
    return Arm(f"{name}, {'filtered' if filtered else 'unfiltered'}", gans=("gan",), filtered=filtered, **amount)


def choose(results: pd.DataFrame, candidates: list[Arm], measure: str) -> tuple[Arm, str]:
    """Return the arm to use and why: the best one where it beats "none" beyond noise over the seeds, else "none"."""
    none = candidates[0]
    best = find_best(results, [arm.name for arm in candidates[1:]], measure)
    assert best is not None  # their cells have run
    reason = describe_difference(results, best, none.name, measure, "the real images with class weights")
    if compare_arms(results, best, none.name, measure).verdict == "better":
        return next(arm for arm in candidates if arm.name == best), reason
    return none, f"{reason} Fit with class weights: predict.py --class-weights."


def list_outputs(format: str) -> list[str]:
    """Return what --format makes in the output folder: files of the whole set, or a folder."""
    places = {FORMATS[name].place: FORMATS[name].is_pictures for name in list_formats(format)}
    return [place.partition("/")[0] if several else f"train{Path(place).suffix}" for place, several in places.items()]


def save_training_set(
    folder: Path,
    format: str,
    images: np.ndarray,
    labels: np.ndarray,
    synthetic: np.ndarray,
    dataset: Dataset,
    manifest: dict,
) -> dict:
    """Write train.npz and/or train.csv, or images/, and the manifest; return the manifest (a dict).

    images uint8 [N, H, W, C], labels: the source's label values [N], synthetic: bool [N]. The NPZ has these names; the
    CSV is in Kaggle's layout with a last column `synthetic`, 0 or 1. dataset: the source. manifest: what else it holds.
    """
    shards = _write_set(folder, format, images, labels, synthetic, dataset)
    classes = {}
    for name, value in zip(dataset.class_names, dataset.label_values, strict=True):
        of_class = labels == value
        added = int((of_class & synthetic).sum())
        classes[name] = {"label": value, "real": int(of_class.sum()) - added, "synthetic": added}
    manifest = {
        "class_names": list(dataset.class_names),
        "label_values": list(dataset.label_values),
        "image_shape": list(dataset.image_shape),
        "data": dataset.name,
        "request": dataset.request,
        "fingerprint": dataset.fingerprint,
        "classes": classes,
        **manifest,
        "shards": shards,
        "complete": True,
    }
    save_manifest(folder, manifest)
    return manifest


def _write_set(
    folder: Path, format: str, images: np.ndarray, labels: np.ndarray, synthetic: np.ndarray, dataset: Dataset
) -> list[dict]:
    """Write the images as --format says; return what the manifest says of the files, or of the synthetic pictures."""
    entries = []
    more = {"synthetic": synthetic}
    if dataset.label_values == tuple(range(len(dataset.class_names))):
        more["class_names"] = np.array(dataset.class_names)
    for name in list_formats(format):
        if FORMATS[name].is_pictures:
            entries += save_picture_set(folder, images, labels, synthetic, dataset)
        else:
            path = folder / f"train{Path(FORMATS[name].place).suffix}"
            FORMATS[name].write(path, images, labels, more)
            entries.append({"file": path.name, "rows": len(labels)} | describe_shard(path))
    return entries
