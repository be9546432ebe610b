import numpy as np
import pytest

from common.errors import RunError
from models import cross_check


@pytest.fixture
def features():
    real, fake = np.abs(np.random.default_rng(0).standard_normal((2, 2300, 16)))
    return real, 0.9 * fake[:2100] + 0.1


def test_tfgan_agrees(features):
    opinions = cross_check.cross_check(*features)
    assert set(opinions) == {"frechet", "kernel", "sliced_wasserstein"}
    for opinion in opinions.values():
        assert opinion.ours == pytest.approx(opinion.tfgan, rel=1e-3)


def test_a_wrong_distance_is_caught(features, monkeypatch):
    cross_check.check_agreement(cross_check.cross_check(*features))
    monkeypatch.setattr(cross_check, "compute_frechet_distance", lambda real, fake: 1.0)
    with pytest.raises(RunError, match=r"frechet should be that of TF-GAN, .* Got 1."):
        cross_check.check_agreement(cross_check.cross_check(*features))
