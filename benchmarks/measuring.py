"""What the benchmarks measure of recipes: speed, what a classifier learns from the images, and how near they are."""

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from common.files import replacing
from common.run_files import load_histories
from common.run_folder import CLASSIFIERS, ModelFolder, RunFolder
from evaluation.features import gather
from evaluation.memorisation import search_nearest
from evaluation.run_scores import score_all
from evaluation.scores import Scoring
from evaluation.sides import Sides
from evaluation.statistics import summarise
from models.building import build_pair
from models.classifier import compute_accuracy, fit_classifier
from models.extractors import build_extractor, draw_spare
from models.monitor import load_or_make
from models.network_files import load_classifier
from real.datasets import Dataset
from synth.sampling import BLOCK_SIZE, draw_latents
from synth.sources import split_in_memory

_NEAR_BEST = 1.1  # times the best Frechet distance
_FEATURE_MEASURES = ("frechet", "precision", "recall", "coverage")


def reuse_classifiers(model, others):
    """Copy the classifiers of a training into the folder `model` from one of `others`, where they are there already.

    They depend on the data and the seed alone, so that the GANs of one seed share them.
    """
    for name in CLASSIFIERS:
        here, theirs = ModelFolder(model).network(name), (ModelFolder(folder).network(name) for folder in others)
        there = next((path for path in theirs if path.exists()), None)
        if there and not here.exists():
            model.mkdir(parents=True, exist_ok=True)
            with replacing(here) as temporary:
                shutil.copyfile(there, temporary)


@dataclass(frozen=True)
class Yardstick:
    """What all GANs are measured against: a data set, and what is fitted on its train part.

    fidelity_judge: of fit_fidelity_judge. cache: folder for the features of the real images. classifier: the name of
    what learns from the images. features: of build_extractor.
    """

    dataset: Dataset
    fidelity_judge: keras.Model
    cache: Path
    classifier: str = "cnn"
    features: str = "classifier"


def measure_gan(yardstick, trained, folder, *, count, classifier_seeds, seed):
    """Measure a trained run on the validation part: (results, one dict per round of its training).

    What is not known, as the spread of a single classifier, is NaN.
    trained: the TrainedGAN of the run in `folder`. count: images that are drawn, equally many of each class,
    unfiltered. classifier_seeds: how many classifiers learn from them.
    """
    dataset = yardstick.dataset
    class_count = len(dataset.class_names)
    (history,) = load_histories(RunFolder(folder).model.path).values()
    training = describe_training([history], trained.recipe)
    generator, discriminator = build_pair(trained.recipe, dataset.image_shape, class_count)
    images, labels = draw_images(trained, seed, count // class_count)
    held_out = dataset.part("validation")
    name = yardstick.classifier
    accuracies = summarise(score_as_training_set(images, labels, held_out, class_count, classifier_seeds, name))
    near_best = history["frechet"] <= _NEAR_BEST * history["frechet"].min()
    result = {
        "steps": history["step"].iloc[-1],
        "minutes": training["train_minutes"],
        "minutes_to_near_best": history.loc[near_best, "seconds"].iloc[0] / 60,
        "judge_frechet": training["frechet"],
        "images_per_second": training["images_per_second"],
        "generator_parameters": generator.count_params(),
        "discriminator_parameters": discriminator.count_params(),
        "accuracy": accuracies.mean,
        "accuracy_std": accuracies.std,
        "label_fidelity": compute_accuracy(yardstick.fidelity_judge, images, labels),
    }
    result |= compare_with_validation(dataset, images, labels, yardstick.cache, yardstick.features)
    result = {name: np.nan if value is None else value for name, value in result.items()}
    return result, history.drop(columns="collapsed").to_dict("records")


def draw_images(trained, seed, per_class):
    """Draw unfiltered images of a models.trained_gan.TrainedGAN: (uint8 [n, H, W, C], class indices [n])."""
    blocks = range(-(-per_class // BLOCK_SIZE))
    images = [
        np.concatenate([trained.generate(draw_latents(seed, k, 0, b, trained.latent_dim), k) for b in blocks])
        for k in range(len(trained.class_names))
    ]
    images = np.concatenate([of_class[:per_class] for of_class in images])
    return images, np.repeat(np.arange(len(trained.class_names)), per_class)


def describe_training(histories, recipe):
    """Return minutes, images/s and mean best Frechet distance of a run's history.csv (DataFrames), one for each GAN."""
    seconds, steps = (sum(history[column].iloc[-1] for history in histories) for column in ("seconds", "step"))
    return {
        "train_minutes": round(seconds / 60, 2),
        "images_per_second": round(steps * recipe.batch_size / seconds),
        "frechet": round(np.mean([history["frechet"].min() for history in histories]), 2),
    }


def score_as_training_set(images, labels, held_out, class_count, seeds, name="cnn"):
    """Fit the classifier `name` on shuffled images once per seed; return the accuracies on `held_out` (images, labels).

    It is fitted as predict.py does by default, but no epoch is chosen.
    """
    accuracies = []
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(images))
        options = {"rate_decay": "cosine", "batch_size": 32, "seed": seed, "name": name}
        classifier = fit_classifier(images[order], labels[order], class_count, **options)
        accuracies.append(compute_accuracy(classifier, *held_out))
    return accuracies


def fit_fidelity_judge(dataset, name="cnn", path=None):
    """Return the classifier, fitted on the real train part, whose accuracy on synthetic images is label fidelity.

    path: of a .keras file that keeps it for the next call.
    """
    class_count = len(dataset.class_names)
    fit = partial(fit_classifier, *dataset.part("train"), class_count, seed=100, name=name)
    if path is None:
        return fit()
    load = partial(load_classifier, path.parent, path.stem, dataset.image_shape, class_count, name)
    return load_or_make(path, load, fit, print)


def compare_with_validation(dataset, images, labels, cache, features="classifier"):
    """Score images against the validation part in features of build_extractor.

    cache: folder that keeps the classifier, and the features of the real images. Returns a dict: frechet, precision,
    recall and coverage (NaN where there are too few images), each also as "..._to_floor", its ratio to that of real
    images which the classifier was not fitted on; nearest_ratio and near_share: of
    evaluation.memorisation.MemorisationSummary.
    """
    sides = Sides({"synthetic": split_in_memory(images, labels)}, dataset.part("validation"), draw_spare(dataset))
    extractor = build_extractor(features, dataset, cache)
    material = gather(sides, extractor, cache, limit=len(labels), seed=0, advance=lambda count: None)
    nearest = search_nearest(material, dataset.part("train")[0])
    scoring = Scoring(neighbours=5, bootstrap=0, seed=0)
    floor_scores, runs = score_all(material, nearest, dict(enumerate(dataset.class_names)), scoring, fid_infinity=False)
    run = runs["synthetic"]
    scores, floor = (
        pd.Series({name: getattr(sample.scores, name).value for name in _FEATURE_MEASURES}, dtype=float)
        for sample in (run, floor_scores)
    )
    found = {**scores, **(scores / floor).add_suffix("_to_floor")}
    return found | {"nearest_ratio": run.memorisation.ratio, "near_share": run.memorisation.near_share}
