"""The file of predictions that a competition takes."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from common.files import replacing
from real.kaggle_files import find_sample

_DEFAULT = ("ImageId", "Label")  # Digit Recognizer's


@dataclass(frozen=True)
class SubmissionForm:
    """The two columns of a submission, and for each line the identity that stands there and the image that it is of.

    note: what the user should know of it, or "". label_first: whether the identity stands in the second column.
    """

    columns: tuple[str, str]
    ids: tuple[str, ...]
    order: tuple[int, ...]
    note: str = ""
    label_first: bool = False


def plan_submission(
    unlabelled: str | Path, count: int, ids: Sequence[str] | None = None, id_name: str | None = None
) -> SubmissionForm:
    """Return the form of a submission for the `count` images of a table, or of a folder of pictures.

    Where an example of a submission lies beside it, its columns are taken, and its identities in their order if they
    are those of the images; a picture may be called by its path in the folder, its name, or its name without suffix.
    ids, id_name: what a column of the table, or their files, call the images. Without either they are counted from 1.
    """
    sample = find_sample(Path(unlabelled).parent)
    found = _load_sample(sample) if sample else None
    own = tuple(ids) if ids is not None else tuple(str(number) for number in range(1, count + 1))
    order = tuple(range(count))
    if not found:
        note = f"{sample} is no example of two columns: it is left aside" if sample else ""
        return SubmissionForm((id_name, "label") if id_name else _DEFAULT, own, order, note)
    columns, texts = found
    match = _match(texts, ids) if ids is not None else None
    if match:
        label_first, order = match
        return SubmissionForm(columns, texts[label_first], order, label_first=label_first)
    label_first = ids is None and len(set(texts[0])) < len(texts[0]) == len(set(texts[1]))
    sample_ids = texts[label_first]
    if ids is None and len(sample_ids) == count:
        return SubmissionForm(columns, sample_ids, order, label_first=label_first)
    others = f"names other images ({len(sample_ids):,}) than {unlabelled} has ({count:,})"
    return SubmissionForm(columns, own, order, f"{sample} {others}: only its columns count", label_first)


def _match(texts: tuple[tuple[str, ...], tuple[str, ...]], ids: Sequence[str]) -> tuple[bool, tuple[int, ...]] | None:
    """Return whether the second column of an example holds the identities, and the place of each of them in `ids`.

    None where neither column has all of `ids`, as they are, without the folders before them, or without suffix, too.
    """
    files = [PurePosixPath(name) for name in ids]
    for names in (ids, [file.name for file in files], [file.stem for file in files]):
        places = {name: place for place, name in enumerate(names)}
        for label_first in (False, True):
            wanted = texts[label_first]
            if len(places) == len(wanted) == len(ids) and places.keys() == set(wanted):
                return label_first, tuple(places[name] for name in wanted)
    return None


def save_submission(path: str | Path, labels: Sequence[object], form: SubmissionForm) -> None:
    """Write a submission. labels: one for each image, in the images' order."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(form.columns)
        step = -1 if form.label_first else 1
        writer.writerows((name, labels[place])[::step] for name, place in zip(form.ids, form.order, strict=True))


def _load_sample(path: Path) -> tuple[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] | None:
    """Return the names of the two columns of an example and their texts, or None where it is another kind of table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    if len(rows) < 2 or any(len(row) != 2 for row in rows):
        return None
    first, second = (name.strip() for name in rows[0])
    return (first, second), (tuple(row[0].strip() for row in rows[1:]), tuple(row[1].strip() for row in rows[1:]))
