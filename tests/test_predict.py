"""The script end to end, on tiny data."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import generate_data
from common.files import mark_folder
from common.images import hash_images
from models import classifier_training
from models.classifier import build_classifier, fit_classifier
from predict import Config, main, parse_args, predict
from real.datasets import load_dataset
from real.kaggle_files import find_train_csv
from synth.shards import load_hashes, load_manifest
from tests.browser import look_at, needs_chromium
from tests.conftest import TRAINING, WIDTHS, fail, make_images, train_on

pytestmark = pytest.mark.slow

FAST = ["--epochs", "1", "--batch-size", "16"]


def load_metrics(out):
    return json.loads((out / "metrics.json").read_text())


def test_synthetic_only_needs_no_further_flag(generated, tmp_path, monkeypatch, capsys):
    shutil.copytree(generated, tmp_path / "synthetic")
    monkeypatch.chdir(tmp_path)
    assert main(["--synthetic-only", *FAST, "--seeds", "2"]) == 0
    out = tmp_path / "prediction-synthetic-only"
    assert {path.name for path in out.iterdir()} == {
        ".lock", "config.json", "files.txt", "report.html",
        "metrics.json", "classifier.keras", "history.csv", "curves.png", "confusion.png", "mistakes.png",
    }  # fmt: skip
    metrics = load_metrics(out)
    assert metrics["trained_on"] == {"real": {}, "synthetic": {"0": 40, "1": 40}}
    assert [run["seed"] for run in metrics["runs"]] == [0, 1]
    assert metrics["summary"]["accuracy"]["interval"] is not None
    assert 0 <= metrics["label_fidelity"] <= 1
    assert metrics["explanation"] in capsys.readouterr().out
    assert metrics["leaks"] == {"test_images": 14, "leaked": 0, "allowed": False}


def test_mixed_training_by_ratio(generated, data, tmp_path):
    config = Config(synthetic=generated, ratio=0.5, epochs=1, batch_size=16, out=tmp_path, quiet=True)
    metrics = predict(config)
    assert metrics == load_metrics(tmp_path)
    assert metrics["trained_on"] == {"real": {"0": 56, "1": 56}, "synthetic": {"0": 28, "1": 28}}
    assert "explanation" not in metrics


@needs_chromium
def test_the_report_shows_every_figure(generated, tmp_path):
    options = ["--synthetic-only", "--synthetic", str(generated), "--out", str(tmp_path), *FAST, "--quiet"]
    assert main(options) == 0
    page = tmp_path / "report.html"
    assert look_at(page, 360) == {"images": [True] * 3, "cut": []}
    page = page.read_text("utf-8")
    command = f"--synthetic-only --out {tmp_path} --quiet --epochs 1 --batch-size 16 --synthetic {generated}"
    assert f"<pre>python predict.py {command}</pre>" in page


def test_real_only_learns(data, tmp_path):
    assert (
        main(["--real-only", "--data", data, "--real-per-class", "48", "--out", str(tmp_path), *FAST, "--quiet"]) == 0
    )
    metrics = load_metrics(tmp_path)
    assert metrics["trained_on"] == {"real": {"0": 48, "1": 48}, "synthetic": {}}
    assert metrics["summary"]["accuracy"] == {"mean": 1.0, "std": None, "interval": None}


def test_equal_steps_at_a_falling_rate(generated, tmp_path, monkeypatch):
    given = []
    fit_and_score = classifier_training.fit_and_score

    def watch(training, *arguments):
        given.append((training.steps, training.rate_decay))
        return fit_and_score(training, *arguments)

    monkeypatch.setattr("tasks.prediction.fit_and_score", watch)
    options = ["--steps", "4", "--rate-decay", "cosine", "--epochs", "2", "--batch-size", "16"]
    assert main(["--synthetic-only", "--synthetic", str(generated), "--out", str(tmp_path), *options, "--quiet"]) == 0
    assert given == [(4, "cosine")]
    assert len(pd.read_csv(tmp_path / "history.csv")) == 2


def test_fresh_images_need_no_shards(generated, tmp_path):
    options = ["--model", str(generated), "--fresh", "--filter", "none", "--synthetic-per-class", "20"]
    options += ["--latent-std", "1.2"]
    assert main(["--synthetic-only", *options, "--out", str(tmp_path / "out"), *FAST, "--quiet"]) == 0
    assert load_metrics(tmp_path / "out")["trained_on"]["synthetic"] == {"0": 20, "1": 20}


@pytest.mark.parametrize("mode", [["--synthetic-only"], ["--real-only"], ["--ratio", "0.5"]])
def test_a_teacher_labels_the_images(generated, data, tmp_path, capsys, mode):
    teacher = tmp_path / "teacher"
    shutil.copytree(generated, teacher)
    images, labels = load_dataset(data).part("train")
    fit_classifier(images, 1 - labels, 2, epochs=2, batch_size=16).save(teacher / "model" / "filter.keras")
    images, labels = make_images(80, seed=1)
    np.savez(tmp_path / "shard.npz", images=images, labels=labels)
    options = ["--data", data, "--synthetic", str(tmp_path / "shard.npz"), "--teacher", str(teacher)]
    options += ["--epochs", "1", "--steps", "30", "--batch-size", "16", "--out", str(tmp_path / "out")]
    assert main([*mode, *options]) == 0
    assert f"labels by the classifier of {teacher}" in capsys.readouterr().out
    metrics = load_metrics(tmp_path / "out")
    assert metrics["summary"]["accuracy"]["mean"] == metrics["teacher_accuracy"] == 0  # it has them the wrong way round
    assert metrics.get("label_fidelity", 0) == 0
    assert "explanation" not in metrics
    assert metrics["settings"]["teacher_weights"]


def test_a_teacher_of_fresh_images(generated, tmp_path):
    shutil.copytree(generated, tmp_path / "teacher")
    build_classifier((28, 28, 1), 2).save(tmp_path / "teacher" / "model" / "filter.keras")
    options = ["--model", str(generated), "--fresh", "--filter", "none", "--teacher", str(tmp_path / "teacher")]
    assert main(["--synthetic-only", *options, "--out", str(tmp_path / "out"), *FAST, "--quiet"]) == 0
    history = pd.read_csv(tmp_path / "out" / "history.csv")
    assert 0.6 < history["loss"].iloc[0] < 0.8  # an unfitted teacher is undecided: the entropy of two classes


def test_a_teacher_that_was_trained_on_test_images_is_caught(generated, data, tmp_path, capsys):
    shutil.copytree(generated, tmp_path / "teacher")
    train_on(tmp_path / "teacher", hash_images(load_dataset(data).part("test")[0]))
    arguments = ["--real-only", "--data", data, "--teacher", str(tmp_path / "teacher"), "--out", str(tmp_path / "out")]
    code, line = fail(main, capsys, *arguments)
    assert code == 2
    assert "14 of 14 test images (100.0%) were trained on" in line


def test_a_teacher_that_does_not_fit_is_refused(generated, data, tmp_path, capsys):
    images, labels = make_images(60, class_count=3)
    np.savez(tmp_path / "three.npz", images=images, labels=labels)
    code, line = fail(main, capsys, "--real-only", "--data", str(tmp_path / "three.npz"), "--teacher", str(generated))
    assert code == 2
    assert "--teacher should know the real data's classes (0, 1, 2) as (28, 28, 1) images. It knows (0, 1)" in line
    shutil.copytree(generated, tmp_path / "teacher")
    (tmp_path / "teacher" / "model" / "filter.keras").unlink()
    code, line = fail(main, capsys, "--real-only", "--data", data, "--teacher", str(tmp_path / "teacher"))
    assert code == 2
    assert "No filter.keras there: the command that trained the run, given again, makes it anew" in line


def test_hand_made_shards_in_kaggles_layout(data, tmp_path):
    images, labels = make_images(60, seed=7)
    table = pd.DataFrame(images.reshape(60, -1), columns=[f"pixel{index}" for index in range(784)])
    table.insert(0, "label", labels)
    table.to_csv(tmp_path / "mine.csv", index=False)
    options = ["--data", data, "--synthetic", str(tmp_path / "*.csv"), "--out", str(tmp_path / "out")]
    assert main(["--synthetic-only", *options, *FAST, "--quiet"]) == 0
    metrics = load_metrics(tmp_path / "out")
    assert metrics["trained_on"]["synthetic"] == {"0": 30, "1": 30}
    assert metrics["summary"]["accuracy"]["mean"] == 1


def test_kaggle_submission(data, tmp_path, capsys):
    images, labels = make_images(30, seed=3)
    table = pd.DataFrame(images.reshape(30, -1), columns=[f"pixel{index}" for index in range(784)])
    table.to_csv(tmp_path / "test.csv", index=False)
    submission = tmp_path / "submission.csv"
    options = ["--data", data, "--test-csv", str(tmp_path / "test.csv"), "--submission", str(submission)]
    arguments = ["--real-only", *options, "--out", str(tmp_path / "out"), *FAST]
    assert main([*arguments, "--quiet"]) == 0
    predicted = pd.read_csv(submission)
    assert predicted["ImageId"].tolist() == list(range(1, 31))
    assert predicted["Label"].tolist() == labels.tolist()
    submission.unlink()
    submission.write_text("mine")
    assert main([*arguments, "--quiet"]) == 0  # the same command again: it is the run's own
    pd.testing.assert_frame_equal(pd.read_csv(submission), predicted)
    for path, expected in (("mine.csv", "should be a new file"), ("out/history.csv", "nor another file of this one")):
        (tmp_path / "mine.csv").write_text("mine")
        before = (tmp_path / path).read_bytes()
        code, line = fail(main, capsys, *arguments[:-2], *FAST, "--submission", str(tmp_path / path))
        assert code == 2
        assert expected in line
        assert (tmp_path / path).read_bytes() == before
    (tmp_path / "other").mkdir()
    mark_folder(tmp_path / "other", "generate_data.py", {})
    code, line = fail(main, capsys, *arguments, "--submission", str(tmp_path / "other/sub.csv"))
    assert code == 2
    assert "--submission should be no file of another run" in line


def test_pictures_of_a_run_are_trained_on(data, tmp_path):
    out, score = tmp_path / "run", tmp_path / "score"
    tiny = ["--class-size", "20", "--steps", "4", "--round-steps", "2", "--filter", "none", "--quiet"]
    assert generate_data.main(["--data", data, "--out", str(out), "--format", "png", *tiny]) == 0
    assert main(["--synthetic", str(out), "--synthetic-only", "--out", str(score), *FAST, "--quiet"]) == 0
    assert load_metrics(score)["trained_on"]["synthetic"] == {"0": 20, "1": 20}


def test_a_folder_of_pictures_that_no_run_has_made_is_trained_on(data, tmp_path):
    images, labels = make_images(20)
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = tmp_path / "pictures" / str(label) / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0] if image.ndim == 3 else image).save(path)
    options = ["--data", data, "--synthetic", str(tmp_path / "pictures"), "--synthetic-only"]
    assert main([*options, "--out", str(tmp_path / "score"), *FAST, "--quiet"]) == 0
    assert load_metrics(tmp_path / "score")["trained_on"]["synthetic"] == {"0": 10, "1": 10}


def test_a_submission_with_names_texts_and_a_sample(tmp_path):
    images, labels = make_images(150)
    names = np.array(["disc", "bar"])[labels]
    table = pd.DataFrame(images.reshape(150, -1), columns=[f"pixel{index}" for index in range(784)])
    table[:120].assign(label=names[:120]).to_csv(tmp_path / "train.csv", index=False)
    keys = [f"image-{number}" for number in range(30)]
    table[120:].assign(id=keys).to_csv(tmp_path / "test.csv", index=False)
    sample = pd.DataFrame({"id": keys[::-1], "what": "disc"})
    sample.to_csv(tmp_path / "sample_submission.csv", index=False)
    options = ["--data", str(tmp_path / "train.csv"), "--test-csv", str(tmp_path / "test.csv")]
    assert main(["--real-only", *options, "--out", str(tmp_path / "out"), *FAST, "--quiet"]) == 0
    predicted = pd.read_csv(tmp_path / "out" / "submission.csv")
    assert list(predicted) == ["id", "what"]
    assert predicted["id"].tolist() == keys[::-1]
    assert predicted["what"].tolist() == names[120:][::-1].tolist()


def test_a_submission_for_a_folder_of_pictures(tmp_path):
    images, labels = make_images(150)
    names = np.array(["disc", "bar"])[labels]
    for index, (image, name) in enumerate(zip(images[..., 0], names, strict=True)):
        folder = tmp_path / ("test" if index >= 120 else f"train/{name}")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{index}.png")
    pd.DataFrame({"id": range(120, 150), "what": "disc"}).to_csv(tmp_path / "sampleSubmission.csv", index=False)
    options = ["--data", str(tmp_path / "train"), "--test-csv", str(tmp_path / "test")]
    assert main(["--real-only", *options, "--out", str(tmp_path / "out"), *FAST, "--quiet"]) == 0
    predicted = pd.read_csv(tmp_path / "out" / "submission.csv")
    assert list(predicted) == ["id", "what"]
    assert predicted["id"].tolist() == list(range(120, 150))
    assert predicted["what"].tolist() == names[120:].tolist()


def test_a_labelled_test_set_is_what_is_scored(data, tmp_path, capsys):
    images, labels = make_images(20, seed=5)
    np.savez(tmp_path / "test.npz", images=images, labels=1 - labels)  # all wrong
    options = ["--data", data, "--test-data", str(tmp_path / "test.npz"), "--out", str(tmp_path / "out")]
    assert main(["--real-only", *options, *FAST]) == 0
    metrics = load_metrics(tmp_path / "out")
    assert metrics["leaks"]["test_images"] == 20
    assert metrics["summary"]["accuracy"]["mean"] == 0
    assert "scoring:     14 validation and 20 test images, all real" in capsys.readouterr().out
    np.savez(tmp_path / "out" / "test.npz", images=images, labels=labels)
    code, line = fail(main, capsys, "--test-data", str(tmp_path / "out" / "test.npz"), *options[4:])
    assert code == 2
    assert "--test-data" in line
    assert "choose another --out" in line


def test_on_kaggle_everything_is_found_by_itself(tmp_path, monkeypatch):
    mount = tmp_path / "kaggle/input/competitions/digit-recognizer"
    mount.mkdir(parents=True)
    images, labels = make_images(150)
    table = pd.DataFrame(images.reshape(150, -1), columns=[f"pixel{index}" for index in range(784)])
    table[120:].to_csv(mount / "test.csv", index=False)
    pd.concat([pd.DataFrame({"label": labels}), table], axis=1)[:120].to_csv(mount / "train.csv", index=False)
    monkeypatch.setattr("real.datasets.find_train_csv", lambda: find_train_csv(tmp_path / "kaggle"))
    monkeypatch.chdir(tmp_path)
    assert main(["--real-only", *FAST, "--quiet"]) == 0
    submission = pd.read_csv(tmp_path / "prediction-real-only" / "submission.csv")
    assert submission["Label"].tolist() == labels[120:].tolist()


def test_training_on_the_images_to_predict_is_caught(data, tmp_path, capsys):
    images, _ = make_images(140)
    table = pd.DataFrame(images[:50].reshape(50, -1), columns=[f"pixel{index}" for index in range(784)])
    table.to_csv(tmp_path / "test.csv", index=False)
    arguments = [
        "--real-only",
        "--data",
        data,
        "--test-csv",
        str(tmp_path / "test.csv"),
        "--out",
        str(tmp_path / "out"),
    ]
    code, line = fail(main, capsys, *arguments)
    assert code == 2
    assert "of 50" in line
    assert "--allow-leak" in line
    assert main([*arguments, *FAST, "--allow-leak", "--quiet"]) == 0
    assert load_metrics(tmp_path / "out")["leaks"]["unlabelled_leaked"] > 25


def test_a_gan_that_was_trained_on_test_images_is_caught_and_few_are_left_out(generated, tmp_path, capsys, monkeypatch):
    shutil.copytree(generated, tmp_path / "synthetic")
    monkeypatch.chdir(tmp_path)
    manifest = json.loads((generated / "manifest.json").read_text())
    dataset = load_dataset(**manifest["request"])
    test_hashes = hash_images(dataset.part("test")[0])
    train_on(tmp_path / "synthetic", np.concatenate([load_hashes(generated), test_hashes]))
    code, line = fail(main, capsys, "--synthetic-only", *FAST)
    assert code == 2
    assert "14 of 14 test images (100.0%) were trained on" in line
    assert main(["--synthetic-only", *FAST, "--allow-leak"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("LEAKED (14 images were trained on): ") for line in lines) == 5
    monkeypatch.setattr("real.leakage.MAX_SHARE", 0.5)
    train_on(tmp_path / "synthetic", np.concatenate([load_hashes(generated), test_hashes[:2]]))
    assert main(["--synthetic-only", *FAST, "--overwrite"]) == 0
    assert "2 of 14 test images had been trained on, and were left out" in capsys.readouterr().out
    assert load_metrics(tmp_path / "prediction-synthetic-only")["runs"][0]["test"]["images"] == 12


def test_the_guard_finds_the_run_of_single_shards_and_says_where_there_is_none(generated, data, tmp_path, capsys):
    shutil.copytree(generated, tmp_path / "synthetic")
    request = json.loads((generated / "manifest.json").read_text())["request"]
    hashes = hash_images(load_dataset(**request).part("test")[0])
    train_on(tmp_path / "synthetic", hashes)
    for pattern in ("synthetic/shards", "synthetic/shards/*/*.npz"):
        code, line = fail(main, capsys, "--synthetic-only", "--synthetic", str(tmp_path / pattern))
        assert code == 2
        assert "14 of 14 test images" in line
    shutil.move(tmp_path / "synthetic" / "shards", tmp_path / "alone")
    assert main(["--synthetic", str(tmp_path / "alone"), "--data", data, "--dry-run"]) == 0
    assert "the leakage guard does not know what the images' GAN was trained on" in capsys.readouterr().out


def test_shards_of_classes_with_other_names_are_refused(generated, tmp_path, capsys):
    shutil.copytree(generated, tmp_path / "synthetic")
    manifest = json.loads((generated / "manifest.json").read_text())
    (tmp_path / "synthetic" / "manifest.json").write_text(json.dumps(manifest | {"class_names": ["0", "bee"]}))
    with np.load(manifest["request"]["data"]) as archive:
        np.savez(tmp_path / "named.npz", **archive, class_names=["ape", "bug"])
    options = ["--synthetic", str(tmp_path / "synthetic"), "--dry-run"]
    code, line = fail(main, capsys, *options, "--data", str(tmp_path / "named.npz"))
    assert code == 2
    assert "label 1 is 'bug' in" in line
    assert "Got 'bee' instead" in line
    assert main([*options, "--quiet"]) == 0  # the data have numbers for names


def test_some_of_the_shards_classes_are_enough(tmp_path, data):
    images, labels = make_images(90, class_count=3)
    np.savez(tmp_path / "three.npz", images=images, labels=labels)
    options = ["--data", str(tmp_path / "three.npz"), "--quiet", *TRAINING, *WIDTHS, "--class-size", "8"]
    options += ["--filter", "none", "--duplicate-distance", "0", "--out", str(tmp_path / "synthetic")]
    assert generate_data.main(options) == 0
    folders = {"synthetic": tmp_path / "synthetic", "out": tmp_path / "prediction"}
    config = Config(mode="synthetic-only", classes="0,2", dry_run=True, quiet=True, **folders)
    assert predict(config)["training"].startswith("0 real and 16 synthetic images")


def test_more_synthetic_images_than_there_are_is_refused(generated, capsys):
    code, line = fail(main, capsys, "--synthetic", str(generated), "--ratio", "2")
    assert code == 2
    assert "--ratio asks for 112 synthetic images of each class. The shards have 40 of" in line


def test_classes_without_synthetic_images_are_noted(generated, tmp_path, capsys):
    arguments = ["--synthetic", str(generated / "shards/0"), "--data", load_manifest(generated)["request"]["data"]]
    assert main([*arguments, "--synthetic-per-class", "8", "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    assert "note: there are no synthetic images of 1\n" in capsys.readouterr().out


def test_the_baseline_is_scored_on_the_same_images(generated, tmp_path, capsys):
    assert main(["--real-only", "--synthetic", str(generated), "--dry-run", "--out", str(tmp_path)]) == 0
    assert "112 real and 0 synthetic images" in capsys.readouterr().out


def test_a_filter_that_rejects_all_fresh_images_is_one_line(generated, tmp_path, capsys):
    options = ["--model", str(generated), "--fresh", "--min-probability", "0.999999", "--out", str(tmp_path)]
    code, line = fail(main, capsys, "--synthetic-only", *options)
    assert code == 1
    assert "the filter accepted" in line


def test_dry_run_leaves_nothing(generated, tmp_path, capsys):
    assert main(["--synthetic", str(generated), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    assert "112 real and 80 synthetic images" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_an_incomplete_manifest_is_a_warning(generated, tmp_path, capsys):
    shutil.copytree(generated, tmp_path / "synthetic")
    manifest = json.loads((generated / "manifest.json").read_text())
    (tmp_path / "synthetic" / "manifest.json").write_text(json.dumps(manifest | {"complete": False}))
    assert main(["--synthetic", str(tmp_path / "synthetic"), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    assert "is incomplete: the command that made it, run again, completes it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--synthetic", "nowhere"], "python generate_data.py --class-size 1000 --out nowhere makes them"),
        (["--ratio", "0"], "--ratio should be above 0"),
        (["--ratio", "-1"], "--ratio should be above 0"),
        (["--ratio", "1", "--synthetic-only"], "--ratio is for mixed training"),
        (["--ratio", "inf"], "--ratio should be above 0"),
        (["--fresh"], "--fresh should come with --model DIR"),
        (["--model", "run"], "--model is for --fresh"),
        (["--model", "run", "--fresh", "--synthetic", "x"], "--fresh draws its images from --model: leave out"),
        (["--model", "run", "--fresh", "--real-only"], "--fresh draws synthetic images"),
        (["--min-probability", "5"], "--min-probability should be in the range [0, 1)"),
        (["--real-only", "--latent-std", "1.2"], "--latent-std is for --fresh"),
        (["--min-probability", "0.9"], "--min-probability is for --fresh; shards have that of generate_data.py"),
        (["--real-only", "--synthetic-per-class", "5"], "--synthetic-per-class is for synthetic images"),
        (["--steps", "3"], "--steps should be a multiple of --epochs, 5. Got 3 instead"),
        (["--rate", "-1"], "--rate should be above 0"),
        (["--real-only", "--teacher", "nowhere"], "--teacher should be a run's folder, or pretrained: mnist"),
        (["--real-only", "--classes", "1"], "should give two classes or more. Got 1 alone"),
        (["--real-only", "--submission", "s.csv"], "--submission should come with --test-csv"),
        (["--real-only", "--image-size", "9"], "images should be at least 10 x 10 pixels for the classifier cnn"),
        (["--classifier", "vgg"], "argument --classifier: invalid choice: 'vgg'"),
        (["--seed", "-1"], "--seed should be in the range [0, 2147483648). Got -1 instead"),
    ],
)
def test_wrong_requests_are_one_line_and_exit_code_2(data, tmp_path, capsys, arguments, message):
    code, line = fail(main, capsys, "--data", data, "--out", str(tmp_path / "out"), *arguments)
    assert code == 2
    assert message in line
    assert not (tmp_path / "out").exists()


def test_shards_that_do_not_fit_the_real_data_are_refused(generated, tmp_path, capsys):
    images, labels = make_images(60, shape=(20, 20, 1))
    np.savez(tmp_path / "small.npz", images=images, labels=labels)
    code, line = fail(main, capsys, "--data", str(tmp_path / "small.npz"), "--synthetic", str(generated))
    assert code == 2
    assert "images should have shape (20, 20, 1). Got (28, 28, 1) instead" in line
    images, labels = make_images(60)
    np.savez(tmp_path / "more.npz", images=images, labels=np.where(np.arange(60) < 30, 2, labels))
    arguments = ["--synthetic-only", "--data", str(tmp_path / "more.npz"), "--synthetic", str(generated)]
    code, line = fail(main, capsys, *arguments)
    assert code == 2
    assert "every class should have images to train on. Got none of 2" in line


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("label," + ",".join(f"pixel{i}" for i in range(784)), "should have no column 'label'"),
        ("pixel0", "pixel columns"),
    ],
)
def test_a_test_csv_with_labels_or_missing_pixels_is_refused(data, tmp_path, capsys, header, message):
    (tmp_path / "test.csv").write_text(header + "\n" + ",".join(["0"] * len(header.split(","))) + "\n")
    code, line = fail(main, capsys, "--real-only", "--data", data, "--test-csv", str(tmp_path / "test.csv"))
    assert code == 2
    assert message in line


def test_defaults_come_from_config():
    assert parse_args([]) == Config()
    assert parse_args(["--synthetic-only"]).mode == "synthetic-only"


def test_class_weights_count_the_images_that_are_trained_on(data, tmp_path, monkeypatch):
    given = []
    fit_and_score = classifier_training.fit_and_score

    def watch(training, *arguments):
        given.append(training.class_weight)
        return fit_and_score(training, *arguments)

    monkeypatch.setattr("tasks.prediction.fit_and_score", watch)
    options = ["--data", data, "--real-per-class", "0:10,1:30", "--out", str(tmp_path), *FAST, "--quiet"]
    assert main(["--real-only", *options, "--class-weights"]) == 0
    assert given == [{0: 2.0, 1: pytest.approx(2 / 3)}]
