"""The two sides that are compared: synthetic images, and real ones that no GAN was trained on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.errors import RequestError
from real.datasets import Dataset, Labelled
from real.leakage import find_leaks
from synth.matched_sources import MatchedSources, index_matched, keep_classes, merge_classes
from synth.runs import Run
from synth.sources import Source, count_rows

ALL_IMAGES = "all images"  # in place of a class's name
_MIN_IMAGES = 2  # of a class on each side: one has no variance
_SHOWN = 10  # classes in a message


@dataclass(frozen=True)
class Sides:
    """The sources of each run, {name: list of Source}, real images to compare with, and others for the floor."""

    sources: dict[str, list[Source]]
    real: Labelled
    floor: Labelled

    def count_synthetic(self, limit: int | None = None) -> int:
        """Return the number of images of all runs, or of at most `limit` of each."""
        counts = [sum(count_rows(found).values()) for found in self.sources.values()]
        return sum(count if limit is None else min(count, limit) for count in counts)


@dataclass(frozen=True)
class Compared:
    """What is compared: the sides, the classes {class index: name}, and a line each on what the user should know.

    classless: why there are no classes, and all images are of one that is called ALL_IMAGES; None where there are.
    """

    sides: Sides
    classes: dict[int, str]
    notes: tuple[str, ...] = ()
    classless: str | None = None


@dataclass(frozen=True)
class Leaks:
    """How many of so many real images a GAN was trained on; allowed: they were kept nevertheless, else left out."""

    images: int
    leaked: int
    allowed: bool

    @property
    def spoil(self) -> bool:
        """Whether images that were trained on are among those that are compared with."""
        return self.allowed and self.leaked > 0


def index_sources(runs: dict[str, Run], dataset: Dataset, known_values: Sequence[int]) -> dict[str, MatchedSources]:
    """Return {name: MatchedSources} of {name: synth.runs.Run}, of the classes of the data set.

    known_values: all label values of the data, of which real.datasets.Dataset may have some classes alone. Raises
    RequestError for other labels, and for images that can't be read.
    """
    skip = tuple(np.setdiff1d(known_values, dataset.label_values))
    sources = {}
    for name, opened in runs.items():
        others = tuple(key for key in opened.classes if isinstance(key, str)) if skip else ()  # a folder's classes
        sources[name] = index_matched(
            opened.paths,
            dataset.image_shape,
            dataset.label_values,
            skip=(*skip, *others),
            class_names=dataset.class_names,
        )
    return sources


def choose_compared(
    indexed: dict[str, MatchedSources], real: Labelled, floor: Labelled, class_names: Sequence[str]
) -> Compared:
    """Return what is compared of runs, real images and the floor: the classes that all have, or all images together.

    All together where a run has no classes. Raises RequestError where nothing is left.
    """
    notes = [f"note: {name}: {note}." for name, found in indexed.items() for note in found.notes]
    sources = {name: found.sources for name, found in indexed.items()}
    classless = [name for name, found in indexed.items() if found.classless]
    if classless:
        sides = _merge_all(sources, real, floor)
        _find_compared(sides, {0: ALL_IMAGES})
        more = ", and so are those of the other runs" if len(indexed) > len(classless) else ""
        reason = (
            f"{', '.join(classless)}: no class folders, no table and no names give its pictures classes, so all images "
            f"are compared together{more}; nothing is said of single classes"
        )
        return Compared(sides, {0: ALL_IMAGES}, tuple(notes), reason)
    sides = Sides(sources, real, floor)
    classes, lacking = _find_compared(sides, dict(enumerate(class_names)))
    if lacking:
        shown = ", ".join(lacking[:_SHOWN]) + (f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else "")
        notes.append(f"warning: left out, as each side needs {_MIN_IMAGES} images of a class: {shown}.")
        sides = Sides(
            {name: keep_classes(found, classes) for name, found in sources.items()},
            _keep(real, list(classes)),
            _keep(floor, list(classes)),
        )
    return Compared(sides, classes, tuple(notes))


def _find_compared(sides: Sides, classes: dict[int, str]) -> tuple[dict[int, str], list[str]]:
    """Return those of {class index: name} that every side has enough images of, and what the others lack.

    Raises RequestError where there are none.
    """
    counts = {name: count_rows(found) for name, found in sides.sources.items()}
    counts["the real images to compare with"] = Counter(sides.real[1].tolist())
    counts["the real images for the floor"] = Counter(sides.floor[1].tolist())
    kept, lacking = {}, []
    for k, class_name in classes.items():
        least = min(counts, key=lambda side: counts[side].get(k, 0))
        if counts[least].get(k, 0) < _MIN_IMAGES:
            lacking.append(f"{class_name} ({counts[least].get(k, 0)} in {least})")
        else:
            kept[k] = class_name
    if not kept:
        raise RequestError(
            f"each side should have at least {_MIN_IMAGES} images of a class, and so of one class at least. "
            f"Got {', '.join(lacking[:_SHOWN])}: more images are needed, or other runs."
        )
    return kept, lacking


def _merge_all(sources: dict[str, list[Source]], real: Labelled, floor: Labelled) -> Sides:
    """Return the sides with all images in one class."""
    merged = {name: merge_classes(found) for name, found in sources.items()}
    return Sides(merged, *((images, np.zeros_like(labels)) for images, labels in (real, floor)))


def _keep(part: Labelled, kept: Sequence[int]) -> Labelled:
    images, labels = part
    keep = np.isin(labels, kept)
    return images[keep], labels[keep]


def take_unknown(part: Labelled, runs: dict[str, Run], *, allow: bool, source: str) -> tuple[Labelled, Leaks]:
    """Return (images, labels) of `part` that no run's GAN was trained on, and how many were left out.

    Raises RequestError as real.leakage.find_leaks does. allow: keep them all.
    """
    images, labels = part
    leaked = np.zeros(len(labels), bool)
    for opened in runs.values():
        if opened.hashes is not None:
            leaked |= find_leaks(images, opened.hashes, allow=allow, source=source)
    keep = ~leaked | allow
    return (images[keep], labels[keep]), Leaks(len(labels), int(leaked.sum()), allow)
