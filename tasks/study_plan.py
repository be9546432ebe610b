"""What the two studies of augment.py compare: settings, arms, measures."""

from functools import partial

from models.startup import load_data
from synth.counts import find_class, parse_counts
from synth.datasets import check_available
from synth.errors import RequestError
from tasks.arms import Arm, list_arms, resolve_recipes
from tasks.study import Study
from tasks.study_report import render_reduced


def plan_imbalance(config):
    """Return the Study of augment.ImbalanceConfig: one small class, or a long tail of them."""
    dataset, request = _load_base(config)
    names, values = dataset.class_names, dataset.label_values
    measures = {"accuracy": "accuracy, %", "macro_f1": "macro F1, %"}
    if config.counts:
        arms = list_arms(config.gans, config.arms, fill=config.fill)
        counts = parse_counts(config.counts, names, values, "--counts")
        check_available(dataset, counts, "--counts")
        title, settings = "Long-tailed classes", {"long-tailed": config.counts}
        measures = {"balanced_accuracy": "ACSA, %", "geometric_mean": "geometric mean, %"} | measures
    else:
        k = find_class(config.minority, names, values, "--minority")
        arms = list_arms(config.gans, config.arms, fill=config.fill, classes=(k,))
        for size in config.minority_size:
            check_available(dataset, {names[k]: size}, "--minority-size")
        title = f"One small class: {names[k]}"
        settings = {f"{size} {names[k]}": f"{names[k]}:{size}" for size in config.minority_size}
        measures = {f"accuracy {names[k]}": f"accuracy of {names[k]}, %"} | measures
    recipes = resolve_recipes(config.gans, config.recipe_fields, balance_classes=True)
    return Study(title, request, settings, {"Equal steps": arms}, measures, recipes)


def plan_reduced(config):
    """Return the Study of augment.ReducedConfig: few real images of every class."""
    dataset, request = _load_base(config)
    for count in config.real:
        check_available(dataset, dict.fromkeys(dataset.class_names, count), "--real")
    compared = list_arms(config.gans, config.arms, added=max(config.added))
    has_gan = not all(arm.is_control for arm in compared)  # without one, the other tables have their real columns alone
    first = tuple(config.gans[0].split("+"))
    epochs = config.classifier_epochs
    columns = {
        count: Arm(
            f"{epochs} epochs, {count} synthetic",
            gans=first if count else (),
            filtered=True,
            added=count,
            epochs=epochs,
        )
        for count in config.added
        if has_gan or not count
    }
    ratios = config.ratios if has_gan else ()
    sweep = [Arm(f"ratio {_format_ratio(r)}", gans=first, filtered=True, ratio=r) for r in ratios]
    groups = {"Equal steps": compared, "Epochs": list(columns.values()), "Ratio": sweep}
    settings = {f"{count} real": count for count in config.real}
    measures = {"accuracy": "test accuracy, %", "macro_f1": "macro F1, %"}
    render_more = partial(render_reduced, columns=columns, sweep=sweep, filter=config.filter)
    return Study(
        "Few real images",
        request,
        settings,
        groups,
        measures,
        resolve_recipes(config.gans, config.recipe_fields),
        render_more,
    )


def _load_base(config):
    """Return the whole data set, and how to load it."""
    dataset = load_data(config)
    if not dataset.has_classifier:
        raise RequestError(f"--data and --classes should give two classes or more. Got {dataset.class_names[0]} alone.")
    return dataset, {name: dataset.request[name] for name in dataset.request.keys() - {"real_per_class", "seed"}}


def _format_ratio(ratio):
    """Write synthetic per real as real:synthetic, 0.25 -> "4:1"."""
    return f"1:{ratio:g}" if ratio >= 1 else f"{1 / ratio:g}:1"
