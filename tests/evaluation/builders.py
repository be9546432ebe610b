"""Small literal evaluations and materials, for the tests of what reads them."""

from dataclasses import replace

import numpy as np

from evaluation.features import FeatureSet, Material
from evaluation.memorisation import MemorisationSummary
from evaluation.metrics import fit_gaussian
from evaluation.result import ClassScores, Evaluation, FeatureSpace, RealSide, RunScores, SampleScores
from evaluation.scores import MEASURES, Distance, Score, Scores
from evaluation.sides import Leaks


def build_scores(**scores):
    """Every measure is 0.9 ± 0.01, but for the Frechet distance of 1.0 ± 0.1, and what is given."""
    return Scores(**dict.fromkeys(MEASURES, Score(0.9, 0.01)) | {"frechet": Distance(1.0, 0.1)} | scores)


def build_memorisation(**fields):
    found = MemorisationSummary(
        images=100,
        held_out_images=100,
        median_distance=4.0,
        held_out_median_distance=4.0,
        ratio=1.0,
        closer_probability=0.5,
        near_share=0.0,
        copies=0,
        held_out_copies=0,
        memorised=False,
        suspicious=False,
    )
    return replace(found, **fields)


def build_class(*, precision=0.9, recall=0.9, spread=1.0, memorisation=None, **counts):
    scores = build_scores(precision=Score(precision, None), recall=Score(recall, None))
    counts = {"compared": 50, "real_images": 1000} | counts
    return ClassScores(**counts, scores=scores, spread=spread, real_spread=1.0, memorisation=memorisation)


def build_floor(**fields):
    return SampleScores(**{"scores": build_scores(), "classes": {"ape": build_class()}} | fields)


def build_run(frechet=1.0, interval=0.1, **fields):
    run = RunScores(
        scores=build_scores(frechet=Distance(frechet, interval)),
        classes={"ape": build_class(memorisation=build_memorisation())},
        images=100,
        memorisation=build_memorisation(),
        collapsed=[],
        frechet_all=1.5,
    )
    return replace(run, **fields)


def build_evaluation(runs, **fields):
    evaluation = Evaluation(
        settings={"fid_infinity": "False"},
        failed={},
        leaks=Leaks(100, 0, False),
        notes=[],
        versions={"python": "3.12.3"},
        data="apes",
        fingerprint="abcdef0123456789",
        features=FeatureSpace("pixels", "pixels", 2),
        real=RealSide("test", 100),
        compare=[],
        searched=400,
        compared=100,
        compared_classes={"ape": 50},
        without_classes=None,
        floor=build_floor(),
        runs=runs,
    )
    return replace(evaluation, **fields)


def build_set(features, labels=None):
    """A FeatureSet of black images of one pixel, with these features [n, D]."""
    features = np.asarray(features, np.float32)
    labels = np.zeros(len(features), int) if labels is None else np.asarray(labels)
    return FeatureSet(np.zeros((len(labels), 1, 1, 1), np.uint8), labels, features, fit_gaussian(features))


def build_material(real, floor, run, *, proportional=True):
    return Material(real, floor, {"run": run}, {0: len(floor.labels)}, {"run": proportional})
