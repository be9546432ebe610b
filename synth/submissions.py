"""The file of predictions that a competition takes."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synth.files import replacing
from synth.kaggle import find_sample

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
    test_csv: str | Path, count: int, ids: Sequence[str] | None = None, id_name: str | None = None
) -> SubmissionForm:
    """Return the form of a submission for the `count` images of a file.

    Where an example of a submission lies beside the file, its columns are taken, and its identities in their order if
    they are those of the images. ids, id_name: what a column of the file calls the images. Without either they are
    counted from 1.
    """
    sample = find_sample(Path(test_csv).parent)
    found = _load_sample(sample) if sample else None
    own = tuple(ids) if ids is not None else tuple(str(number) for number in range(1, count + 1))
    order = tuple(range(count))
    if not found:
        note = f"{sample} is no example of two columns: it is left aside" if sample else ""
        return SubmissionForm((id_name, "label") if id_name else _DEFAULT, own, order, note)
    columns, texts = found
    label_first = _is_label_first(texts, ids)
    sample_ids = texts[label_first]
    if ids is None and len(sample_ids) == count:
        return SubmissionForm(columns, sample_ids, order, label_first=label_first)
    places = {name: place for place, name in enumerate(own)}
    if len(places) == count and len(sample_ids) == count and set(sample_ids) == set(own):
        order = tuple(places[name] for name in sample_ids)
        return SubmissionForm(columns, sample_ids, order, label_first=label_first)
    note = f"{sample} names other images ({len(sample_ids):,}) than {test_csv} has ({count:,}): only its columns count"
    return SubmissionForm(columns, own, order, note, label_first)


def _is_label_first(texts: tuple[tuple[str, ...], tuple[str, ...]], ids: Sequence[str] | None) -> bool:
    """Whether the second column of an example holds the identities: those of the images, or texts that all differ where
    the first has some twice."""
    if ids is not None:
        return set(texts[1]) == set(ids) != set(texts[0])
    return len(set(texts[0])) < len(texts[0]) == len(set(texts[1]))


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
