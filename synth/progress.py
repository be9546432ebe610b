"""Progress bars: on a terminal and in a notebook, nowhere else."""

import sys
from typing import Any

from tqdm import tqdm


def open_bar(*, quiet: bool = False, **options: Any) -> tqdm:
    """Return a tqdm bar that shows rate and time left, or nothing where nobody looks (or with `quiet`)."""
    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(disable=quiet or not watched, **options)
