"""Where Kaggle mounts things."""

import os
from pathlib import Path

KAGGLE_ROOT = Path("/kaggle")
_DIGIT_RECOGNIZER_FOLDERS = (
    "competitions/digit-recognizer",  # notebooks of today
    "digit-recognizer",  # older notebooks
)


def find_train_csv(root=KAGGLE_ROOT):
    """Return the path of a mounted train.csv in Digit Recognizer's layout, or None.

    Looks in the competition's own mount points, then in every other folder under `root`/input.
    """
    mounts = Path(root) / "input"
    candidates = [mounts / folder / "train.csv" for folder in _DIGIT_RECOGNIZER_FOLDERS]
    candidates += sorted(mounts.rglob("train.csv")) if mounts.is_dir() else []
    return next((path for path in candidates if _is_label_pixel_csv(path)), None)


def default_out(root=KAGGLE_ROOT):
    """Return the default output folder: `root`/working/synthetic on Kaggle, else ./synthetic."""
    working = Path(root) / "working"
    return working / "synthetic" if os.access(working, os.W_OK) else Path("synthetic")


def _is_label_pixel_csv(path):
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(64).startswith("label,pixel0,")
