"""The output folder of a run: one configuration per folder, continued or refused, never mixed."""

import json
import platform
import shutil
from importlib import metadata
from pathlib import Path

from synth.errors import RequestError
from synth.files import load_json, save_json

CONFIG = "config.json"
_PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn")


def open_output(folder, settings, owned, *, overwrite=False, keep=None, dry_run=False):
    """Make `folder` ready for a run with these settings ({section: {option: value}}) and record them in config.json.

    An earlier run with the same settings is continued. One with others raises RequestError naming each difference,
    or with `overwrite` is removed: the entries `owned` of the folder, but for `keep` = (entry, section), which stays
    when its section of the settings is the same. With `dry_run` an earlier run is checked, and nothing is changed.
    """
    folder = Path(folder)
    settings = _as_stored(settings)
    differences = _check_earlier(folder, settings, owned, overwrite, keep)
    if dry_run:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".tmp-writable").touch()
        (folder / ".tmp-writable").unlink()
    except OSError as error:
        raise RequestError(f"--out should be a folder that can be written. {folder}: {error.strerror}.") from error
    if differences:
        kept = keep[0] if keep and keep[1] in list_same_sections(folder, settings) else None
        _remove(folder, [name for name in owned if name != kept])
    save_json(folder / CONFIG, settings | {"versions": installed_versions()})


def list_same_sections(folder, settings):
    """Return the names of the sections of `settings` that are the same in an earlier run in `folder`."""
    path = Path(folder) / CONFIG
    stored = load_json(path) if path.exists() else {}
    return {name for name, section in _as_stored(settings).items() if stored.get(name) == section}


def installed_versions():
    """Return the versions of Python and of the packages that decide a run's numbers."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _check_earlier(folder, settings, owned, overwrite, keep):
    """Return how an earlier run in `folder` differs; raise RequestError where it is in the way."""
    if not (folder / CONFIG).exists():
        strangers = [name for name in owned if (folder / name).exists()]
        if strangers:
            raise RequestError(f"{folder} holds {', '.join(strangers)}, but no {CONFIG}: choose another --out.")
        return []
    differences = list(_differences(load_json(folder / CONFIG), settings))
    if differences and not overwrite:
        kept = keep and keep[1] in list_same_sections(folder, settings)
        there = keep and (folder / keep[0]).exists()
        fate = f" (its {keep[0]}/ {'stays, as it is the same' if kept else 'is replaced, too'})" if there else ""
        raise RequestError(
            f"{folder} holds a run with other options ({'; '.join(differences)}): choose another --out, "
            f"or replace it with --overwrite{fate}."
        )
    return differences


def _as_stored(settings):
    return json.loads(json.dumps(settings, default=str))  # tuples become lists, paths text


def _differences(stored, settings, prefix=""):
    for name in dict.fromkeys([*stored, *settings]):
        there, here = stored.get(name, "nothing"), settings.get(name, "nothing")
        if there == here or (not prefix and name == "versions"):
            continue
        if isinstance(there, dict) and isinstance(here, dict):
            yield from _differences(there, here, f"{name}." if prefix else " ")
        else:
            there, here = ("given" if isinstance(value, dict) else value for value in (there, here))
            yield f"{prefix.strip()}{name}: {there} there, {here} here"


def _remove(folder, names):
    for name in names:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
