"""Per-class requests, turned once, at the door, into {class name: count}."""

import re

from common.errors import RequestError

MAX_COUNT = 10**12


def parse_counts(
    text: str | int, class_names: tuple[str, ...], label_values: tuple[int, ...], flag: str
) -> dict[str, int]:
    """Turn "500" (every class), "500,200,..." (one count per class) or "0:500,Sneaker:200" into {class name: count}.

    Classes are given by name or by label value; the last form names these classes alone. `flag` says in messages
    what the text is. Raises RequestError for an unknown class, a class given twice, a count that is not a positive
    integer, and a list of another length than the classes'.
    """
    text = str(text).strip()
    if ":" not in text and "," not in text:
        return dict.fromkeys(class_names, parse_count(text, flag))
    if ":" not in text:
        listed = [parse_count(part, flag) for part in text.split(",")]
        if len(listed) != len(class_names):
            raise RequestError(
                f"{flag} should be one, or one for each of {len(class_names)} classes. Got {len(listed)}."
            )
        return dict(zip(class_names, listed, strict=True))
    counts: dict[str, int] = {}
    for part in _split_at_commas(text, class_names, r"(.*):[^,:]*"):
        key, _, count = part.rpartition(":")
        name = class_names[find_class(key, class_names, label_values, f"{flag}: class")]
        if name in counts:
            raise RequestError(f"class {name!r} should be given once. Got {text!r:.80} instead.")
        counts[name] = parse_count(count, flag)
    return counts


def parse_classes(
    text: str | int, class_names: tuple[str, ...], label_values: tuple[int, ...], flag: str = "--classes"
) -> tuple[int, ...]:
    """Turn "Sneaker,Bag" (names or label values) into the sorted indices of these classes, each once."""
    keys = _split_at_commas(str(text), class_names, "(.*)")
    return tuple(sorted({find_class(key, class_names, label_values, flag) for key in keys}))


def _split_at_commas(text: str, class_names: tuple[str, ...], form: str) -> list[str]:
    """Split a text at its commas, but for those in the names of classes. form: regular expression of a part, its first
    group the name."""
    pieces, parts = text.split(","), []
    longest = 1 + max(name.count(",") for name in class_names)
    while pieces:
        found = [re.fullmatch(form, ",".join(pieces[:count])) for count in range(1, 1 + min(longest, len(pieces)))]
        lengths = [count for count, match in enumerate(found, 1) if match and match[1].strip() in class_names]
        count = max(lengths, default=1)
        parts.append(",".join(pieces[:count]))
        pieces = pieces[count:]
    return parts


def find_class(key: str, class_names: tuple[str, ...], label_values: tuple[int, ...], flag: str) -> int:
    """Return the index of the class with this name or label value; RequestError (of `flag`) lists the known ones."""
    key = key.strip()
    if key in class_names:
        return class_names.index(key)
    if re.fullmatch("-?[0-9]{1,19}", key) and int(key) in label_values:  # 64 bits have 19 digits
        return label_values.index(int(key))
    known = ", ".join(_describe(name, value) for name, value in zip(class_names, label_values, strict=True))
    raise RequestError(f"{flag} should be one of {known}. Got {key!r:.80} instead.")


def _describe(name: str, value: int) -> str:
    return name if name == str(value) else f"{name} ({value})"


def parse_digits(text: str) -> int | None:
    """Turn text of ASCII digits alone into an integer, or any other into None; more than MAX_COUNT is MAX_COUNT + 1."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal()):
        return None
    # Python refuses to read thousands of digits
    return MAX_COUNT + 1 if len(digits.lstrip("0")) > len(str(MAX_COUNT)) else int(digits[-20:])


def parse_count(text: str, flag: str = "") -> int:
    """Turn text into an integer of at least 1 and at most MAX_COUNT; RequestError names the `flag`."""
    count = parse_digits(text)
    if not count:
        raise RequestError(f"{flag} should be an integer of at least 1. Got {text.strip()!r:.80} instead.".lstrip())
    if count > MAX_COUNT:
        raise RequestError(f"{flag} should be at most {MAX_COUNT:,}. Got {text.strip()!r:.80} instead.".lstrip())
    return count
