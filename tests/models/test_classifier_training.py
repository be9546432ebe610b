import gc
import weakref

import keras
import numpy as np
import pytest

from common.errors import TrainingError
from models.batches import build_stream
from models.classifier import fit_classifier
from models.classifier_training import ClassifierTraining, fit_and_score
from synth.sources import split_in_memory
from tests.conftest import make_images


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
    kept = weakref.ref(images)
    del images, labels, sources, parts
    gc.collect()
    assert kept() is None  # a study fits hundreds of classifiers
    images, labels = make_images(240)
    sources, parts = split_in_memory(images[:160], labels[:160]), ((images[160:200], labels[160:200]),) * 2

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
