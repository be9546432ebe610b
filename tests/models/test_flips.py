import re
from types import SimpleNamespace

import numpy as np
import pytest

from common.errors import RequestError
from models import flips
from models.flips import FlipDecision, compare_mirrored, decide_flip
from models.recipes import RECIPES


def make_data(one_sided, channels=3, count=240):
    """Two classes: a bar at the left or at the right (one_sided), or at the top or at the bottom."""
    images = np.random.default_rng(0).integers(0, 60, (count, 12, 12, channels)).astype(np.uint8)
    labels = np.arange(count) % 2
    for k in (0, 1):
        half = images[labels == k]
        (half.transpose(0, 2, 1, 3) if one_sided else half)[:, 6 * k : 6 * k + 6] += 150
        images[labels == k] = half
    parts = {"train": (images[:160], labels[:160]), "validation": (images[160:], labels[160:])}
    return SimpleNamespace(
        image_shape=images.shape[1:],
        class_names=("a", "b"),
        has_classifier=True,
        validation=np.arange(160, count),
        part=parts.__getitem__,
    )


def count_right(both, lost, gained, neither):
    right = np.repeat([True, True, False, False], [both, lost, gained, neither])
    mirrored = np.repeat([True, False, True, False], [both, lost, gained, neither])
    return right, mirrored


@pytest.mark.slow
@pytest.mark.parametrize(("one_sided", "flip"), [(True, False), (False, True)])
@pytest.mark.parametrize(("enough", "count"), [(80, 80), (81, 240)])  # validation; both parts, each half in turn
def test_what_changes_its_class_in_the_mirror_is_not_mirrored(enough, count, one_sided, flip, monkeypatch):
    monkeypatch.setattr(flips, "_ENOUGH", enough)
    decision = decide_flip("auto", make_data(one_sided))
    assert decision.flip == flip
    mirrored = "0.0%" if one_sided else "100.0%"
    start = (
        f"{'on' if flip else 'off'}: a cnn recognises 100.0% of {count} held-out images, {mirrored} of them mirrored"
    )
    assert decision.reason.startswith(start)


def test_grey_images_and_what_was_asked_for_take_no_measurement():
    grey = decide_flip("auto", make_data(False, channels=1))
    assert (grey.flip, grey.describe()) == (False, {})
    assert decide_flip("on", None).flip
    assert not decide_flip("off", None).flip


def test_several_hosts_are_asked_to_say_it(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(RequestError, match=re.escape("--flip should be on or off with several hosts")):
        decide_flip("auto", make_data(False))


@pytest.mark.parametrize(
    ("counts", "flip"),
    [
        ((600, 60, 20, 320), True),  # from 66 to 62 %
        ((600, 60, 0, 340), False),  # to 60 %
        ((100, 20, 20, 860), False),  # no better than chance
        ((10, 0, 0, 0), True),
    ],
)
def test_a_tenth_of_what_was_learnt_may_be_lost(counts, flip):
    decision = compare_mirrored(*count_right(*counts), np.arange(sum(counts)) % 10)
    assert decision.flip == flip
    assert ("too few to tell" in decision.reason) == (counts[0] == 100)


def test_classes_count_alike_however_many_images_they_have():
    right, mirrored = count_right(900, 0, 0, 100)  # of the small class none
    assert "50.0% of 1,000 held-out images" in compare_mirrored(right, mirrored, np.repeat([0, 1], [900, 100])).reason
    assert not compare_mirrored(right, mirrored, np.repeat([0, 1], [900, 100])).flip


def test_a_recipe_that_says_it_is_not_changed():
    on = FlipDecision(True, "")
    assert [on.settle(RECIPES[name]).flip for name in ("quick", "dcgan")] == ["on", "off"]
    assert FlipDecision(False, "").settle(RECIPES["quick"]).flip == "off"


def test_a_dry_run_does_not_measure():
    assert decide_flip("auto", make_data(False), dry=True).describe() == {"flips": "as a test on held-out images says"}
