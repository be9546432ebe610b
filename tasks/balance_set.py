"""The balanced set: its files, and the manifest."""

from pathlib import Path

import numpy as np

from real.datasets import Dataset
from synth.shard_formats import FORMATS, describe_shard, list_formats
from synth.shards import save_manifest
from tasks.balance_pictures import save_picture_set


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
