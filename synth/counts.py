"""Per-class requests, turned once, at the door, into {class name: count}."""

from synth.errors import RequestError


def parse_counts(text, class_names, label_values, flag):
    """Turn "500" (every class), "500,200,..." (one count per class) or "0:500,Sneaker:200" into {class name: count}.

    Classes are given by name or by label value; the last form names these classes alone. `flag` says in messages
    what the text is. Raises RequestError for an unknown class, a class given twice, a count that is not a positive
    integer, and a list of another length than the classes'.
    """
    text = str(text).strip()
    if ":" not in text and "," not in text:
        return dict.fromkeys(class_names, _parse_count(text, flag))
    if ":" not in text:
        counts = [_parse_count(part, flag) for part in text.split(",")]
        if len(counts) != len(class_names):
            raise RequestError(
                f"{flag} should be one, or one for each of {len(class_names)} classes. Got {len(counts)}."
            )
        return dict(zip(class_names, counts, strict=True))
    counts = {}
    for part in text.split(","):
        key, _, count = part.rpartition(":")
        name = class_names[find_class(key, class_names, label_values, f"{flag}: class")]
        if name in counts:
            raise RequestError(f"class {name!r} should be given once. Got {text!r} instead.")
        counts[name] = _parse_count(count, flag)
    return counts


def parse_classes(text, class_names, label_values):
    """Turn "Sneaker,Bag" (names or label values) into the sorted indices of these classes, each once."""
    return tuple(sorted({find_class(key, class_names, label_values, "--classes") for key in str(text).split(",")}))


def find_class(key, class_names, label_values, flag):
    """Return the index of the class with this name or label value; RequestError (of `flag`) lists the known ones."""
    key = key.strip()
    if key in class_names:
        return class_names.index(key)
    if key.lstrip("-").isdecimal() and int(key) in label_values:
        return label_values.index(int(key))
    known = ", ".join(_describe(name, value) for name, value in zip(class_names, label_values, strict=True))
    raise RequestError(f"{flag} should be one of {known}. Got {key!r} instead.")


def _describe(name, value):
    return name if name == str(value) else f"{name} ({value})"


def _parse_count(text, flag):
    text = text.strip()
    if not text.isdecimal() or int(text) < 1:
        raise RequestError(f"{flag} should be an integer of at least 1. Got {text!r} instead.")
    return int(text)
