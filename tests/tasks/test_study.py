import pytest

from common.errors import RequestError
from models.flips import FlipDecision
from tasks.study import _decide_once


def test_a_study_that_is_extended_keeps_its_decision_on_flips(tmp_path):
    path = tmp_path / "gans/flips.json"
    first = FlipDecision(True, "on: 90 % of mirrored images are recognised")
    assert _decide_once(path, lambda: first) == first
    assert _decide_once(path, lambda: FlipDecision(False, "off")) == first
    path.write_text('{"flip": "yes"}')
    with pytest.raises(RequestError, match="flip should be true or false. Got 'yes' instead"):
        _decide_once(path, lambda: first)
