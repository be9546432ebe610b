"""Stream filtered synthetic images, class by class, into shards and a manifest."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from common.checks import check_fields, is_integer, is_object
from common.errors import RequestError
from common.executors import Executor, SerialExecutor
from common.files import claim
from common.folder_names import class_folders
from common.progress import open_bar
from common.run_folder import JOURNAL, MANIFEST
from synth.shard_drawing import Drawer, DrawerElsewhere, DrawnShard, ShardTask, build_sieve, draw_shard
from synth.shard_formats import FORMATS, describe_shard, is_whole, list_formats, write_shard
from synth.shards import describe_hashes, load_manifest, note_shards, save_manifest

_COUNT = ("an integer of at least 0", lambda value: is_integer(value, 0))
_COUNTS = ("an object of counts", lambda value: is_object(value) and all(is_integer(n, 0) for n in value.values()))
_GROWING = ("classes", "shards", "complete")  # what of a manifest grows with the shards


def stream_shards(
    model: Any,
    sampling: dict,
    folder: Path,
    *,
    quiet: bool = False,
    report: Callable[[str], object] = print,
    executor: Executor | None = None,
) -> dict:
    """Write the shards that are not there yet and return the manifest.

    model: has generate (latents, class_index) -> uint8 images, score (images, class_index) -> realism, classify
        (images) -> probabilities, compute_log_ratio (images, class_index) -> log density ratio, latent_dim,
        image_shape, class_names, label_values, data, request, fingerprint, train_hashes and compute_hash, as
        models.trained_gan.TrainedGAN.
    sampling: class_size {class name: count}, filter, keep, min_probability, duplicate_distance, latent_std, format,
        shard_size and seed.
    report: callable (text), told of shards that were altered since they were written.
    executor: what draws the images; this process, if None, which alone writes files.

    Memory is one shard, or two for each worker, and of each shard a few hundred bytes. A finished shard is in the
    manifest, or in its journal, with its hash; after an interruption the same call goes on behind the last one, and
    makes again what is not as it says.
    """
    claim(folder / JOURNAL)
    manifest = _continue_manifest(folder, _start_manifest(model, sampling))
    sieve, thresholds = build_sieve(model, sampling, sampling["class_size"], manifest["filter"].get("thresholds"))
    if thresholds is not None:
        manifest["filter"]["thresholds"] = thresholds
    written = {entry["file"]: entry for entry in manifest["shards"]}
    build = _plan_drawing(Drawer(model, sieve, sampling), thresholds, executor)
    bar = open_bar(quiet=quiet, total=sum(sampling["class_size"].values()), desc="sampling", unit="img")

    def list_missing() -> Iterator[ShardTask]:
        for task in _list_shards(sampling, class_folders(model.class_names)):
            if _is_finished(folder, task, written, report):
                bar.update(task.rows)
            else:
                yield task

    with bar:
        for drawn in (executor or SerialExecutor()).map(build, draw_shard, list_missing()):
            _note(folder, manifest, written, _write(model, folder, drawn))
            bar.update(drawn.task.rows)
    place = {name: position for position, name in enumerate(model.class_names)}
    manifest["shards"] = sorted(written.values(), key=lambda entry: (place[entry["class"]], entry["shard"]))
    manifest["classes"] = _sum_up(model, sampling, manifest["shards"])
    for format in list_formats(sampling["format"]):
        FORMATS[format].finish(folder, manifest)
    manifest["complete"] = True
    save_manifest(folder, manifest)
    return manifest


def _plan_drawing(
    drawer: Drawer, thresholds: dict[str, float] | None, executor: Executor | None
) -> Callable[[], Drawer]:
    """Return what builds a worker's Drawer: here it is there already."""
    if executor is None or not executor.is_remote:
        return lambda: drawer
    return DrawerElsewhere(drawer.model, drawer.sampling, thresholds, drawer.hash_first_block())


def _is_finished(folder: Path, task: ShardTask, written: dict[str, dict], report: Callable[[str], object]) -> bool:
    """Tell whether a shard is there in every format, whole and of so many rows; report what has been altered."""
    damaged = [file for file in task.files if file in written and not is_whole(folder / file, written[file])]
    for file in damaged:
        report(f"note: {folder / file} is not what {MANIFEST} says, and is made again")
    return not damaged and all(file in written and written[file]["rows"] == task.rows for file in task.files)


def _note(folder: Path, manifest: dict, written: dict[str, dict], entries: list[dict]) -> None:
    """Record a finished shard: in the manifest if it is the first, then in the journal."""
    written |= {entry["file"]: entry for entry in entries}
    if (folder / MANIFEST).exists():
        note_shards(folder, entries)
    else:
        save_manifest(folder, manifest | {"shards": entries})


def _write(model: Any, folder: Path, drawn: DrawnShard) -> list[dict]:
    """Write a shard in every format; return its manifest entries."""
    task = drawn.task
    label = model.label_values[model.class_names.index(task.name)]
    rejected = dict(drawn.tally)
    candidates = rejected.pop("candidates")
    entries = []
    for file, format in task.files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write_shard(folder / file, drawn.images, label, drawn.scores, FORMATS[format])
        entry = {"file": file, "class": task.name, "shard": task.shard, "rows": task.rows}
        entries.append(entry | describe_shard(folder / file) | {"candidates": candidates, "rejected": rejected})
    return entries


def _list_shards(sampling: dict, folders: dict[str, str]) -> Iterator[ShardTask]:
    """Yield every shard that is asked for."""
    size = sampling["shard_size"]
    for name, count in sampling["class_size"].items():
        for shard, start in enumerate(range(0, count, size)):
            rows = min(size, count - start)
            numbers = {"folder": folders[name], "shard": shard, "first": start + 1, "last": start + rows}
            files = {FORMATS[format].place.format(**numbers): format for format in list_formats(sampling["format"])}
            yield ShardTask(name, files, shard, rows)


def _start_manifest(model: Any, sampling: dict) -> dict:
    return {
        "class_names": list(model.class_names),
        "label_values": list(model.label_values),
        "image_shape": list(model.image_shape),
        "seed": sampling["seed"],
        "data": model.data,
        "request": model.request,
        "fingerprint": model.fingerprint,
        "model_hash": model.compute_hash(),
        "train_hashes": describe_hashes(model.train_hashes()),
        "pretrained_features": getattr(model, "pretrained_features", None),  # a model made by hand need not say
        "latent_std": sampling["latent_std"],
        "filter": {option: sampling[option] for option in ("filter", "keep", "min_probability", "duplicate_distance")},
        "classes": {},
        "shards": [],
        "complete": False,
    }


def _continue_manifest(folder: Path, started: dict) -> dict:
    """Return the manifest in `folder`, or `started` where there is none; RequestError where it is of other shards."""
    manifest = load_manifest(folder)
    if manifest is None:
        (folder / JOURNAL).unlink(missing_ok=True)  # of a manifest that was removed, and its shards with it
        return started
    _check_counts(manifest, folder / MANIFEST)
    there = manifest | {"filter": {name: manifest["filter"].get(name) for name in started["filter"]}}
    there = {"train_hashes": started["train_hashes"], "pretrained_features": None} | there  # older ones don't say
    differing = [key for key in started if key not in _GROWING and there.get(key) != started[key]]
    if differing:
        raise RequestError(
            f"{folder / MANIFEST} is of other shards than those that are asked for ({', '.join(differing)} differ). "
            "Choose another --out, or remove the manifest: all shards are made again then."
        )
    if (folder / JOURNAL).exists():  # so that it never goes on behind a torn line
        save_manifest(folder, manifest)
    return manifest


def _check_counts(manifest: dict, path: Path) -> None:
    """Raise RequestError where what only a run that goes on reads of its manifest is damaged."""
    check_fields(manifest, {"filter": ("an object whose thresholds are numbers", _is_filter)}, path)
    known = ("a class of the manifest", manifest["class_names"].__contains__)
    for entry in manifest["shards"]:
        check_fields(entry, {"class": known, "shard": _COUNT, "candidates": _COUNT, "rejected": _COUNTS}, path)


def _is_filter(value: Any) -> bool:
    thresholds: Any = value.get("thresholds", {}) if is_object(value) else None
    return is_object(thresholds) and all(isinstance(threshold, float) for threshold in thresholds.values())


def _sum_up(model: Any, sampling: dict, entries: list[dict]) -> dict[str, dict]:
    """Return the manifest's per-class counts, each shard counted once whatever its formats."""
    classes = {}
    for name, asked in sampling["class_size"].items():
        label = model.label_values[model.class_names.index(name)]
        classes[name] = {"label": label, "asked": asked, "accepted": 0, "candidates": 0, "rejected": Counter()}
    shards = {(entry["class"], entry["shard"]): entry for entry in entries if entry["class"] in classes}
    for (name, _), entry in shards.items():
        classes[name]["accepted"] += entry["rows"]
        classes[name]["candidates"] += entry["candidates"]
        classes[name]["rejected"].update(entry["rejected"])
    return {name: counts | {"rejected": dict(counts["rejected"])} for name, counts in classes.items()}
