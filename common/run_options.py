"""The options of every run: where it writes, its seed, and how many processes share the work."""

from dataclasses import dataclass
from pathlib import Path

from common.kaggle import default_out
from common.options import option


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
