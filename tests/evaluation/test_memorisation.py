import numpy as np
import pytest

from evaluation.features import FeatureSet, Material
from evaluation.memorisation import (
    Memorisation,
    describe_memorisation,
    describe_memorisation_in_features,
    find_nearest,
    search_nearest,
    search_nearest_in_features,
)
from evaluation.metrics import fit_gaussian
from tests.evaluation.builders import build_material, build_set


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (300, 6, 6, 1)).astype(np.uint8)


def summarise(train, synthetic, held_out):
    distances, nearest = find_nearest(synthetic, train)
    labels, held_out_labels = np.zeros(len(synthetic)), np.zeros(len(held_out))
    baseline = find_nearest(held_out, train)[0]
    return Memorisation(distances, labels, nearest, np.arange(len(labels)), baseline, held_out_labels).summarise()


def test_nearest_by_hand():
    others = np.array([0, 10, 100], np.uint8).reshape(3, 1, 1, 1)
    distances, index = find_nearest(np.array([12, 90], np.uint8).reshape(2, 1, 1, 1), others)
    assert distances.tolist() == [2, 10]
    assert index.tolist() == [1, 2]


def test_search_in_parts_is_the_search_of_all(pictures, monkeypatch):
    whole = find_nearest(pictures[:20], pictures[20:])
    monkeypatch.setattr("evaluation.memorisation._CHUNK_BYTES", 4 * 36 * 7)
    parts = find_nearest(pictures[:20], pictures[20:])
    np.testing.assert_array_equal(whole[0], parts[0])
    np.testing.assert_array_equal(whole[1], parts[1])


def test_memorised_set_is_reported_as_such(pictures):
    train, held_out = pictures[:200], pictures[200:]
    summary = summarise(train, train[:100], held_out)
    assert summary.copies == 100
    assert summary.near_share == 1
    assert summary.closer_probability == 1
    assert describe_memorisation(summary).startswith("memorised: 100 of 100 images are exact copies")


def test_nearly_copied_set_is_memorised_too(pictures):
    train, held_out = pictures[:200], pictures[200:]
    copies = np.clip(train[:100].astype(int) + 3, 0, 255).astype(np.uint8)
    summary = summarise(train, copies, held_out)
    assert summary.copies == 0
    assert summary.memorised


def test_a_few_copies_are_some_repetition(pictures):
    summary = summarise(pictures[:100], np.concatenate([pictures[:5], pictures[100:195]]), pictures[195:])
    assert not summary.memorised
    assert describe_memorisation(summary).startswith("some repetition: 5 of 100 images are exact copies")


def test_new_images_are_not_memorised(pictures):
    summary = summarise(pictures[:100], pictures[100:200], pictures[200:])
    assert not summary.memorised
    assert 0.3 < summary.closer_probability < 0.7
    assert summary.ratio == pytest.approx(1, abs=0.05)
    assert describe_memorisation(summary).startswith("no sign of memorisation")


@pytest.mark.parametrize(
    ("held_out", "near", "suspicious"),
    [
        (100, 6, False),  # of 100 held-out images the nearest one is the quantile: it may be far off by chance
        (100, 7, True),
        (2000, 4, False),
        (2000, 5, True),
    ],
)
def test_few_held_out_images_tell_less(held_out, near, suspicious):
    distances = np.concatenate([np.full(near, 0.5), np.full(100 - near, 50.0)])
    known = np.arange(1.0, held_out + 1)
    found = Memorisation(distances, np.zeros(100), np.zeros(100, int), np.arange(100), known, np.zeros(held_out))
    assert found.summarise().near_share == near / 100
    assert found.summarise().suspicious == suspicious


def test_one_per_cent_of_new_images_are_near_with_few_held_out_ones_too():
    generator = np.random.default_rng(0)
    shares, findings = [], 0
    for _ in range(300):
        new, held_out = generator.random((2, 100)) + 1
        found = Memorisation(new, np.zeros(100), np.zeros(100, int), np.arange(100), held_out, np.zeros(100))
        shares.append(found.summarise().near_share)
        findings += found.summarise().suspicious
    assert np.mean(shares) == pytest.approx(0.01, abs=0.002)
    assert findings <= 6


@pytest.mark.parametrize(
    ("images", "held_out", "judged"), [(100, 100, True), (99, 100, False), (100, 99, False)], ids=str
)
def test_below_100_images_of_each_side_copies_are_counted_and_not_judged(pictures, images, held_out, judged):
    summary = summarise(pictures[:200], pictures[:images], pictures[200 : 200 + held_out])
    assert (summary.copies, summary.memorised, summary.suspicious) == (images, judged, judged)
    said = describe_memorisation(summary)
    if judged:
        assert said.startswith("memorised: 100 of 100 images are exact copies")
    else:
        assert said == (
            f"memorisation: too few to say: {images} of {images} images are exact copies of a training image; 100 "
            f"images are needed, and as many held-out real ones, of which there are {held_out}."
        )


def test_repeated_real_images_are_no_memorisation(pictures):
    """Data that hold every image twice: held-out images are copies, too, and their median distance is 0."""
    summary = summarise(pictures[:200], pictures[:100], pictures[100:200])
    assert summary.ratio is None
    assert not summary.memorised


def test_closest_pairs_take_the_classes_in_turn():
    distances, labels = np.array([1.0, 2.0, 3.0, 9.0, 4.0]), np.array([0, 0, 0, 1, 1])
    found = Memorisation(distances, labels, np.zeros(5, int), np.arange(5), np.ones(2), np.zeros(2))
    assert found.find_closest(4).tolist() == [0, 4, 1, 3]
    assert found.summarise(0).median_distance == 2


@pytest.mark.parametrize(
    ("counts", "searched"),
    [
        ((3900, 100), [1950, 50]),  # 2,000 in the proportions of all
        ((3970, 30), [1985, 20]),  # a rare class has at least 20
        ((3992, 8), [1996, 8]),  # or all that there are
        ((1500, 500), [1500, 500]),
        ((30, 12), [30, 12]),
    ],
)
def test_about_2000_images_are_searched_and_at_least_20_of_each_class(counts, searched):
    labels = np.repeat(np.arange(2), counts)
    sample = build_set(np.zeros((len(labels), 1)), labels)
    found = search_nearest(build_material(sample, sample, sample), np.zeros((3, 1, 1, 1), np.uint8))["run"]
    assert np.bincount(found.labels).tolist() == searched
    assert np.bincount(found.held_out_labels).tolist() == searched
    assert (np.diff(found.index) > 0).all()


def blur(images):
    """Features that a shift moves as far as pixels, and noise hardly: means of 4 x 4 pixels."""
    n, height, width, channels = images.shape
    blocks = images.reshape(n, height // 4, 4, width // 4, 4, channels).astype(np.float32)
    return blocks.mean(axis=(2, 4)).reshape(n, -1)


def search_in_features(change, *, mirrored):
    """Search for images that `change` makes of training images."""
    images = np.random.default_rng(0).integers(0, 256, (600, 16, 16, 3)).astype(np.uint8)
    train, held_out, new = images[:200], images[200:400], change(images[:200])
    sets = [
        FeatureSet(part, np.zeros(len(part), int), blur(part), fit_gaussian(blur(part)))
        for part in (held_out, images[400:], new)
    ]
    material = Material(sets[0], sets[1], {"run": sets[2]}, {0: 200}, {"run": True})
    return search_nearest_in_features(material, blur(train), blur, mirrored=mirrored)["run"].summarise()


def shift(images):
    return np.pad(images, ((0, 0), (1, 0), (0, 0), (0, 0)), mode="edge")[:, :-1]


def make_noise(images):
    return np.random.default_rng(1).integers(0, 256, images.shape).astype(np.uint8)


@pytest.mark.parametrize(
    ("change", "mirrored", "memorised"),
    [
        (shift, False, True),
        (lambda images: images[:, :, ::-1], True, True),
        (lambda images: images[:, :, ::-1], False, False),
        (make_noise, True, False),
    ],
)
def test_shifted_and_mirrored_copies_are_found_in_features(change, mirrored, memorised):
    summary = search_in_features(change, mirrored=mirrored)
    assert summary.memorised == memorised
    text = describe_memorisation_in_features(summary, 200)
    assert text.startswith(f"{'memorised' if memorised else 'no sign of memorisation'} in features among 200 training")
    assert describe_memorisation_in_features(summary, 200).endswith("held-out real images are.")
