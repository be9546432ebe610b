"""An evaluation as Markdown, and what it means in sentences."""

from collections.abc import Callable
from dataclasses import replace
from math import hypot

from common.web_report import escape_text, render_table
from evaluation.memorisation import (
    MemorisationSummary,
    describe_memorisation,
    describe_memorisation_in_features,
)
from evaluation.result import MIN_JUDGED, Evaluation, RunScores, SampleScores
from evaluation.scores import BETTER_LOW, MEASURES, Score, Scores

_FEW_OF_A_CLASS = 800  # some 1,000, but MNIST's test part has 892 of a digit


def render_report(evaluation: Evaluation) -> str:
    """Return evaluation.md: the tables, the sentences and how the numbers were made, names as they are."""
    features, real = evaluation.features, evaluation.real
    lines = ["# Evaluation" + (": LEAKED" if evaluation.leaks.spoil else ""), ""]
    lines += [
        f"Real images: {escape_text(evaluation.data)} ({evaluation.fingerprint[:12]}), {real.images:,} of its "
        f"{real.split} part."
    ]
    lines += [
        f"Features: {features.name} ({features.hash[:12]}), {features.dimensions:,} dimensions. Numbers of "
        "other features can't be compared with these. Floor: as many other real images, of the train part, that the "
        "features were not fitted on.",
        "",
        render_scores(evaluation, escape_text),
        "",
        "± is the 95 % interval over the images that were drawn (recall and coverage: the real ones); it does not hold "
        "the variation from one trained GAN to the next. The Frechet distance's is too wide where the images are not "
        "many times the dimensions. That of all images has no floor: compare it with another run's.",
        "",
        *(f"- {escape_text(sentence)}" for sentence in evaluation.warnings + evaluation.verdicts),
    ]
    for name, run in evaluation.runs.items():
        if not evaluation.without_classes:
            lines += ["", f"## {escape_text(name)}, class by class", "", _render_classes(run, evaluation.floor)]
    if any(run.cross_check for run in evaluation.runs.values()):
        lines += ["", "## Second opinion", "", _render_cross_checks(evaluation.runs)]
    return "\n".join(lines) + "\n"


def render_scores(evaluation: Evaluation, escape: Callable[[str], str] = str) -> str:
    """Return the table of measures, runs and the floor. escape: what to do with the runs' names."""
    runs, floor = evaluation.runs, evaluation.floor
    samples: list[SampleScores] = [*runs.values(), floor]
    marked = [escape(name) + (" *" if run.pretrained_features else "") for name, run in runs.items()]
    header = ["", *marked, "floor (real)"]
    label = f"images (against {evaluation.real.images:,} real)"
    rows = [[label, *(f"{evaluation.compared:,}" for _ in header[1:])]]
    for measure in sorted(MEASURES, key=lambda measure: measure != find_headline(evaluation)):
        cells = (_format(getattr(sample.scores, measure), measure) for sample in samples)
        rows.append([f"{measure.replace('_', ' ')} {'↓' if measure in BETTER_LOW else '↑'}", *cells])
    if any(run.images > evaluation.compared for run in runs.values()):
        cells = (_format_all(run) for run in runs.values())
        rows.append(["frechet, all images ↓", *cells, "not known"])
    if floor.frechet_infinity is not None:
        rows.append(["frechet, extrapolated ↓", *(f"{sample.frechet_infinity:.3f}" for sample in samples)])
    if all(run.likelihood_divergence is not None for run in runs.values()):
        cells = (f"{run.likelihood_divergence:.2f}" for run in runs.values())
        rows.append(["likelihood divergence ↓", *cells, "0 by definition"])
    memorisations = [run.memorisation for run in runs.values()]
    rows.append(["nearest training image, ratio", *(_format_ratio(found) for found in memorisations), "1 expected"])
    rows.append(["nearer than 99 % of real", *(_format_share(found) for found in memorisations), "1 % expected"])
    in_features = [found for run in runs.values() if (found := run.memorisation_in_features)]
    if len(in_features) == len(runs):
        rows.append(["the same in features", *(_format_share(found) for found in in_features), "1 % expected"])
    return render_table(header, rows, aligned=True)


def find_headline(evaluation: Evaluation) -> str:
    """Return the measure that decides: "kernel", which has no bias, where a class has few real images, or "frechet"."""
    fewest = min(scored.real_images for scored in evaluation.floor.classes.values())
    return "kernel" if fewest < _FEW_OF_A_CLASS else "frechet"


def find_verdicts(evaluation: Evaluation) -> list[str]:
    """Return sentences: each run against the floor, what collapsed or diverged, memorisation, and which run won."""
    floor, sentences, headline = evaluation.floor.scores, [], find_headline(evaluation)
    for name, run in evaluation.runs.items():
        scores = run.scores
        sentences.append(
            f"{name}: {_compare_headline(scores, floor, headline)}; "
            + "; ".join(_compare(scores, floor, measure) for measure in ("precision", "recall", "coverage"))
            + "."
        )
        if run.collapsed:
            sentences.append(f"{name}: collapsed, hardly any variety in: {', '.join(run.collapsed)}.")
        unjudged = [class_name for class_name, scored in run.classes.items() if not scored.can_judge]
        if unjudged:
            sentences.append(
                f"{name}: variety: too few to say of {', '.join(unjudged)}: {MIN_JUDGED} images of a class are needed, "
                "and as many real ones."
            )
        sentences.append(f"{name}: {describe_memorisation(run.memorisation)}")
        if run.memorisation_in_features:
            found = describe_memorisation_in_features(run.memorisation_in_features, evaluation.searched)
            sentences.append(f"{name}: {found}")
    sentences += [f"{name}: {message}" for name, message in evaluation.failed.items()]
    if len(evaluation.runs) > 1:
        sentences.append(_find_winner(evaluation.runs, headline))
    return sentences


def find_warnings(evaluation: Evaluation) -> list[str]:
    """Return sentences on what the numbers can't say."""
    dimensions, compared = evaluation.features.dimensions, evaluation.compared
    warnings, leaks = list(evaluation.notes), evaluation.leaks
    if evaluation.without_classes:
        warnings.insert(0, f"without classes: {evaluation.without_classes}.")
    if evaluation.leaks.spoil:
        warnings.append(f"LEAKED: {leaks.leaked:,} of {leaks.images:,} real images were trained on.")
    elif leaks.leaked:
        warnings.append(f"note: {leaks.leaked:,} of {leaks.images:,} real images were trained on, and left out.")
    if evaluation.settings["fid_infinity"] == "True" and evaluation.floor.sizes is None:
        warnings.append(f"note: {compared:,} images are too few to extrapolate the Frechet distance.")
    if evaluation.real.split == "validation":
        warnings.append("note: GANs are chosen on validation: against that part, the scores are too good.")
    if compared < 10 * dimensions:
        warnings.append(
            f"warning: {compared:,} images for {dimensions:,} dimensions: below ten times as many, the Frechet "
            "distance is too large, and only comparable at this number of images (the floor is)."
        )
    elif not evaluation.without_classes and min(evaluation.compared_classes.values()) < 10 * dimensions:
        warnings.append(
            f"note: the classes have fewer than ten times {dimensions:,} images each: their Frechet distances are too "
            "large, and only comparable at these numbers of images (the floor's are)."
        )
    if find_headline(evaluation) == "kernel":
        warnings.append(
            f"note: a class has fewer than {_FEW_OF_A_CLASS} real images, so the kernel distance decides: the Frechet "
            "distance depends on the number of images."
        )
    for name, run in evaluation.runs.items():
        if run.pretrained_features:
            warnings.append(
                f"* {name}: its GAN saw images through {run.pretrained_features}, which was trained on other pictures. "
                "It is nearer to the real ones in the features of such networks than to the eye: precision, recall and "
                "the accuracy of predict.py tell more than its distances."
            )
    samples = [*evaluation.runs.values(), evaluation.floor]
    if any(sample.scores.kernel.value < 0 for sample in samples):
        warnings.append("note: the kernel distance is an unbiased estimate: where it is near 0, it can be negative.")
    return warnings


def _compare_headline(scores: Scores, floor: Scores, headline: str) -> str:
    if headline == "kernel":  # the floor's is about 0, so there is no ratio
        kernel, real = (_format(found.kernel, "kernel") for found in (scores, floor))
        return f"the kernel distance is {kernel}, that of as many real images {real}"
    ratio = scores.frechet.value / max(floor.frechet.value, 1e-12)
    return f"the Frechet distance is {ratio:.1f} times that of as many real images"


def _find_winner(runs: dict[str, RunScores], headline: str) -> str:
    measured = {name: getattr(run.scores, headline) for name, run in runs.items()}
    ranked = sorted(measured, key=lambda name: measured[name].value)
    best, second = (measured[name] for name in ranked[:2])
    title, digits = "kernel distance" if headline == "kernel" else "Frechet distance", _count_digits(headline)
    difference = f"{second.value - best.value:.{digits}f}"
    if best.interval is None or second.interval is None:
        return f"{ranked[0]} has the lowest {title}, by {difference} to {ranked[1]}; no interval is known."
    interval = hypot(best.interval, second.interval)
    if second.value - best.value <= interval:
        return (
            f"no winner: {ranked[0]} and {ranked[1]} differ by {difference} in the {title}, which is "
            f"within the interval of the difference, ± {interval:.{digits}f}."
        )
    return (
        f"{ranked[0]} won: its {title} is lower than that of {ranked[1]} by {difference} ± {interval:.{digits}f} "
        "(one training each: another seed of training can move it further than this)."
    )


def _compare(scores: Scores, floor: Scores, measure: str) -> str:
    score: Score = getattr(scores, measure)
    if score.value is None:
        return f"{measure} not known"
    return f"{measure} {score.value:.2f} of the floor's {getattr(floor, measure).value:.2f}"


def _format(score: Score, measure: str) -> str:
    if score.value is None:
        return "-"
    digits = _count_digits(measure)
    interval = "" if score.interval is None else f" ± {score.interval:.{digits}f}"
    return f"{score.value:.{digits}f}{interval}"


def _count_digits(measure: str) -> int:
    return 5 if measure == "kernel" else 3


def _format_all(run: RunScores) -> str:
    if run.frechet_all is None:
        return "other proportions"
    return f"{run.frechet_all:.3f} ({run.images:,})"


def _format_ratio(memorisation: MemorisationSummary) -> str:
    return "-" if memorisation.ratio is None else f"{memorisation.ratio:.2f}"


def _format_share(memorisation: MemorisationSummary) -> str:
    return "-" if memorisation.near_share is None else f"{memorisation.near_share:.1%}"


def _render_classes(run: RunScores, floor: SampleScores) -> str:
    header = ["class", "images", *(name.replace("_", " ") for name in MEASURES), "nearest ratio", "nearer than 99 %"]
    rows = []
    for name, of_class in run.classes.items():
        for label, scored in ((escape_text(name), of_class), ("  floor", floor.classes[name])):
            values = (replace(getattr(scored.scores, measure), interval=None) for measure in MEASURES)
            cells = [_format(score, measure) for score, measure in zip(values, MEASURES, strict=True)]
            found = scored.memorisation
            near = [_format_ratio(found), _format_share(found)] if found else ["", ""]
            rows.append([label, f"{scored.compared:,}", *cells, *near])
    return render_table(header, rows, aligned=True)


def _render_cross_checks(runs: dict[str, RunScores]) -> str:
    rows = []
    for name, run in runs.items():
        for measure, opinions in (run.cross_check or {}).items():
            rows.append([escape_text(name), measure.replace("_", " "), f"{opinions.ours:.6g}", f"{opinions.tfgan:.6g}"])
    return render_table(["run", "measure", "ours", "TF-GAN"], rows, aligned=True)
