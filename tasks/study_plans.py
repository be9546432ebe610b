"""What the two studies of augment.py compare: settings, arms, measures."""

from functools import partial
from typing import Any

from common.counts import find_class, parse_counts
from common.errors import RequestError
from common.run_options import RunOptions
from real.data_options import ClassOptions
from real.datasets import Dataset, check_available
from synth.shard_options import FilterOptions
from tasks.arms import Arm, list_arms, resolve_recipes
from tasks.real_data import load_data
from tasks.study_design import Study
from tasks.study_options import ImbalanceOptions, ReducedOptions, StudyOptions
from tasks.study_report import render_reduced


def plan_imbalance(data: ClassOptions, options: ImbalanceOptions, filtering: FilterOptions, run: RunOptions) -> Study:
    """Return the Study of one small class, or of a long tail of them."""
    dataset, request = _load_base(data, run)
    names, values = dataset.class_names, dataset.label_values
    if options.counts:
        arms = list_arms(options.gans, options.arms, fill=options.fill)
        counts = parse_counts(options.counts, names, values, "--counts")
        check_available(dataset, counts, "--counts")
        title, settings = "Long-tailed classes", {"long-tailed": options.counts}
        measures = {"balanced_accuracy": "ACSA, %", "geometric_mean": "geometric mean, %"}
        measures |= {"accuracy": "accuracy, %", "macro_f1": "macro F1, %"}
    else:
        k = find_class(options.minority or "", names, values, "--minority")
        arms = list_arms(options.gans, options.arms, fill=options.fill, classes=(k,))
        for size in options.minority_size:
            check_available(dataset, {names[k]: size}, "--minority-size")
        title = f"One small class: {names[k]}"
        settings = {f"{size} {names[k]}": f"{names[k]}:{size}" for size in options.minority_size}
        measures = {  # macro F1 decides: what raises the accuracy of one class can cost its precision
            "macro_f1": "macro F1, %",
            f"accuracy {names[k]}": f"accuracy of {names[k]}, %",
            f"precision {names[k]}": f"precision of {names[k]}, %",
            "balanced_accuracy": "balanced accuracy, %",
        }
    return Study(
        title=title,
        script="augment.py imbalance",
        request=request,
        settings=settings,
        groups={"Equal steps": arms},
        measures=measures,
        recipes=resolve_recipes(options.gans, options.recipe_fields, balance_classes=True),
        **_take_common(options, filtering),
    )


def plan_reduced(data: ClassOptions, options: ReducedOptions, filtering: FilterOptions, run: RunOptions) -> Study:
    """Return the Study of few real images of every class."""
    dataset, request = _load_base(data, run)
    for count in options.real:
        check_available(dataset, dict.fromkeys(dataset.class_names, count), "--real")
    compared = list_arms(options.gans, options.arms, added=max(options.added))
    has_gan = not all(arm.is_control for arm in compared)  # without one, the other tables have their real columns alone
    first = tuple(options.gans[0].split("+"))
    added = [count for count in options.added if has_gan or not count]
    rows = _list_epoch_rows(first, added, options.classifier_epochs, filtering.filter)
    epoch_arms = [arm for arms in rows.values() for arm in arms.values()]
    ratios = options.ratios if has_gan else ()
    sweep = [Arm(f"ratio {_format_ratio(r)}", gans=first, filtered=True, ratio=r) for r in ratios]
    return Study(
        title="Few real images",
        script="augment.py reduced",
        request=request,
        settings={f"{count} real": count for count in options.real},
        groups={"Equal steps": compared, "Epochs": epoch_arms, "Ratio": sweep},
        measures={"accuracy": "test accuracy, %", "macro_f1": "macro F1, %"},
        recipes=resolve_recipes(options.gans, options.recipe_fields),
        render_more=partial(render_reduced, rows=rows, sweep=sweep, filter=filtering.filter),
        **_take_common(options, filtering),
    )


def _take_common(options: StudyOptions, filtering: FilterOptions) -> dict[str, Any]:
    """Return the arguments of Study that follow from the options of both studies alone."""
    return {
        "given": tuple(options.recipe_fields),
        "classifier": options.classifier,
        "steps": options.classifier_steps,
        "max_minutes": options.max_minutes,
        "filtering": filtering,
    }


def _list_epoch_rows(gans: tuple[str, ...], added: list[int], epochs: int, filter: str) -> dict[str, dict[int, Arm]]:
    """Return {row: {images added to each class: Arm}} of the table after so many passes over all images.

    The rows add images of `gans` as they are drawn and, unless `filter` is "none", filtered; the last one adds the real
    images again in place of these, all with classic augmentation.
    """
    plain = Arm(f"{epochs} epochs, 0 synthetic", epochs=epochs)
    kinds: dict[str, dict[str, Any]] = {"unfiltered": {"gans": gans}}
    if filter != "none":
        kinds["filtered"] = {"gans": gans, "filtered": True}
    rows = {
        kind: {
            count: Arm(f"{epochs} epochs, {count} {kind}", added=count, epochs=epochs, **how) if count else plain
            for count in added
        }
        for kind, how in kinds.items()
    }
    rows["classic"] = {
        count: Arm(
            f"{epochs} epochs, {count} classic", "oversampling" if count else "", True, added=count, epochs=epochs
        )
        for count in added
    }
    return rows


def _load_base(data: ClassOptions, run: RunOptions) -> tuple[Dataset, dict]:
    """Return the whole data set, and how to load it."""
    dataset = load_data(data, run)
    if not dataset.has_classifier:
        raise RequestError(f"--data and --classes should give two classes or more. Got {dataset.class_names[0]} alone.")
    request = {name: value for name, value in dataset.request.items() if name not in ("real_per_class", "seed")}
    return dataset, request | {"no_cache": data.no_cache}


def _format_ratio(ratio: float) -> str:
    """Write synthetic per real as real:synthetic, 0.25 -> "4:1"."""
    return f"1:{ratio:g}" if ratio >= 1 else f"{1 / ratio:g}:1"
