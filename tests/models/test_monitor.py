import numpy as np
import pytest

from models.classifier import build_classifier
from models.monitor import fit_extractor
from tests.conftest import make_images


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b"cut off"), lambda path: build_classifier((28, 28, 1), 3).save(path)]
)
def test_a_classifier_that_cannot_be_used_is_fitted_anew(tmp_path, damage):
    images, labels = make_images(40)
    path, lines = tmp_path / "judge.keras", []
    features = fit_extractor(images, labels, 2, path, 0, lines.append)(images)
    damage(path)
    assert np.allclose(fit_extractor(images, labels, 2, path, 0, lines.append)(images), features, atol=1e-3)
    assert len(lines) == 1
    assert f"note: {path} could not be read, or is another's, and is fitted anew." in lines[0]
    fit_extractor(images, labels, 2, path, 0, lines.append)
    assert len(lines) == 1
