import numpy as np
import pytest

from evaluation.memorisation import Memorisation
from evaluation.run_scores import find_collapsed, score_all
from evaluation.scores import Scoring
from tests.evaluation.builders import build_class, build_material, build_set

SCORING = Scoring(neighbours=3, bootstrap=0, seed=0)


def score(real, floor, run, *, proportional=True, fid_infinity=False):
    """Score a run of which half of the images equal a training image, in two classes that take turns."""
    labels = np.arange(len(run)) % 2
    material = build_material(
        *(build_set(part, np.arange(len(part)) % 2) for part in (real, floor, run)), proportional=proportional
    )
    distances = np.where(labels == 0, 0.0, 2.0)
    index = np.arange(len(run))
    found = Memorisation(distances, labels, index, index, np.ones(len(run)), labels)
    floor, runs = score_all(material, {"run": found}, {0: "ape", 1: "bee"}, SCORING, fid_infinity=fid_infinity)
    return floor, runs["run"]


def test_the_real_images_themselves_have_no_distance_and_a_shifted_run_has_its_shift():
    real = np.random.default_rng(0).standard_normal((200, 2))
    floor, run = score(real, real, real + np.array([3, 4]))
    assert floor.scores.frechet.value == pytest.approx(0, abs=1e-6)
    assert floor.scores.precision.value == floor.scores.coverage.value == 1
    assert run.scores.frechet.value == pytest.approx(25, abs=1e-4)
    assert run.frechet_all == pytest.approx(25, abs=1e-4)
    assert (run.images, run.collapsed, run.sizes, run.cross_check) == (200, [], None, None)
    assert [of_class.compared for of_class in run.classes.values()] == [100, 100]
    assert run.classes["ape"].scores.frechet.value == pytest.approx(25, abs=1e-4)
    assert run.classes["ape"].spread == pytest.approx(run.classes["ape"].real_spread, rel=1e-5)


def test_memorisation_is_that_of_the_run_and_of_each_class():
    _, run = score(*np.random.default_rng(0).standard_normal((3, 20, 2)))
    assert run.memorisation.copies == 10
    assert {name: of_class.memorisation.copies for name, of_class in run.classes.items()} == {"ape": 10, "bee": 0}
    assert run.classes["bee"].memorisation.ratio == 2


def test_a_class_of_one_image_again_and_again_is_collapsed():
    real, floor, run = np.random.default_rng(0).standard_normal((3, 70, 2))
    run[1::2] = run[1]
    assert score(real, floor, run)[1].collapsed == ["bee"]
    few = score(real, floor, run[:68])[1]  # 34 of a class
    assert few.collapsed == []
    assert [of_class.can_judge for of_class in few.classes.values()] == [False, False]
    assert score(real[:68], floor, run)[1].collapsed == []  # beside 34 real ones


def test_what_can_not_be_compared_is_left_out():
    parts = np.random.default_rng(0).standard_normal((3, 40, 2))
    floor, run = score(*parts, proportional=False, fid_infinity=True)
    assert run.frechet_all is None
    assert run.sizes == floor.sizes
    assert run.sizes[-1] == 40
    few = np.random.default_rng(0).standard_normal((3, 40, 20))  # fewer than 4 images for each dimension
    assert score(*few, fid_infinity=True)[0].frechet_infinity is None


def test_collapse_is_low_variance_or_real_looking_images_without_recall():
    classes = {
        "a": build_class(),
        "b": build_class(spread=0.05),
        "c": build_class(recall=0.01),
        "d": build_class(recall=0.0, precision=0.0),  # far from the real images: bad, but not collapsed
        "e": build_class(recall=None, precision=None),
        "f": build_class(spread=0.05, compared=34),
        "g": build_class(spread=0.05, real_images=34),
        "h": build_class(spread=0.05, compared=35, real_images=35),
    }
    assert find_collapsed(classes, dict.fromkeys(classes, build_class())) == ["b", "c", "h"]


def test_all_images_can_be_one_class():
    real = np.random.default_rng(0).standard_normal((80, 2))
    material = build_material(*(build_set(part, np.zeros(80, int)) for part in (real, real, real + np.array([3, 4]))))
    index = np.arange(80)
    found = Memorisation(np.ones(80), np.zeros(80), index, index, np.ones(80), np.zeros(80))
    _, runs = score_all(material, {"run": found}, {0: "all images"}, SCORING, fid_infinity=False)
    assert list(runs["run"].classes) == ["all images"]
    assert runs["run"].classes["all images"].compared == 80
    assert runs["run"].scores.frechet.value == pytest.approx(25, abs=1e-4)
