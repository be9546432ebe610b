"""Which part of a set each image is of, where a column of texts says so."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from real.labelled_images import LabelledImages
from real.split_names import PARTS, find_splits

SPLIT_NAMES = ("usage", "split", "subset", "set", "data_set", "partition")  # of such a column
_WORDS = {"publictest": "validation", "privatetest": "test"}  # FER2013's


def find_parts(texts: Collection[str]) -> dict[str, str | None]:
    """Return {text: "train", "validation" or "test" as it says beside the others, or None}."""
    return {text: _WORDS.get(text.strip().casefold()) or part for text, part in find_splits(texts).items()}


def divide(source: LabelledImages, texts: Sequence[str]) -> LabelledImages | str:
    """Return the images that are to train on, with the other parts that the texts [N] say, or what is wrong of them."""
    meanings = find_parts(set(texts))
    unknown = sorted(text for text, part in meanings.items() if part is None)
    if unknown or "train" not in meanings.values():
        return f"{unknown[0]!r:.60}" if unknown else "no train"
    parts = np.array([meanings[text] for text in texts])
    found = {part: source.select(parts == part) for part in PARTS}
    others = {
        part: LabelledImages(own.images, own.labels, synthetic=own.synthetic, groups=own.groups)
        if len(own.labels)
        else None
        for part, own in found.items()
    }
    return replace(found["train"], validation=others["validation"], test=others["test"])


def divide_if_said(source: LabelledImages, texts: Sequence[object], column: str) -> LabelledImages:
    """As divide, where the texts of `column` are understood; the notes say whether they are."""
    divided = divide(source, list(map(str, texts)))
    if isinstance(divided, str):
        note = f"{column} should say train, validation or test, and has {divided}: it is not read"
        return replace(source, notes=(*source.notes, note))
    return replace(divided, notes=(*source.notes, f"{column} says the parts"))
