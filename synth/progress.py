"""Progress bars: on a terminal and in a notebook, nowhere else."""

import sys

from tqdm import tqdm


def open_bar(*, quiet=False, **options):
    """Return a tqdm bar that shows rate and time left, or nothing where nobody looks (or with `quiet`)."""
    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(disable=quiet or not watched, **options)
