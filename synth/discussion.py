"""What each study shows beside the published numbers, as Markdown paragraphs."""

from synth import published
from synth.report import compute_summary, find_best, format_percent, render_table


def discuss_minority(results, arms, minority, data):
    """Mark the setting whose baseline comes closest to the published one, and set the numbers side by side."""
    measure = f"accuracy {minority}"
    baselines = {
        setting: compute_summary(here, "real", measure)["mean"]
        for setting, here in results.groupby("setting", sort=False)
        if "real" in set(here["arm"])
    }
    if published.identify(data) != "fashion_mnist" or minority != "Sneaker" or not baselines:
        return []
    closest = min(baselines, key=lambda setting: abs(baselines[setting] - published.SNEAKER_BEFORE))
    rows = [["published", *(f"{100 * value:.1f}" for value in (published.SNEAKER_BEFORE, published.SNEAKER_AFTER)), ""]]
    for setting in baselines:
        here = results[results["setting"] == setting]
        best = find_best(here, [arm.name for arm in arms if not arm.is_control], measure)
        after = format_percent(compute_summary(here, best, measure)) if best else "-"
        mark = " **closest to the published baseline**" if setting == closest else ""
        rows.append([setting + mark, format_percent(compute_summary(here, "real", measure)), after, best or ""])
    note = (
        "Published: fully connected GAN, images ranked by its discriminator. How many Sneakers it kept is not said, so "
        "sizes are tried until the baseline fits."
    )
    header = ["Sneakers", "accuracy of the class before, %", "after, %", "best arm with a GAN"]
    return ["## Beside the published study", note, render_table(header, rows)]


def discuss_long_tailed(results, arms, data, counts):
    """Set the average class-specific accuracy beside those of the DeepSMOTE paper, where the counts are its own."""
    numbers = published.LONG_TAILED.get(published.identify(data))
    if numbers is None or counts != published.LONG_TAILED_COUNTS:
        return []
    measure = "balanced_accuracy"
    rows = [[f"{name} (published)", f"{100 * value:.2f}"] for name, value in numbers.items()]
    for controls in (True, False):
        best = find_best(results, [arm.name for arm in arms if arm.is_control == controls], measure)
        if best:
            rows.append([f"`{best}` (ours)", format_percent(compute_summary(results, best, measure))])
    note = "Published: Dablain et al. 2021 (arXiv:2105.02340), imbalance ratio 100; their network and split are others."
    return ["## Beside the published study", note, render_table(["method", "ACSA, %"], rows)]


def discuss_reduced(results, columns, sweep, data):
    """Write the table of real x synthetic images after so many epochs, and the sweep of the ratio on validation.

    columns: {synthetic images per class: Arm}. sweep: list of Arm.
    """
    header = ["real per class", *(f"{count:,} synthetic" for count in columns)]
    theirs = published.REDUCED_MNIST if published.identify(data) == "mnist" else {}
    rows, ratios = [], []
    for setting, here in results.groupby("setting", sort=False):
        for measure, part in (("accuracy", "test"), ("train_accuracy", "train")):
            cells = [format_percent(compute_summary(here, arm.name, measure)) for arm in columns.values()]
            rows.append([f"{setting}, {part}", *cells])
        row = theirs.get(int(setting.split()[0]))
        if row:
            values = [f"{100 * row[count]:.2f}" if count in row else "-" for count in columns]
            rows.append([f"{setting}, test, published", *values])
        ratios.append([setting, *_describe_sweep(here, sweep)])
    text = ["Every class has as many images, so class weights and plain oversampling would be the same as `real`."]
    if columns:
        epochs = next(iter(columns.values())).epochs
        note = (
            f"The published protocol: {epochs} passes over real and synthetic images together, at a constant rate, so "
            "that more images also mean more steps. Ours are filtered; the train accuracy is that of the last pass, "
            "while training."
        )
        text += [f"## After {epochs} epochs", note, render_table(header, rows)]
    if sweep:
        note = (
            "Real to synthetic, at equal steps, filtered. The ratio is chosen on validation; the last column is the "
            "test accuracy of that choice alone."
        )
        header = ["real per class", *(f"{arm.name}, validation" for arm in sweep), "chosen", "its test accuracy"]
        text += ["## Ratio", note, render_table(header, ratios)]
    return text


def _describe_sweep(results, sweep):
    best = find_best(results, [arm.name for arm in sweep], "validation_accuracy")
    validation = [format_percent(compute_summary(results, arm.name, "validation_accuracy")) for arm in sweep]
    return [*validation, best or "-", format_percent(compute_summary(results, best, "accuracy")) if best else "-"]
