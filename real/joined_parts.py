"""Bring the parts of a source together: one shape, the classes of its train part, and copies on one side."""

from dataclasses import replace

import numpy as np

from common.errors import RequestError
from common.folder_names import class_folders, fold_name
from real.labelled_images import LabelledImages, check_class_names
from real.split_names import PARTS
from real.splits import count_contradictions, count_copies, join_copies

_MAX_CLASSES = 10_000  # more are no classes, but a column of numbers that differ


def leave_out_foreign(name: str, source: LabelledImages) -> LabelledImages:
    """Return the source without images of its other parts whose classes its train part does not have."""
    known, notes = np.unique(source.labels), []
    kept = {"validation": source.validation, "test": source.test}
    for split, part in kept.items():
        if part is None:
            continue
        keep = np.isin(part.labels, known)
        if keep.all():
            continue
        values = np.unique(part.labels[~keep]).tolist()
        foreign = ", ".join((source.class_names or {}).get(value, str(value)) for value in values)[:80]
        notes.append(f"{name}: {np.sum(~keep):,} {split} images of classes that are not in train left out: {foreign}")
        kept[split] = part.select(keep) if keep.any() else None
    notes = [*source.notes, *notes]
    return replace(source, validation=kept["validation"], test=kept["test"], notes=tuple(notes))


def join_parts(name: str, source: LabelledImages) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images and labels of all parts, and the split that each is brought as: 0 is open."""
    parts = {0: source, 1: source.validation, 2: source.test}
    found = {split: part for split, part in parts.items() if part is not None}
    for split, part in found.items():
        if part.images.shape[1:] != source.images.shape[1:]:
            raise RequestError(
                f"{name}: {PARTS[split]} images should have the shape of the train images, {source.images.shape[1:]}. "
                f"Got {part.images.shape[1:]} instead."
            )
    brought = np.repeat(list(found), [len(part.labels) for part in found.values()])
    images, labels = ([getattr(part, field) for part in found.values()] for field in ("images", "labels"))
    return (images[0] if len(images) == 1 else np.concatenate(images)), np.concatenate(labels), brought


def gather_groups(source: LabelledImages, *, is_resplit: bool) -> np.ndarray:
    """Return the groups of the images of all parts, integers; RequestError where parts are split anew whose groups are
    not known."""
    parts = {"train": source, "validation": source.validation, "test": source.test}
    texts = []
    for name, part in parts.items():
        if part is None:
            continue
        if part.groups is None and is_resplit:
            raise RequestError(f"--resplit should have the column of --groups for all parts. The {name} part has none.")
        texts.append(np.full(len(part.labels), "") if part.groups is None else part.groups)
    return np.unique(np.concatenate(texts), return_inverse=True)[1]


def note_shared_groups(source: LabelledImages) -> tuple[str, ...]:
    """Return a line where groups of the source's own parts are among those to train on."""
    notes = []
    for name, part in (("validation", source.validation), ("test", source.test)):
        if part is not None and part.groups is not None and source.groups is not None:
            shared = np.intersect1d(part.groups, source.groups)
            notes += [f"groups of the source's {name} part that are in train, too: {len(shared):,}"] * bool(len(shared))
    return tuple(notes)


def name_classes(name: str, label_values: tuple[int, ...], known_names: dict[int, str]) -> tuple[str, ...]:
    """Return the name of each class, which is its label where the source `name` has none."""
    if len(label_values) > _MAX_CLASSES:
        raise RequestError(f"{name}: should have at most {_MAX_CLASSES:,} classes. Got {len(label_values):,} instead.")
    class_names = tuple(known_names.get(value, str(value)) for value in label_values)
    check_class_names(class_names, name)  # a label may be the name of another class
    return class_names


def note_similar_names(class_names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a line for each group of class names that differ by case or Unicode form alone."""
    folders = class_folders(class_names)
    groups: dict[str, list[str]] = {}
    for name in class_names:
        groups.setdefault(fold_name(name), []).append(name)
    return tuple(
        f"classes {', '.join(map(ascii, names))} differ by case or Unicode form alone: each is a class of its own, "
        f"with the folders {', '.join(folders[name] for name in names)}"
        for names in groups.values()
        if len(names) > 1
    )


def bring_copies_together(hashes: np.ndarray, labels: np.ndarray, split: np.ndarray, brought: np.ndarray) -> list[str]:
    """Bring equal images into the same part, in place, where the source has not put them into one; return what to say.

    hashes: of the images [N]. labels: class indices [N]. split: their parts. brought: those that the source says.
    """
    copies, contradicted = count_copies(hashes), count_contradictions(hashes, labels)
    moved = join_copies(split, hashes, brought == 0)
    across = np.isin(hashes[split == 2], hashes[split != 2]).sum()
    notes = [f"exact copies of other images: {copies:,}"] if copies else []
    notes += [f"warning: images that are there with two labels: {contradicted:,}"] if contradicted else []
    notes += [f"moved to the part of the first, so that copies are on one side: {moved:,}"] if moved else []
    notes += [f"images of the source's test part that are in its other parts, too: {across:,}"] if across else []
    return ["; ".join(notes)] if notes else []
