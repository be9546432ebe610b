"""The report of a search over recipes: each variation beside the base, and what it took."""

import math

from evaluation.report import render_table
from tasks.study_report import render_differences

_MEASURES = {  # column: (heading, scale)
    "frechet": ("Frechet ↓", 1),
    "precision": ("precision, % ↑", 100),
    "recall": ("recall, % ↑", 100),
    "coverage": ("coverage, % ↑", 100),
    "accuracy": ("accuracy, % ↑", 100),
    "label_fidelity": ("label fidelity, % ↑", 100),
}
_CONDITIONS = {  # column: (heading, format)
    "frechet_to_floor": ("Frechet / floor", ".2f"),
    "accuracy_std": ("classifiers' std", ".2%"),
    "nearest_ratio": ("nearest, ratio", ".2f"),
    "steps": ("steps", ",.0f"),
    "minutes": ("minutes", ".1f"),
    "minutes_to_near_best": ("to 1.1 x best", ".1f"),
    "images_per_second": ("images/s", ",.0f"),
    "generator_parameters": ("generator", ",.0f"),
    "discriminator_parameters": ("discriminator", ",.0f"),
}
COLUMNS = (*_MEASURES, *_CONDITIONS)  # of results.csv that a report needs


def render_search(title, conditions, results, base):
    """Return report.md: the variations of `results` by their Frechet distance, with the paired differences to `base`.

    results: DataFrame with columns arm and seed, and those of benchmarks.measuring.measure_gan.
    """
    ranked = results.groupby("arm", sort=False)["frechet"].mean().sort_values().index.tolist()
    means = results.groupby("arm")[list(_CONDITIONS)].mean()
    rows = []
    for name in ranked:
        values = [(means.loc[name, column], form) for column, (_, form) in _CONDITIONS.items()]
        rows.append([name, *("-" if math.isnan(value) else format(value, form) for value, form in values)])
    lines = [
        f"# {title}",
        f"{conditions} Means over the seeds; in brackets the paired difference to `{base}`, ± its 95 % interval "
        "(Student's t). Of twenty variations that change nothing, one differs by more than that in each column.",
        render_differences(results, ranked, base, _MEASURES),
        render_table(["variation", *(heading for heading, _ in _CONDITIONS.values())], rows, aligned=True),
    ]
    return "\n\n".join(lines) + "\n"
