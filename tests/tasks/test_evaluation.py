import json
import re

import numpy as np
import pytest
from PIL import Image

from common.run_options import RunOptions, WorkOptions
from models.startup import Started
from real.data_options import SubsetOptions
from tasks import evaluation
from tasks.evaluation import compare_runs
from tasks.evaluation_options import ComparisonOptions, MeasuringOptions
from tests.conftest import make_images

PIXELS = MeasuringOptions(features="pixels", bootstrap=0, images=20)
STARTED = Started(1, "python evaluate_fid.py")


@pytest.fixture
def paths(tmp_path):
    """Real images, 140, and 40 as a run."""
    for name, (images, labels) in {"real": make_images(140), "mine": make_images(40, seed=3)}.items():
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
    return str(tmp_path / "real.npz"), str(tmp_path / "mine.npz")


def test_a_dry_run_says_what_will_be_compared(paths, tmp_path):
    real, mine = paths
    run = RunOptions(out=tmp_path / "out", quiet=True, dry_run=True)
    plan = compare_runs([mine], SubsetOptions(data=real), PIXELS, ComparisonOptions(), run, WorkOptions(), {}, STARTED)
    assert plan.pop("data").endswith(": 14 test images")
    assert plan == {
        "runs": "mine.npz",
        "features": "pixels, at most 20 images of each side",
        "output": str(tmp_path / "out"),
    }
    comparison = ComparisonOptions(compare=("dcgan",), recipe_fields={"steps": 7, "batch_size": 16})
    plan = compare_runs([], SubsetOptions(data=real), PIXELS, comparison, run, WorkOptions(), {}, STARTED)
    assert plan["dcgan"] == "2 GAN, 7 steps of 16 images each"
    assert not (tmp_path / "out").exists()


def test_what_is_returned_is_what_is_written(paths, tmp_path):
    real, mine = paths
    run = RunOptions(out=tmp_path / "out", quiet=True)
    settings = {"fid_infinity": False, "bootstrap": 0}
    result = compare_runs(
        [mine], SubsetOptions(data=real), PIXELS, ComparisonOptions(), run, WorkOptions(), settings, STARTED
    )
    assert result == json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert {path.name for path in (tmp_path / "out").glob("*.*")} >= {
        "evaluation.md", "prdc.png", "neighbours.png", "projection.png",
    }  # fmt: skip
    assert result["settings"]["bootstrap"] == "0"
    assert list(result["settings"]["images_of_runs"]) == ["mine.npz"]
    assert result["compared_classes"] == {"0": 10, "1": 10}
    assert result["features"] == {"name": "pixels", "hash": "pixels", "dimensions": 784}
    assert result["real"] == {"split": "test", "images": 14}


def test_the_plan_and_the_report_say_what_was_done_to_the_images(paths, tmp_path):
    folder = tmp_path / "flat"
    folder.mkdir()
    for number, image in enumerate(make_images(40, (14, 14, 1), seed=3)[0]):
        Image.fromarray(image[..., 0]).save(folder / f"{number:02d}.png")
    arguments = [[str(folder)], SubsetOptions(data=paths[0]), PIXELS, ComparisonOptions()]
    plan = compare_runs(
        *arguments, RunOptions(out=tmp_path / "out", quiet=True, dry_run=True), WorkOptions(), {}, STARTED
    )
    reason = "flat: no class folders, no table and no names give its pictures classes, so all images are compared "
    reason += "together; nothing is said of single classes"
    note = "note: flat: images of 14 x 14 are resized to the 28 x 28 of the real ones: resizing blurs or sharpens, "
    note += "which changes distances by itself."
    assert (plan["without classes"], plan["notes"]) == (reason, note)
    settings = {"fid_infinity": False}
    result = compare_runs(*arguments, RunOptions(out=tmp_path / "out", quiet=True), WorkOptions(), settings, STARTED)
    assert (result["without_classes"], result["compared_classes"]) == (reason, {"all images": 20})
    assert result["warnings"][:2] == [f"without classes: {reason}.", note]
    assert result["runs"]["flat"]["images"] == 40
    text = (tmp_path / "out" / "evaluation.md").read_text()
    assert "class by class" not in text
    assert "all images are compared together" in (tmp_path / "out" / "report.html").read_text()


def test_names_stand_in_the_page_as_they_are_beside_the_figures(tmp_path):
    images, labels = make_images(140)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / "real" / ("a|b_*c*", "<i>bee")[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{number}.png")
    images, labels = make_images(40, seed=3)
    np.savez(tmp_path / "x|_*y*_<b>.npz", images=images, labels=np.flip(labels))
    run = RunOptions(out=tmp_path / "out", quiet=True)
    arguments = [SubsetOptions(data=str(tmp_path / "real")), PIXELS, ComparisonOptions(), run]
    compare_runs([str(tmp_path / "x|_*y*_<b>.npz")], *arguments, WorkOptions(), {"fid_infinity": False}, STARTED)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    for shown in ("<th>x|_*y*_&lt;b&gt;.npz</th>", "<td>a|b_*c*</td>", "<td>&lt;i&gt;bee</td>"):
        assert shown in page
    assert "<h2>x|_*y*_&lt;b&gt;.npz, class by class</h2>" in page
    assert "too few to say of &lt;i&gt;bee, a|b_*c*: 35 images" in page
    captions = re.findall("<figcaption>(.*)</figcaption>", page)
    assert [caption.partition(",")[0] for caption in captions] == [
        "the synthetic images that are nearest to a training image",
        "precision",
        "features on the real ones' first two principal components",
    ]


def test_a_cross_check_without_tfgan_is_refused_before_anything_is_computed(paths, tmp_path, monkeypatch):
    def refuse():
        raise ImportError("It can't be imported.")

    monkeypatch.setattr(evaluation, "import_tfgan", refuse)
    run, measuring = RunOptions(out=tmp_path / "out", quiet=True), MeasuringOptions(features="pixels", cross_check=True)
    with pytest.raises(ValueError, match="--cross-check compares with TF-GAN. It can't be imported"):
        compare_runs(
            [paths[1]], SubsetOptions(data=paths[0]), measuring, ComparisonOptions(), run, WorkOptions(), {}, STARTED
        )
    assert not (tmp_path / "out").exists()
