"""Where the user's cache folder is."""

import os
from pathlib import Path

from common.files import PROGRAM
from common.kaggle import KAGGLE_ROOT


def find_cache_folder(name: str) -> Path | None:
    """Return the cache folder of this name, which may not be there yet; None on Kaggle, where a session has none."""
    if os.access(KAGGLE_ROOT / "working", os.W_OK):
        return None
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / PROGRAM / name
    except RuntimeError:  # there is no home
        return None
