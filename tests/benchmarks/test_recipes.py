"""The search over recipes, on tiny data; but for one run nothing is trained."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import measuring, recipes
from benchmarks.recipes import Config, main, parse_args, search
from common.errors import TrainingError
from models import training_rate
from models.recipes import RECIPES, Recipe
from tasks import study_lab
from tests.conftest import fail

SIZES = {"latent_dim": 4, "generator_width": 2, "discriminator_width": 2, "batch_size": 16}


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """A recipe of that name, of three rounds of two steps."""
    monkeypatch.setitem(RECIPES, "tiny", Recipe("tiny", **SIZES, steps=6, round_steps=2))


class Laboratory:
    """Stands in for training and measuring; `speed` is in steps/s, and `stop` is raised by the fourth training."""

    def __init__(self, monkeypatch):
        self.trained = []
        self.speed = 10.0
        self.stop = None
        monkeypatch.setattr(training_rate, "measure_speed", lambda dataset, recipe: self.speed)
        monkeypatch.setattr(measuring, "fit_fidelity_judge", lambda dataset, name, path: None)
        monkeypatch.setattr(measuring, "measure_gan", self.measure)
        monkeypatch.setattr(study_lab, "fit_study_gan", self.train)

    def train(self, dataset, recipe, folder, *, seed, quiet, report):
        if len(self.trained) == 3 and self.stop:
            raise self.stop
        self.trained.append((folder.name, recipe))
        return recipe

    def measure(self, yardstick, recipe, folder, *, count, classifier_seeds, seed):
        shares = dict.fromkeys(("precision", "recall", "coverage", "accuracy", "label_fidelity"), 0.9)
        conditions = ("frechet_to_floor", "accuracy_std", "nearest_ratio", "minutes", "minutes_to_near_best")
        numbers = dict.fromkeys((*conditions, "images_per_second"), 1.0)
        numbers |= {"steps": recipe.steps, "generator_parameters": 5, "discriminator_parameters": 6}
        return {"frechet": 2.0 + seed - 0.5 * (not recipe.noise), **shares, **numbers}, [{"step": 2}, {"step": 4}]

    @property
    def folders(self):
        return [folder for folder, _ in self.trained]

    @property
    def steps(self):
        return {folder: (recipe.steps, recipe.round_steps) for folder, recipe in self.trained}


@pytest.fixture
def laboratory(monkeypatch):
    return Laboratory(monkeypatch)


@pytest.fixture
def arguments(data, tmp_path):
    return ["--data", data, "--recipe", "tiny", "--out", str(tmp_path / "out"), "--variations", "no-noise"]


@pytest.mark.slow
def test_a_search_trains_measures_and_repeats_nothing(data, tmp_path, monkeypatch):
    variations = ("lr:generator_rate=5e-4,noise=no",)
    options = {"minutes": 0.001, "images": 60, "classifier_seeds": 1, "seeds": 1, "quiet": True, "out": tmp_path}
    options |= {"classifier": "strong", "features": "pixels"}
    config = Config(data=data, recipe="tiny", variations=variations, **options)
    results = search(config)
    assert "1 classifiers strong, and features of pixels" in (tmp_path / "report.md").read_text()
    kept = [path.name for path in (tmp_path / "cache").glob("*.keras")]
    assert kept == ["fidelity.keras"]  # and no classifier of features
    assert results["arm"].tolist() == ["base", "lr"]
    lengths = json.loads((tmp_path / "variations.json").read_text())
    assert results["steps"].tolist() == [length["length"]["steps"] for length in lengths.values()]
    shares = results[["accuracy", "label_fidelity", "precision", "recall", "coverage"]]
    assert ((shares >= 0) & (shares <= 1)).all(axis=None)
    assert (results[["frechet", "frechet_to_floor", "nearest_ratio"]] >= 0).all(axis=None)
    assert results["accuracy_std"].isna().all()  # of one classifier
    assert (results["minutes_to_near_best"] <= results["minutes"] + 0.01).all()
    assert results["generator_parameters"].is_monotonic_decreasing  # the noise has weights
    hashes = {path.read_bytes() for path in tmp_path.glob("gans/*/model/judge.keras")}
    assert len(hashes) == 1
    monkeypatch.setattr(measuring, "measure_gan", lambda *arguments, **options: pytest.fail("nothing is left to run"))
    monkeypatch.setattr(training_rate, "measure_speed", lambda *arguments: pytest.fail("the steps are known"))
    pd.testing.assert_frame_equal(search(config), results, check_dtype=False)


def test_classifiers_are_shared_by_gans_of_the_same_judge_and_flips(arguments, laboratory, monkeypatch):
    shared = {}
    names = lambda folders: [folder.parent.name for folder in folders]  # noqa: E731
    monkeypatch.setattr(
        measuring, "reuse_classifiers", lambda model, others: shared.update({model.parent.name: names(others)})
    )
    assert main([*arguments, "deep:judge=resnet20", "--seeds", "1", "--quiet"]) == 0
    alike = ["base-seed-0", "no-noise-seed-0"]
    assert shared == dict.fromkeys(alike, alike) | {"deep-seed-0": ["deep-seed-0"]}


def test_steps_follow_from_the_first_speed_and_stay(arguments, laboratory, tmp_path):
    assert main([*arguments, "--minutes", "0.1", "--seeds", "1", "--quiet"]) == 0
    assert laboratory.steps == {"base-seed-0": (60, 20), "no-noise-seed-0": (60, 20)}  # three rounds, as the recipe
    laboratory.speed = 20.0
    extended = [*arguments, "batch-8:batch_size=8", "--minutes", "0.1", "--seeds", "2", "--quiet"]
    assert main(extended) == 0
    assert laboratory.folders[2:] == ["batch-8-seed-0", "base-seed-1", "no-noise-seed-1", "batch-8-seed-1"]
    assert laboratory.steps["base-seed-1"] == laboratory.steps["no-noise-seed-1"] == (60, 20)
    assert laboratory.steps["batch-8-seed-1"] == laboratory.steps["batch-8-seed-0"] == (120, 40)
    assert len(pd.read_csv(tmp_path / "out" / "results.csv")) == 6
    assert len(pd.read_csv(tmp_path / "out" / "curves.csv")) == 12


def test_a_search_from_before_a_field_was_renamed_continues(arguments, laboratory, tmp_path):
    arguments = [*arguments[:-1], "augment-translation", "--quiet", "--seeds"]
    assert main([*arguments, "1"]) == 0
    for name in ("variations.json", "config.json"):
        path = tmp_path / "out" / name
        path.write_text(path.read_text().replace('"diffaugment"', '"augment"'))
    assert main([*arguments, "2"]) == 0
    assert laboratory.folders == [f"{name}-seed-{k}" for k in (0, 1) for name in ("base", "augment-translation")]


def test_without_minutes_the_steps_are_those_of_the_recipe(arguments, laboratory):
    assert main([*arguments, "long:epochs=2", "--seeds", "1", "--quiet"]) == 0
    assert laboratory.steps == {"base-seed-0": (6, 2), "no-noise-seed-0": (6, 2), "long-seed-0": (0, 2)}


def test_a_killed_search_continues(arguments, laboratory, capsys):
    laboratory.stop = KeyboardInterrupt()
    code, line = fail(main, capsys, *arguments, "--seeds", "2")
    assert code == 1
    assert "The same command again continues" in line
    laboratory.stop = None
    assert main([*arguments, "--seeds", "2", "--quiet"]) == 0
    assert laboratory.folders == ["base-seed-0", "no-noise-seed-0", "base-seed-1", "no-noise-seed-1"]


def test_a_variation_that_diverges_does_not_stop_the_others(arguments, laboratory, capsys, tmp_path):
    laboratory.stop = TrainingError("training diverged")
    code, line = fail(main, capsys, *arguments, "--seeds", "2")
    assert code == 1
    assert line.endswith("tiny, no-noise, seed 1: training diverged")
    assert len(pd.read_csv(tmp_path / "out" / "results.csv")) == 3


def test_other_settings_are_refused(arguments, laboratory, capsys):
    assert main([*arguments, "--quiet"]) == 0
    code, line = fail(main, capsys, *arguments, "--images", "50")
    assert code == 2
    assert "images: 10000 there, 50 here" in line
    code, line = fail(main, capsys, *arguments[:-1], "no-noise:noise=no,latent_dim=8")
    assert code == 2
    assert "variation no-noise has other fields there, {'noise': False}: give it another name." in line
    assert main([*arguments, "--images", "50", "--seeds", "1", "--overwrite", "--quiet"]) == 0
    assert laboratory.folders[-2:] == ["base-seed-0", "no-noise-seed-0"]


def test_the_report_ranks_by_frechet_with_the_paired_difference(arguments, laboratory, capsys, tmp_path):
    assert main([*arguments, "--seeds", "2"]) == 0
    report = (tmp_path / "out" / "report.md").read_text()
    lines = [line for line in report.splitlines() if line.startswith("|") and "--" not in line]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [row[0] for row in rows] == ["variation", "no-noise", "base"] * 2
    assert rows[1][1] == "2.00 (-0.50 ± 0.00)"
    assert rows[2][1] == "2.50"
    assert report in capsys.readouterr().out


def test_a_dry_run_tells_what_is_left_and_writes_nothing(arguments, tmp_path):
    plan = search(parse_args([*arguments, "--minutes", "6", "--seeds", "2", "--dry-run", "--quiet"]))
    assert plan["cells"].startswith("4, 4 to run")
    assert plan["time"].endswith("24 of them for the GANs")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--variations", "nosuch"], "--variations should be among no-noise, .*Got 'nosuch' instead."),
        (["--variations", "a/b:noise=no"], "or NAME:field=value,field=value. Got 'a/b:noise=no' instead."),
        (["--variations", "a:nosuch=1"], "a recipe's field should be one of network, .*Got 'nosuch' instead."),
        (["--variations", "a:batch_size=0"], "variation a: --batch-size should be in the range .* Got 0 instead."),
        (["--variations", "a:batch_size=4096"], "variation a: --batch-size should be at most the number"),
        (["--variations", "a:conditional=no"], "variation a should be one GAN for all classes"),
        (
            ["--variations", "r1", "r1:noise=no"],
            "--variations should have different names, and none be base. Got r1, r1:noise=no.",
        ),
        (["--variations", "base:noise=no"], "--variations should have different names"),
        (["--variations", "a:epochs=1", "--minutes", "1"], "--minutes decides steps, epochs and round_steps"),
        (["--images", "3"], "--images should be at least 2 of each class. Got 3 in all instead."),
        (["--minutes", "0"], "--minutes should be above 0 and finite. Got 0.0 instead."),
        (["--seeds", "0"], "should be an integer of at least 1. Got '0' instead."),
        (["--seed", "-1"], "--seed should be in the range"),
    ],
)
def test_wrong_requests_are_one_line(data, tmp_path, capsys, options, message):
    code, line = fail(main, capsys, "--data", data, "--recipe", "tiny", "--out", str(tmp_path / "out"), *options)
    assert code == 2
    assert pd.Series([line]).str.contains(message).all()
    assert not (tmp_path / "out").exists()


def test_each_class_has_two_real_images_on_both_sides():
    labels = np.arange(4) % 2
    enough, scarce = (labels, labels), (labels[:3], labels[:3])
    recipes._check_counts(enough, enough, ("ape", "bee"))
    with pytest.raises(ValueError, match="at least 2 real images to compare with. Got 1 of bee: more real images"):
        recipes._check_counts(scarce, enough, ("ape", "bee"))
    with pytest.raises(ValueError, match="at least 2 real images for the floor. Got 1 of bee"):
        recipes._check_counts(enough, scarce, ("ape", "bee"))
