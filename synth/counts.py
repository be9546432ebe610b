"""Per-class requests, turned once, at the door, into {class name: count}."""


def parse_counts(text, class_names, label_values):
    """Turn "500" (every class) or "0:500,Sneaker:200" (these classes alone) into {class name: count}.

    Classes are given by name or by label value. Raises ValueError for an unknown class, a class given twice
    and a count that is not a positive integer.
    """
    text = str(text).strip()
    if ":" not in text:
        return dict.fromkeys(class_names, _parse_count(text))
    counts = {}
    for part in text.split(","):
        key, _, count = part.rpartition(":")
        name = class_names[find_class(key, class_names, label_values)]
        if name in counts:
            raise ValueError(f"class {name!r} should be given once. Got {text!r} instead.")
        counts[name] = _parse_count(count)
    return counts


def find_class(key, class_names, label_values):
    """Return the index of the class with this name or label value; ValueError lists the known ones."""
    key = key.strip()
    if key in class_names:
        return class_names.index(key)
    if key.lstrip("-").isdecimal() and int(key) in label_values:
        return label_values.index(int(key))
    known = ", ".join(_describe(name, value) for name, value in zip(class_names, label_values, strict=True))
    raise ValueError(f"class should be one of {known}. Got {key!r} instead.")


def _describe(name, value):
    return name if name == str(value) else f"{name} ({value})"


def _parse_count(text):
    text = text.strip()
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"number of images per class should be an integer of at least 1. Got {text!r} instead.")
    return int(text)
