import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import callbacks, training
from models.batches import stream_batches
from models.building import build_gan
from models.callbacks import Pace, compute_penalty_weight, compute_rate_factor
from models.checkpoint import Progress
from models.description import list_pairs
from models.gan import GAN
from models.inference import Sampler
from models.recipes import RECIPES, Recipe, parse_fields, parse_recipe
from models.trained_gan import TrainedGAN
from models.training import check_recipe, fit_gan, plan_rounds
from synth.datasets import load_dataset
from synth.errors import TrainingError
from synth.images import to_network_range

TINY = Recipe(
    latent_dim=4,
    generator_width=2,
    discriminator_width=2,
    batch_size=16,
    steps=6,
    round_steps=2,
    rate_decay="cosine",
    diffaugment="translation",
    dtype="float32",
)


@pytest.fixture(scope="module")
def dataset(data):
    return load_dataset(data)


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory):
    """The folder of a finished training, for tests that only look, and whose classifiers the others reuse."""
    folder = tmp_path_factory.mktemp("finished")
    lines = fit(dataset, TINY, folder)
    return folder, lines


def fit(dataset, recipe, folder, finished=None, **options):
    if finished:
        folder.mkdir(exist_ok=True)
        for name in ("judge.keras", "filter.keras", "frozen.keras"):
            shutil.copy(finished[0] / name, folder / name)
    lines = []
    fit_gan(dataset, recipe, folder, quiet=True, report=lines.append, **options)
    return lines


def weights_of(folder):
    networks = (keras.models.load_model(folder / f"{name}.keras") for name in ("generator", "discriminator"))
    return [array for network in networks for array in network.get_weights()]


def assert_equal_weights(first, second):
    for a, b in zip(weights_of(first), weights_of(second), strict=True):
        assert np.array_equal(a, b)


def read_stream(first, total, count=10, seed=0):
    images = np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)
    stream = stream_batches(images, np.arange(count), 4, first, total, seed)
    return [batch_images.numpy().ravel().tolist() for batch_images, _ in stream]


def test_each_pass_over_the_data_is_another_permutation():
    order = [index for batch in read_stream(0, 10) for index in batch]
    passes = [order[start : start + 10] for start in range(0, 40, 10)]
    assert all(sorted(one_pass) == list(range(10)) for one_pass in passes)
    assert len({tuple(one_pass) for one_pass in passes}) == 4


def test_a_stream_can_begin_anywhere():
    assert read_stream(3, 10) == read_stream(0, 10)[3:]
    assert read_stream(0, 10) != read_stream(0, 10, seed=1)


def test_balanced_batches_have_all_classes_alike_and_can_begin_anywhere():
    labels = np.array([0] * 90 + [1] * 8 + [4] * 2)
    images = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1)

    def read(first):
        stream = stream_batches(images, labels, 50, first, 20, 0, balance_classes=True)
        return [(batch[:, 0, 0, 0].numpy(), batch_labels.numpy()) for batch, batch_labels in stream]

    drawn, drawn_labels = (np.concatenate(part) for part in zip(*read(0), strict=True))
    assert np.array_equal(labels[drawn], drawn_labels)
    assert np.abs(np.bincount(drawn_labels)[[0, 1, 4]] - 1000 / 3).max() < 60
    assert set(drawn[drawn_labels == 4]) == {98, 99}
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(read(0)[7:], read(7), strict=True))


def test_images_and_labels_stay_together():
    images = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    for batch_images, batch_labels in stream_batches(images, np.arange(10), 4, 0, 10, 0):
        assert np.array_equal(batch_images[:, 0, 0, 0], batch_labels)


@pytest.mark.parametrize(("steps", "plan"), [(7000, (14, 500)), (1001, (3, 334)), (3, (1, 3))])
def test_rounds_are_of_equal_length(steps, plan):
    assert plan_rounds(replace(TINY, steps=steps, round_steps=500), 1000) == plan


def test_epochs_become_steps():
    assert replace(TINY, steps=0, epochs=2.5).total_steps(1600) == 250


@pytest.mark.parametrize(
    ("decay", "start", "factors"),
    [
        ("constant", 0.0, [1, 1, 1, 1]),
        ("linear", 0.0, [1, 0.755, 0.51, 0.02]),
        ("linear", 0.5, [1, 1, 1, 0.02]),
        ("cosine", 0.0, [1, 0.8565, 0.51, 0.02]),
    ],
)
def test_rates_fall_to_2_percent(decay, start, factors):
    recipe = replace(TINY, rate_decay=decay, decay_start=start)
    assert [compute_rate_factor(recipe, done) for done in (0, 0.25, 0.5, 1)] == pytest.approx(factors, abs=1e-4)


def test_penalty_falls_geometrically_over_the_first_half():
    recipe = replace(TINY, penalty_weight=4.0, penalty_weight_end=0.04)
    weights = [compute_penalty_weight(recipe, done) for done in (0, 0.25, 0.5, 1)]
    assert weights == pytest.approx([4, 0.4, 0.04, 0.04])
    assert compute_penalty_weight(replace(recipe, penalty_weight=0.0), 0.5) == 0


def test_a_time_limit_ends_training_with_the_rates_at_their_end(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(clock))
    gan = build_gan(TINY, (8, 8, 1), 2, seed=0)
    pace = Pace(Progress(), replace(TINY, rate_decay="linear", decay_start=0.0), total_steps=1000, max_seconds=5)
    pace.set_model(gan)
    pace.on_train_begin()
    rates = []
    while not gan.stop_training:
        pace.on_train_batch_end(0)
        rates.append(float(gan.generator_optimizer.learning_rate) / TINY.generator_rate)
    assert np.allclose(rates, [0.804, 0.608, 0.412, 0.216, 0.02], atol=1e-3)


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
    assert "judge.keras could not be read, or is another's, and is fitted anew" in lines[0]
    assert "state.npz: should be a readable NumPy archive" in lines[1]
    assert "from the checkpoint before it, step 2" in lines[1]
    assert len(saves) == 4
    assert not (tmp_path / "checkpoint").exists()
    assert_equal_weights(tmp_path, finished[0])
    assert TrainedGAN(tmp_path).has_classifier


def test_a_run_without_its_filter_is_not_taken_for_one_of_one_class(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "filter.keras").unlink()
    with pytest.raises(ValueError, match=r"No filter\.keras there: the command that trained the run"):
        TrainedGAN(tmp_path)


@pytest.mark.parametrize("names", [["0"], ["0", "1", "2"]])
def test_a_run_of_other_classes_than_its_networks_is_refused(finished, tmp_path, names):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    path = tmp_path / "recipe.json"
    content = json.loads(path.read_text()) | {"class_names": names, "label_values": [*range(len(names))]}
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"generator\.keras: should know {len(names)} classes. It knows 2"):
        TrainedGAN(tmp_path)


def test_a_finished_training_is_not_redone(dataset, finished):
    before = (finished[0] / "generator.keras").stat().st_mtime_ns
    assert fit(dataset, TINY, finished[0]) == []
    assert (finished[0] / "generator.keras").stat().st_mtime_ns == before


def test_the_seed_decides_the_weights(dataset, finished, tmp_path):
    fit(dataset, TINY, tmp_path / "again", finished)
    fit(dataset, TINY, tmp_path / "other", finished, seed=1)
    assert_equal_weights(tmp_path / "again", finished[0])
    assert not np.array_equal(weights_of(tmp_path / "other")[0], weights_of(finished[0])[0])


def test_the_best_generator_is_kept_and_patience_ends_training(dataset, finished, tmp_path, monkeypatch):
    scores = iter([5.0, 3.0, 4.0, 6.0, 1.0])
    kept = []
    monkeypatch.setattr("models.monitor.Monitor.measure", lambda self, sampler: (next(scores), []))
    on_epoch_end = callbacks.MeasureRounds.on_epoch_end

    def record(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        kept.append([array.copy() for array in self._best_weights])

    monkeypatch.setattr(callbacks.MeasureRounds, "on_epoch_end", record)
    fit(dataset, replace(TINY, steps=10, patience=2), tmp_path, finished)
    assert len(kept) == 4
    assert all(np.array_equal(a, b) for a, b in zip(kept[1], weights_of(tmp_path), strict=True))


def test_a_collapsed_class_is_named_once(dataset, finished, tmp_path, monkeypatch):
    rounds = iter([[0, 1], [], [1]])
    monkeypatch.setattr("models.monitor.Monitor.measure", lambda self, sampler: (1.0, next(rounds)))
    warnings = [line for line in fit(dataset, TINY, tmp_path, finished) if line.startswith("warning")]
    assert warnings == ["warning: training, step 6: collapsed to nearly one image: class 1"]


def test_non_finite_losses_stop_the_run_and_keep_the_checkpoint(dataset, finished, tmp_path, monkeypatch):
    train_step = GAN.train_step
    broken = tf.constant(4, tf.int64)

    def poisoned(self, data):
        logs = train_step(self, data)
        factor = tf.where(tf.cast(self.generator_optimizer.iterations, tf.int64) >= broken, np.nan, 1.0)
        return logs | {"generator_loss": logs["generator_loss"] * factor}

    monkeypatch.setattr(GAN, "train_step", poisoned)
    with pytest.raises(TrainingError, match="diverged near step 3: generator_loss should be finite"):
        fit(dataset, TINY, tmp_path, finished)
    assert (tmp_path / "checkpoint" / "state.npz").exists()


def test_a_non_finite_generator_is_not_kept(dataset, finished, tmp_path, monkeypatch):
    update = GAN._update_moving_average

    def poisoned(self):
        update(self)
        first = self.moving_average.trainable_variables[0]
        broken = tf.cast(self.generator_optimizer.iterations, tf.int64) >= 3
        first.assign(first * tf.where(broken, np.nan, 1.0))

    with monkeypatch.context() as patch:
        patch.setattr(GAN, "_update_moving_average", poisoned)
        with pytest.raises(TrainingError, match="diverged near step 4: the generator's weights are not finite"):
            fit(dataset, TINY, tmp_path, finished)
    fit(dataset, TINY, tmp_path)  # continues from the checkpoint of step 2
    assert_equal_weights(tmp_path, finished[0])


@pytest.mark.slow
def test_one_class_alone_is_judged_by_principal_components(tmp_path, digits_npz):
    fit(load_dataset(digits_npz, classes="1"), replace(TINY, conditional=False), tmp_path)
    trained = TrainedGAN(tmp_path)
    assert trained.class_names == ("1",)
    assert trained.label_values == (1,)
    assert not trained.has_classifier
    assert (tmp_path / "1" / "generator.keras").exists()


def test_the_pairs_of_classes_with_similar_names_have_folders_of_their_own():
    pairs = list_pairs(replace(TINY, conditional=False), ("Box", "box", "a/b", "a b"))
    assert [str(folder) for _, _, folder in pairs] == ["Box", "box-2", "a-b", "a-b-2"]
    assert [k for k, _, _ in pairs] == [0, 1, 2, 3]


@pytest.mark.parametrize("conditional", [True, False])
def test_members_are_trained_from_other_seeds_and_take_turns(dataset, finished, tmp_path, conditional):
    recipe = replace(TINY, conditional=conditional, members=2)
    lines = fit(dataset, recipe, tmp_path, finished)
    assert len(lines) == recipe.plan_gans(2, len(dataset.train))[0]
    trained = TrainedGAN(tmp_path)
    latents = np.random.default_rng(0).standard_normal((301, trained.latent_dim), dtype=np.float32)
    images = trained.generate(latents, 1)
    assert np.array_equal(images[:7], trained.generate(latents[:7], 1))
    assert trained.generate(latents[:1], 1).shape == (1, 28, 28, 1)
    pairs = [tmp_path / folder for k, _, folder in list_pairs(recipe, dataset.class_names) if k in (None, 1)]
    for m, pair in enumerate(pairs):
        generator = keras.models.load_model(pair / "generator.keras")
        alone = Sampler(generator)(latents[m::2], np.full(len(latents[m::2]), 1))
        assert np.abs(images[m::2].astype(int) - alone).max() <= 1  # blocks of another size round otherwise
    discriminators = [keras.models.load_model(pair / "discriminator.keras") for pair in pairs]
    inputs = [to_network_range(images[:5].astype(np.float32)), *([np.full(5, 1)] if conditional else [])]
    scores = np.mean([np.ravel(discriminator(inputs)) for discriminator in discriminators], axis=0)
    assert np.allclose(trained.score(images[:5], 1), scores, atol=1e-4)
    if conditional:
        assert_equal_weights(pairs[0], finished[0])  # the first is the GAN of the recipe without members
    (pairs[1] / "generator.keras").unlink()
    with pytest.raises(ValueError, match=r"unfinished run.*member-1/generator\.keras"):
        TrainedGAN(tmp_path)


def test_trained_networks_are_opened_and_checked(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    trained = TrainedGAN(tmp_path)
    images = trained.generate(np.zeros((300, trained.latent_dim), np.float32), 1)
    assert images.shape == (300, 28, 28, 1)
    assert images.dtype == np.uint8
    assert trained.score(images, 1).shape == (300,)
    assert np.allclose(trained.classify(images).sum(axis=1), 1, atol=1e-5)
    description = tmp_path / "recipe.json"
    description.write_text(description.read_text().replace("28", "32"))
    with pytest.raises(ValueError, match=r"from any, \(\) to \(32, 32, 1\)\. Got one .*to \(28, 28, 1\)"):
        TrainedGAN(tmp_path)
    (tmp_path / "generator.keras").write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"generator\.keras: should be a Keras model file"):
        TrainedGAN(tmp_path)
    (tmp_path / "generator.keras").unlink()
    with pytest.raises(ValueError, match=r"is an unfinished run of generate_data\.py: .*generator\.keras"):
        TrainedGAN(tmp_path)


@pytest.mark.parametrize("name", ["generator.keras", "discriminator.keras", "filter.keras"])
def test_every_network_counts_in_the_hash(finished, tmp_path, name):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    before = TrainedGAN(tmp_path).compute_hash()
    network = keras.models.load_model(tmp_path / name)
    network.set_weights([1.5 * array for array in network.get_weights()])
    network.save(tmp_path / name)
    assert TrainedGAN(tmp_path).compute_hash() != before


def test_samples_do_not_depend_on_how_many_are_asked_for():
    gan = build_gan(TINY, (28, 28, 1), 2, seed=0)
    sampler = Sampler(gan.generator)
    latents = np.random.default_rng(0).standard_normal((600, sampler.latent_dim), dtype=np.float32)
    labels = np.arange(600) % 2
    together = sampler(latents, labels)
    apart = np.concatenate([sampler(latents[:7], labels[:7]), sampler(latents[7:], labels[7:])])
    assert np.array_equal(together, apart)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 113}, "--batch-size should be at most the number of train images, 112. Got 113 instead"),
        ({"batch_size": 60, "conditional": False}, "number of train images, 56. Got 60 instead"),
        ({"diffaugment": "flip"}, "Got 'flip' instead"),
        ({"discriminator_norm": "batch"}, "--penalty should be none with --discriminator-norm batch"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(dataset, changes, message):
    with pytest.raises(ValueError, match=message):
        check_recipe(replace(TINY, **changes), dataset)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "vae"}, "--network should be one of dcgan, mlp. Got 'vae' instead"),
        ({"batch_size": 1}, r"--batch-size should be in the range \[2, 65536\]. Got 1 instead"),
        ({"generator_rate": float("nan")}, r"--generator-rate should be in the range \[0, 1\]. Got nan instead"),
        ({"latent_dim": 10**12}, r"--latent-dim should be in the range \[1, 10000\]. Got 1000000000000 instead"),
        ({"epochs": float("inf")}, r"--epochs should be in the range \[0, 1000000.0\]. Got inf instead"),
        ({"steps": 10**4000}, r"--steps should be in the range .* Got 10{59} instead"),
        ({"steps": 2.5}, "--steps should be an integer. Got 2.5 instead"),
        ({"noise": 1}, "--noise should be yes or no. Got 1 instead"),
        ({"decay_start": 1.0}, r"--decay-start should be in the range \[0, 1\). Got 1.0 instead"),
        ({"steps": 0}, "--steps or --epochs should be above 0"),
    ],
)
def test_recipe_values_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **changes)


@pytest.mark.parametrize(
    ("name", "batch_size"), [("mlp-cgan", 64), ("mlp-minority", 64), ("dcgan", 128), ("dcgan-v2", 128)]
)
def test_published_recipes_are_not_changed_with_ours(name, batch_size):
    recipe = RECIPES[name]
    assert (recipe.batch_size, recipe.dtype) == (batch_size, "float32")
    assert (recipe.loss, recipe.penalty, recipe.noise) == ("non-saturating", "none", False)
    assert (recipe.beta1, recipe.beta2, recipe.rate_decay, recipe.ema_decay) == (0.5, 0.999, "constant", 0)


def test_published_rates():
    rates = {name: (recipe.discriminator_rate, recipe.generator_rate) for name, recipe in RECIPES.items()}
    assert rates["dcgan-v1"] == (1e-4, 2e-4)
    assert rates["dcgan-v2"] == (1e-3, 2e-3)
    norms = {name: (recipe.generator_norm, recipe.discriminator_norm) for name, recipe in RECIPES.items()}
    assert norms["dcgan"] == norms["dcgan-v1"] == ("none", "none")
    assert norms["dcgan-v2"] == ("batch", "batch")
    assert RECIPES["dcgan"].epochs == 200
    assert not RECIPES["dcgan"].conditional
    assert not RECIPES["mlp-minority"].conditional
    assert RECIPES["mlp-cgan"].conditional
    assert RECIPES["mlp-cgan"].patience > 0


def test_recipe_flags_override_the_table():
    options = dict.fromkeys((name for name in Recipe.__dataclass_fields__ if name != "name"), None)
    recipe = parse_recipe(options | {"recipe": "quick", "epochs": 3.0, "loss": "hinge"})
    assert (recipe.name, recipe.steps, recipe.epochs, recipe.loss) == ("quick", 0, 3.0, "hinge")


def test_fields_are_read_as_their_types():
    given = parse_fields("generator_rate=5e-4,diffaugment=translation,cutout,noise=no,latent_dim=8,epochs=2")
    fields = {
        "generator_rate": 5e-4,
        "diffaugment": "translation,cutout",
        "noise": False,
        "latent_dim": 8,
        "epochs": 2.0,
    }
    assert given == fields | {"steps": 0}
    assert type(given["latent_dim"]) is int


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nosuch=1", "a recipe's field should be one of network, .*dtype. Got 'nosuch' instead."),
        ("", "Got '' instead."),
        ("name=mine", "Got 'name' instead."),
        ("noise=maybe", "noise should be yes or no. Got 'maybe' instead."),
        ("latent_dim=1.5", "latent_dim should be an integer. Got '1.5' instead."),
        ("beta1=x,noise=no", "beta1 should be a number. Got 'x' instead."),
    ],
)
def test_wrong_fields_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_fields(text)
