import json

from evaluation.result import Opinions
from evaluation.sides import Leaks
from tests.evaluation.builders import build_class, build_evaluation, build_floor, build_memorisation, build_run

KNOWN = {"value": 0.9, "interval": 0.01}
SCORES = {
    "frechet": {"value": 1.0, "interval": 0.1},
    "kernel": KNOWN,
    "precision": KNOWN,
    "recall": KNOWN,
    "density": KNOWN,
    "coverage": KNOWN,
    "sliced_wasserstein": KNOWN,
    "two_sample": KNOWN,
}
UNKNOWN = {"value": None, "interval": None}
OF_CLASS = {
    "compared": 50,
    "real_images": 1000,
    "scores": SCORES | {"precision": UNKNOWN, "recall": {"value": 0.9, "interval": None}},
    "spread": 1.0,
    "real_spread": 1.0,
}
MEMORISATION = {
    "images": 100,
    "held_out_images": 100,
    "median_distance": 4.0,
    "held_out_median_distance": 4.0,
    "ratio": None,
    "closer_probability": 0.5,
    "near_share": None,
    "copies": 0,
    "held_out_copies": 0,
    "memorised": False,
    "suspicious": False,
}
CONTENT = {
    "settings": {"fid_infinity": "False"},
    "failed": {},
    "leaks": {"images": 100, "leaked": 0, "allowed": False},
    "notes": [],
    "versions": {"python": "3.12.3"},
    "data": "apes",
    "fingerprint": "abcdef0123456789",
    "features": {"name": "pixels", "hash": "pixels", "dimensions": 2},
    "real": {"split": "test", "images": 100},
    "compare": [],
    "searched": 400,
    "compared": 100,
    "compared_classes": {"ape": 50},
    "without_classes": None,
    "floor": {"scores": SCORES, "classes": {"ape": OF_CLASS}},
    "runs": {
        "mine": {
            "scores": SCORES,
            "classes": {"ape": OF_CLASS | {"memorisation": MEMORISATION}},
            "images": 100,
            "memorisation": MEMORISATION,
            "collapsed": [],
            "frechet_all": None,
        }
    },
    "warnings": ["note: a"],
    "verdicts": ["mine: b"],
}


def build(floor=None, run=None):
    unknown = build_memorisation(ratio=None, near_share=None)
    classes = {"ape": build_class(precision=None, memorisation=unknown)}
    mine = build_run(classes=classes, memorisation=unknown, frechet_all=None, **run or {})
    floor = build_floor(classes={"ape": build_class(precision=None)}, **floor or {})
    return build_evaluation({"mine": mine}, floor=floor, warnings=["note: a"], verdicts=["mine: b"])


def test_the_content_of_evaluation_json_is_this():
    content = build().to_dict()
    assert content == CONTENT
    assert list(content) == list(CONTENT)
    assert json.loads(json.dumps(content)) == CONTENT  # no tuples, nothing of NumPy


def test_what_was_asked_for_stands_beside_the_scores():
    traced = {"sizes": [10, 20], "frechet_of_sizes": [2.0, 1.5], "frechet_infinity": 1.0}
    content = build(traced, traced | {"cross_check": {"kernel": Opinions(0.1, 0.2)}}).to_dict()
    assert content["floor"] == CONTENT["floor"] | traced
    opinions = {"cross_check": {"kernel": {"ours": 0.1, "tfgan": 0.2}}}
    assert content["runs"]["mine"] == CONTENT["runs"]["mine"] | traced | opinions


def test_leaks_spoil_a_comparison_that_keeps_them():
    assert Leaks(100, 1, True).spoil
    assert not Leaks(100, 1, False).spoil
    assert not Leaks(100, 0, True).spoil
