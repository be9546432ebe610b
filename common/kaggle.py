"""Where Kaggle is, and where it lets a run write."""

import os
from pathlib import Path

KAGGLE_ROOT = Path(os.environ.get("KAGGLE_ROOT", "/kaggle"))  # set it to rehearse elsewhere what runs on Kaggle


def default_out(name: str = "synthetic", root: str | Path = KAGGLE_ROOT) -> Path:
    """Return the default output folder: `root`/working/`name` on Kaggle, else ./`name`."""
    working = Path(root) / "working"
    return working / name if os.access(working, os.W_OK) else Path(name)
