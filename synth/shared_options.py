"""The options that several scripts have: data, filter, shards, run, work."""

import os
from dataclasses import dataclass
from pathlib import Path

from synth.command_line import parse_image_shape, parse_image_size, parse_number_or_text
from synth.filters import FILTERS
from synth.images import DEFAULT_FIT, FITS
from synth.kaggle import default_out
from synth.options import option
from synth.shard_formats import CHOICES


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
        None, "column of a table: images with the same text there, as of one patient, stay together", metavar="NAME"
    )
    resplit: str | None = option(
        None,
        "percentages of train, validation and test, as 80/10/10, also of a set that brings its parts",
        metavar="A/B/C",
    )
    image_size: tuple[int, int] | None = option(
        None, "size to resize the images to (default: as they are)", parse=parse_image_size, metavar="H[,W]"
    )
    image_shape: tuple[int, int, int] | None = option(
        None, "shape of the images in a CSV's rows, where they are not square", parse=parse_image_shape, metavar="H,W,C"
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
class FilterOptions:
    """Which of a GAN's images are kept, and how various they are."""

    filter: str = option(
        "auto",
        "what rejects images; auto: the classifier, or the discriminator for one class alone or one of under 10 train "
        "images; ranked: all but the best of each shard, by the discriminator",
        choices=FILTERS,
    )
    keep: float = option(
        0.9,
        "fraction of the images that the discriminator accepts (filters discriminator, both, ranked)",
        above=0,
        maximum=1,
        metavar="F",
    )
    min_probability: float = option(
        0.5,
        "smallest probability of its class that the filter network accepts (filters classifier, both)",
        minimum=0,
        below=1,
        metavar="P",
    )
    duplicate_distance: float = option(
        4.0,
        "distance up to which two images count as the same, in grey levels (root mean square); 0: off",
        minimum=0,
        below=256,
        metavar="D",
    )
    latent_std: float = option(
        1.0,
        "draw the standard deviation of each latent from 1 up to S: more variety, more to reject",
        minimum=1,
        maximum=3,
        metavar="S",
    )


@dataclass(frozen=True, kw_only=True)
class ShardOptions:
    """How images are written."""

    format: str = option("npz", "file format of the images; both: npz and csv", choices=CHOICES)
    shard_size: int = option(5000, "images per shard", minimum=1, metavar="N")


@dataclass(frozen=True, kw_only=True)
class SamplingOptions(FilterOptions, ShardOptions):
    """Which images a GAN makes, which of them are kept, and how they are written."""

    class_size: str | int = option(
        lambda: os.environ.get("CLASS_SIZE", "1000"),
        "images per class, as 500 or 0:500,Sneaker:200; the environment variable CLASS_SIZE sets it, too",
        metavar="N",
    )


@dataclass(frozen=True, kw_only=True)
class ScoringOptions:
    """What is done with images to score on that were trained on."""

    allow_leak: bool = option(False, "go on although images to score on were trained on; the results say so")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What every script is told of its run."""

    out: str | Path = option(default_out, "output folder", metavar="DIR", setting=False)
    seed: int = option(0, "seed of everything random", minimum=0, below=2**31, metavar="N")
    overwrite: bool = option(False, "replace a run with other options", setting=False)
    dry_run: bool = option(False, "print the plan and stop", setting=False)
    quiet: bool = option(False, "print errors alone", setting=False)


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """How many processes share the work, where, and in how many threads each; none of it makes it another run."""

    workers: int | None = option(
        None,
        "processes that share the work (default: this one; with --cluster all there is room for)",
        minimum=1,
        metavar="N",
        setting=False,
    )
    cluster: str | None = option(
        None,
        "Ray cluster to share it with; auto: the one that runs here",
        metavar="HOST:PORT",
        setting=False,
    )
    threads: int | None = option(
        None,
        "threads of each process (default: those that the run was begun with, or all cores)",
        minimum=1,
        maximum=1024,
        metavar="T",
        setting=False,
    )
    gpus: int | None = option(
        None,
        "GPUs that share a GAN's training (default: at most one)",
        minimum=1,
        metavar="N",
        setting=False,
    )

    @property
    def is_shared(self) -> bool:
        """Whether other processes do the work."""
        return self.cluster is not None or (self.workers or 1) > 1


@dataclass(frozen=True, kw_only=True)
class RepeatOptions(RunOptions):
    """The same, where a run is repeated with several seeds."""

    seeds: int = option(3, "number of seeds to repeat with, from --seed on", minimum=1, metavar="N")
