"""What a run says of its shards: the manifest, and the hashes of its training images."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from common.checks import (
    BOOL,
    CLASS_NAMES,
    IMAGE_SHAPE,
    LABEL_VALUES,
    TEXT,
    check_fields,
    is_integer,
    is_list_of,
    is_object,
    is_text,
)
from common.errors import RequestError
from common.files import append_text, load_json, replacing
from common.run_folder import HASHES, JOURNAL, MANIFEST
from real.requests import REQUEST_OBJECT


def save_hashes(folder: str | Path, hashes: np.ndarray) -> None:
    """Write `folder`/train_hashes.npy, uint64 [n]."""
    with replacing(Path(folder) / HASHES) as temporary:
        np.save(temporary, hashes)


def describe_hashes(hashes: np.ndarray) -> dict:
    """Return what a manifest says of the hashes of the training images: their number, and a SHA-256 over them."""
    return {"images": len(hashes), "sha256": hashlib.sha256(hashes.astype("<u8").tobytes()).hexdigest()}


def load_hashes(folder: str | Path, expected: dict | None = None) -> np.ndarray:
    """Read `folder`/train_hashes.npy, uint64 [n]; RequestError where it is missing or damaged.

    expected: what describe_hashes said when it was written, or a part of it.
    """
    from common.run_files import load_array  # pandas, which writing does not need

    path, expected = Path(folder) / HASHES, expected or {}
    advice = "Without it the leakage guard is blind: the command that made the run writes it anew."
    if not path.exists():
        raise RequestError(f"{path}: should hold the hashes of the training images. It is missing. {advice}")
    hashes = load_array(path)
    is_right = hashes.dtype == np.uint64 and hashes.ndim == 1
    if not is_right or not expected.items() <= describe_hashes(hashes).items():
        count = expected.get("images", "training")
        raise RequestError(f"{path}: should hold the hashes of the {count} images as recorded. It is damaged. {advice}")
    return hashes


def find_manifest_folder(path: Path) -> Path | None:
    """Return the nearest folder above `path` with a manifest."""
    return next((parent for parent in path.parents if (parent / MANIFEST).is_file()), None)


def save_manifest(folder: str | Path, manifest: dict) -> None:
    """Write `folder`/manifest.json, a shard a line; it holds what the journal holds, which is removed."""
    head = {name: value for name, value in manifest.items() if name != "shards"}
    with replacing(Path(folder) / MANIFEST) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head, indent=2).removesuffix("\n}") + ',\n  "shards": [')
        for number, entry in enumerate(manifest["shards"]):
            file.write((",\n    " if number else "\n    ") + json.dumps(entry))
        file.write("\n  ]\n}\n")
    (Path(folder) / JOURNAL).unlink(missing_ok=True)


def note_shards(folder: str | Path, entries: Iterable[dict]) -> None:
    """Add the entries of finished shards to the journal `folder`/shards.jsonl: what one costs does not grow.

    The manifest with what is common to all should be there, and the journal listed as a file of the run.
    """
    append_text(Path(folder) / JOURNAL, "".join(json.dumps(entry) + "\n" for entry in entries))


def _read_journal(path: Path) -> list:
    """Return the entries of the journal, [] where there is none; a last line that a kill has torn is no entry."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError) as error:  # not JSON, or not UTF-8
        raise RequestError(
            f"{path}: should hold a JSON object a line. It is damaged. Remove it: its shards are made again."
        ) from error


def load_manifest(folder: str | Path) -> Any:
    """Read `folder`/manifest.json, and the journal of an unfinished run; return None where there is no manifest yet.

    RequestError where one of them is damaged.
    """
    path, journal = Path(folder) / MANIFEST, Path(folder) / JOURNAL
    if not path.exists():
        return None
    noted = _read_journal(journal)  # first: once it is gone, the manifest is the new one
    manifest = load_json(path)
    check_fields(manifest, _MANIFEST, path)
    for place, entries in ((path, manifest["shards"]), (journal, noted)):
        for entry in entries:
            check_fields(entry, _ENTRY, place)
    manifest["shards"] = list({entry["file"]: entry for entry in [*manifest["shards"], *noted]}.values())
    if len(manifest["class_names"]) != len(manifest["label_values"]):
        raise RequestError(f"{path}: should have a label value for each class. It is damaged.")
    return manifest


def _is_shard(value: Any) -> bool:
    """Whether it may be the path of a shard below the manifest's folder."""
    path = PurePosixPath(value) if is_text(value) else PurePosixPath("..")
    return bool(path.suffix) and not path.is_absolute() and ".." not in path.parts


def _are_hashes(value: Any) -> bool:
    return is_object(value) and is_integer(value.get("images"), 0)


HASHES_OBJECT = ("an object with the number of images", _are_hashes)
_MANIFEST = {"class_names": CLASS_NAMES, "label_values": LABEL_VALUES, "image_shape": IMAGE_SHAPE, "data": TEXT}
_MANIFEST |= {"request": REQUEST_OBJECT, "fingerprint": TEXT, "complete": BOOL}
_MANIFEST |= {"shards": ("a list", lambda value: is_list_of(value, is_object))}
_ENTRY = {"file": ("a shard's path below its folder", _is_shard), "rows": ("an integer", is_integer), "sha256": TEXT}
