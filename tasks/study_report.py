"""What a study's results say: tables in Markdown, paired differences, and verdicts in one sentence."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from common.figures import plot_samples, save_figure
from common.files import replacing
from common.folder_names import class_folder
from common.run_options import RepeatOptions
from common.web_report import render_table
from evaluation.statistics import PairedDifference, Summary, compare_paired, summarise
from synth.sampling import draw_latents
from tasks.arms import Arm
from tasks.study_design import Study
from tasks.study_figures import plot_added, plot_arm_curves, plot_arms
from tasks.study_lab import BATCH, Lab


def write_report(study: Study, run: RepeatOptions, results: pd.DataFrame, curves: pd.DataFrame, lab: Lab) -> str:
    """Write report.md and the figures; return the report."""
    out = Path(run.out)
    compared, *_ = study.groups.values()
    primary, heading = next(iter(study.measures.items()))
    names = [arm.name for arm in compared]
    save_figure(out / "curves.png", plot_arm_curves(curves))
    lines = [f"# {study.title}", _describe_conditions(study, run)]
    summaries = {}
    for setting in study.settings:
        here = results[results["setting"] == setting]
        present = [arm for arm in compared if arm.name in set(here["arm"])]
        if not present:
            continue
        summaries[setting] = {arm.name: compute_summary(here, arm.name, primary) for arm in present}
        headings = [text.removesuffix(", %") for text in study.measures.values()]
        roles = [headings[0], *(f"by {text} alone" for text in headings[1:])]
        verdicts = [describe_verdict(here, present, *named) for named in zip(study.measures, roles, strict=True)]
        verdicts += describe_filters(here, present, primary)
        lines += [f"## {setting}", render_arms(here, present, study.measures), "\n".join(f"- {v}" for v in verdicts)]
    controls = {arm.name for arm in compared if arm.is_control}
    if summaries and names:
        save_figure(out / "arms.png", plot_arms(summaries, heading, controls))
        lines.append("![mean and 95 % interval of every arm](arms.png)")
    lines += study.render_more(results, out)
    lines.append("![accuracy while training](curves.png)")
    for path in _save_samples(study, run, results, lab):
        lines.append(f"![images of {path.stem}]({path.relative_to(out).as_posix()})")
    text = "\n\n".join(lines) + "\n"
    with replacing(out / "report.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return text


def _describe_conditions(study: Study, run: RepeatOptions) -> str:
    first = next(iter(study.groups))
    return (
        f"{first}: every arm has the same real images, the same network (`{study.classifier}`) and "
        f"{study.steps:,} steps of Adam with {BATCH} images, the rate falling by a cosine. The last weights count, "
        "so nothing is chosen by looking at test images. "
        f"Seeds {run.seed} to {run.seed + run.seeds - 1} are paired: each draws the real images, trains its own GANs "
        "and starts the classifiers of all arms alike. ± is the 95 % interval (Student's t). The best arm of each "
        "kind is named after the fact, which favours the kind with more arms."
    )


def _save_samples(study: Study, run: RepeatOptions, results: pd.DataFrame, lab: Lab) -> list[Path]:
    """Save ten unfiltered images per class of each setting's GANs of the first seed; return the paths."""
    paths = []
    for setting in study.settings:
        done = results[(results["setting"] == setting) & (results["seed"] == run.seed)]["arm"]
        for name in dict.fromkeys(name for arm in done for name in study.arms[arm].gans):
            path = Path(run.out) / "samples" / f"{class_folder(f'{setting} {name}')}.png"
            path.parent.mkdir(exist_ok=True)
            paths.append(path)
            if path.exists():
                continue
            trained = lab.open_gan(name, setting, run.seed)
            latents = [draw_latents(run.seed, k, 0, 0, trained.latent_dim) for k in range(len(trained.class_names))]
            images = {text: trained.generate(latents[k][:10], k) for k, text in enumerate(trained.class_names)}
            save_figure(path, plot_samples(images))
    return paths


def compute_summary(results: pd.DataFrame, arm: str, measure: str) -> Summary | None:
    """Summarise a measure of one arm over its seeds; None where it has no results."""
    values = results.loc[results["arm"] == arm, measure]
    return summarise(values) if len(values) else None


def find_best(results: pd.DataFrame, arms: list[str], measure: str) -> str | None:
    """Return the name among `arms` with the highest mean; None where none has results."""
    means = results[results["arm"].isin(arms)].groupby("arm", sort=False)[measure].mean()
    return None if means.empty else means.idxmax()


def compare_arms(results: pd.DataFrame, arm: str, baseline: str, measure: str) -> PairedDifference:
    """Compare two arms seed by seed."""
    series = (results[results["arm"] == name].set_index("seed")[measure].to_dict() for name in (arm, baseline))
    return compare_paired(*series)


def format_percent(summary: Summary | None) -> str:
    """Write a summary of fractions as "96.31 ± 0.12" (percent, half-width of the 95 % interval)."""
    return "-" if summary is None else f"{100 * summary.mean:.2f}{_format_interval(summary)}"


def format_points(compared: Summary, scale: float = 100) -> str:
    """Write a paired difference as "+1.20 ± 0.40" (percentage points, unless `scale` says otherwise)."""
    return f"{round(scale * compared.mean, 2) + 0.0:+.2f}{_format_interval(compared, scale)}"  # + 0.0: no "-0.00"


def _format_interval(summary: Summary, scale: float = 100) -> str:
    return "" if summary.interval is None else f" ± {scale * summary.interval:.2f}"


def render_arms(results: pd.DataFrame, arms: list[Arm], measures: dict[str, str]) -> str:
    """Write one row per arm: mean ± interval of each measure, and the difference of the first to the best control.

    results: of one setting. arms: list of tasks.arms.Arm. measures: {column: heading}.
    """
    primary = next(iter(measures))
    best = find_best(results, [arm.name for arm in arms if arm.is_control], primary)
    rows = []
    for arm in arms:
        of_arm = results[results["arm"] == arm.name]
        if of_arm.empty:
            continue
        difference = "best control" if arm.name == best else "-"
        if best and arm.name != best:
            compared = compare_arms(results, arm.name, best, primary)
            difference = format_points(compared)
        values = [format_percent(compute_summary(results, arm.name, measure)) for measure in measures]
        images = f"{of_arm['train_images'].mean():,.0f} ({of_arm['synthetic_images'].mean():,.0f})"
        rows.append([arm.name, *values, difference, images, len(of_arm)])
    heading = f"{measures[primary]}: difference to {best or 'control'}"
    return render_table(["arm", *measures.values(), heading, "images (synthetic)", "seeds"], rows)


def describe_verdict(results: pd.DataFrame, arms: list[Arm], measure: str, heading: str) -> str:
    """Say in one sentence whether the best arm with a GAN beats the best control that was run, paired by seed."""
    control = find_best(results, [arm.name for arm in arms if arm.is_control], measure)
    best = find_best(results, [arm.name for arm in arms if not arm.is_control], measure)
    if control is None or best is None:
        return f"{heading}: no verdict, an arm with a GAN and a control are needed."
    return f"{heading}: {describe_difference(results, best, control, measure, 'the best control that was run')}"


def describe_difference(results: pd.DataFrame, arm: str, baseline: str, measure: str, role: str = "") -> str:
    """Say in one sentence how two arms differ, paired by seed, in percentage points."""
    compared = compare_arms(results, arm, baseline, measure)
    versus = f"`{baseline}`" + (f" ({role})" if role else "")
    if compared.verdict == "unknown":
        return f"`{arm}` differs from {versus} by {format_points(compared)} points: one seed alone is no evidence."
    numbers = f"{format_points(compared)} points, 95 %, {compared.seeds} seeds"
    return {
        "better": f"`{arm}` is better than {versus}: {numbers}.",
        "worse": f"no gain: `{arm}` is worse than {versus}: {numbers}.",
        "equal": f"no significant gain: `{arm}` does not differ from {versus} beyond noise: {numbers}.",
    }[compared.verdict]


def describe_filters(results: pd.DataFrame, arms: list[Arm], measure: str) -> Iterator[str]:
    """Yield one sentence for each filtered arm that has its unfiltered twin among the arms."""
    unfiltered = {(arm.gans, arm.classic, arm.balance): arm.name for arm in arms if arm.gans and not arm.filtered}
    present = set(results["arm"])
    for arm in arms:
        twin = unfiltered.get((arm.gans, arm.classic, arm.balance))
        if arm.filtered and twin is not None and {arm.name, twin} <= present:
            yield "filter: " + describe_difference(results, arm.name, twin, measure)


def render_reduced(
    results: pd.DataFrame, out: Path, rows: dict[str, dict[int, Arm]], sweep: list[Arm], filter: str
) -> list[str]:
    """Write the table of real x added images after so many epochs, with its figure, and the sweep of the ratio.

    rows: {row: {images added to each class: Arm}}. sweep: list of Arm. filter: of its images.
    """
    text = ["Every class has as many images, so class weights and plain oversampling would be the same as `real`."]
    columns = next(iter(rows.values()))
    if columns:
        epochs = next(iter(columns.values())).epochs
        note = (
            f"{epochs} passes over all images together, at a constant rate, so that more images also mean more steps. "
            "`classic` has classic augmentation, and the real images again in place of synthetic ones, in as many "
            "steps. The train accuracy is that of the last pass, while training."
        )
        accuracies = summarise_epochs(results, rows)
        save_figure(out / "epochs.png", plot_added(accuracies))
        header = ["real per class", *(f"{count:,} added" for count in columns)]
        table = [[", ".join(key), *map(format_percent, of_count.values())] for key, of_count in accuracies.items()]
        text += [f"## After {epochs} epochs", note, render_table(header, table)]
        text.append("![accuracy by the images that were added](epochs.png)")
    if sweep:
        kept = "not filtered" if filter == "none" else "filtered"
        ratios = [[setting, *_describe_sweep(here, sweep)] for setting, here in results.groupby("setting", sort=False)]
        note = (
            f"Real to synthetic, at equal steps; the synthetic images are {kept}. The ratio is chosen on validation; "
            "the last column is the test accuracy of that choice alone."
        )
        header = ["real per class", *(f"{arm.name}, validation" for arm in sweep), "chosen", "its test accuracy"]
        text += ["## Ratio", note, render_table(header, ratios)]
    return text


def summarise_epochs(
    results: pd.DataFrame, rows: dict[str, dict[int, Arm]]
) -> dict[tuple[str, str, str], dict[int, Summary | None]]:
    """Return {(setting, row, "test" or "train"): {images added: Summary of the accuracy, or None}}."""
    return {
        (str(setting), row, part): {count: compute_summary(here, arm.name, measure) for count, arm in arms.items()}
        for setting, here in results.groupby("setting", sort=False)
        for row, arms in rows.items()
        for part, measure in (("test", "accuracy"), ("train", "train_accuracy"))
    }


def _describe_sweep(results: pd.DataFrame, sweep: list[Arm]) -> list[str]:
    best = find_best(results, [arm.name for arm in sweep], "validation_accuracy")
    validation = [format_percent(compute_summary(results, arm.name, "validation_accuracy")) for arm in sweep]
    return [*validation, best or "-", format_percent(compute_summary(results, best, "accuracy")) if best else "-"]
