"""The files that Kaggle mounts."""

import os
import re
from pathlib import Path

from common.kaggle import KAGGLE_ROOT
from real.columns import has_pixel_names, is_label_name

_DIGIT_RECOGNIZER_FOLDERS = (
    "competitions/digit-recognizer",  # notebooks of today
    "digit-recognizer",  # older notebooks
)
_MAX_HEADER = 2**20  # characters


def find_train_csv(root: str | Path = KAGGLE_ROOT) -> Path | None:
    """Return the path of a mounted train.csv of labelled images, one a row, or None.

    Digit Recognizer's comes first, at its own mount points; then any under `root`/input that has a test.csv and a
    sample submission beside it, as competitions have; then any other.
    """
    mounts = Path(root) / "input"
    candidates = [mounts / folder / "train.csv" for folder in _DIGIT_RECOGNIZER_FOLDERS]
    others = sorted(mounts.rglob("train.csv")) if mounts.is_dir() else []
    candidates += sorted(others, key=lambda path: not _is_competition(path))  # a stable order
    return next((path for path in candidates if _holds_images(path, labelled=True)), None)


def find_test_csv(train_csv: str | Path) -> Path | None:
    """Return the path of the test.csv beside a train.csv, if it holds images without labels, or None."""
    path = Path(train_csv).parent / "test.csv"
    return path if Path(train_csv).name == "train.csv" and _holds_images(path, labelled=False) else None


def find_sample(folder: Path) -> Path | None:
    """Return the path of a competition's example of a submission in a folder, or None."""
    names = sorted(os.listdir(folder)) if folder.is_dir() else []
    wanted = "samplesubmission.csv"
    return next((folder / name for name in names if name.lower().replace("_", "") == wanted), None)


def _is_competition(train_csv: Path) -> bool:
    return (train_csv.parent / "test.csv").is_file() and find_sample(train_csv.parent) is not None


def _holds_images(path: Path, *, labelled: bool) -> bool:
    """Tell by its first line whether a table holds images, with or without labels."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        names = file.readline(_MAX_HEADER).replace('"', "").strip().split(",")
    return has_pixel_names(names) and any(map(is_label_name, names)) == labelled


def is_form(name: str) -> bool:
    """Tell by its name whether a table is an example of a submission, whose labels say nothing."""
    return bool(re.search(r"submi|sample_?sub", name.lower()))
