"""A trained run: its networks, opened from disk, and what it was trained on."""

import hashlib
import math
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import tensorflow as tf

from models.building import build_pair
from models.classifier import build_classifier, compute_probabilities
from models.density_ratio import compute_log_ratio, fit_density_ratio
from models.network_files import load_network
from models.recipes import Recipe
from models.sampler import Sampler
from synth.errors import RequestError
from synth.files import load_json, replacing, save_json
from synth.images import to_network_range
from synth.sampling import BLOCK_SIZE
from synth.shards import DESCRIPTION, class_folders, load_hashes

DENSITY_RATIO = "density_ratio.npy"


def save_description(folder, recipe, dataset, seed):
    """Write `folder`/recipe.json: the recipe, and what it was trained on."""
    description = {
        "recipe": asdict(recipe),
        "image_shape": list(dataset.image_shape),
        "class_names": list(dataset.class_names),
        "label_values": list(dataset.label_values),
        "data": dataset.name,
        "request": dataset.request,
        "fingerprint": dataset.fingerprint,
        "train_images": len(dataset.train),
        "seed": seed,
    }
    save_json(Path(folder) / DESCRIPTION, description)


def list_pairs(recipe, class_names):
    """Return a run's pairs of networks, [(class index, or None for all classes, member, sub-folder of model/)]."""
    folders = {None: ""} if recipe.conditional else dict(enumerate(class_folders(class_names).values()))
    members = {member: f"member-{member}" if recipe.members > 1 else "" for member in range(recipe.members)}
    return [(k, m, Path(folder) / member) for k, folder in folders.items() for m, member in members.items()]


def prepare_filter(folder, dataset, filter):
    """Fit the density ratio of a finished run's model folder where `filter` wants it and none is there.

    dataset: the synth.datasets.Dataset that it was trained on, of two classes or more.
    """
    if filter == "density-ratio" and not (Path(folder) / DENSITY_RATIO).exists():
        save_density_ratio(folder, fit_density_ratio(TrainedGAN(folder), *dataset.part("train")))


def save_density_ratio(folder, weights):
    """Write `folder`/density_ratio.npy, the weights of models.density_ratio."""
    with replacing(Path(folder) / DENSITY_RATIO) as temporary:
        np.save(temporary, weights)


def hash_weights(networks):
    """SHA-256 over the weights of the networks, as hex."""
    digest = hashlib.sha256()
    for network in networks:
        for array in network.get_weights():
            digest.update(array.tobytes())
    return digest.hexdigest()


class TrainedGAN:
    """The networks of a finished run's model folder.

    image_shape, class_names, label_values, data, request, fingerprint: of the training data, as in
    synth.datasets.Dataset. seed: of the training. classifier: the one that filters, or None (a run on one class).
    density_ratio: weights of models.density_ratio, or None where it was not fitted.
    Raises RequestError where the folder does not hold a finished run, or its networks do not fit its description.
    """

    def __init__(self, folder):
        folder = Path(folder)
        self._folder = folder
        description = load_json(folder / DESCRIPTION)
        self.image_shape = tuple(description["image_shape"])
        self.class_names = tuple(description["class_names"])
        self.label_values = tuple(description["label_values"])
        self.data = description["data"]
        self.request = description["request"]
        self.fingerprint = description["fingerprint"]
        self.recipe = Recipe(**description["recipe"])
        self.seed = description["seed"]
        self._networks = []
        self._members = [[] for _ in self.class_names]  # of each class: [(sampler, score), ...]
        for k, _, subfolder in list_pairs(self.recipe, self.class_names):
            pair = self._load_pair(folder / subfolder)
            for members in self._members if k is None else [self._members[k]]:
                members.append(pair)
        self.latent_dim = self._members[0][0][0].latent_dim
        self.classifier = self._load_classifier(folder) if any(folder.glob("filter.*")) else None
        self.density_ratio = self._load_density_ratio(folder / DENSITY_RATIO)

    @property
    def has_classifier(self):
        """Whether there is a classifier that can filter (a run on one class has none)."""
        return self.classifier is not None

    def check_filter(self, filter):
        """Raise RequestError where --filter is one that the run was not prepared for."""
        if filter == "density-ratio" and self.has_classifier and self.density_ratio is None:
            raise RequestError(
                f"--filter density-ratio needs {self._folder / DENSITY_RATIO}, which is fitted after a training with "
                "this filter. Give another --filter, or the command that trained the run again with --filter "
                "density-ratio --overwrite, which keeps its model and replaces its shards."
            )

    def train_hashes(self):
        """Return the 64-bit hashes of the images that it was trained on, uint64 [n], for the leakage guard."""
        return load_hashes(self._folder.parent)

    def generate(self, latents, class_index):
        """Latents float32 [n, latent_dim] -> images uint8 [n, H, W, C] of one class; the members take turns."""
        images = np.empty((len(latents), *self.image_shape), np.uint8)
        members = self._members[class_index][: len(latents)]
        for m, (sampler, _) in enumerate(members):
            own = latents[m :: self.recipe.members]
            images[m :: self.recipe.members] = sampler(own, np.full(len(own), class_index))
        return images

    def score(self, images, class_index):
        """Realism of images uint8 [n, H, W, C] of one class: the members' mean discriminator logit, float32 [n]."""
        return np.mean([score(images, class_index) for _, score in self._members[class_index]], axis=0)

    def classify(self, images):
        """Class probabilities [n, K] of images uint8 [n, H, W, C] by the classifier that filters."""
        return compute_probabilities(self.classifier, images)

    def compute_log_ratio(self, images, class_index):
        """Logarithm of the probability of keeping images uint8 [n, H, W, C] of one class by their density ratio: [n].

        models.density_ratio says more.
        """
        return compute_log_ratio(self.classifier, self.density_ratio[class_index], images)

    def compute_hash(self):
        """SHA-256 over the weights of all networks, as hex: the same weights give the same shards.

        The density ratio is not counted, it follows from them.
        """
        return hash_weights(self._networks)

    def _load_pair(self, folder):
        class_count = len(self.class_names) if self.recipe.conditional else 0
        build = cache(lambda: build_pair(self.recipe, self.image_shape, class_count))  # for packed weights, once
        generator, discriminator = (
            load_network(folder, name, lambda k=k: build()[k]) for k, name in enumerate(("generator", "discriminator"))
        )
        if generator.output_shape[1:] != self.image_shape:
            raise RequestError(
                f"{folder}: the generator should make images of shape {self.image_shape}. "
                f"It makes {generator.output_shape[1:]} instead."
            )
        self._networks += [generator, discriminator]
        return Sampler(generator, math.ceil(BLOCK_SIZE / self.recipe.members)), _build_score(discriminator)

    def _load_classifier(self, folder):
        classifier = load_network(folder, "filter", lambda: build_classifier(self.image_shape, len(self.class_names)))
        self._networks.append(classifier)
        return classifier

    def _load_density_ratio(self, path):
        if not path.exists():
            return None
        shape = (len(self.class_names), self.classifier.get_layer("features").output.shape[-1] + 1)
        try:
            weights = np.load(path)
        except (ValueError, EOFError, OSError):
            weights = None
        if weights is None or weights.shape != shape:
            raise RequestError(f"{path}: should be an array of shape {shape}. Got {getattr(weights, 'shape', 'none')}.")
        return weights


def _build_score(discriminator):
    conditional = len(discriminator.inputs) == 2

    @tf.function(reduce_retracing=True)
    def forward(images, label):
        images = to_network_range(tf.cast(images, tf.float32))
        labels = tf.fill(tf.shape(images)[:1], label)
        return discriminator([images, labels] if conditional else [images], training=False)

    return lambda images, class_index: forward(tf.constant(images), tf.constant(class_index, tf.int32)).numpy()
