"""The output folder of a run: one run at a time, one configuration, continued or refused, never mixed."""

import glob
import json
import os
import platform
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from common.errors import RequestError, RunError, describe_cause
from common.files import (
    CONFIG,
    WRITTEN,
    find_mark,
    is_run,
    list_written,
    load_json,
    mark_folder,
    remove_temporaries,
    remove_written,
)
from common.images import IMAGE_SUFFIXES

_LOCK = ".lock"
_HOLDER = ".lock-holder"
_PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn")
_LOOKED_AT = 10_000  # files, for a picture among them
_SHOWN = 5  # options that differ
_NOT_COMPARED = ("made_by", "versions", "threads", "gpus")
_RENAMED = {  # {section of config.json: {name in an earlier version: today's}}
    "balance": {"classes": "top_up", "ratio": "surplus"},
    "study": {"synthetic": "added"},
    "evaluation": {"inception_weights": "feature_weights", "recipe_options": "recipe_fields"},
}
_ADDED = {
    "classifier": "cnn",
    "width_growth": 2.0,
    "flip": "auto",
    "judge": "cnn",
    "features": "classifier",
}  # {option: what continues runs without it}
_RENAMED_IN_RECIPES = {"augment": "diffaugment"}  # as `formerly` of models.recipes says, which is above


@dataclass(frozen=True)
class OutputFolder:
    """The output folder of a run of `script` with these settings ({section: {option: value}}).

    owned: names of what a run writes there. overwrite: whether a run with other settings is removed: all that it has
    written, but for the sub-folder `keep[0]` where the section `keep[1]` of the settings is the same.
    """

    path: str | Path
    settings: dict
    script: str
    owned: Collection[str]
    _: KW_ONLY
    overwrite: bool = False
    keep: tuple[str, str] | None = None

    def check(self) -> list[str]:
        """Return how an earlier run in the folder differs (texts), and change nothing.

        Raises RequestError, naming each difference, where it has other settings and is not to be overwritten; and
        always for runs of other scripts and programs, and for somebody else's files among the names `owned`.
        """
        folder, settings = Path(self.path), _as_stored(self.settings)
        if not (folder / CONFIG).exists():
            _refuse(
                folder, [name for name in (*self.owned, WRITTEN) if os.path.lexists(folder / name)], f"but no {CONFIG}"
            )
            _refuse(folder, [path.name for path in _find_pictures(folder)], f"a picture, but no {CONFIG}")
            return []
        stored, made_by = _load_settings(folder), find_mark(folder)
        differences = list(_differences(stored, settings))
        if made_by not in (self.script, None):
            raise RequestError(f"{folder} holds a run of {made_by}: choose another --out for {self.script}.")
        if made_by is None and differences:
            raise RequestError(
                f"{folder} holds a {CONFIG} of another program, or of version 0.1 with other options "
                f"({'; '.join(differences[:3])}): choose another --out. Nothing there is replaced."
            )
        if made_by:
            strangers = [name for name in set(self.owned) - set(list_written(folder)) if (folder / name).is_file()]
            _refuse(folder, strangers, f"which the run there has not written (see {WRITTEN})")
        if differences and not self.overwrite:
            fate = ""
            if self.keep and (folder / self.keep[0]).exists():
                fate = (
                    f" (its {self.keep[0]}/ {'stays, as it is the same' if self._find_kept() else 'is replaced, too'})"
                )
            more = [f"{len(differences) - _SHOWN} more"] if len(differences) > _SHOWN else []
            shown = "; ".join([*differences[:_SHOWN], *more])
            raise RequestError(
                f"{folder} holds a run with other options ({shown}): choose another --out, "
                f"or replace it with --overwrite{fate}."
            )
        return differences

    @contextmanager
    def hold(self, computing: dict[str, int] | None = None) -> Iterator[None]:
        """Hold the folder for the run, which is recorded in config.json; computing: threads and GPUs, recorded, too.

        An earlier run with the same settings is continued. RequestError as of `check`; RunError while another process
        holds the folder.
        """
        folder = Path(self.path)
        self.check()
        with _hold(folder, self.script):
            if self.check():
                remove_written(folder, self._find_kept())
            if find_mark(folder) or not (folder / CONFIG).exists():  # a run of 0.1 stays what it is
                content = _as_stored(self.settings) | {"versions": installed_versions()}
                mark_folder(folder, self.script, content | (computing or {}))
                remove_temporaries(folder)
            yield

    def _find_kept(self) -> str | None:
        """Return the sub-folder that stays when the run there is removed."""
        return self.keep[0] if self.keep and self.keep[1] in list_same_sections(self.path, self.settings) else None


def check_inputs(out: str | Path, inputs: dict[str, Any]) -> None:
    """Raise RequestError where an input lies in the output folder, or that among the pictures of a class of --data.

    inputs: {flag: a path, a pattern, a name of something that is no file, None, or a tuple of these}.
    """
    where = _resolve("--out", out)
    for flag, given in inputs.items():
        for path in given if isinstance(given, tuple) else (given,):
            for found in glob.glob(glob.escape(str(path))) or glob.glob(str(path)) if path else ():
                place = _resolve(flag, found)
                if place.is_relative_to(where):
                    raise RequestError(
                        f"--out should be a folder without the inputs, as its files may be replaced. {flag} {found} "
                        f"{'is the same folder' if place == where else f'lies in {out}'}: choose another --out."
                    )
                if flag == "--data" and any(map(_holds_pictures, _list_between(where, place))):
                    raise RequestError(f"--out should not be among the pictures of --data {found}. Got {out} instead.")


def _resolve(flag: str, path: str | Path) -> Path:
    """Return a path without links; RequestError for a link to itself, or a name that is too long."""
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.stat(path)
        return Path(path).resolve()
    except (OSError, RuntimeError) as error:
        raise RequestError(f"{flag} should be a path that can be opened. {describe_cause(error)}") from error


def _find_pictures(folder: Path) -> Iterator[Path]:
    """Yield a picture at any depth of a folder, none of a run's in it, or nothing where none is found soon."""
    seen = 0
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_run(Path(place, name))]
        found = [Path(place, name) for name in files if name.lower().endswith(IMAGE_SUFFIXES)]
        yield from found[:1]
        seen += len(files)
        if found or seen > _LOOKED_AT:
            return


def _list_between(folder: Path, above: Path) -> list[Path]:
    """Return `folder` and the folders over it up to `above`, which is left out."""
    return [path for path in (folder, *folder.parents) if above in path.parents]


def _holds_pictures(folder: Path) -> bool:
    names = os.listdir(folder) if folder.is_dir() and not find_mark(folder) else ()
    return any(name.lower().endswith(IMAGE_SUFFIXES) for name in names)


def list_same_sections(folder: str | Path, settings: dict) -> set[str]:
    """Return the names of the sections of `settings` that are the same in an earlier run in `folder`."""
    stored = _load_settings(folder) if (Path(folder) / CONFIG).exists() else {}
    return {
        name
        for name, section in _as_stored(settings).items()
        if isinstance(stored.get(name), dict) and not any(_differences(stored[name], section, " "))
    }


def read_threads(folder: str | Path) -> int | None:
    """Return the number of threads that an earlier run in `folder` has recorded, or None."""
    threads = load_json(Path(folder) / CONFIG).get("threads") if find_mark(Path(folder)) else None
    return threads if type(threads) is int and threads > 0 else None


def installed_versions() -> dict[str, str | None]:
    """Return the versions of Python and of the packages that decide a run's numbers."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return versions


@contextmanager
def _hold(folder: Path, script: str) -> Iterator[None]:
    """Hold the folder's lock, which the kernel drops with the process; make the folder where there is none."""
    from filelock import FileLock, Timeout

    holder = folder / _HOLDER
    lock_file = folder / _LOCK
    is_own = not lock_file.exists() or not lock_file.stat().st_size
    if lock_file.is_symlink() or holder.is_symlink() or not is_own or (holder.exists() and not lock_file.exists()):
        raise RequestError(f"{folder} holds {_LOCK} or {_HOLDER} that no run has made: choose another --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_file, timeout=0)
        lock.acquire()
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        holder.write_text(f"{script}, process {os.getpid()} on {socket.gethostname()}, since {started}", "utf-8")
    except Timeout as error:
        who = holder.read_text("utf-8", errors="replace") if holder.exists() else "another process"
        raise RunError(f"{folder} is in use by {who}. Wait for its end, or choose another --out.") from error
    except OSError as error:
        raise RequestError(f"--out should be a folder that can be written. {folder}: {error.strerror}.") from error
    try:
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _refuse(folder: Path, names: list[str], but: str) -> None:
    if names:
        raise RequestError(f"{folder} holds {', '.join(sorted(names))}, {but}: choose another --out.")


def _load_settings(folder: str | Path) -> dict:
    """Return what config.json holds, by the names that options have today."""
    content = load_json(Path(folder) / CONFIG)
    return {
        name: _rename(section, _RENAMED.get(name, {})) if isinstance(section, dict) else section
        for name, section in content.items()
    }


def _rename(options: dict, names: dict[str, str]) -> dict:
    """Return options with today's names, {before: now}, and so what is in recipes, however deep they stand."""
    renamed = {}
    for name, value in options.items():
        if isinstance(value, dict) and (names is _RENAMED_IN_RECIPES or name.startswith("recipe")):
            value = _rename(value, _RENAMED_IN_RECIPES)
        elif name == "recipe_options" and isinstance(value, str):  # as evaluate_fid.py records them
            for old, new in _RENAMED_IN_RECIPES.items():
                value = value.replace(f"'{old}':", f"'{new}':")
        renamed[names.get(name, name)] = value
    return renamed


def _as_stored(settings: dict) -> dict:
    return json.loads(json.dumps(settings, default=str))  # tuples become lists, paths text


def _differences(stored: dict, settings: dict, prefix: str = "") -> Iterator[str]:
    for name in dict.fromkeys([*stored, *settings]):
        there, here = stored.get(name, "nothing"), settings.get(name, "nothing")
        if _are_same(there, here) or (not prefix and name in _NOT_COMPARED):
            continue
        if prefix and name not in stored and here in (None, False, "None", "False", _ADDED.get(name)):
            continue  # an option that an earlier version did not have, and that is not asked for
        if isinstance(there, dict) and isinstance(here, dict):
            yield from _differences(there, here, f"{name}." if prefix else " ")
        else:
            there, here = ("given" if isinstance(value, dict) else value for value in (there, here))
            yield f"{prefix.strip()}{name}: {there} there, {here} here"


def _are_same(there: Any, here: Any) -> bool:
    """Whether two values of an option mean the same: equal ones, 30 and "30", or two ways to write a path."""
    if there == here or not all(isinstance(value, str | int | float) for value in (there, here)):
        return there == here
    return os.path.abspath(str(there)) == os.path.abspath(str(here))
