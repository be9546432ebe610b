"""The two sides that are compared: synthetic images, and real ones that no GAN was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth.datasets import Dataset
from synth.errors import RequestError
from synth.leakage import find_leaks
from synth.sources import Run, Source, count_rows, index_shards

LabelledImages = tuple[np.ndarray, np.ndarray]  # images uint8 [n, H, W, C], class indices [n]


@dataclass(frozen=True)
class Sides:
    """The sources of each run, {name: list of Source}, and real images to compare with, and as many for the floor."""

    sources: dict[str, list[Source]]
    real: LabelledImages
    floor: LabelledImages

    def count_synthetic(self) -> int:
        """Return the number of images of all runs."""
        return sum(sum(count_rows(found).values()) for found in self.sources.values())


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


def index_sources(runs: dict[str, Run], dataset: Dataset, known_values: Sequence[int]) -> dict[str, list[Source]]:
    """Return {name: list of synth.sources.Source} of {name: synth.sources.Run}, of the classes of the data set.

    known_values: all label values of the data, of which synth.datasets.Dataset may have some classes alone. Raises
    RequestError for other shapes or labels, and for a class with less than 2 images.
    """
    skip = tuple(np.setdiff1d(known_values, dataset.label_values))
    sources = {}
    for name, opened in runs.items():
        others = tuple(key for key in opened.classes if isinstance(key, str)) if skip else ()  # a folder's classes
        sources[name] = index_shards(
            opened.paths,
            dataset.image_shape,
            dataset.label_values,
            skip=(*skip, *others),
            class_names=dataset.class_names,
        )
        counts = count_rows(sources[name])
        scarce = [class_name for k, class_name in enumerate(dataset.class_names) if counts.get(k, 0) < 2]
        if scarce:
            raise RequestError(
                f"{name} should have at least 2 images of each class of {dataset.name}. It lacks {', '.join(scarce)}: "
                "--classes names those to compare."
            )
    return sources


def take_unknown(
    part: LabelledImages, runs: dict[str, Run], *, allow: bool, source: str
) -> tuple[LabelledImages, Leaks]:
    """Return (images, labels) of `part` that no run's GAN was trained on, and how many were left out.

    Raises RequestError if more than 1 % were. allow: keep them all.
    """
    images, labels = part
    leaked = np.zeros(len(labels), bool)
    for opened in runs.values():
        if opened.hashes is not None:
            leaked |= find_leaks(images, opened.hashes, allow=allow, source=source)
    keep = ~leaked | allow
    return (images[keep], labels[keep]), Leaks(len(labels), int(leaked.sum()), allow)


def check_counts(real: LabelledImages, floor: LabelledImages, class_names: Sequence[str]) -> None:
    """Raise RequestError for a class with fewer than 2 images among the (images, labels) of one of the two."""
    for what, (_, labels) in (("to compare with", real), ("for the floor", floor)):
        counts = np.bincount(labels, minlength=len(class_names))
        if counts.min() < 2:
            raise RequestError(
                f"each class should have at least 2 real images {what}. "
                f"Got {counts.min()} of {class_names[int(counts.argmin())]}: more real images are needed."
            )
