"""The script end to end, on tiny data."""

import json
import re
import shutil

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common.errors import TrainingError
from common.images import hash_images
from evaluate_fid import Config, evaluate, main
from real.datasets import load_dataset
from synth.shards import load_hashes
from tests.browser import look_at, needs_chromium
from tests.conftest import TRAINING, WIDTHS, fail, make_images, train_on

pytestmark = pytest.mark.slow

FIGURES = {"prdc.png", "neighbours.png", "projection.png"}


def save_images(path, images, labels):
    np.savez(path, images=images, labels=labels)
    return str(path)


def test_default_run_needs_no_flag(generated, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(generated.parent)
    assert main(["--out", str(tmp_path / "out")]) == 0
    out = tmp_path / "out"
    result = json.loads((out / "evaluation.json").read_text())
    assert {path.name for path in out.iterdir()} == {
        ".lock", "config.json", "files.txt", "cache", "evaluation.json", "evaluation.md", "report.html", *FIGURES,
    }  # fmt: skip
    run = result["runs"]["synthetic"]
    assert run["images"] == 80
    assert set(run["classes"]) == {"0", "1"}
    assert result["compared"] == sum(result["compared_classes"].values()) <= 23  # the fold that is the floor
    assert run["scores"]["frechet"]["value"] > 5 * result["floor"]["scores"]["frechet"]["value"]
    assert run["frechet_all"] > 0
    assert "| precision ↑" in (out / "evaluation.md").read_text()
    printed = capsys.readouterr().out
    assert "warning: " in printed
    assert "synthetic: memorisation: too few to say: 0 of 23 images are exact copies" in printed


@needs_chromium
def test_the_report_shows_every_figure(generated, tmp_path):
    assert main([str(generated), "--out", str(tmp_path), "--bootstrap", "0", "--quiet"]) == 0
    assert look_at(tmp_path / "report.html", 360) == {"images": [True] * len(FIGURES), "cut": []}


def test_library_call_with_everything(generated, tmp_path, monkeypatch):
    monkeypatch.setattr("evaluation.scores._LINEAR_FROM", 0.02)  # of 128 dimensions
    monkeypatch.setattr("evaluation.scores._TRACED_FROM", 0.02)
    config = Config(runs=(generated,), fid_infinity=True, cross_check=True, bootstrap=3, out=tmp_path, quiet=True)
    result = evaluate(config)
    stored = json.loads((tmp_path / "evaluation.json").read_text())
    assert stored["runs"] == result["runs"]
    assert (tmp_path / "sizes.png").exists()
    run = result["runs"]["synthetic"]
    assert len(run["sizes"]) == len(run["frechet_of_sizes"]) > 2
    assert run["cross_check"]["frechet"]["ours"] == pytest.approx(run["cross_check"]["frechet"]["tfgan"], rel=1e-3)
    assert "Second opinion" in (tmp_path / "evaluation.md").read_text()


def test_cached_features_and_another_batching_change_nothing(generated, tmp_path, monkeypatch):
    config = Config(runs=(generated,), features="pixels", bootstrap=3, out=tmp_path, quiet=True)
    first = evaluate(config)
    assert len(list((tmp_path / "cache").glob("real-*.npz"))) == 3  # real, floor, train
    monkeypatch.setattr("synth.sources._CHUNK_SIZE", 7)
    again = evaluate(config)
    pairs = zip(again["floor"]["scores"].values(), first["floor"]["scores"].values(), strict=True)
    assert all(now["value"] == pytest.approx(before["value"], rel=1e-6) for now, before in pairs)
    assert again["runs"]["synthetic"]["frechet_all"] == pytest.approx(
        first["runs"]["synthetic"]["frechet_all"], rel=1e-6
    )


def test_hand_made_images_in_every_layout(data, tmp_path):
    images, labels = make_images(60, seed=7)
    (tmp_path / "npz").mkdir()
    save_images(tmp_path / "npz" / "mine.npz", images, labels)
    (tmp_path / "csv").mkdir()
    table = pd.DataFrame(images.reshape(60, -1), columns=[f"pixel{index}" for index in range(784)])
    table.insert(0, "label", labels)
    table.to_csv(tmp_path / "csv" / "mine.csv", index=False)
    for k in (0, 1):
        (tmp_path / "folder" / str(k)).mkdir(parents=True)
        for index, image in enumerate(images[labels == k]):
            Image.fromarray(image[..., 0]).save(tmp_path / "folder" / str(k) / f"{index:02d}.png")
    runs = [str(tmp_path / name) for name in ("npz", "csv", "folder")]
    result = evaluate(Config(runs=tuple(runs), data=data, out=tmp_path / "out", bootstrap=0, quiet=True))
    distances = [run["frechet_all"] for run in result["runs"].values()]
    assert distances == pytest.approx([distances[0]] * 3, rel=1e-5)
    assert result["verdicts"][-1].startswith("no winner: ")
    # Drawn as the real images are: near to the floor, and no class collapsed.
    run = result["runs"]["npz"]
    assert run["collapsed"] == []
    assert run["scores"]["frechet"]["value"] < 3 * result["floor"]["scores"]["frechet"]["value"]


def test_all_images_are_not_scored_in_other_proportions(data, tmp_path):
    images, labels = make_images(60, seed=7)
    uneven = save_images(tmp_path / "uneven.npz", images[:45], np.sort(labels)[:45])
    even = save_images(tmp_path / "even.npz", images, labels)
    options = {"data": data, "features": "pixels", "bootstrap": 0, "out": tmp_path / "out", "quiet": True}
    runs = evaluate(Config(runs=(uneven, even), **options))["runs"]
    assert runs["uneven.npz"]["frechet_all"] is None
    assert runs["even.npz"]["frechet_all"] > 0
    assert "| other proportions |" in (tmp_path / "out/evaluation.md").read_text()


def test_collapsed_and_memorised_images_are_named(data, tmp_path, monkeypatch):
    monkeypatch.setattr("evaluation.result.MIN_JUDGED", 5)
    monkeypatch.setattr("evaluation.memorisation._MIN_JUDGED", 10)
    dataset = load_dataset(data)
    images, labels = dataset.part("train")
    copies = save_images(tmp_path / "copies.npz", images, labels)
    first = np.array([np.flatnonzero(labels == k)[0] for k in labels])
    same = save_images(tmp_path / "same.npz", images[first], labels)
    result = evaluate(Config(runs=(copies, same), data=data, out=tmp_path / "out", bootstrap=2, quiet=True))
    assert result["runs"]["copies.npz"]["memorisation"]["copies"] == result["compared"]
    assert result["runs"]["copies.npz"]["collapsed"] == []
    assert result["runs"]["same.npz"]["collapsed"] == ["0", "1"]
    verdicts = "\n".join(result["verdicts"])
    assert "copies.npz: memorised: 23 of 23 images are exact copies" in verdicts
    assert "same.npz: collapsed, hardly any variety in: 0, 1." in verdicts


def test_recipes_are_trained_compared_and_reused(data, tmp_path, capsys):
    arguments = ["--compare", "quick", "dcgan", "--data", data, "--out", str(tmp_path / "out"), "--bootstrap", "2"]
    arguments += [*TRAINING, *WIDTHS, "--images", "40"]
    assert main(arguments) == 0
    out = tmp_path / "out"
    assert {path.name for path in out.glob("*.png")} == {*FIGURES, "samples.png", "curves.png"}
    result = json.loads((out / "evaluation.json").read_text())
    assert list(result["runs"]) == ["quick", "dcgan"]
    assert result["failed"] == {}
    assert (out / "runs/dcgan/model/0/generator.keras").exists()
    before = (out / "runs/quick/model/generator.keras").stat().st_mtime_ns
    assert main([*arguments, "--quiet"]) == 0
    assert (out / "runs/quick/model/generator.keras").stat().st_mtime_ns == before


def test_a_recipe_that_diverges_is_reported_and_the_others_compared(data, generated, tmp_path, monkeypatch):
    def diverge(data, gan, sampling, run, work, started, save):
        if gan.recipe.name == "small":
            raise TrainingError("training diverged near step 1")
        shutil.copytree(generated, run.out)

    monkeypatch.setattr("tasks.evaluation_inputs.generate", diverge)
    result = evaluate(Config(data=data, compare=("small", "quick"), out=tmp_path, quiet=True))
    assert result["failed"] == {"small": "training diverged near step 1"}
    assert list(result["runs"]) == ["quick"]
    assert "small: training diverged near step 1" in result["verdicts"]


def test_dry_run_writes_nothing(data, tmp_path, capsys):
    assert main(["--compare", "quick", "dcgan", "--data", data, "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    assert not (tmp_path / "out").exists()
    assert "2 GAN" in capsys.readouterr().out


def test_images_that_a_gan_knows_are_no_reference(generated, tmp_path, capsys):
    shutil.copytree(generated, tmp_path / "synthetic")
    dataset = load_dataset(**json.loads((generated / "manifest.json").read_text())["request"])
    train_on(tmp_path / "synthetic", np.concatenate([load_hashes(generated), hash_images(dataset.part("test")[0])]))
    code, line = fail(main, capsys, str(tmp_path / "synthetic"), "--out", str(tmp_path / "out"))
    assert code == 2
    assert "14 of 14 test images (100.0%) were trained on" in line


def test_leaks_that_are_allowed_are_marked(generated, tmp_path, capsys):
    shutil.copytree(generated, tmp_path / "synthetic")
    dataset = load_dataset(**json.loads((generated / "manifest.json").read_text())["request"])
    train_on(tmp_path / "synthetic", np.concatenate([load_hashes(generated), hash_images(dataset.part("test")[0])]))
    options = ["--features", "pixels", "--bootstrap", "0", "--out", str(tmp_path / "out")]
    assert main([str(tmp_path / "synthetic"), "--allow-leak", *options]) == 0
    assert "LEAKED: 14 of 14 real images were trained on." in capsys.readouterr().out
    assert (tmp_path / "out/evaluation.md").read_text().startswith("# Evaluation: LEAKED")


def test_a_run_of_all_classes_is_compared_on_some(generated, tmp_path):
    config = Config(runs=(generated,), classes="1", features="pixels", bootstrap=0, out=tmp_path, quiet=True)
    result = evaluate(config)
    assert list(result["runs"]["synthetic"]["classes"]) == ["1"]
    assert result["runs"]["synthetic"]["images"] == 40


def test_a_class_that_is_too_small_is_left_out_and_named(generated, data, tmp_path, capsys):
    images, labels = make_images(41, seed=3)
    keep = (labels == 0) | (np.arange(41) < 2)  # one image of class 1
    run = save_images(tmp_path / "mine.npz", images[keep], labels[keep])
    options = ["--data", data, "--bootstrap", "0", "--out", str(tmp_path / "out")]
    assert main([run, str(generated), *options]) == 0
    result = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert {name: list(found["classes"]) for name, found in result["runs"].items()} == {
        "mine.npz": ["0"],
        "synthetic": ["0"],
    }
    assert [found["images"] for found in result["runs"].values()] == [21, 40]
    note = "warning: left out, as each side needs 2 images of a class: 1 (1 in mine.npz)."
    assert note in result["warnings"]
    assert capsys.readouterr().out.count(note) == 2  # in the plan and with the scores


def test_grey_small_and_flat_runs_are_compared_with_colour_data(tmp_path):
    images, labels = make_images(140, (16, 16, 3))
    data = save_images(tmp_path / "real.npz", images, labels)
    images, labels = make_images(40, (8, 8, 1), seed=3)
    grey = save_images(tmp_path / "grey.npz", images, labels)
    (tmp_path / "flat").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image[..., 0]).save(tmp_path / "flat" / f"{number}.png")
    options = {"data": data, "bootstrap": 0, "out": tmp_path / "out", "quiet": True}
    result = evaluate(Config(runs=(grey, str(tmp_path / "flat")), **options))
    distances = [run["frechet_all"] for run in result["runs"].values()]
    assert result["features"]["name"] == "classifier"
    assert [run["images"] for run in result["runs"].values()] == [40, 40]
    assert distances[0] == pytest.approx(distances[1], rel=1e-4)  # of the same images
    assert result["without_classes"].startswith("flat: no class folders")
    for name in ("grey.npz", "flat"):
        notes = [note for note in result["warnings"] if note.startswith(f"note: {name}: ")][-2:]
        assert notes[0] == f"note: {name}: the images are grey, and are read as RGB with three equal channels."
        assert notes[1].startswith(f"note: {name}: images of 8 x 8 are resized to the 16 x 16 of the real ones")


def test_rare_classes_and_damaged_caches_leave_valid_json(tmp_path):
    images, labels = make_images(600)
    keep = (labels == 0) | (np.arange(600) < 60)
    data = save_images(tmp_path / "data.npz", images[keep], labels[keep])
    run = save_images(tmp_path / "mine.npz", *make_images(40, seed=3))
    config = Config(runs=(run,), data=data, features="pixels", bootstrap=0, out=tmp_path / "out", quiet=True)
    first = evaluate(config)
    for path in (tmp_path / "out/cache").glob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    assert evaluate(config)["runs"] == first["runs"]
    assert "NaN" not in (tmp_path / "out/evaluation.json").read_text()


def test_a_wrong_input_does_not_lock_the_output_folder(data, tmp_path, capsys):
    images, labels = make_images(40, seed=3)
    run = save_images(tmp_path / "mine.npz", images, labels + 5)
    options = [run, "--data", data, "--features", "pixels", "--bootstrap", "0", "--out", str(tmp_path / "out")]
    assert fail(main, capsys, *options)[0] == 2
    save_images(tmp_path / "mine.npz", images, labels)
    assert main([*options, "--quiet"]) == 0


def test_inception_features(data, tmp_path, capsys):
    weights = tmp_path / "notop.weights.h5"
    keras.utils.set_random_seed(0)
    network = keras.applications.InceptionV3(weights=None, include_top=False, pooling="avg", input_shape=(299, 299, 3))
    network.save_weights(weights)
    images, labels = make_images(16, seed=7)
    run = save_images(tmp_path / "mine.npz", images, labels)
    options = [run, "--data", data, "--features", "inception", "--images", "8", "--bootstrap", "0"]
    assert main([*options, "--feature-weights", str(weights), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    result = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert result["features"]["dimensions"] == 2048
    assert any("for 2,048 dimensions" in sentence for sentence in result["warnings"])
    code, line = fail(main, capsys, *options, "--feature-weights", run, "--out", str(tmp_path / "other"))
    assert code == 2
    assert "--feature-weights should be those of keras.applications for InceptionV3, without its top" in line


def test_inception_without_weights_says_how_to_get_them(data, generated, tmp_path, capsys, monkeypatch):
    def refuse(*args, **options):
        raise Exception("URL fetch failure")

    monkeypatch.setattr("keras.applications.InceptionV3", refuse)
    code, line = fail(main, capsys, str(generated), "--features", "inception", "--out", str(tmp_path / "out"))
    assert code == 2
    assert "could not be downloaded (URL fetch failure): connect once, or give a .keras file" in line


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 2, "RUN should be a folder or glob of shards"),
        (["{run}", "{run}"], 2, "RUN should be different folders"),
        (["{run}", "--images", "1"], 2, "--images should be at least 2. Got 1"),
        (["{run}", "--feature-weights", "x"], 2, "is for --features inception, or a network"),
        (["{run}", "--features", "inception", "--feature-weights", "x"], 2, "should be a file. No such: x"),
        (["{run}", "--steps", "5"], 2, "are for --compare"),
        (["{run}", "--compare", "quick"], 2, "leave out the runs"),
        (["--compare", "quik"], 2, "--compare should be one of quick, small"),
        (["{run}", "--classes", "1"], 2, "--features classifier needs two classes or more"),
        (["{one}", "--data", "{data}"], 2, r"at least 2 images of a class.* Got 0 \(1 in one.npz\), 1 \(0 in one"),
        (["{altered}"], 2, "is altered or truncated"),
    ],
)
def test_bad_input_is_one_line(arguments, code, message, data, generated, tmp_path, capsys):
    images, labels = make_images(20)
    places = {"run": generated, "data": data, "altered": tmp_path / "altered"}
    places["one"] = save_images(tmp_path / "one.npz", images[:1], labels[:1])
    shutil.copytree(generated, tmp_path / "altered")
    shard = next((tmp_path / "altered/shards").rglob("*.npz"))
    shard.write_bytes(shard.read_bytes()[:-9])
    arguments = [argument.format(**places) for argument in arguments]
    got, line = fail(main, capsys, *arguments, "--out", str(tmp_path / "out"))
    assert got == code
    assert re.search(message, line), line


def test_features_that_are_not_finite_are_refused(data, generated, tmp_path, monkeypatch):
    monkeypatch.setattr("models.extractors._flatten", lambda images: np.full((len(images), 3), np.nan))
    with pytest.raises(ValueError, match="should be finite"):
        evaluate(Config(runs=(generated,), features="pixels", out=tmp_path, quiet=True))


def test_one_class_has_pixel_features_alone(data, generated, tmp_path, capsys):
    run = save_images(tmp_path / "ones.npz", *(part[1::2] for part in make_images(40, seed=5)))
    options = [run, "--data", data, "--classes", "1"]
    code, line = fail(main, capsys, *options, "--out", str(tmp_path / "out"))
    assert code == 2
    assert "--features classifier needs two classes or more: use --features pixels" in line
    assert main([*options, "--features", "pixels", "--out", str(tmp_path / "out"), "--quiet"]) == 0
