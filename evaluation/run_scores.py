"""Score every run and the floor against the real images, in all and class by class."""

from dataclasses import replace

import numpy as np

from evaluation.features import FeatureSet, Material
from evaluation.memorisation import Memorisation
from evaluation.metrics import compute_frechet_distance, compute_spread, fit_gaussian
from evaluation.result import ClassScores, RunScores, SampleScores
from evaluation.scores import Reference, Score, Scores, Scoring, can_trace, extrapolate, score_features, trace_sizes

_COLLAPSED = 0.1  # of the floor's recall, or of the real images' variance


def score_all(
    material: Material,
    memorisations: dict[str, Memorisation],
    class_names: dict[int, str],
    scoring: Scoring,
    *,
    fid_infinity: bool,
) -> tuple[SampleScores, dict[str, RunScores]]:
    """Return the scores of the floor, and those of each run by name.

    class_names: {class index: name} of those that are compared.
    memorisations: of evaluation.memorisation.search_nearest. fid_infinity: extrapolate the Frechet distance, where
    there are enough images.
    """
    references = _split_by_class(material.real, class_names)
    traced = fid_infinity and can_trace(material.floor.features)

    floor = _score(references, material.floor, class_names, scoring, traced=traced)
    runs = {}
    for name, sample in material.runs.items():
        memorisation = memorisations[name]
        scored = _score(references, sample, class_names, scoring, traced=traced)
        classes = {
            class_name: replace(scored.classes[class_name], memorisation=memorisation.summarise(k))
            for k, class_name in class_names.items()
        }
        runs[name] = RunScores(
            **vars(replace(scored, classes=classes)),
            images=sample.gaussian.count,
            memorisation=memorisation.summarise(),
            collapsed=find_collapsed(classes, floor.classes),
            frechet_all=_compare_all(material, name),
        )
    return floor, runs


def find_collapsed(classes: dict[str, ClassScores], floor_classes: dict[str, ClassScores]) -> list[str]:
    """Return the names of the classes without variety.

    Their features hardly vary, or they look real (precision) and yet nearly all real images lie outside them (recall).
    Nothing is said of classes with too few images.
    """
    return [
        name
        for name, scored in classes.items()
        if scored.can_judge and _is_collapsed(scored, floor_classes[name].scores)
    ]


def _is_collapsed(scored: ClassScores, floor: Scores) -> bool:
    if scored.spread < _COLLAPSED * scored.real_spread:
        return True
    looks_real = not _is_below(scored.scores.precision, floor.precision, 0.5)
    return looks_real and _is_below(scored.scores.recall, floor.recall, _COLLAPSED)


def _is_below(score: Score, floor: Score, fraction: float) -> bool:
    return score.value is not None and floor.value is not None and score.value < fraction * floor.value


def _split_by_class(real: FeatureSet, class_names: dict[int, str]) -> dict[int | None, Reference]:
    """Return the real images of each class by its index, and all together under None."""
    parts: dict[int | None, Reference] = {None: Reference(real.features, real.labels, real.gaussian)}
    for k in class_names:
        features = real.features[real.labels == k]
        parts[k] = Reference(features, np.zeros(len(features)), fit_gaussian(features))
    return parts


def _score(
    references: dict[int | None, Reference],
    sample: FeatureSet,
    class_names: dict[int, str],
    scoring: Scoring,
    *,
    traced: bool,
) -> SampleScores:
    """Score a FeatureSet and its classes. references: of _split_by_class. traced: extrapolate its distance, too."""
    classes = {}
    for k, name in class_names.items():
        features = sample.features[sample.labels == k]
        classes[name] = ClassScores(
            compared=len(features),
            real_images=len(references[k].features),
            scores=score_features(references[k], features, np.zeros(len(features)), scoring),
            spread=compute_spread(features),
            real_spread=compute_spread(references[k].features),
        )
    real = references[None]
    scores = score_features(real, sample.features, sample.labels, scoring)
    if not traced:
        return SampleScores(scores=scores, classes=classes)
    sizes, distances = trace_sizes(real.gaussian, sample.features)
    return SampleScores(
        scores=scores,
        classes=classes,
        sizes=sizes,
        frechet_of_sizes=distances,
        frechet_infinity=extrapolate(sizes, distances),
    )


def _compare_all(material: Material, name: str) -> float | None:
    """Return the Frechet distance of all images of a run, or None where their proportions are not the real ones'."""
    if not material.proportional[name]:
        return None
    return compute_frechet_distance(material.real.gaussian, material.runs[name].gaussian)
