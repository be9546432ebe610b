import numpy as np
import pytest

from models.classifier import build_classifier
from models.monitor import Monitor, fit_extractor
from tests.conftest import make_images


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b"cut off"), lambda path: build_classifier((28, 28, 1), 3).save(path)]
)
def test_a_classifier_that_cannot_be_used_is_fitted_anew(tmp_path, damage):
    images, labels = make_images(40)
    path, lines = tmp_path / "judge.keras", []
    features = fit_extractor((images, labels, 2), path, 0, lines.append)(images)
    damage(path)
    assert np.allclose(fit_extractor((images, labels, 2), path, 0, lines.append)(images), features, atol=1e-3)
    assert len(lines) == 1
    assert f"note: {path} could not be read, or is another's, and is made anew." in lines[0]
    fit_extractor((images, labels, 2), path, 0, lines.append)
    assert len(lines) == 1


def flatten(images):
    return images.reshape(len(images), -1) / 255.0


def repeat(images, labels):
    """A sampler that gives, of each class that is asked for, its images in turn."""

    def sample(latents, asked):
        return np.array([images[labels == k][n % (labels == k).sum()] for n, k in enumerate(asked)])

    sample.latent_dim = 4
    return sample


def test_the_distance_is_small_for_real_images_and_a_single_one_has_collapsed():
    images, labels = make_images(200, (4, 4, 1))
    monitor = Monitor(flatten, images, labels, seed=0)
    assert len(monitor.labels) == 500  # at least so many, in about the same proportions
    assert monitor.labels.mean() == pytest.approx(0.5, abs=0.02)
    same, collapsed = monitor.measure(repeat(images, labels))
    assert collapsed == []
    one = images.copy()
    one[labels == 1] = one[1]
    distance, collapsed = monitor.measure(repeat(one, labels))
    assert collapsed == [1]
    assert same < 0.2 * distance


def test_two_validation_images_are_the_fewest():
    with pytest.raises(ValueError, match="validation should have at least 2 images. Got 1: more real images"):
        Monitor(flatten, np.zeros((1, 4, 4, 1), np.uint8), np.zeros(1, int), seed=0)


def test_one_class_is_seen_through_its_principal_components(tmp_path):
    """Images that differ in brightness and in one half: the features keep all distances between them."""
    generator = np.random.default_rng(0)
    images = np.zeros((50, 6, 6, 1), np.uint8)
    images += generator.integers(0, 100, (50, 1, 1, 1)).astype(np.uint8)
    images[:, :3] += generator.integers(0, 100, (50, 1, 1, 1)).astype(np.uint8)
    features = fit_extractor((images, np.zeros(50, int), 1), tmp_path / "judge.keras", 0)(images)
    assert features.shape == (50, 36)
    expected = np.linalg.norm(images[0].astype(float) - images[1])
    assert np.linalg.norm(features[0] - features[1]) == pytest.approx(expected)
    assert list(tmp_path.iterdir()) == []
