"""The options that say which images are the real ones, and which of them are used."""

from dataclasses import dataclass
from pathlib import Path

from common.command_line import parse_image_shape, parse_image_size, parse_number_or_text
from common.images import DEFAULT_FIT, FITS, MAX_SIDE, MIN_RESIZED
from common.options import option


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Which images are the real ones."""

    data: str | Path | None = option(
        None, "mnist, fashion_mnist, mnist5k, a file or a folder (default: found)", metavar="DATA"
    )
    test_data: str | Path | None = option(
        None,
        "labelled test set (--test-csv is what a submission is made for)",
        metavar="FILE",
    )
    label_column: str | None = option(
        None, "column of the labels, or folders: their names (default: found)", metavar="NAME"
    )
    groups: str | None = option(
        None,
        "column of a table, or of a CSV beside pictures: images with the same text there, as of one patient, stay "
        "together",
        metavar="NAME",
    )
    resplit: str | None = option(
        None,
        "percentages of train, validation and test, as 80/10/10, also of a set that brings its parts",
        metavar="A/B/C",
    )
    image_size: tuple[int, int] | None = option(
        None,
        "size to resize the images to (default: as they are)",
        parse=parse_image_size,
        minimum=MIN_RESIZED,
        maximum=MAX_SIDE,
        metavar="H[,W]",
    )
    image_shape: tuple[int, int, int] | None = option(
        None,
        "shape of the images in a CSV's rows, where they are not square",
        parse=parse_image_shape,
        minimum=1,
        maximum=MAX_SIDE,
        metavar="H,W,C",
    )
    fit: str | None = option(  # None: as a run has recorded it whose data are loaded again
        None,
        f"how images of other proportions are resized (default: {DEFAULT_FIT})",
        choices=FITS,
    )
    skip_unreadable: bool = option(False, "leave out pictures that can't be read")
    no_cache: bool = option(
        False,
        "decode a folder's pictures anew, though they are cached",
        setting=False,
    )


@dataclass(frozen=True, kw_only=True)
class ClassOptions(DataOptions):
    """Which classes of the real images are used."""

    classes: str | None = option(
        None, "names or numbers of the classes to keep, as 3,Sneaker (default: all)", metavar="NAMES"
    )


@dataclass(frozen=True, kw_only=True)
class SubsetOptions(ClassOptions):
    """Which of the real images are used."""

    real_per_class: str | int | None = option(
        None,
        "training images of each class, as 300 or Sneaker:100 (default: all)",
        parse=parse_number_or_text,
        metavar="N",
    )


@dataclass(frozen=True, kw_only=True)
class ScoringOptions:
    """What is done with images to score on that were trained on."""

    allow_leak: bool = option(False, "go on although images to score on were trained on; the results say so")
