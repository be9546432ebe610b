"""The options of synthetic images: how many, which of them are kept, and how they are written."""

import os
from dataclasses import dataclass

from common.options import option
from synth.filters import FILTERS
from synth.shard_formats import CHOICES


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
