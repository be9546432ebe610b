"""Load the real data that a script's options name."""

from dataclasses import asdict

import numpy as np

from common.command_line import print_lines
from common.errors import RequestError
from common.run_options import RunOptions
from models.startup import download_standard_set
from real.data_options import DataOptions
from real.datasets import Dataset, load_dataset
from real.near_copies import find_near_copies
from real.requests import check_request, complete_request
from real.standard_sets import NAMED_SETS


def load_data(
    data: DataOptions,
    run: RunOptions,
    inherited: dict | None = None,
    fingerprint: str | None = None,
) -> Dataset:
    """Load the data set that the options name, or else, without `data.data`, as the arguments `inherited` say.

    fingerprint: of the inherited data; RequestError where others are found in their place, and where there are none.
    """
    given = {name: value for name, value in asdict(data).items() if value is not None and value is not False}
    inherited = complete_request(inherited) if inherited and data.data is None else {}
    if inherited:
        check_request(inherited)
    how = {"seed": run.seed, **inherited, **given}
    how |= {"seed": run.seed} if "real_per_class" in given else {}  # it draws them
    dataset = load_dataset(**how, quiet=run.quiet, download=download_standard_set)
    alike = {"real_per_class", "groups", "resplit", "no_cache"}  # the fingerprint is that of all images, in any part
    if inherited and fingerprint not in (None, dataset.fingerprint) and not set(given) - alike:
        raise RequestError(
            f"{dataset.name} should be the data that the run was made from ({str(fingerprint)[:12]}). "
            f"It has changed ({dataset.fingerprint[:12]}): name the right ones with --data."
        )
    print_lines((f"note: {note}" for note in dataset.notes), run.quiet)
    return dataset


def hint_at_data(dataset: Dataset) -> str:
    """Return what a plan says of data that nobody named."""
    missing = "MNIST could not be downloaded" if dataset.name == "mnist5k" else "found by itself"
    return f" ({missing}: --data names another set)"


def note_near_copies(dataset: Dataset, quiet: bool) -> None:
    """Say how many held-out images look like train images, unless the set is known and `quiet` asks for nothing."""
    if quiet or dataset.name in NAMED_SETS:
        return
    held_out = np.concatenate([dataset.validation, dataset.test])
    near = find_near_copies(dataset.images[held_out], dataset.part("train")[0])
    counts = {"validation": near[: len(dataset.validation)], "test": near[len(dataset.validation) :]}
    lines = [
        f"note: {part.sum():,} of {len(part):,} {split} images look like a train image, resized, compressed or "
        "mirrored: if they are, scores on them are too good (--groups keeps together what belongs together)"
        for split, part in counts.items()
        if part.any()
    ]
    print_lines(lines, quiet)
