from types import SimpleNamespace

import numpy as np
import pytest

from synth.shard_formats import FORMATS, write_shard
from tasks import generation_report
from tasks.generation_report import write_report
from tests.browser import look_at, needs_chromium

SHAPE = (4, 4, 1)
NAMES = ("ape", "b|e*e*")


def fill(*levels):
    """Images of these grey levels."""
    return np.array(levels, np.uint8).reshape(-1, 1, 1, 1) + np.zeros((1, *SHAPE), np.uint8)


class Drawn:
    """A TrainedGAN whose images are all of one grey level."""

    latent_dim = 2
    class_names = NAMES

    def generate(self, latents, k):
        return fill(*[100 + k] * len(latents))


def build_dataset():
    """Two train images of each class: levels 10, 20 and 200, 210."""
    images, labels = fill(10, 20, 200, 210), np.array([0, 0, 1, 1])

    def part(split, k=None):
        assert split == "train"
        return (images, labels) if k is None else (images[labels == k], labels[labels == k])

    return SimpleNamespace(class_names=NAMES, part=part)


def build_manifest(folder, rejected=None):
    """Write a shard of each class, of levels 13, 90 and 210, 90, and return their manifest."""
    shards = []
    for k, (name, images) in enumerate(zip(NAMES, (fill(13, 90), fill(210, 90)), strict=True)):
        write_shard(folder / f"{k}.npz", images, k, np.zeros(2), FORMATS["npz"])
        shards.append({"file": f"{k}.npz", "class": name})
    tallies = (rejected or {}, {})
    classes = {
        name: {"accepted": 2, "candidates": 1234 + k, "rejected": tally}
        for k, (name, tally) in enumerate(zip(NAMES, tallies, strict=True))
    }
    options = {"filter": "none", "keep": 1.0, "min_probability": 0.5, "duplicate_distance": 0.0}
    return {
        "class_names": NAMES,
        "image_shape": SHAPE,
        "shards": shards,
        "classes": classes,
        "seed": 0,
        "latent_std": 1.0,
        "filter": options,
    }


@pytest.fixture
def show(tmp_path, monkeypatch):
    """Write the report, and return its text, its notes and what plot_samples and plot_neighbours were given."""
    monkeypatch.setattr(generation_report, "load_histories", lambda folder: {})
    shown = []
    for name in ("plot_samples", "plot_neighbours"):
        plot = getattr(generation_report, name)
        monkeypatch.setattr(
            generation_report, name, lambda given, *rest, plot=plot: (shown.append(given), plot(given, *rest))[1]
        )

    def write(dataset, rejected=None):
        notes = []
        manifest = build_manifest(tmp_path, rejected)
        write_report(tmp_path, manifest, Drawn(), dataset, {"data": "my_set"}, "python x.py", notes.append)
        return (tmp_path / "report.html").read_text("utf-8"), notes, shown

    return write


def test_each_class_has_its_counts(show, monkeypatch):
    monkeypatch.setattr(generation_report, "_show_rejected", lambda *args: ())
    page, _, _ = show(build_dataset(), {"classifier": 1230, "duplicate": 2})
    assert "<th>rejected: classifier</th>\n<th>rejected: duplicate</th>" in page
    rows = [row.split("</tr>")[0] for row in page.split("<tr>")[2:]]
    cells = [[cell.split("</td>")[0] for cell in row.split("<td>")[1:]] for row in rows]
    assert cells == [["ape", "2", "1,234", "1,230", "2"], ["b|e*e*", "2", "1,235", "0", "0"]]
    assert "<strong>data</strong>: my_set" in page


def test_synthetic_images_stand_beside_real_ones_and_their_nearest(show, tmp_path):
    page, _, (samples, beside, pairs) = show(build_dataset())
    assert {name: images[:, 0, 0, 0].tolist() for name, images in samples.items()} == {
        "ape": [13, 90], "b|e*e*": [210, 90],
    }  # fmt: skip
    assert {name: images[:, 0, 0, 0].tolist() for name, images in beside.items()} == {
        "ape, real": [10, 20], "ape, synthetic": [13, 90], "b|e*e*, real": [200, 210], "b|e*e*, synthetic": [210, 90],
    }  # fmt: skip
    drawn, nearest, distances = pairs["synthetic"]
    assert (drawn[:, 0, 0, 0].tolist(), nearest[:, 0, 0, 0].tolist()) == ([13, 210], [10, 210])
    assert distances.tolist() == [3, 0]
    assert "Of up to 100 synthetic images of each class" in page
    assert {path.name for path in tmp_path.glob("*.png")} == {"samples.png", "beside.png", "neighbours.png"}


def test_a_gan_that_was_trained_before_is_shown_alone(show, tmp_path):
    page, _, shown = show(None)
    assert len(shown) == 1
    assert "The GAN was trained before, so its data were not read" in page
    assert {path.name for path in tmp_path.glob("*.png")} == {"samples.png"}


def test_what_was_rejected_is_shown_by_class_and_reason(show, tmp_path, monkeypatch):
    def build_sieve(trained, sampling, names, thresholds):
        assert (sampling["filter"], sampling["seed"], names, thresholds) == ("none", 0, ["ape"], None)

        def sieve(images, k, kept):
            reasons = np.full(len(images), "", "U20")
            reasons[:3] = ("classifier", "duplicate", "classifier")
            return reasons, np.zeros(len(images))

        return sieve, None

    monkeypatch.setattr(generation_report, "build_sieve", build_sieve)
    page, _, shown = show(build_dataset(), {"classifier": 2, "duplicate": 1})
    assert {name: images[:, 0, 0, 0].tolist() for name, images in shown[-1].items()} == {
        "ape: classifier": [100, 100], "ape: duplicate": [100],
    }  # fmt: skip
    assert "What was rejected, and why" in page
    assert (tmp_path / "rejected.png").exists()


def test_nothing_rejected_is_not_shown(show):
    assert "What was rejected" not in show(build_dataset())[0]


def test_curves_are_shown_where_they_can_be_read(show, monkeypatch):
    def refuse(folder):
        raise generation_report.RequestError("history.csv is damaged.")

    assert "<h2>Training</h2>" not in show(build_dataset())[0]
    monkeypatch.setattr(generation_report, "load_histories", refuse)
    page, notes, _ = show(build_dataset())
    assert "<h2>Training</h2>" not in page
    assert notes == ["note: curves.png is left out. history.csv is damaged."]


@needs_chromium
def test_every_picture_is_there_and_nothing_is_cut_off(show, tmp_path):
    show(build_dataset())
    assert look_at(tmp_path / "report.html", 360) == {"images": [True] * 2, "cut": []}
