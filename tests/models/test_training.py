from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import callbacks, training
from models.building import build_gan
from models.network_files import load_network
from models.pair_training import plan_rounds
from models.trained_gan import TrainedGAN
from models.training import check_recipe
from real.datasets import load_dataset
from tests.models.tiny import TINY, assert_equal_weights, fit, weights_of


@pytest.mark.parametrize(("steps", "plan"), [(7000, (14, 500)), (1001, (3, 334)), (3, (1, 3))])
def test_rounds_are_of_equal_length(steps, plan):
    assert plan_rounds(replace(TINY, steps=steps, round_steps=500), 1000) == plan


def test_training_leaves_networks_history_and_grids(finished):
    folder, lines = finished
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert names == [
        "discriminator.keras",
        "filter.keras",
        "frozen.keras",
        "generator.keras",
        "history.csv",
        "judge.keras",
        *(f"progress/step-{step:06d}.png" for step in (2, 4, 6)),
        "recipe.json",
    ]
    header, *rows = (folder / "history.csv").read_text().splitlines()
    assert header == "step,seconds,discriminator_loss,generator_loss,frechet,collapsed"
    best = min(rows, key=lambda row: float(row.split(",")[4]))
    assert f"at step {best.split(',')[0]}, kept" in lines[-1]


@pytest.mark.parametrize("norm", ["none", "spectral"])
def test_what_was_trained_in_bfloat16_is_kept_in_float32(dataset, finished, tmp_path, norm):
    recipe = replace(TINY, dtype="mixed_bfloat16", discriminator_norm=norm, penalty="none")
    gan = build_gan(recipe, dataset.image_shape, 2, seed=0)
    in_training = [{layer.compute_dtype for layer in network.layers} for network in (gan.generator, gan.discriminator)]
    assert all("bfloat16" in dtypes for dtypes in in_training)
    fit(dataset, recipe, tmp_path, finished)
    for name in ("generator", "discriminator"):
        network = keras.models.load_model(tmp_path / f"{name}.keras")
        assert {layer.compute_dtype for layer in network.layers} - {"int32"} == {"float32"}
        for weights in network.get_weights():
            assert weights.dtype == np.float32
            if weights.size > 10 and weights.any():
                assert not np.array_equal(weights, tf.cast(tf.cast(weights, tf.bfloat16), tf.float32))


def test_a_training_keeps_the_dtype_that_it_began_with(dataset, finished, tmp_path, monkeypatch):
    recipe = replace(TINY, dtype="auto")
    monkeypatch.setattr(training, "choose_dtype", {"auto": "mixed_bfloat16"}.get)
    fit(dataset, recipe, tmp_path, finished)
    assert TrainedGAN(tmp_path).recipe.dtype == "mixed_bfloat16"
    monkeypatch.setattr(training, "choose_dtype", {"auto": "float32", "mixed_bfloat16": "mixed_bfloat16"}.get)
    fit(dataset, recipe, tmp_path)
    assert TrainedGAN(tmp_path).recipe.dtype == "mixed_bfloat16"


@pytest.mark.parametrize("conditional", [True, False])
def test_killed_training_continues_to_the_same_weights(dataset, finished, tmp_path, monkeypatch, conditional):
    recipe = replace(TINY, conditional=conditional)
    fit(dataset, recipe, tmp_path / "whole", finished)
    saves, save_checkpoint = [], callbacks.save_checkpoint

    def save_then_die(*arguments):
        save_checkpoint(*arguments)
        saves.append(1)
        if len(saves) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(callbacks, "save_checkpoint", save_then_die)
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, recipe, tmp_path / "cut", finished)
    assert not list((tmp_path / "cut").rglob("generator.keras"))
    fit(dataset, recipe, tmp_path / "cut")
    for folder in ("",) if conditional else ("0", "1"):
        assert_equal_weights(tmp_path / "whole" / folder, tmp_path / "cut" / folder)
    assert len(saves) == (3 if conditional else 6)


def test_a_training_whose_last_checkpoint_is_damaged_ends_with_the_same_weights(
    dataset, finished, tmp_path, monkeypatch
):
    saves, save_checkpoint = [], callbacks.save_checkpoint

    def save_then_die(*arguments):
        save_checkpoint(*arguments)
        saves.append(1)
        if len(saves) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(callbacks, "save_checkpoint", save_then_die)
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, TINY, tmp_path, finished)
    path = tmp_path / "checkpoint" / "state.npz"
    path.write_bytes(path.read_bytes()[:-1000])
    (tmp_path / "filter.keras").unlink()
    (tmp_path / "judge.keras").write_bytes(b"cut off")
    lines = fit(dataset, TINY, tmp_path)
    assert "judge.keras could not be read, or is another's, and is made anew" in lines[0]
    assert "state.npz: should be a readable NumPy archive" in lines[1]
    assert "from the checkpoint before it, step 2" in lines[1]
    assert len(saves) == 4
    assert not (tmp_path / "checkpoint").exists()
    assert_equal_weights(tmp_path, finished[0])
    assert TrainedGAN(tmp_path).has_classifier


def test_a_finished_training_is_not_redone(dataset, finished):
    before = (finished[0] / "generator.keras").stat().st_mtime_ns
    assert fit(dataset, TINY, finished[0]) == []
    assert (finished[0] / "generator.keras").stat().st_mtime_ns == before


def test_the_seed_decides_the_weights(dataset, finished, tmp_path):
    fit(dataset, TINY, tmp_path / "again", finished)
    fit(dataset, TINY, tmp_path / "other", finished, seed=1)
    assert_equal_weights(tmp_path / "again", finished[0])
    assert not np.array_equal(weights_of(tmp_path / "other")[0], weights_of(finished[0])[0])


@pytest.mark.slow
def test_one_class_alone_is_judged_by_principal_components(tmp_path, digits_npz):
    fit(load_dataset(digits_npz, classes="1"), replace(TINY, conditional=False), tmp_path)
    trained = TrainedGAN(tmp_path)
    assert trained.class_names == ("1",)
    assert trained.label_values == (1,)
    assert not trained.has_classifier
    assert (tmp_path / "1" / "generator.keras").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 113}, "--batch-size should be at most the number of train images, 112. Got 113 instead"),
        ({"batch_size": 60, "conditional": False}, "number of train images, 56. Got 60 instead"),
        ({"diffaugment": "flip"}, "Got 'flip' instead"),
        ({"judge": "MobileNetv2"}, r"--judge should be cnn, resnet20, a network .*\(MobileNetV2, .*Got 'MobileNetv2'"),
        ({"discriminator_norm": "batch"}, "--penalty should be none with --discriminator-norm batch"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(dataset, changes, message):
    with pytest.raises(ValueError, match=message):
        check_recipe(replace(TINY, **changes), dataset)


def test_images_are_large_enough_for_every_classifier_of_the_run(tmp_path):
    images = np.zeros((80, 8, 8, 3), np.uint8) + np.arange(80, dtype=np.uint8)[:, None, None, None]
    np.savez(tmp_path / "small.npz", images=images, labels=np.arange(80) % 2)
    recipe, dataset = replace(TINY, judge="resnet20"), load_dataset(tmp_path / "small.npz")
    check_recipe(replace(recipe, feature_weight=0.0), dataset)
    with pytest.raises(ValueError, match="at least 10 x 10 pixels for the classifier cnn. Got 8 x 8"):
        check_recipe(recipe, dataset)


def test_the_judge_is_kept_in_the_run_and_a_colour_run_is_mirrored_as_asked(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (80, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "photos.npz", images=images, labels=np.arange(80) % 2)
    dataset = load_dataset(tmp_path / "photos.npz")
    fit(dataset, replace(TINY, judge="resnet20", flip="on", steps=2), tmp_path / "model")
    trained = TrainedGAN(tmp_path / "model")
    assert (trained.classifier.name, trained.recipe.judge, trained.recipe.flip) == ("resnet20", "resnet20", "on")
    assert trained.classify(images[:4]).shape == (4, 2)
    networks = {name: load_network(tmp_path / "model", name).name for name in ("judge", "filter", "frozen")}
    assert networks == {"judge": "resnet20", "filter": "resnet20", "frozen": "cnn"}
    lines = fit(dataset, replace(TINY, flip="auto", steps=2, feature_weight=0.0), tmp_path / "auto")
    assert lines[0].startswith("flips off: a cnn recognises")  # noise: nothing can be learnt
    assert TrainedGAN(tmp_path / "auto").recipe.flip == "off"
