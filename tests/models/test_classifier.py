import keras
import numpy as np
import pytest

from models.batches import build_stream
from models.classifier import build_augmentation, build_classifier, build_feature_extractor, fit_classifier
from models.classifier_training import ClassifierTraining, fit_and_score
from synth.errors import TrainingError
from synth.sources import split_in_memory
from tests.conftest import make_images


@pytest.mark.parametrize("name", ["cnn", "lenet5", "strong"])
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 24, 3)])
def test_classifiers_give_probabilities_and_features(name, shape):
    classifier = build_classifier(shape, 3, name)
    images = np.random.default_rng(0).uniform(-1, 1, (4, *shape)).astype(np.float32)
    assert np.allclose(np.sum(classifier(images), axis=1), 1, atol=1e-5)
    assert build_feature_extractor(classifier)(images).shape[0] == 4


def test_the_published_network_layer_by_layer():
    classifier = build_classifier((28, 28, 1), 10)
    assert [layer.name.rstrip("_0123456789") for layer in classifier.layers] == [
        "image", "conv2d", "max_pooling2d", "conv2d", "max_pooling2d", "flatten", "features", "dense",
    ]  # fmt: skip
    assert classifier.count_params() == 320 + 18_496 + 204_928 + 1_290


def test_stream_scales_batches_and_goes_on_without_end():
    images, labels = make_images(10)
    batches = build_stream(split_in_memory(images, labels), (28, 28, 1), 4, seed=0).take(5)
    batches = [(x.numpy(), y.numpy()) for x, y in batches]
    assert [len(y) for _, y in batches] == [4, 4, 2, 4, 4]
    first_epoch = np.concatenate([x for x, _ in batches[:3]])
    assert np.allclose(np.sort(first_epoch.ravel()), np.sort(images.ravel() / 127.5 - 1.0), atol=1e-6)


def test_augmentation_moves_images_but_never_mirrors_them():
    image = np.full((1, 28, 28, 1), -1, np.float32)
    image[:, 4:24, 6:9] = 1  # a bar on the left
    moved = np.concatenate([build_augmentation(seed)(image, training=True) for seed in range(20)])
    assert np.abs(moved - image).max(axis=(1, 2, 3)).min() > 0.1
    centres = (moved > 0).argmax(axis=2).max(axis=(1, 2))
    assert (centres < 14).all()
    assert moved.min() >= -1.001
    assert moved.max() <= 1.001


@pytest.mark.slow
def test_classifier_learns_and_the_best_epoch_is_kept():
    images, labels = make_images(240)
    sources = split_in_memory(images[:160], labels[:160])
    parts = (images[160:200], labels[160:200]), (images[200:], labels[200:])
    training = ClassifierTraining(epochs=2, batch_size=16)
    scored = fit_and_score(training, sources, *parts, ("a", "b"), seed=0)
    assert scored.scores["accuracy"] == 1
    assert scored.history["epoch"].tolist() == [1, 2]
    again = fit_and_score(training, sources, *parts, ("a", "b"), seed=0)
    assert np.array_equal(scored.probabilities, again.probabilities)

    class Spoil(keras.callbacks.Callback):
        """Wrecks the network in the last epoch."""

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.set_weights([np.zeros_like(array) for array in self.model.get_weights()])

    fit = keras.Model.fit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            keras.Model, "fit", lambda self, *a, callbacks, **o: fit(self, *a, callbacks=[*callbacks, Spoil()], **o)
        )
        spoiled = fit_and_score(training, sources, *parts, ("a", "b"), seed=0)
    assert spoiled.history["val_accuracy"].iloc[1] < 0.9
    assert spoiled.scores["accuracy"] == 1


@pytest.mark.slow
def test_a_classifier_that_diverges_is_refused():
    images, labels = make_images(64)
    part = images, labels
    training = ClassifierTraining(epochs=2, rate=float("inf"))
    with pytest.raises(TrainingError, match="loss should be finite"):
        fit_and_score(training, split_in_memory(*part), part, part, ("a", "b"), seed=0)


@pytest.mark.slow
def test_a_teachers_probabilities_replace_the_labels():
    images, labels = make_images(240)
    teacher = fit_classifier(images, 1 - labels, 2, epochs=2, batch_size=16)
    sources = split_in_memory(images[:160], labels[:160])
    _, given = next(iter(build_stream(sources, (28, 28, 1), 4, seed=0, teacher=teacher)))
    assert given.shape == (4, 2)
    parts = (images[160:200], 1 - labels[160:200]), (images[200:], 1 - labels[200:])
    training = ClassifierTraining(epochs=2, batch_size=16, augment=True, teacher=teacher)
    scored = fit_and_score(training, sources, *parts, ("a", "b"), seed=0)
    assert scored.scores["accuracy"] == scored.validation_accuracy == 1


@pytest.mark.slow
def test_fit_classifier_learns():
    images, labels = make_images(160)
    classifier = fit_classifier(images, labels, 2, epochs=2, batch_size=16)
    assert (np.argmax(classifier(images / np.float32(127.5) - 1), axis=1) == labels).all()
    assert float(classifier.optimizer.learning_rate) == pytest.approx(1e-3)


@pytest.mark.slow
def test_the_rate_of_fit_classifier_falls_to_zero():
    images, labels = make_images(70)
    classifier = fit_classifier(images, labels, 2, epochs=2, batch_size=16, rate_decay="cosine")
    assert float(classifier.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("rare", "weights"), [(60, None), (20, {0: 0.6, 1: 3.0})])
def test_rare_classes_have_as_much_say(rare, weights, monkeypatch):
    images, labels = make_images(200)
    keep = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:rare]])
    given, fit = [], keras.Model.fit
    monkeypatch.setattr(
        keras.Model, "fit", lambda self, *a, class_weight, **o: given.append(class_weight) or fit(self, *a, **o)
    )
    fit_classifier(images[keep], labels[keep], 2, epochs=1)
    assert given == [weights]


@pytest.mark.slow
def test_a_number_of_steps_and_the_last_weights(monkeypatch):
    images, labels = make_images(60)
    sources, test = split_in_memory(images[:40], labels[:40]), (images[40:], labels[40:])
    seen = []

    class CountSteps(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            seen.append(int(self.model.optimizer.iterations.numpy()))
            seen.append(float(self.model.optimizer.learning_rate.numpy()))

    original = keras.Model.fit

    def fit(self, *arguments, callbacks=(), **options):
        return original(self, *arguments, callbacks=[*callbacks, CountSteps()], **options)

    monkeypatch.setattr(keras.Model, "fit", fit)
    training = ClassifierTraining(epochs=2, steps=20, batch_size=16, choose_epoch=False)
    scored = fit_and_score(training, sources, test, test, ("a", "b"), seed=0)
    assert seen[0] == 20
    assert seen[1] == 0  # the cosine has come to its end
    assert scored.history["test_accuracy"].iloc[-1] == scored.scores["accuracy"]
    assert scored.history["test_accuracy"].tolist() == scored.history["val_accuracy"].tolist()  # the same images here


@pytest.mark.slow
def test_class_weights_change_what_is_learnt():
    images, labels = make_images(60)
    sources, test = split_in_memory(images[:40], labels[:40]), (images[40:], labels[40:])
    weights = {0: 1.0, 1: 0.0}
    training = ClassifierTraining(epochs=1, steps=10, batch_size=16, choose_epoch=False, class_weight=weights)
    scored = fit_and_score(training, sources, test, test, ("a", "b"), seed=0)
    assert scored.scores["per_class_accuracy"] == {"a": 1.0, "b": 0.0}
