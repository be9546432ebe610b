"""Which column of a table holds the label, which an identity, which the pixels."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import isqrt

from common.errors import RequestError
from real.labelled_images import SYNTHETIC, parse_label
from real.said_parts import SPLIT_NAMES

LABEL_NAMES = (
    "label", "labels", "class", "classes", "target", "targets", "y", "digit", "digits", "category", "emotion", "letter",
    "character", "symbol", "class_label", "label_id", "class_id", "class_name", "label_name",
)  # fmt: skip
ID_NAMES = (
    "id", "ids", "imageid", "image_id", "index", "idx", "row", "rowid", "row_id", "row_names", "rownames",
    "image", "image_name", "file", "filename", "file_name", "name", "path",
)  # fmt: skip
_PACKED_NAMES = ("pixels", "pixel_values")
_PIXEL = re.compile(r"(pixels?|pix|px|p)?[ _.-]?\d+([ _.x-]\d+){0,2}")
_PART = re.compile(r"[^\W\d_]+|\d+")  # of a name: a word or a number
_WITH_ALPHA = {"r": 0, "red": 0, "g": 1, "green": 1, "b": 2, "blue": 2, "a": 3, "alpha": 3}
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_GAP = 8  # as between 3 and 8, where these two classes were picked
_MANY = 128  # different values, which labels seldom are and a pixel of many images often is
_FEWEST = 3  # columns that make a pattern
_FEWEST_PIXELS, _SURELY_PIXELS = 10, 64  # columns of numbered names


@dataclass(frozen=True)
class Columns:
    """Positions of the columns; None where there is no such. pixels: in the order of an image's values.

    id: the one that names the images, for a submission. split: the one that says of which part they are. is_packed:
    whether one column holds all pixels of an image, with blanks between them, as FER2013's does. note: what was taken
    for what without a name that says so. group: the one that says which images belong together. has_colours: whether
    the pixels' names say the colour. shape: (height, width), where they say row and column.
    """

    pixels: tuple[int, ...]
    label: int | None = None
    id: int | None = None
    synthetic: int | None = None
    split: int | None = None
    is_packed: bool = False
    note: str = ""
    group: int | None = None
    has_colours: bool = False
    shape: tuple[int, int] | None = None


def find_columns(names: Sequence[str], label_column: str | None = None, groups: str | None = None) -> Columns:
    """Tell the columns of a table with these names apart; all that has no other meaning is a pixel.

    label_column: the label's name, or its number, from 1 on; by default a column of a usual name, or else the one at an
    end that is not called like all the others. groups: the name of the column that says what belongs together. Raises
    RequestError, to be put behind a table's name, where it can't be told.
    """
    folded = [name.strip().casefold() for name in names]
    group = _find_group(names, groups) if groups else None
    if group is not None:
        folded[group] = ""  # it means nothing else
    label = _find_label(names, folded, label_column)
    indices = [place for place, name in enumerate(folded) if _is_index(name) and place != label]
    synthetic = folded.index(SYNTHETIC) if SYNTHETIC in folded else None
    split = next((place for place, name in enumerate(folded) if name in SPLIT_NAMES and place != label), None)
    left = [place for place in range(len(names)) if place not in (label, synthetic, split, *indices)]
    note = ""
    if label_column and any(folded[place] in LABEL_NAMES for place in left):
        others = [place for place in left if folded[place] in LABEL_NAMES]
        note = f"left out: {', '.join(names[place] for place in others)}"
        left = [place for place in left if place not in others]
    if label is None and (odd := _find_odd_end(folded, left)) is not None:
        label, note = odd, f"column {names[odd]!r:.60} is taken for the label (--label-column names another)"
        left.remove(odd)
    named = [place for place in indices if folded[place] in ID_NAMES]
    packed = [place for place in left if folded[place] in _PACKED_NAMES]
    is_packed = len(packed) == 1 and not any(has_number(names[place]) for place in left if place not in packed)
    if is_packed and len(left) > 1:
        note = f"left out: {', '.join(names[place] for place in left if place not in packed)}"
        left = packed
    pixels, has_colours, shape = _order_pixels(left, folded)
    place = next(iter(named), None)
    return Columns(pixels, label, place, synthetic, split, is_packed, note, group, has_colours, shape)


def _order_pixels(places: Sequence[int], folded: Sequence[str]) -> tuple[tuple[int, ...], bool, tuple[int, int] | None]:
    """Return the pixels' columns in the order of their numbers, as in pixel2, pixel10; the three colours of one (r0,
    g0, b0, or pixel_0_red, or 0_0, 0_1, 0_2, ...) together; whether there are colours; and the height and width, where
    they have rows and columns. Where names say no order, it is that of the table.

    Two numbers, as in 1x10, may be row and column or the reverse: they count where the table is sorted by text.
    """
    names = [folded[place] for place in places]
    parts = [_PART.findall(name) for name in names]
    words = ["".join(part for part in found if not part.isdecimal()) for found in parts]
    numbers = [tuple(int(part) for part in found if part.isdecimal()) for found in parts]
    colours = _find_colours(words)
    is_said = colours is not None or len(set(words)) == 1
    if colours is None and is_said:
        numbers, colours = _split_channels(numbers)
    said = list(zip(numbers, colours or [0] * len(numbers), strict=True))
    lengths = {len(number) for number in numbers}
    is_whole = len(set(said)) == len(said) == len(set(numbers)) * (3 if colours else 1)
    if not is_said or not is_whole or lengths not in ({1}, {2}):
        return tuple(places), False, None
    is_sorted = lengths == {1} or names == sorted(names)
    order = {
        number: place for place, number in enumerate(sorted(set(numbers)) if is_sorted else dict.fromkeys(numbers))
    }
    ranks = [(order[number], colour) for number, colour in said]
    ordered = tuple(place for _, place in sorted(zip(ranks, places, strict=True)))
    return ordered, colours is not None, _find_shape(numbers)


def _find_colours(words: Sequence[str]) -> list[int] | None:
    """Return the colour, 0 to 2, of each pixel by the words of its name, where they differ in nothing else."""
    kinds = sorted(set(words))
    start = _count_alike(kinds)
    end = _count_alike([kind[start:][::-1] for kind in kinds])
    said = {kind: _WITH_ALPHA.get(kind[start : len(kind) - end], -1) for kind in kinds}
    if set(said.values()) == {0, 1, 2, 3}:
        raise RequestError("should have grey pixels, or red, green and blue ones. Got alpha, too: leave it out.")
    return [said[word] for word in words] if sorted(said.values()) == [0, 1, 2] else None


def _count_alike(texts: Sequence[str]) -> int:
    """Return how many letters all texts begin with."""
    letters = zip(*texts, strict=False)
    return sum(1 for _ in takewhile(lambda alike: len(set(alike)) == 1, letters))


def _split_channels(numbers: list[tuple[int, ...]]) -> tuple[list[tuple[int, ...]], list[int] | None]:
    """Return pixels' numbers without the first or last one, and that one from 0 on, where it is one of three channels
    beside row and column, or beside the number of a pixel in a square."""
    if {len(number) for number in numbers} not in ({2}, {3}):
        return numbers, None
    kinds = [sorted(set(values)) for values in zip(*numbers, strict=True)]
    for axis in (0, len(kinds) - 1):
        others = [len(kind) for kind in kinds[:axis] + kinds[axis + 1 :]]
        is_image = min(others) > 3 if len(others) == 2 else others[0] >= 16 and isqrt(others[0]) ** 2 == others[0]
        if len(kinds[axis]) == 3 and is_image:
            rest = [number[:axis] + number[axis + 1 :] for number in numbers]
            return rest, [kinds[axis].index(number[axis]) for number in numbers]
    return numbers, None


def _find_shape(numbers: Sequence[tuple[int, ...]]) -> tuple[int, int] | None:
    """Return (height, width) of pixels by their two numbers each, in the table's order, or None where they are no grid.

    That of the column changes first; where the table is sorted by text the first number is taken for the row.
    """
    grid = list(dict.fromkeys(numbers))
    counts = [len(set(values)) for values in zip(*grid, strict=True)]
    if len(counts) != 2 or min(counts) < 2 or counts[0] * counts[1] != len(grid):
        return None
    return (counts[1], counts[0]) if grid[0][1] == grid[1][1] else (counts[0], counts[1])


def _find_group(names: Sequence[str], group: str) -> int:
    found = match_name(names, group)
    if found is None:
        raise RequestError(f"--groups should name one of the columns, {', '.join(names)[:80]}... Got {group!r:.60}.")
    return found


def has_pixel_names(names: Sequence[str]) -> bool:
    """Tell whether a table with these names surely is one of images: every column is a pixel by its name, but for a
    label, an identity, a part and a mark."""
    folded = [name.strip().casefold() for name in names]
    pixels = [name for name in folded if name not in (*LABEL_NAMES, *SPLIT_NAMES, SYNTHETIC) and not _is_index(name)]
    is_packed = len(pixels) == 1 and pixels[0] in _PACKED_NAMES
    is_said = len(pixels) >= _SURELY_PIXELS or any(name.startswith("pix") for name in pixels)
    return is_packed or (len(pixels) > 1 and all(map(_PIXEL.fullmatch, pixels)) and is_said)


def has_number(name: str) -> bool:
    """Tell whether a column's name has a digit, as those of pixels have."""
    return any(map(str.isdigit, name))


def may_be_pixels(names: Sequence[str]) -> bool:
    """Tell whether a table with these names may be one of images: most have a number, or one holds all pixels."""
    numbered = sum(map(has_number, names))
    is_packed = any(name.strip().casefold() in _PACKED_NAMES for name in names)
    return is_packed or (len(names) >= _FEWEST_PIXELS and 2 * numbered > len(names))


def is_label_name(name: str) -> bool:
    """Tell whether a column of this name is a label."""
    return name.strip().casefold() in LABEL_NAMES


def list_odd_names(names: Sequence[str], places: Sequence[int]) -> list[str]:
    """Return the names among these that are not called like most of the others."""
    patterns = [_find_pattern(names[place].strip().casefold()) for place in places]
    ((usual, times),) = Counter(patterns).most_common(1) if patterns else (("", 0),)
    return (
        [names[place] for place, pattern in zip(places, patterns, strict=True) if pattern != usual] if times > 1 else []
    )


def _find_label(names: Sequence[str], folded: list[str], label_column: str | None) -> int | None:
    if label_column is None:
        known = [place for place, name in enumerate(folded) if name in LABEL_NAMES]
        if len(known) > 1:
            both = " and ".join(names[place] for place in known[:2])
            raise RequestError(f"should have one column for the label. Got {both}: --label-column names one of them.")
        return known[0] if known else None
    found = match_column(names, label_column)
    if found is None:
        raise RequestError(
            f"--label-column should be the name of a column, or a number from 1 to {len(names)}. "
            f"Got {label_column!r:.60}, and the columns {', '.join(names[:4])[:80]}, ..."
        )
    return found


def match_name(names: Sequence[str], wanted: str) -> int | None:
    """Return the place of the one column of this name, in its case or else in any; None where there is no such, or
    where there are several."""
    found = _list_named(names, wanted)
    return found[0] if len(found) == 1 else None


def match_column(names: Sequence[str], wanted: str) -> int | None:
    """As match_name, or the place of the column of this number, from 1 on."""
    found, number = _list_named(names, wanted), wanted.strip()
    if not found and number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= len(names):
        return int(number[:9]) - 1
    return found[0] if len(found) == 1 else None


def _list_named(names: Sequence[str], wanted: str) -> list[int]:
    names, wanted = [name.strip() for name in names], wanted.strip()
    exact = [place for place, name in enumerate(names) if name == wanted]
    return exact or [place for place, name in enumerate(names) if name.casefold() == wanted.casefold()]


def _is_index(name: str) -> bool:
    return not name or name in ID_NAMES or bool(re.fullmatch(r"unnamed: \d+", name))


def _find_pattern(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _find_odd_end(folded: list[str], places: list[int]) -> int | None:
    """Return the first or last of the columns where it alone is not called like all the others."""
    patterns = [_find_pattern(folded[place]) for place in places]
    if len(places) <= _FEWEST:
        return None
    if len(set(patterns[1:])) == 1 and "#" in patterns[1] and patterns[0] != patterns[1]:
        return places[0]
    if len(set(patterns[:-1])) == 1 and "#" in patterns[0] and patterns[-1] != patterns[0]:
        return places[-1]
    return None


def choose_end(first: set[str], last: set[str]) -> str | None:
    """Tell by their different texts which of a table's ends is the label, "first" or "last"; None where none can say.

    Labels are texts or integers without large gaps, a pixel's values have gaps, or are nearly all of 0..255. Where both
    ends, or neither, look like labels it is the first, as most tables have it. One text alone may be that of a pixel at
    the border, or of the only class.
    """
    if len(first) <= 1 or len(last) <= 1:  # or none: there are no rows
        end, texts = ("last", last) if len(first) < len(last) else ("first", first)
        return end if len(first) == len(last) or _look_like_labels(texts) else None
    if not _look_like_labels(last):
        return "first"
    if not _look_like_labels(first):
        return "last"
    is_many = len(first) >= _MANY and len(first) >= 2 * len(last)
    return None if is_many and all(_is_byte(text) for text in first) else "first"


def _look_like_labels(texts: set[str]) -> bool:
    values = {parse_label(text) for text in texts}
    integers = {value for value in values if isinstance(value, int)}
    if len(integers) < len(values):
        return None not in values  # fractions, and cells without a label
    return max(integers) - min(integers) < 2 * len(integers) + _GAP


def _is_byte(text: str) -> bool:
    return bool(_INTEGER.fullmatch(text)) and 0 <= int(text) <= 255
