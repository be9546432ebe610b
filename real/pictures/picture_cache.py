"""Decoded pictures that took long to read, kept in the user's cache folder for the next time."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from common.files import replacing
from common.user_cache import find_cache_folder
from real.pictures.picture_files import EncodedPicture, Reading

_VERSION = 1  # of what reading gives: one more where the same pictures give other pixels
_MAX_BYTES = 5 * 10**9  # of all that is cached
_NOT_IN_KEY = ("no_cache", "quiet")  # they change no pixel


@dataclass(frozen=True)
class PictureSet:
    """Images uint8 [n, H, W, C] of those pictures that are `kept`, bool [N]; notes: what the user should know."""

    images: np.ndarray
    kept: np.ndarray
    notes: tuple[str, ...] = ()


def compute_key(paths: Sequence[Path | EncodedPicture], reading: Reading) -> str | None:
    """Return a hash of the pictures' paths, sizes, times of change and how they are read; None if one is no file."""
    import PIL

    options = {name: value for name, value in asdict(reading).items() if name not in _NOT_IN_KEY}
    digest = hashlib.sha256(json.dumps([_VERSION, PIL.__version__, options, os.getcwd()]).encode())
    try:
        for path in paths:
            if isinstance(path, EncodedPicture):
                return None
            status = os.stat(path)
            digest.update(os.fsencode(path) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    except OSError:
        return None
    return digest.hexdigest()


def load_cached(key: str) -> PictureSet | None:
    """Return what is cached under a key, or None; what is damaged (the archive has checksums) is removed."""
    folder = find_cache_folder("pictures")
    path = folder / f"{key}.npz" if folder else None
    if path is None or not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = PictureSet(arrays["images"], arrays["kept"], tuple(arrays["notes"].tolist()))
        if found.images.dtype != np.uint8 or len(found.images) != found.kept.sum():
            raise ValueError("another program's")
        os.utime(path)  # the oldest is what was not used for longest
        return found
    except Exception:  # the parsers raise nearly anything for damaged bytes
        with suppress(OSError):
            path.unlink()
        return None


def save_cached(key: str, found: PictureSet) -> None:
    """Cache a PictureSet under a key, and remove the oldest ones beyond 5 GB; nothing where it can't be written."""
    folder = find_cache_folder("pictures")
    if folder is None or found.images.nbytes > _MAX_BYTES:
        return
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_room(folder.iterdir(), _MAX_BYTES - found.images.nbytes)
        with replacing(folder / f"{key}.npz") as temporary:
            np.savez(temporary, images=found.images, kept=found.kept, notes=np.array(found.notes, np.str_))


def _make_room(paths: Iterable[Path], limit: int) -> None:
    """Remove the oldest files until the others have at most `limit` bytes."""
    statuses = {path: path.stat() for path in paths}
    total = sum(status.st_size for status in statuses.values())
    for path, status in sorted(statuses.items(), key=lambda pair: pair[1].st_mtime):
        if total <= limit:
            break
        path.unlink()
        total -= status.st_size
