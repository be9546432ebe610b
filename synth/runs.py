"""Open the run that synthetic images come from: find its shards, check them, and read what is known of it."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import RequestError
from common.files import find_mark
from common.run_folder import DESCRIPTION, HISTORY, MANIFEST, METADATA
from real.data_files import holds_images
from real.datasets import Dataset
from real.pictures.folder_layout import find_layout
from real.pictures.folder_tree import scan_folder
from real.pictures.picture_marks import count_marks
from synth.shard_formats import FORMATS, find_format, has_hash, hash_file, is_there, list_suffixes
from synth.shards import find_manifest_folder, load_hashes, load_manifest
from synth.synthetic_folders import lacks_classes

_NO_SHARDS = (HISTORY, METADATA)  # CSVs of runs that are something else


@dataclass(frozen=True)
class Run:
    """The run that synthetic images come from, as far as it is known.

    trained: models.trained_gan.TrainedGAN, where images are drawn from it. paths: its shards. request: how its data
    were loaded, and fingerprint: theirs. classes: {label value: name}; of a folder of pictures, whose classes are found
    by their names, {name: name}. hashes: of the images its GAN was trained on. identity: hash of the generator's
    weights or of the shards. pretrained_features: the network of other pictures that its GAN saw images through.
    """

    trained: Any = None
    paths: Sequence[Path] = ()
    request: dict = field(default_factory=dict)
    fingerprint: str | None = None
    classes: dict = field(default_factory=dict)
    hashes: np.ndarray | None = None
    identity: str | None = None
    pretrained_features: str | None = None

    def check_classes(self, dataset: Dataset) -> None:
        """Raise RequestError where a label of the run means another class than in real.datasets.Dataset.

        A class that is named after its label has no name that could differ.
        """
        for value, name in zip(dataset.label_values, dataset.class_names, strict=True):
            if self.classes.get(value, name) not in (name, str(value)) and name != str(value):
                raise RequestError(
                    f"the run's classes should be the real data's: label {value} is {name!r} in "
                    f"{dataset.name}. Got {self.classes[value]!r} instead."
                )


def open_run(
    pattern: str | Path, report: Callable[[str], object], flag: str = "--synthetic", *, classless: bool = False
) -> Run:
    """Find the shards of `pattern` (see find_shards), check them against their manifest, and return the Run.

    classless: whether pictures that lie side by side, without anything that gives them classes, will do.
    """
    paths, folder = find_shards(pattern, flag)
    if folder is None:
        report(f"note: {pattern} has no manifest: the leakage guard does not know what the images' GAN was trained on")
        files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
        files = [file for file in files if file.is_file()]
        folders = [path for path in paths if path.is_dir() and not (classless and lacks_classes(path))]
        layouts = [find_layout(path) for path in folders]
        for note in dict.fromkeys(note for layout in layouts for note in layout.notes):
            report(f"note: {pattern}: {note}")
        names = {name: name for layout in layouts for name in layout.class_names}
        return Run(paths=paths, classes=names, identity=_hash_texts(map(hash_file, files)))
    check_shards(paths, folder)
    manifest = load_manifest(folder)
    if not manifest["complete"]:
        report(f"warning: {folder} is incomplete: the command that made it, run again, completes it.")
    classes = dict(zip(manifest["label_values"], manifest["class_names"], strict=True))
    identity = _hash_texts(entry["sha256"] for entry in manifest["shards"])
    hashes = load_hashes(folder, manifest.get("train_hashes"))
    pretrained = manifest.get("pretrained_features")
    return Run(None, paths, manifest["request"], manifest["fingerprint"], classes, hashes, identity, pretrained)


def find_shards(pattern: str | Path, flag: str = "--synthetic") -> tuple[list[Path], Path | None]:
    """Return (sorted shard paths, folder of their run or None) of a run's folder, any folder, a file or a glob.

    A folder with pictures, and no shards, is itself taken as the one shard.

    The run is the nearest folder above the shards with a manifest. Where a CSV and an NPZ of the same name lie
    together they are the same images, and the NPZ is taken. Raises RequestError, with the command that makes shards,
    where there are none.
    """
    path = Path(pattern)
    if path.is_dir():
        found = _list_shards(path)
    else:
        found = [path] if path.is_file() else [Path(name) for name in glob(str(path), recursive=True)]
    if path.is_dir() and not found and scan_folder(path).count:
        if count_marks(path)["0"]:
            raise RequestError(f"{flag} should be the run's folder: {path} holds real pictures, too ({METADATA}).")
        return [path], None
    found = sorted(shard for shard in set(found) if find_format(shard))
    there = set(found)
    found = [shard for shard in found if shard.suffix == ".npz" or shard.with_suffix(".npz") not in there]
    if not found:
        raise RequestError(
            f"{flag} should be a folder or glob of shards ({', '.join(list_suffixes())}). None in {pattern}: "
            f"python generate_data.py --class-size 1000 --out {pattern} makes them."
        )
    folders = {find_manifest_folder(shard) for shard in found}
    if len(folders) > 1:
        names = ", ".join(sorted(str(folder or "files of no run") for folder in folders)[:4])
        raise RequestError(
            f"{flag} should be the shards of one run. {pattern} holds those of {names}: name one of them."
        )
    return found, folders.pop()


def _list_shards(folder: Path) -> list[Path]:
    """Return the shards below a folder: those that the manifest of its run lists, and files that look like some.

    In the run's own folder the manifest alone counts. Pictures are found by a manifest and not otherwise.
    """
    run = folder if (folder / MANIFEST).is_file() else find_manifest_folder(folder)
    listed = [run / entry["file"] for entry in load_manifest(run)["shards"]] if run else []
    unknown = [path for path in listed if not find_format(path)]
    if unknown:
        raise RequestError(f"{run}/{MANIFEST}: shards should be {', '.join(FORMATS)}. Got {unknown[0].name} instead.")
    if run == folder:
        return listed
    _check_unmarked(folder)
    found = [path for suffix in list_suffixes() for path in folder.rglob(f"*{suffix}")]
    found = [path for path in found if not (path.parent / DESCRIPTION).exists() and path.name not in _NO_SHARDS]
    if found and scan_folder(folder).count:  # a table of labels may lie beside pictures
        found = [path for path in found if holds_images(path)]
        if found:
            raise RequestError(
                f"{folder}: should hold pictures, or files of images as {found[0].name}, and holds both: name one."
            )
    return found + [path for path in listed if path.is_relative_to(folder)]


def _check_unmarked(folder: Path) -> None:
    """Raise RequestError for the folder of a run that has no manifest yet, or never has one."""
    script = find_mark(folder)
    if script in ("generate_data.py", "augment.py balance"):
        raise RequestError(f"{folder} is an unfinished run of {script}: the same command again finishes it.")
    if script:
        raise RequestError(f"{folder} is a run of {script}, which makes no shards. Name one of generate_data.py.")


def check_shards(paths: list[Path], folder: Path) -> None:
    """Raise RequestError for a shard that is missing or whose bytes are not those that the run's manifest recorded."""
    expected = {folder / entry["file"]: entry["sha256"] for entry in load_manifest(folder)["shards"]}
    for path in paths:
        if not is_there(path) or not has_hash(path, expected.get(path, "")):
            state = "altered or truncated" if is_there(path) else "missing, whole or in part"
            raise RequestError(f"{path}: should be as {MANIFEST} recorded it, but is {state}: make the shards again.")


def _hash_texts(texts: Iterable[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()
