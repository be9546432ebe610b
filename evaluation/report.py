"""evaluation.json as Markdown, and what it means in sentences."""

from collections.abc import Iterable, Sequence
from math import hypot

from evaluation.memorisation import describe_memorisation
from evaluation.scores import BETTER_LOW, MEASURES

_COLLAPSED = 0.1  # of the floor's recall, or of the real images' variance


def render_report(result: dict) -> str:
    """Return evaluation.md: the tables, the sentences and how the numbers were made."""
    features, real = result["features"], result["real"]
    lines = ["# Evaluation" + (": LEAKED" if _is_leaked(result) else ""), ""]
    lines += [
        f"Real images: {result['data']} ({result['fingerprint'][:12]}), {real['images']:,} of its {real['split']} part."
    ]
    lines += [
        f"Features: {features['name']} ({features['hash'][:12]}), {features['dimensions']:,} dimensions. Numbers of "
        "other features can't be compared with these. Floor: as many other real images, of the train part, that the "
        "features were not fitted on.",
        "",
        render_scores(result),
        "",
        "± is the 95 % interval over the images that were drawn (recall and coverage: the real ones); it does not hold "
        "the variation from one trained GAN to the next. The Frechet distance's is too wide where the images are not "
        "many times the dimensions. That of all images has no floor: compare it with another run's.",
        "",
        *(f"- {sentence}" for sentence in result["warnings"] + result["verdicts"]),
    ]
    for name, run in result["runs"].items():
        lines += ["", f"## {name}, class by class", "", _render_classes(run, result["floor"])]
    if any("cross_check" in run for run in result["runs"].values()):
        lines += ["", "## Second opinion", "", _render_cross_checks(result["runs"])]
    return "\n".join(lines) + "\n"


def render_table(header: Sequence[object], rows: Iterable[Sequence[object]], *, aligned: bool = False) -> str:
    """Write rows of text as a Markdown table; `aligned` pads the cells, so that it reads well on a terminal."""
    lines = [header, ["---"] * len(header), *rows]
    lines = [[str(value) for value in line] for line in lines]
    if aligned:
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
        lines[1] = ["-" * width for width in widths]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def render_scores(result: dict) -> str:
    """Return the table of measures, runs and the floor."""
    runs, floor = result["runs"], result["floor"]
    header = ["", *runs, "floor (real)"]
    label = f"images (against {result['real']['images']:,} real)"
    rows = [[label, *(f"{result['compared']:,}" for _ in header[1:])]]
    for measure in MEASURES:
        scored = [*runs.values(), floor]
        cells = (_format(entry["scores"][measure], measure) for entry in scored)
        rows.append([f"{measure.replace('_', ' ')} {'↓' if measure in BETTER_LOW else '↑'}", *cells])
    if any(run["images"] > result["compared"] for run in runs.values()):
        cells = (_format_all(run) for run in runs.values())
        rows.append(["frechet, all images ↓", *cells, "not known"])
    if "frechet_infinity" in floor:
        cells = (f"{entry['frechet_infinity']:.3f}" for entry in [*runs.values(), floor])
        rows.append(["frechet, extrapolated ↓", *cells])
    memorisations = [run["memorisation"] for run in runs.values()]
    rows.append(["nearest training image, ratio", *(_format_ratio(found) for found in memorisations), "1 expected"])
    rows.append(["nearer than 99 % of real", *(_format_share(found) for found in memorisations), "1 % expected"])
    return render_table(header, rows, aligned=True)


def find_verdicts(result: dict) -> list[str]:
    """Return sentences: each run against the floor, what collapsed or diverged, memorisation, and which run won."""
    floor, sentences = result["floor"]["scores"], []
    for name, run in result["runs"].items():
        scores = run["scores"]
        ratio = scores["frechet"]["value"] / max(floor["frechet"]["value"], 1e-12)
        sentences.append(
            f"{name}: the Frechet distance is {ratio:.1f} times that of as many real images; "
            + "; ".join(_compare(scores, floor, measure) for measure in ("precision", "recall", "coverage"))
            + "."
        )
        if run["collapsed"]:
            sentences.append(f"{name}: collapsed, hardly any variety in: {', '.join(run['collapsed'])}.")
        sentences.append(f"{name}: {describe_memorisation(run['memorisation'])}")
    sentences += [f"{name}: {message}" for name, message in result["failed"].items()]
    if len(result["runs"]) > 1:
        sentences.append(_find_winner(result["runs"]))
    return sentences


def find_collapsed(classes: dict[str, dict], floor_classes: dict[str, dict]) -> list[str]:
    """Return the names of the classes without variety: {class: entry} with "scores", "spread" and "real_spread".

    Their features hardly vary, or they look real (precision) and yet nearly all real images lie outside them (recall).
    """
    return [
        name
        for name, entry in classes.items()
        if entry["spread"] < _COLLAPSED * entry["real_spread"]
        or (
            _is_below(entry["scores"]["recall"], floor_classes[name]["scores"]["recall"], _COLLAPSED)
            and not _is_below(entry["scores"]["precision"], floor_classes[name]["scores"]["precision"], 0.5)
        )
    ]


def find_warnings(result: dict) -> list[str]:
    """Return sentences on what the numbers can't say."""
    dimensions, compared = result["features"]["dimensions"], result["compared"]
    warnings, leaks = list(result["notes"]), result["leaks"]
    if _is_leaked(result):
        warnings.append(f"LEAKED: {leaks['leaked']:,} of {leaks['images']:,} real images were trained on.")
    elif leaks["leaked"]:
        warnings.append(f"note: {leaks['leaked']:,} of {leaks['images']:,} real images were trained on, and left out.")
    if result["settings"]["fid_infinity"] == "True" and "sizes" not in result["floor"]:
        warnings.append(f"note: {compared:,} images are too few to extrapolate the Frechet distance.")
    if result["real"]["split"] == "validation":
        warnings.append("note: GANs are chosen on validation: against that part, the scores are too good.")
    if compared < 10 * dimensions:
        warnings.append(
            f"warning: {compared:,} images for {dimensions:,} dimensions: below ten times as many, the Frechet "
            "distance is too large, and only comparable at this number of images (the floor is)."
        )
    elif min(result["compared_classes"].values()) < 10 * dimensions:
        warnings.append(
            f"note: the classes have fewer than ten times {dimensions:,} images each: their Frechet distances are too "
            "large, and only comparable at these numbers of images (the floor's are)."
        )
    entries = [*result["runs"].values(), result["floor"]]
    if any(entry["scores"]["kernel"]["value"] < 0 for entry in entries):
        warnings.append("note: the kernel distance is an unbiased estimate: where it is near 0, it can be negative.")
    return warnings


def _is_leaked(result: dict) -> bool:
    return result["leaks"]["allowed"] and result["leaks"]["leaked"] > 0


def _find_winner(runs: dict[str, dict]) -> str:
    ranked = sorted(runs, key=lambda name: runs[name]["scores"]["frechet"]["value"])
    best, second = (runs[name]["scores"]["frechet"] for name in ranked[:2])
    difference = second["value"] - best["value"]
    if best["interval"] is None or second["interval"] is None:
        return (
            f"{ranked[0]} has the lowest Frechet distance, by {difference:.3f} to {ranked[1]}; no intervals were asked."
        )
    interval = hypot(best["interval"], second["interval"])
    if difference <= interval:
        return (
            f"no winner: {ranked[0]} and {ranked[1]} differ by {difference:.3f} in the Frechet distance, which is "
            f"within the interval of the difference, ± {interval:.3f}."
        )
    return (
        f"{ranked[0]} won: its Frechet distance is lower than that of {ranked[1]} by {difference:.3f} ± {interval:.3f} "
        "(one training each: another seed of training can move it further than this)."
    )


def _compare(scores: dict, floor: dict, measure: str) -> str:
    if scores[measure]["value"] is None:
        return f"{measure} not known"
    return f"{measure} {scores[measure]['value']:.2f} of the floor's {floor[measure]['value']:.2f}"


def _is_below(score: dict, floor: dict, fraction: float) -> bool:
    return score["value"] is not None and floor["value"] is not None and score["value"] < fraction * floor["value"]


def _format(score: dict, measure: str) -> str:
    if score["value"] is None:
        return "-"
    digits = 5 if measure == "kernel" else 3
    interval = "" if score["interval"] is None else f" ± {score['interval']:.{digits}f}"
    return f"{score['value']:.{digits}f}{interval}"


def _format_all(run: dict) -> str:
    if run["frechet_all"] is None:
        return "other proportions"
    return f"{run['frechet_all']:.3f} ({run['images']:,})"


def _format_ratio(memorisation: dict) -> str:
    return "-" if memorisation["ratio"] is None else f"{memorisation['ratio']:.2f}"


def _format_share(memorisation: dict) -> str:
    return "-" if memorisation["near_share"] is None else f"{memorisation['near_share']:.1%}"


def _render_classes(run: dict, floor: dict) -> str:
    shown = ("frechet", "kernel", "precision", "recall", "density", "coverage", "sliced_wasserstein")
    header = ["class", "images", *(name.replace("_", " ") for name in shown), "nearest ratio", "nearer than 99 %"]
    rows = []
    for name, entry in run["classes"].items():
        for label, scored in ((name, entry), ("  floor", floor["classes"][name])):
            cells = [_format({**scored["scores"][measure], "interval": None}, measure) for measure in shown]
            memorisation = scored.get("memorisation")
            near = [_format_ratio(memorisation), _format_share(memorisation)] if memorisation else ["", ""]
            rows.append([label, f"{scored['compared']:,}", *cells, *near])
    return render_table(header, rows, aligned=True)


def _render_cross_checks(runs: dict[str, dict]) -> str:
    rows = []
    for name, run in runs.items():
        for measure, opinion in run.get("cross_check", {}).items():
            rows.append([name, measure.replace("_", " "), f"{opinion['ours']:.6g}", f"{opinion['tfgan']:.6g}"])
    return render_table(["run", "measure", "ours", "TF-GAN"], rows, aligned=True)
