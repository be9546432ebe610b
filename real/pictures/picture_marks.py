"""The list of a run's pictures, images/metadata.csv, and which of them it marks as synthetic."""

import csv
from collections import Counter
from pathlib import Path

from common.run_folder import METADATA, PICTURES


def count_marks(folder: Path) -> Counter[str]:
    """Return how many pictures a folder's metadata.csv marks as synthetic ("1") and real ("0"), or its parent's.

    Also of a run's folder, and none where there is no such file or it has no such column.
    """
    places = (folder / METADATA, folder / PICTURES / METADATA, folder.absolute().parent / METADATA)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return Counter()
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            return Counter(row.get("synthetic") or "" for row in csv.DictReader(file))
    except csv.Error:  # another program's
        return Counter()
