"""Whole files or none: everything is written under a temporary name and renamed."""

import json
import os
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path):
    """Yield a temporary path with the suffix of `path`; rename it to `path` if the block succeeds, else delete it."""
    path = Path(path)
    temporary = path.with_name(f".tmp-{path.name}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_json(path, content):
    """Write a JSON file atomically, with sorted keys left as given and two spaces of indentation."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def load_json(path):
    """Read a JSON file; ValueError names it where it can't be parsed."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: should be a JSON file. Line {error.lineno}: {error.msg}.") from error
