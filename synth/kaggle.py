"""Where Kaggle mounts things."""

import os
from collections.abc import Iterable
from pathlib import Path

from synth.files import replacing

KAGGLE_ROOT = Path(os.environ.get("KAGGLE_ROOT", "/kaggle"))  # set it to rehearse elsewhere what runs on Kaggle
_DIGIT_RECOGNIZER_FOLDERS = (
    "competitions/digit-recognizer",  # notebooks of today
    "digit-recognizer",  # older notebooks
)


def find_train_csv(root: str | Path = KAGGLE_ROOT) -> Path | None:
    """Return the path of a mounted train.csv in Digit Recognizer's layout, or None.

    Looks in the competition's own mount points, then in every other folder under `root`/input.
    """
    mounts = Path(root) / "input"
    candidates = [mounts / folder / "train.csv" for folder in _DIGIT_RECOGNIZER_FOLDERS]
    candidates += sorted(mounts.rglob("train.csv")) if mounts.is_dir() else []
    return next((path for path in candidates if _starts_with(path, "label,pixel0,")), None)


def find_test_csv(train_csv: str | Path) -> Path | None:
    """Return the path of the test.csv beside a train.csv, in Digit Recognizer's layout, or None."""
    path = Path(train_csv).parent / "test.csv"
    return path if Path(train_csv).name == "train.csv" and _starts_with(path, "pixel0,") else None


def default_out(name: str = "synthetic", root: str | Path = KAGGLE_ROOT) -> Path:
    """Return the default output folder: `root`/working/`name` on Kaggle, else ./`name`."""
    working = Path(root) / "working"
    return working / name if os.access(working, os.W_OK) else Path(name)


def save_submission(path: str | Path, label_values: Iterable[int]) -> None:
    """Write a submission: `ImageId,Label`, ImageId from 1."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("ImageId,Label\n")
        file.writelines(f"{index},{value}\n" for index, value in enumerate(label_values, start=1))


def _starts_with(path: Path, columns: str) -> bool:
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(64).startswith(columns)
