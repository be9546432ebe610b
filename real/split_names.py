"""Which part of a data set a folder's name says that it is, in all the spellings that people have for it."""

import re
from collections.abc import Iterable

from common.folder_names import fold_name

PARTS = ("train", "validation", "test")
SPLIT_WORDS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
# words that say nothing, beside the others or alone: train_images, trainingSet, part_1
_FILLERS = (
    "dataset", "datasets", "data", "sets", "set", "images", "image", "imgs", "img", "pictures", "picture", "photos",
    "folder", "samples", "split", "full", "parts", "part", "batch", "png", "jpg", "jpeg",
)  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_A-Za-z]+")


def find_split(name: str) -> tuple[str | None, bool]:
    """Return ("train", "validation", "test" or None, whether the name says nothing else).

    "Training", "train_images", "testSet" and "test1" say nothing else, "seg_train" does.
    """
    words = _list_words(name)
    for word in words[:1] + words[-1:]:
        if word in SPLIT_WORDS:
            return SPLIT_WORDS[word], len(words) == 1
    return None, False


def find_splits(names: Iterable[str]) -> dict[str, str | None]:
    """Return {name: its part} of names that stand together: beside "test", "eval" is validation."""
    parts = {name: find_split(name)[0] for name in names}
    tests = [name for name, part in parts.items() if part == "test"]
    evaluated = [name for name in tests if any(word.startswith("eval") for word in _list_words(name))]
    if 0 < len(evaluated) < len(tests) and "validation" not in parts.values():
        parts |= dict.fromkeys(evaluated, "validation")
    return parts


def says_several(name: str) -> bool:
    """Whether a name says two parts, as "train_val"."""
    return len({SPLIT_WORDS[word] for word in _list_words(name) if word in SPLIT_WORDS}) > 1


def fold_class(name: str) -> str:
    """Return what two names of a class have in common that differ by case, Unicode form or leading zeros alone."""
    return str(int(name)) if name.isascii() and name.isdigit() else fold_name(name)


def is_filler(name: str) -> bool:
    """Whether a folder's name can't be that of a class: "images", "part_1"."""
    return not _list_words(name) and bool(_WORD.search(name))


def share_stem(names: list[str]) -> bool:
    """Whether names say that they are numbered pieces of one thing: "HAM10000_images_part_1" and "..._2"."""
    stems = {re.sub(r"\d+$", "", name).rstrip("-_. ").casefold() for name in names}
    return len(stems) == 1 and any(word in _FILLERS for word in _cut_words(stems.pop()))


def _list_words(name: str) -> list[str]:
    """Return the words of a name in lower case, without fillers, also where they are grown together: "trainset"."""
    words = []
    for word in _cut_words(name):
        endings = [filler for filler in _FILLERS if word.removesuffix(filler) in SPLIT_WORDS]
        words.append(word.removesuffix(endings[0]) if endings else word)
    return [word for word in words if word not in _FILLERS]


def _cut_words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]
