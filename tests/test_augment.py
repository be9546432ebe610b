"""The script end to end, on tiny data."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import generate_data
import predict
from augment import (
    BalanceConfig,
    ImbalanceConfig,
    ReducedConfig,
    balance,
    main,
    parse_args,
    study_imbalance,
    study_reduced,
)
from common.errors import SamplingError, TrainingError
from models.trained_gan import TrainedGAN
from real.datasets import load_dataset
from synth.shards import load_hashes
from tasks import study_lab, time_estimates
from tests.browser import look_at, needs_chromium
from tests.conftest import fail, make_images

pytestmark = pytest.mark.slow

FIELDS = {
    "latent_dim": 4,
    "generator_width": 2,
    "discriminator_width": 2,
    "batch_size": 16,
    "steps": 2,
    "round_steps": 2,
}
GAN = [text for name, value in FIELDS.items() for text in ("--" + name.replace("_", "-"), str(value))]
PLAIN = ["--duplicate-distance", "0", "--keep", "1"]
FAST = [*GAN, *PLAIN, "--classifier-steps", "5"]
IMBALANCE = ["imbalance", "--minority", "1", "--minority-size", "20", "--gans", "shared:small", *FAST]
REDUCED = ["reduced", "--real", "24", "--added", "0", "8", "--ratios", "1", *FAST]


@pytest.fixture(autouse=True)
def rates(monkeypatch):
    """What a dry run would measure, steps/s: of GANs and of classifiers."""
    monkeypatch.setattr(time_estimates, "recall_speed", lambda dataset, recipe, threads: 0.1)
    monkeypatch.setattr(time_estimates, "recall_classifier_speed", lambda dataset, name, threads: 1.0)


class QuickClassifier:
    """Stands in for fit_and_score: every class scores by how many of the training images are its own."""

    def __init__(self, monkeypatch, stop_after=None):
        self.trained = []
        self._stop_after = stop_after
        monkeypatch.setattr(study_lab, "fit_and_score", self)

    def __call__(self, training, sources, validation, test, class_names, seed):
        if len(self.trained) == self._stop_after:
            raise KeyboardInterrupt
        rows = {k: sum(source.rows.get(k, 0) for source in sources) for k in range(len(class_names))}
        self.trained.append({"rows": rows, "seed": seed, **vars(training)})
        values = {name: rows[k] / sum(rows.values()) for k, name in enumerate(class_names)}
        scores = dict.fromkeys(("accuracy", "balanced_accuracy", "geometric_mean", "macro_f1"), min(values.values()))
        history = pd.DataFrame(
            {"epoch": range(1, training.epochs + 1), "seed": seed, "accuracy": 0.5, "val_accuracy": 0.5}
        )
        history["test_accuracy"] = 0.5
        return type(
            "Scored",
            (),
            {
                "history": history,
                "scores": scores | {f"per_class_{name}": values for name in ("accuracy", "precision")},
            },
        )


def reject_filtered(monkeypatch):
    """Let every filter reject all images."""

    def sample_shard(model, sieve, *arguments):
        if sieve.thresholds is not None or sieve.classify is not None:
            raise SamplingError("the filter accepted 0 of 5120 candidates.")
        return original(model, sieve, *arguments)

    original = study_lab.sample_shard
    monkeypatch.setattr(study_lab, "sample_shard", sample_shard)


@pytest.fixture
def quick_gan(minority, monkeypatch):
    """Every GAN of a study is one that was trained before; what a study asked for is listed."""
    trained = TrainedGAN(minority / "gans/20-1-shared-small-seed-0/model")
    asked = []

    def fit_study_gan(dataset, recipe, folder, *, seed, **options):
        asked.append((folder.name, len(dataset.train), recipe, seed))
        return trained

    for module in ("study", "balance"):
        monkeypatch.setattr(f"tasks.{module}.fit_study_gan", fit_study_gan)
    return asked


@pytest.fixture(scope="module")
def minority(data, tmp_path_factory):
    """The output folder of a whole imbalance study, with the real classifier."""
    out = tmp_path_factory.mktemp("minority") / "out"
    arms = ["real", "class-weights", "smote", "gan-filtered"]
    assert main([*IMBALANCE, "--data", data, "--out", str(out), "--seeds", "1", "--arms", *arms, "--quiet"]) == 0
    return out


def test_an_imbalance_study_leaves_results_report_and_figures(minority):
    names = {path.name for path in minority.iterdir()}
    assert names == {
        ".lock", "config.json", "files.txt",
        "results.csv", "curves.csv", "report.md", "report.html", "arms.png", "curves.png", "samples", "gans",
    }  # fmt: skip
    results = pd.read_csv(minority / "results.csv").set_index("arm")
    assert results.loc["real", "train_images"] == 76  # 56 + 20
    assert (results.drop(["real", "class-weights"])["train_images"] == 112).all()
    assert results["synthetic_images"].to_dict() == {
        "real": 0, "class-weights": 0, "smote": 0, "gan-filtered": 36,
    }  # fmt: skip
    assert results[["accuracy", "balanced_accuracy", "macro_f1", "accuracy 1", "precision 1"]].notna().all(axis=None)
    report = (minority / "report.md").read_text()
    columns = "macro F1, % | accuracy of 1, % | precision of 1, % | balanced accuracy, % | macro F1, %: difference to"
    assert f"| arm | {columns} " in report
    verdicts = [line.partition(":")[0] for line in report.splitlines() if line.startswith("- ")]
    alone = ["by accuracy of 1 alone", "by precision of 1 alone", "by balanced accuracy alone"]
    assert verdicts == [f"- {text}" for text in ["macro F1", *alone]]
    assert len(pd.read_csv(minority / "curves.csv")) == 4 * 5
    report = (minority / "report.md").read_text()
    assert "one seed alone is no evidence" in report
    assert "](samples/20-1-shared-small.png)" in report
    assert {path.name for path in (minority / "gans").iterdir()} == {"20-1-shared-small-seed-0", "flips.json"}


@needs_chromium
def test_the_page_of_a_study_shows_every_figure(minority):
    assert look_at(minority / "report.html", 360) == {"images": [True] * 3, "cut": []}


def test_gans_saw_the_reduced_train_part_alone(minority, data):
    dataset = load_dataset(data, real_per_class="1:20")
    hashes = load_hashes(minority / "gans/20-1-shared-small-seed-0")
    assert sorted(hashes) == sorted(dataset.train_hashes())
    recipe = json.loads((minority / "gans/20-1-shared-small-seed-0/model/recipe.json").read_text())["recipe"]
    assert recipe["balance_classes"]


@pytest.mark.parametrize("command", [IMBALANCE, REDUCED, ["balance", *FAST]])
def test_the_classifier_of_a_study_is_one_of_choice(command, quick_gan, data, tmp_path, monkeypatch):
    classifier = QuickClassifier(monkeypatch)
    options = ["--classifier", "resnet20", "--seeds", "2", "--data", data, "--out", str(tmp_path / "out"), "--quiet"]
    assert main([*command, *options]) == 0
    assert {trained["name"] for trained in classifier.trained} == {"resnet20"}
    page = (tmp_path / "out/report.html").read_text()
    assert "resnet20" in page


def test_a_finished_study_runs_nothing_again(minority, data, tmp_path, monkeypatch):
    shutil.copytree(minority, tmp_path / "out")
    classifier = QuickClassifier(monkeypatch)
    arms = ("real", "class-weights", "smote", "gan-filtered")
    options = {"recipe_fields": FIELDS, "duplicate_distance": 0.0, "keep": 1.0, "classifier_steps": 5, "quiet": True}
    options |= {"gans": ("shared:small",), "arms": arms, "seeds": 1}
    config = ImbalanceConfig(data=Path(data), minority="1", minority_size=(20,), out=tmp_path / "out", **options)
    results = study_imbalance(config)
    assert classifier.trained == []
    assert len(results) == 4
    assert (tmp_path / "out/results.csv").read_bytes() == (minority / "results.csv").read_bytes()


def test_more_sizes_extend_a_study(minority, data, tmp_path, monkeypatch):
    shutil.copytree(minority, tmp_path / "out")
    classifier = QuickClassifier(monkeypatch)
    arguments = [*IMBALANCE, "--data", data, "--out", str(tmp_path / "out"), "--seeds", "1", "--quiet"]
    assert main([*arguments, "--arms", "real", "--minority-size", "20", "30"]) == 0
    assert [trained["rows"] for trained in classifier.trained] == [{0: 56, 1: 30}]
    results = pd.read_csv(tmp_path / "out/results.csv")
    assert results["setting"].tolist() == ["20 1"] * 4 + ["30 1"]


def test_a_killed_study_continues(quick_gan, data, tmp_path, monkeypatch, capsys):
    arguments = [*IMBALANCE, "--data", data, "--seeds", "2", "--arms", "real", "oversampling", "gan", "--quiet"]
    whole = QuickClassifier(monkeypatch)
    assert main([*arguments, "--out", str(tmp_path / "whole")]) == 0
    killed = QuickClassifier(monkeypatch, stop_after=4)
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert "The same command again continues" in capsys.readouterr().err
    half = (tmp_path / "out/results.csv").read_text()
    rest = QuickClassifier(monkeypatch)
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert killed.trained + rest.trained == whole.trained
    assert (len(killed.trained), len(rest.trained)) == (4, 2)
    assert (tmp_path / "out/results.csv").read_text().startswith(half)
    tables = [pd.read_csv(tmp_path / name / "results.csv").drop(columns="seconds") for name in ("out", "whole")]
    assert tables[0].equals(tables[1])


def test_all_arms_have_the_same_steps_seeds_and_real_images(quick_gan, data, tmp_path, monkeypatch):
    classifier = QuickClassifier(monkeypatch)
    assert main([*IMBALANCE, "--data", data, "--out", str(tmp_path), "--seeds", "2", "--quiet"]) == 0
    assert len(classifier.trained) == 22
    assert [(name, images, seed) for name, images, _, seed in quick_gan] == [
        ("20-1-shared-small-seed-0", 76, 0),
        ("20-1-shared-small-seed-1", 76, 1),
    ]
    assert {trained["steps"] for trained in classifier.trained} == {5}
    assert [trained["seed"] for trained in classifier.trained] == [0] * 11 + [1] * 11
    assert sum(trained["augment"] for trained in classifier.trained) == 2 * 4
    assert [trained["class_weight"] for trained in classifier.trained[:2]] == [None, {0: 76 / 112, 1: 76 / 40}]
    assert not any(trained["choose_epoch"] for trained in classifier.trained)
    assert all(trained["rows"] in ({0: 56, 1: 20}, {0: 56, 1: 56}) for trained in classifier.trained)


def test_a_gan_on_the_minority_alone_and_one_that_shares(data, tmp_path, monkeypatch):
    QuickClassifier(monkeypatch)
    gans = ["alone:mlp-minority", "shared:small+alone:mlp-minority"]
    arguments = [*IMBALANCE, "--data", data, "--out", str(tmp_path), "--seeds", "1", "--arms", "real", "gan", "--gans"]
    assert main([*arguments, *gans, "--quiet"]) == 0
    alone = json.loads((tmp_path / "gans/20-1-alone-mlp-minority-seed-0/model/recipe.json").read_text())
    assert (alone["class_names"], alone["train_hashes"]["images"], alone["recipe"]["conditional"]) == (["1"], 20, False)
    results = pd.read_csv(tmp_path / "results.csv")
    assert results["arm"].tolist() == ["real", *(f"gan {gan}" for gan in gans)]
    assert results["synthetic_images"].tolist() == [0, 36, 36]


def test_one_small_class_is_helped_alone_though_others_are_smaller_than_the_largest(imbalanced, tmp_path, capsys):
    images, labels = make_images(180, class_count=3)
    keep = np.flatnonzero((labels < 2) | (np.arange(180) < 120))
    np.savez(tmp_path / "three.npz", images=images[keep], labels=labels[keep])
    arguments = ["imbalance", "--data", str(tmp_path / "three.npz"), "--minority", "1", "--minority-size", "20", *GAN]
    config = parse_args([*arguments, *PLAIN, "--arms", "gan", "--out", str(tmp_path / "out"), "--dry-run"])
    plan = study_imbalance(config)
    assert plan["  20 1"].startswith("train images per class 48, 20, 32;")
    assert plan["arms"] == "gan shared:quick, gan alone:mlp-minority"
    assert plan["GANs"].startswith("6 to train")  # of each seed one for all classes, and one for the small class
    assert config.gans == ("shared:quick", "alone:mlp-minority")
    assert parse_args(["imbalance", "--counts", "5,5"]).gans == ("shared:quick",)


def test_classes_whose_names_are_numbers_of_others_are_found_by_name(tmp_path, monkeypatch):
    images, labels = make_images(120, class_count=3)
    for position, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = tmp_path / f"pictures/{label + 1}/{position}.png"  # the label of folder 2 is 1
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
    classifier = QuickClassifier(monkeypatch)
    arguments = ["imbalance", "--data", str(tmp_path / "pictures"), "--minority", "2", "--minority-size", "5"]
    assert main([*arguments, "--arms", "real", "--seeds", "1", "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert classifier.trained[0]["rows"] == {0: 32, 1: 5, 2: 32}


def test_the_long_tailed_protocol(quick_gan, data, tmp_path, monkeypatch):
    QuickClassifier(monkeypatch)
    arguments = ["imbalance", "--counts", "50,20", *FAST, "--arms", "real", "smote", "gan", "--seeds", "2"]
    assert main([*arguments, "--data", data, "--out", str(tmp_path), "--quiet"]) == 0
    results = pd.read_csv(tmp_path / "results.csv")
    assert results["train_images"].tolist() == [70, 100, 100] * 2
    assert "| arm | ACSA, % | geometric mean, % | accuracy, % | macro F1, % |" in (tmp_path / "report.md").read_text()


def test_a_reduced_study_has_table_sweep_and_equal_steps(quick_gan, data, tmp_path, monkeypatch):
    classifier = QuickClassifier(monkeypatch)
    arguments = [*REDUCED, "--data", data, "--out", str(tmp_path), "--seeds", "2", "--filter", "none", "--quiet"]
    assert main(arguments) == 0
    results = pd.read_csv(tmp_path / "results.csv")
    assert results["arm"].tolist()[:12] == [
        "real", "smote", "classic", "gan", "gan-filtered", "classic-gan", "classic-mixed",
        "5 epochs, 0 synthetic", "5 epochs, 8 unfiltered", "5 epochs, 0 classic", "5 epochs, 8 classic", "ratio 1:1",
    ]  # fmt: skip
    assert results["train_images"].tolist()[:12] == [48, 64, 48, 64, 64, 64, 64, 48, 64, 48, 64, 96]
    assert results["synthetic_images"].tolist()[:12] == [0, 0, 0, 16, 16, 16, 8, 0, 16, 0, 0, 48]
    assert [trained["steps"] for trained in classifier.trained[:12]] == [5] * 7 + [None] * 4 + [5]
    decays = ["cosine"] * 7 + ["constant"] * 4 + ["cosine"]
    assert [trained["rate_decay"] for trained in classifier.trained[:12]] == decays
    augmented = [trained["augment"] for trained in classifier.trained[7:11]]
    assert augmented == [False, False, True, True]
    report = (tmp_path / "report.md").read_text()
    assert "| 24 real, unfiltered, train |" in report
    assert "## Ratio" in report


def test_a_reduced_study_with_the_real_classifier(data, tmp_path):
    config = ReducedConfig(
        data=data, real=(24,), added=(8,), ratios=(), arms=("classic-gan",), recipe_fields=FIELDS, filter="none",
        duplicate_distance=0.0, classifier_steps=5, classifier_epochs=1, seeds=1, out=tmp_path, quiet=True,
    )  # fmt: skip
    results = study_reduced(config)
    assert results["arm"].tolist() == ["classic-gan", "1 epochs, 8 unfiltered", "1 epochs, 8 classic"]
    assert results["accuracy"].between(0, 1).all()
    assert pd.read_csv(tmp_path / "curves.csv")["test_accuracy"].notna().all()


def test_a_filter_that_rejects_all_fails_its_cells_and_no_others(quick_gan, data, tmp_path, monkeypatch, capsys):
    QuickClassifier(monkeypatch)
    reject_filtered(monkeypatch)
    arguments = [*IMBALANCE, "--data", data, "--out", str(tmp_path), "--seeds", "1"]
    options = ["--filter", "discriminator", "--arms", "real", "gan-filtered", "gan"]
    code, line = fail(main, capsys, *arguments, *options)
    assert code == 1
    assert "1 cells failed" in line
    assert "20 1, gan-filtered, seed 0: the filter accepted 0 of 5120" in line
    assert pd.read_csv(tmp_path / "results.csv")["arm"].tolist() == ["real", "gan"]
    assert (tmp_path / "report.md").exists()


def test_a_class_without_test_images_is_refused(tmp_path, capsys):
    images, labels = make_images(60)
    parts = {"x_train": images, "y_train": labels, "x_test": images[:4:2], "y_test": labels[:4:2]}
    np.savez(tmp_path / "a.npz", **parts)
    arguments = ["imbalance", "--data", str(tmp_path / "a.npz"), "--minority", "1", "--minority-size", "5"]
    code, line = fail(main, capsys, *arguments, "--arms", "real", "--out", str(tmp_path / "out"))
    assert code == 2
    assert "should have test images of each class, and some for validation. Got 2, 0 and 4 (5 1) instead" in line


def test_dry_run_plans_and_leaves_nothing(data, tmp_path, capsys):
    assert main([*IMBALANCE, "--data", data, "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "train images per class 56, 20; 10 for validation" in printed
    assert "33, 33 to run; 5 steps of 128 images each" in printed
    assert "3 to train" in printed
    # 3 GANs of 2 steps take 60 s; their 3 monitors and filters have 5 and 10 epochs of 8 x 76 images, 213 steps of 1 s;
    # 33 classifiers of 5 steps take 165 s; each of these 39 takes 6 s to start
    expected = r"about 11 minutes in \d threads?, at rates measured here: 5 for the GANs, 6 for the classifiers"
    assert re.search(expected, printed)
    assert not (tmp_path / "out").exists()


def test_a_reduced_study_without_a_gan_needs_no_images_for_one(data, tmp_path, capsys):
    arguments = ["reduced", "--data", data, "--real", "7", "--out", str(tmp_path / "out"), "--dry-run"]
    assert main([*arguments, "--arms", "real", "classic"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"arms: +real, classic, 5 epochs, 0 synthetic, 5 epochs, 0 classic\n", printed)
    assert re.search(r"GANs: +0 to train", printed)


def test_a_gan_that_has_failed_is_not_trained_again_in_the_same_run(data, tmp_path, monkeypatch, capsys):
    QuickClassifier(monkeypatch)
    asked = []

    def fit_study_gan(*arguments, **options):
        asked.append(arguments)
        raise TrainingError("training diverged.")

    monkeypatch.setattr("tasks.study.fit_study_gan", fit_study_gan)
    arguments = [*IMBALANCE, "--data", data, "--out", str(tmp_path / "out"), "--seeds", "2"]
    code, line = fail(main, capsys, *arguments, "--arms", "real", "gan", "gan-filtered", "mixed")
    assert code == 1
    assert "6 cells failed, all others are in results.csv" in line
    assert len(asked) == 2  # one for each seed


def test_small_batches_are_announced(data, tmp_path, capsys):
    arguments = ["imbalance", "--data", data, "--minority", "1", "--minority-size", "20", "--gans", "alone:small"]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    assert "alone:small, 20 1: fitted to 20 images of 28 x 28 pixels: --batch-size 20" in capsys.readouterr().out


def test_a_field_that_is_given_at_its_named_value_is_another_study(minority, data, capsys):
    arms = ["--arms", "real", "class-weights", "smote", "gan-filtered"]
    arguments = [*IMBALANCE, "--data", data, "--out", str(minority), "--seeds", "1", *arms, "--dry-run"]
    assert main(arguments) == 0
    code, line = fail(main, capsys, *arguments, "--judge", "cnn")  # a GAN of many colour images would have another one
    assert code == 2
    assert "holds a run with other options (kept: nothing there, ['judge'] here)" in line


def test_another_configuration_is_refused_and_overwrite_keeps_the_gans(minority, data, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    shutil.copytree(minority, out)
    arguments = [*IMBALANCE, "--data", data, "--out", str(out), "--seeds", "1"]
    arguments += ["--arms", "gan-filtered", "--keep", "0.8"]
    code, line = fail(main, capsys, *arguments)
    assert code == 2
    assert "holds a run with other options (keep: " in line
    before = next(out.rglob("generator.keras")).stat().st_mtime_ns
    QuickClassifier(monkeypatch)
    assert main([*arguments, "--overwrite"]) == 0
    assert re.search(r"cells: +1, 1 to run.*\nGANs: +0 to train", capsys.readouterr().out)
    assert next(out.rglob("generator.keras")).stat().st_mtime_ns == before
    assert pd.read_csv(out / "results.csv")["arm"].tolist() == ["gan-filtered"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["imbalance", "--minority", "1", "--minority-size", "57"], "--minority-size should be at most 56"),
        (["imbalance", "--minority", "1", "--minority-size", "0"], "argument --minority-size: should be an integer of"),
        (["imbalance", "--minority", "Hat"], "--minority should be one of 0, 1. Got 'Hat' instead"),
        (["imbalance", "--counts", "50,20,10"], "--counts should be one, or one for each of 2 classes. Got 3"),
        (["imbalance", "--counts", "50,57"], "--counts should be at most 56, the train images of class '1'. Got 57"),
        (["imbalance"], "--minority CLASS or --counts N,N,... should be given"),
        (["imbalance", "--minority", "1", "--counts", "5,5"], "--minority CLASS or --counts N,N,... should be given"),
        (["imbalance", "--minority", "1", "--fill", "1.5"], "--fill should be in the range (0, 1]. Got 1.5 instead"),
        (["imbalance", "--minority", "1", "--gans", "small"], "--gans should be SCOPE:RECIPE"),
        (
            ["imbalance", "--minority", "1", "--gans", "shared:mlp-minority"],
            "--gans shared:mlp-minority: a GAN of all classes should be conditional. Take alone:mlp-minority.",
        ),
        (
            ["imbalance", "--minority", "1", "--minority-size", "20", "--keep", "0"],
            "--keep should be in the range (0, 1]",
        ),
        (
            ["imbalance", "--minority", "1", "--minority-size", "20", "--classifier-steps", "7"],
            "--classifier-steps should be a multiple of 5, the points of its curve. Got 7 instead",
        ),
        (["imbalance", "--minority", "1", "--seed", "-1"], "--seed should be in the range"),
        (
            ["imbalance", "--minority", "1", "--minority-size", "10", "--gans", "alone:mlp-minority"],
            "should have at least 16 train images and 2 for validation. Got 10 and 2 of class '1' instead: take more "
            "real images, or classic augmentation alone",
        ),
        (
            ["imbalance", "--minority", "1", "--minority-size", "20", "--gans", "alone:small", "--filter", "both"],
            "--filter both needs two classes or more",
        ),
        (
            ["imbalance", "--minority", "1", "--minority-size", "1", "--arms", "smote"],
            "--arms smote should have at least 2",
        ),
        (
            ["imbalance", "--minority", "1", "--minority-size", "56"],
            "a study should have classes that are smaller than the largest (56 1). Got 56, 56 train images instead",
        ),
        (
            ["imbalance", "--counts", "50,20", "--gans", "shared:small+shared:small"],
            "--gans should name each GAN once. Got 'shared:small+shared:small' instead",
        ),
        (["reduced", "--real", "57"], "--real should be at most 56, the train images of class '0'. Got 57 instead"),
        (["reduced", "--real", "20", "--added", "0", "-1"], "--added should be at least 0. Got -1 instead"),
        (["reduced", "--real", "20", "--added", "0"], "--added should have a number above 0. Got 0 instead"),
        (["reduced", "--real", "20", "--ratios", "0"], "--ratios should be in the range (0, 100]. Got 0.0 instead"),
        (["reduced", "--real", "7"], "should have at least 16 train images"),
        (["reduced", "--classes", "1", "--real", "20"], "should give two classes or more. Got 1 alone"),
        (["balance", "--surplus", "-1"], "--surplus should be auto or in the range [0, 100]. Got -1 instead"),
        (["balance", "--surplus", "much"], "--surplus should be auto or in the range [0, 100]. Got much instead"),
        (["balance", "--surplus", "1", "--target", "5"], "--target and --surplus both say how many"),
        (["balance", "--target", "0"], "argument --target: should be an integer of at least 1"),
        (["balance", "--seeds", "1"], "--seeds should be at least 2 for --surplus auto"),
        (["balance", "--top-up", "3", *GAN], "--top-up should be one of 0, 1. Got '3' instead"),
        (
            ["balance", "--target", "70", *GAN],
            "--target or --surplus should ask for more images than there are (0 70, 1 70",
        ),
        (
            ["balance", "--surplus", "0", *GAN],
            "--target or --surplus should ask for more images than there are (0 70, 1 70",
        ),
        (["balance", "--min-probability", "2"], "--min-probability should be in the range [0, 1)"),
        (["balance", "--model", "nowhere"], "--model should be a run's folder, or pretrained: mnist, fashion_mnist"),
    ],
)
def test_wrong_requests_are_one_line_and_exit_code_2(data, tmp_path, capsys, arguments, message):
    code, line = fail(main, capsys, *arguments, "--data", data, "--out", str(tmp_path / "out"))
    assert code == 2
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named_before_anything_is_run(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "imblearn", None)
    code, line = fail(main, capsys, *IMBALANCE, "--data", data, "--out", str(tmp_path / "out"))
    assert code == 1
    assert "imbalanced-learn is not installed: pip install -r requirements.txt" in line
    assert not (tmp_path / "out").exists()


@pytest.fixture
def imbalanced(tmp_path):
    """Path of an .npz with 70 images of class 0 and 40 of class 1, and a test part of its own."""
    images, labels = make_images(160)
    keep = np.flatnonzero((labels == 0) | (np.arange(160) < 80))[:110]
    parts = {"x_train": images[keep], "y_train": labels[keep], "x_test": images[140:], "y_test": labels[140:]}
    np.savez(tmp_path / "imbalanced.npz", **parts)
    return str(tmp_path / "imbalanced.npz"), images[keep], labels[keep]


def test_balance_keeps_every_real_row_and_tops_up_the_classes(imbalanced, tmp_path, monkeypatch):
    path, images, labels = imbalanced
    out = tmp_path / "out"
    monkeypatch.setattr("tasks.balance_candidates._SURPLUSES", (0.0,))
    arguments = ["balance", "--data", path, *FAST, "--filter", "none", "--seeds", "2", "--format", "both"]
    assert main([*arguments, "--out", str(out), "--quiet"]) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    with np.load(out / "train.npz") as archive:
        assert np.array_equal(archive["images"][:110], images)
        assert np.array_equal(archive["labels"][:110], labels)
        assert np.array_equal(archive["synthetic"], np.arange(len(archive["labels"])) >= 110)
        counts = np.bincount(archive["labels"])
        table = pd.read_csv(out / "train.csv")
        assert np.array_equal(table.drop(columns=["label", "synthetic"]), archive["images"].reshape(-1, 784))
    if manifest["chosen"]["arm"] == "none":
        assert counts.tolist() == [70, 40]
    else:
        assert counts[0] == counts[1]
    assert manifest["chosen"]["reason"].startswith("On validation, ")
    assert "| none |" in (out / "report.md").read_text()
    assert "<td>none</td>" in (out / "report.html").read_text("utf-8")
    assert len(pd.read_csv(out / "results.csv")) == 2 * 2


def test_balance_to_a_target_with_a_trained_model(imbalanced, tmp_path, capsys):
    path, _, _ = imbalanced
    run = tmp_path / "run"
    sampling = ["--class-size", "4", "--filter", "none", "--duplicate-distance", "0"]
    assert generate_data.main(["--data", path, "--out", str(run), *GAN, *sampling, "--quiet"]) == 0
    config = BalanceConfig(
        model=run, target=60, filter="none", duplicate_distance=0.0, out=tmp_path / "out", quiet=True, format="csv"
    )
    manifest = balance(config)
    assert manifest["classes"] == {
        "0": {"label": 0, "real": 70, "synthetic": 0},
        "1": {"label": 1, "real": 40, "synthetic": 20},
    }
    assert manifest["chosen"] == {"arm": "target 60, unfiltered", "reason": "The flags say so."}
    assert not (tmp_path / "out/model").exists()
    with np.load(path) as source:
        other = tmp_path / "other.npz"
        np.savez(other, images=source["x_train"][::-1], labels=source["y_train"][::-1])
    code, line = fail(main, capsys, "balance", "--data", str(other), "--model", str(run), "--out", str(tmp_path / "b"))
    assert code == 2
    assert "validation images" in line
    assert "Leave out --data" in line
    code, line = fail(main, capsys, "balance", "--model", str(run), "--steps", "7", "--out", str(tmp_path / "b"))
    assert code == 2
    assert "--model is trained already: leave out --recipe" in line


def test_balance_tops_up_some_classes_and_keeps_the_rows_of_all(quick_gan, imbalanced, tmp_path):
    path, images, _ = imbalanced
    out = tmp_path / "out"
    arguments = ["balance", "--data", path, *FAST, "--filter", "none", "--target", "80", "--top-up", "1", "--quiet"]
    assert main([*arguments, "--out", str(out)]) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["classes"] == {
        "0": {"label": 0, "real": 70, "synthetic": 0},
        "1": {"label": 1, "real": 40, "synthetic": 40},
    }
    with np.load(out / "train.npz") as archive:
        assert np.array_equal(archive["images"][:110], images)


def test_a_balanced_set_is_not_balanced_again(quick_gan, imbalanced, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["balance", "--data", imbalanced[0], *FAST, "--target", "80", "--filter", "none", "--quiet"]
    assert main([*arguments, "--out", str(out)]) == 0
    for command in (["balance"], ["imbalance", "--minority", "1"], ["reduced", "--real", "16"]):
        code, line = fail(main, capsys, *command, *GAN, "--data", str(out / "train.npz"), "--out", str(tmp_path / "b"))
        assert code == 2
        assert "--data should hold real images alone: 50 of the 160 in" in line


def test_a_balanced_set_is_scored_on_images_that_nothing_has_seen(data, tmp_path):
    out = tmp_path / "out"
    arguments = ["balance", "--data", data, *FAST, "--target", "80", "--filter", "none", "--quiet", "--out", str(out)]
    assert main(arguments) == 0
    assert predict.main(["--synthetic", str(out), "--epochs", "1", "--out", str(tmp_path / "score"), "--quiet"]) == 0
    metrics = json.loads((tmp_path / "score/metrics.json").read_text())
    assert metrics["trained_on"] == {"real": {"0": 56, "1": 56}, "synthetic": {"0": 10, "1": 10}}
    assert metrics["leaks"]["leaked"] == 0
    np.save(out / "train_hashes.npy", load_hashes(out) ^ np.uint64(1))
    with pytest.raises(ValueError, match="should hold the hashes of the 112 images as recorded"):
        predict.predict(predict.Config(synthetic=out, out=tmp_path / "again", quiet=True))


def test_the_manifest_names_the_filter_that_auto_means(quick_gan, imbalanced, tmp_path):
    arguments = ["balance", "--data", imbalanced[0], *FAST, "--target", "71", "--min-probability", "0", "--quiet"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    filter = json.loads((tmp_path / "out/manifest.json").read_text())["filter"]
    assert filter["filter"] == "classifier"
    assert filter["min_probability"] == 0


def test_a_class_too_small_for_a_classifier_is_filtered_by_the_discriminator(quick_gan, imbalanced, tmp_path, capsys):
    with np.load(imbalanced[0]) as archive:
        parts = dict(archive)
    few = np.flatnonzero((parts["y_train"] == 0) | (np.cumsum(parts["y_train"] == 1) <= 9))
    np.savez(tmp_path / "few.npz", **parts | {part: parts[part][few] for part in ("x_train", "y_train")})
    arguments = ["balance", "--data", str(tmp_path / "few.npz"), *FAST, "--target", "71", "--keep", "1"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert "note: the filter is the discriminator: class '1' has 8 train images" in capsys.readouterr().out
    assert json.loads((tmp_path / "out/manifest.json").read_text())["filter"]["filter"] == "discriminator"


def test_a_ratio_of_synthetic_images_needs_some(quick_gan, imbalanced, tmp_path, monkeypatch, capsys):
    QuickClassifier(monkeypatch)
    monkeypatch.setattr("tasks.balance._MEASURE", "train_accuracy")  # always the same: none is chosen
    out = tmp_path / "out"
    arguments = ["balance", "--data", imbalanced[0], *FAST, "--filter", "none", "--seeds", "2", "--quiet"]
    assert main([*arguments, "--out", str(out)]) == 0
    options = ["--synthetic", str(out), "--ratio", "2", "--out", str(tmp_path / "score")]
    code, line = fail(predict.main, capsys, *options)
    assert code == 2
    assert "--synthetic should have images that are marked as synthetic" in line


def test_a_candidate_whose_filter_rejects_all_is_not_chosen(quick_gan, imbalanced, tmp_path, monkeypatch):
    QuickClassifier(monkeypatch)
    reject_filtered(monkeypatch)
    arguments = ["balance", "--data", imbalanced[0], *FAST, "--seeds", "2", "--quiet", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    chosen = json.loads((tmp_path / "out/manifest.json").read_text())["chosen"]
    assert chosen["arm"] == "surplus 0, unfiltered"
    assert "Not `surplus 0, filtered`: the filter accepted 0 of 5120 candidates." in chosen["reason"]


def test_balance_fails_where_every_candidate_does(quick_gan, imbalanced, tmp_path, monkeypatch, capsys):
    QuickClassifier(monkeypatch)
    reject_filtered(monkeypatch)
    arguments = ["balance", "--data", imbalanced[0], *FAST, "--seeds", "2", "--filter", "classifier"]
    code, line = fail(main, capsys, *arguments, "--out", str(tmp_path / "out"))
    assert code == 1
    assert "6 cells failed" in line


def test_the_results_of_another_program_are_refused(imbalanced, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/results.csv").write_text("variation,seed\nbase,0\n")
    code, line = fail(main, capsys, "balance", "--data", imbalanced[0], *FAST, "--out", str(tmp_path / "out"))
    assert code == 2
    assert "holds results.csv, but no config.json: choose another --out" in line


def test_adding_none_wins_where_nothing_is_better(quick_gan, imbalanced, tmp_path, monkeypatch):
    classifier = QuickClassifier(monkeypatch)
    monkeypatch.setattr("tasks.balance_candidates._SURPLUSES", (0.0,))
    path, _, _ = imbalanced
    arguments = ["balance", "--data", path, *FAST, "--filter", "none", "--seeds", "2", "--quiet"]
    assert main([*arguments, "--out", str(tmp_path / "a")]) == 0  # the stand-in likes balanced classes
    assert json.loads((tmp_path / "a/manifest.json").read_text())["chosen"]["arm"] == "surplus 0, unfiltered"
    monkeypatch.setattr("tasks.balance._MEASURE", "train_accuracy")  # always 0.5 there
    assert main([*arguments, "--out", str(tmp_path / "b")]) == 0
    manifest = json.loads((tmp_path / "b/manifest.json").read_text())
    assert manifest["chosen"]["arm"] == "none"
    assert "no significant gain" in manifest["chosen"]["reason"]
    assert manifest["chosen"]["class_weights"] == {"0": 110 / 140, "1": 110 / 80}
    assert manifest["classes"]["1"] == {"label": 1, "real": 40, "synthetic": 0}
    assert len(classifier.trained) == 8


def test_defaults_come_from_the_configs():
    assert parse_args(["balance"]) == BalanceConfig()
    assert parse_args(["imbalance", "--minority", "1"]) == ImbalanceConfig(minority="1")
    assert parse_args(["reduced"]) == ReducedConfig()
    assert parse_args([*REDUCED, "--steps", "7"]).recipe_fields == FIELDS | {"steps": 7}
