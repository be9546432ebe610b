"""Whole files or none: everything is written under a temporary name and renamed."""

import json
import os
from contextlib import contextmanager
from pathlib import Path

from synth.errors import RequestError


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


def load_json(path, keys=()):
    """Read a JSON file that holds an object with at least these keys; RequestError names the file and what is wrong."""
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # not JSON, or not UTF-8
        raise RequestError(f"{path}: should be a JSON file. ({error})") from error
    if not isinstance(content, dict):
        raise RequestError(f"{path}: should hold a JSON object. Got {type(content).__name__} instead.")
    missing = [key for key in keys if key not in content]
    if missing:
        raise RequestError(f"{path}: should have {', '.join(keys)}. It lacks {', '.join(missing)}.")
    return content


def check_regular_file(path):
    """Raise RequestError for what is no regular file, before it is opened: reading from a pipe may never end."""
    path = Path(path)
    if not path.is_file():
        got = "a folder" if path.is_dir() else "a pipe, socket or device" if path.exists() else "none"
        raise RequestError(f"{path}: should be a regular file. Got {got} instead.")
