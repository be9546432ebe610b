"""Top up the classes of a data set: what to try, and what to choose."""

from typing import Any

import numpy as np
import pandas as pd

from tasks.arms import Arm
from tasks.study_report import compare_arms, describe_difference, find_best

_SURPLUSES = (0.0, 1.0, 2.0)  # synthetic images on top of the balanced classes, per image of the largest class


def list_candidates(counts: np.ndarray, filter: str, classes: tuple[int, ...]) -> list[Arm]:
    """Return the arms that --surplus auto chooses from: none first, then every surplus, filtered and not.

    "none" is the real images with class weights, so that no candidate wins by balanced classes alone. counts: images
    per class [K]; a surplus that adds nothing is left out. filter: as --filter. classes: indices of those to top up.
    """
    filters = {"auto": (False, True), "none": (False,)}.get(filter, (True,))
    arms = [
        build_candidate(f"surplus {surplus:g}", filtered, ratio=surplus, classes=classes)
        for surplus in _SURPLUSES
        for filtered in filters
    ]
    return [Arm("none", balance="class-weights")] + [arm for arm in arms if arm.count_added(counts)]


def build_candidate(name: str, filtered: bool, **amount: Any) -> Arm:
    """Return an arm that adds images of the GAN; amount: ratio, added and classes as in tasks.arms.Arm."""
    return Arm(f"{name}, {'filtered' if filtered else 'unfiltered'}", gans=("gan",), filtered=filtered, **amount)


def choose(results: pd.DataFrame, candidates: list[Arm], measure: str) -> tuple[Arm, str]:
    """Return the arm to use and why: the best one where it beats "none" beyond noise over the seeds, else "none"."""
    none = candidates[0]
    best = find_best(results, [arm.name for arm in candidates[1:]], measure)
    assert best is not None  # their cells have run
    reason = describe_difference(results, best, none.name, measure, "the real images with class weights")
    if compare_arms(results, best, none.name, measure).verdict == "better":
        picked = f"It is the best of {len(candidates) - 1} by these figures, which flatters it."
        return next(arm for arm in candidates if arm.name == best), f"{reason} {picked}"
    return none, f"{reason} Fit with class weights: predict.py --class-weights."
