"""The report of a search over recipes: each variation beside the base, and what it took."""

import math

from common.web_report import render_table
from tasks.study_report import compare_arms, format_points

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


def render_differences(results, arms, baseline, measures):
    """Write one row per arm, in the order of `arms`: the mean of each measure, and the paired difference to `baseline`.

    measures: {column: (heading, scale)}; scale 100 turns fractions into percent. The difference is left out where the
    two have no seed in common.
    """
    seeds = {arm: set(results.loc[results["arm"] == arm, "seed"]) for arm in [*arms, baseline]}
    rows = []
    for arm in arms:
        cells = []
        for measure, (_, scale) in measures.items():
            text = f"{scale * results.loc[results['arm'] == arm, measure].mean():.2f}"
            if arm != baseline and seeds[arm] & seeds[baseline]:
                text += f" ({format_points(compare_arms(results, arm, baseline, measure), scale)})"
            cells.append(text)
        rows.append([arm, *cells, len(seeds[arm])])
    header = ["variation", *(heading for heading, _ in measures.values()), "seeds"]
    return render_table(header, rows, aligned=True)
