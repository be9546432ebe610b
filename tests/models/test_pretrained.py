import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import generate_data
import predict
from models.pretrained import PRETRAINED, PRETRAINED_FOLDER, find_model_folder, main
from models.trained_gan import TrainedGAN
from real.npz_files import read_npz
from synth.shard_writing import stream_shards
from synth.shards import describe_hashes


def test_the_scripts_take_a_shipped_name(shipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sampling = ["--filter", "none", "--duplicate-distance", "0", "--class-size", "3"]
    assert generate_data.main(["--model", "mnist", "--out", "more", "--quiet", *sampling]) == 0
    assert json.loads(Path("more/manifest.json").read_text())["request"]["data"] == "mnist"
    fresh = ["--model", "mnist", "--fresh", "--synthetic-only", "--filter", "none", "--synthetic-per-class", "20"]
    assert predict.main([*fresh, "--epochs", "1", "--out", "prediction", "--quiet"]) == 0
    leaks = json.loads(Path("prediction/metrics.json").read_text())["leaks"]
    assert leaks == {"test_images": 14, "leaked": 0, "allowed": False}


def test_a_run_of_this_name_goes_before_the_shipped_one(generated, shipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mnist").mkdir()
    assert find_model_folder("mnist") == shipped / "model"
    shutil.copytree(generated / "model", "mnist/model")
    assert find_model_folder("mnist") == Path("mnist/model")


def test_an_unknown_name_is_refused_with_the_shipped_ones():
    message = "--model should be a run's folder, or pretrained: mnist, fashion_mnist. No .* in emnist"
    with pytest.raises(ValueError, match=message):
        find_model_folder("emnist")


def test_an_unfinished_run_is_named_as_such(generated, tmp_path):
    shutil.copytree(generated, tmp_path / "run")
    (tmp_path / "run/model/generator.keras").unlink()
    message = "run is an unfinished run of generate_data.py: the same command again finishes it"
    with pytest.raises(ValueError, match=message):
        TrainedGAN(find_model_folder(tmp_path / "run"))
    shutil.rmtree(tmp_path / "run/model")
    with pytest.raises(ValueError, match=message):
        find_model_folder(tmp_path / "run")
    for sampled in ({"training": {"model_hash": "x"}}, {"study": {}}):
        (tmp_path / "run/config.json").write_text(json.dumps(sampled))
        with pytest.raises(ValueError, match="--model should be a run's folder, or pretrained"):
            find_model_folder(tmp_path / "run")


def test_the_command_prints_sizes_and_replaces_on_request_alone(generated, keras_home, tmp_path, capsys):
    arguments = [str(generated), "mnist", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    networks = ["model/discriminator.npz", "model/filter.npz", "model/generator.npz"]
    names = ["model/density_ratio.npy", *networks, "model/recipe.json", "train_hashes.npy"]
    assert [line.partition("mnist/")[2] for line in lines] == names
    size = (tmp_path / "out/mnist/model/generator.npz").stat().st_size
    assert lines[3].startswith(f"{size:>9,} bytes  ")
    assert main(arguments) == 2
    assert "should be a new folder, or a packed run to replace with --overwrite. It exists" in capsys.readouterr().err
    (tmp_path / "out/mnist/theirs.txt").touch()
    assert main([*arguments, "--overwrite"]) == 2
    assert (tmp_path / "out/mnist/theirs.txt").exists()
    (tmp_path / "out/mnist/theirs.txt").unlink()
    assert main([*arguments, "--overwrite"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*PRETRAINED, *(path.name for path in PRETRAINED_FOLDER.glob("*"))}))
def test_what_ships_opens_and_makes_images(name):
    assert name in PRETRAINED
    folder = PRETRAINED_FOLDER / name / "model"
    trained = TrainedGAN(folder)
    assert (folder / "generator.npz").stat().st_size <= 2_000_000
    latents = np.random.default_rng(0).standard_normal((20, trained.latent_dim), dtype=np.float32)
    for k in range(len(trained.class_names)):
        images = trained.generate(latents, k)
        assert (images.shape, images.dtype) == ((20, *trained.image_shape), np.uint8)
        assert images.std() > 10
        assert trained.classify(images).argmax(axis=1).tolist().count(k) > 10
    description = json.loads((folder / "recipe.json").read_text())
    assert len(description["fingerprint"]) == 64
    assert description["train_hashes"] == describe_hashes(trained.train_hashes())
    assert description["data"] == description["request"]["data"] == name
    description.pop("class_names")  # T-shirt/top
    assert not {"/", "\\"} & set(json.dumps(description))


@pytest.mark.slow
def test_what_ships_makes_the_same_images_as_ever(tmp_path):
    """In grey levels, as the last bit depends on the processor and the versions."""
    trained = TrainedGAN(PRETRAINED_FOLDER / "mnist" / "model")
    sampling = {"filter": "classifier", "keep": 0.9, "min_probability": 0.5, "duplicate_distance": 4.0}
    sampling |= {"latent_std": 1.0, "format": "npz", "shard_size": 100, "seed": 0}
    manifest = stream_shards(trained, {"class_size": dict.fromkeys("0123456789", 12)} | sampling, tmp_path, quiet=True)
    rejected = {name: counts["rejected"] for name, counts in manifest["classes"].items() if counts["rejected"]}
    assert rejected == {"4": {"classifier": 1}}
    images = np.array([read_npz(tmp_path / entry["file"]).images[..., 0] for entry in manifest["shards"]])
    greys = [44.6, 17.5, 34.5, 34.9, 35.2, 34.9, 33.9, 29.7, 36.5, 31.0]  # of each class
    assert images.mean(axis=(1, 2, 3)) == pytest.approx(greys, abs=0.5)
    blocks = images[3, 0].reshape(4, 7, 4, 7).mean(axis=(1, 3))
    first_three = [[2.2, 60.2, 33.9, 0.0], [27.8, 112.1, 145.9, 0.0], [4.8, 93.6, 147.9, 13.0], [0.0, 61.6, 63.7, 0.0]]
    np.testing.assert_allclose(blocks, first_three, atol=2)
