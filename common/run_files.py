"""Read a run's own arrays and tables, whatever state they are in."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common.errors import RequestError, describe_cause
from common.run_folder import HISTORY

_HISTORY_NUMBERS = dict.fromkeys(("seconds", "discriminator_loss", "generator_loss", "frechet"), float)


def load_array(path: str | Path) -> np.ndarray:
    """Read an .npy; it is never unpickled. RequestError names the file that can't be read."""
    return _load_numpy(path, "NumPy file (.npy)", np.ndarray, lambda stored: stored)


def load_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read an .npz as {name: array}; it is never unpickled. RequestError names the file that can't be read."""
    return _load_numpy(path, "NumPy archive (.npz)", np.lib.npyio.NpzFile, dict)


def _load_numpy(path: str | Path, kind: str, stored_type: type, take: Callable[[Any], Any]) -> Any:
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("error")  # what NumPy only warns of is no file of this project either
            stored = np.load(file, allow_pickle=False)
            if not isinstance(stored, stored_type):
                raise TypeError("it is another kind of file")
            return take(stored)
    except Exception as error:  # whatever zipfile, zlib, tokenize and NumPy raise on a damaged file
        raise RequestError(f"{path}: should be a readable {kind}. {describe_cause(error)}") from error


def load_csv(path: str | Path, columns: dict[str, type | None]) -> pd.DataFrame:
    """Read a CSV that has at least these columns, {name: str, int, float or None (any)}; a float may be missing.

    RequestError names the file and what is wrong.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # rows of other lengths
            table = pd.read_csv(path, index_col=False, dtype={name: dtype for name, dtype in columns.items() if dtype})
    except (ValueError, OverflowError, MemoryError, OSError, Warning) as error:
        raise RequestError(f"{path}: should be a CSV table. {describe_cause(error)}") from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise RequestError(f"{path}: should have the columns {', '.join(columns)}. It lacks {', '.join(missing)}.")
    empty = [name for name, dtype in columns.items() if dtype is str and table[name].isna().any()]
    if empty:
        raise RequestError(f"{path}: should have a text in each row of {empty[0]}. One has none.")
    return table


def load_histories(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the history.csv of every GAN below a model folder, {sub-folder, or "" for the folder itself: DataFrame}."""
    paths = sorted(folder.rglob(HISTORY))
    return {"/".join(path.parent.relative_to(folder).parts): _load_history(path) for path in paths}


def _load_history(path: Path) -> pd.DataFrame:
    history = load_csv(path, {"step": int, **_HISTORY_NUMBERS})
    if history.empty or not np.isfinite(history[list(_HISTORY_NUMBERS)]).all(axis=None):
        raise RequestError(f"{path}: should have rows of finite numbers, one for each round of the training.")
    return history
