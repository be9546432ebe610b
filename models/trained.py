"""A trained run: its networks, opened from disk, and what it was trained on."""

import hashlib
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models.classifier import compute_probabilities
from models.recipes import Recipe
from models.sampler import Sampler
from synth.files import load_json, save_json
from synth.images import to_network_range
from synth.shards import class_folder, load_hashes

DESCRIPTION = "recipe.json"


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


def find_model_folder(path):
    """Return the model folder of a run: `path` is the run's folder or its model/; ValueError where there is none."""
    for folder in (Path(path) / "model", Path(path)):
        if (folder / DESCRIPTION).exists():
            return folder
    raise ValueError(f"--model should be a trained run's folder. No model/{DESCRIPTION} in {path}.")


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
    synth.datasets.Dataset.
    Raises ValueError where the folder does not hold a finished run, or its networks do not fit its description.
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
        if self.recipe.conditional:
            pairs = [self._load_pair(folder)] * len(self.class_names)
        else:
            pairs = [self._load_pair(folder / class_folder(name)) for name in self.class_names]
        self._samplers, self._discriminators = zip(*pairs, strict=True)
        self.latent_dim = self._samplers[0].latent_dim
        self._filter = keras.models.load_model(folder / "filter.keras") if (folder / "filter.keras").exists() else None

    @property
    def has_classifier(self):
        """Whether there is a classifier that can filter (a run on one class has none)."""
        return self._filter is not None

    def train_hashes(self):
        """Return the 64-bit hashes of the images that it was trained on, uint64 [n], for the leakage guard."""
        return load_hashes(self._folder.parent)

    def generate(self, latents, class_index):
        """Latents float32 [n, latent_dim] -> images uint8 [n, H, W, C] of one class."""
        return self._samplers[class_index](latents, np.full(len(latents), class_index))

    def score(self, images, class_index):
        """Realism of images uint8 [n, H, W, C] of one class: the discriminator's logit, float32 [n]."""
        return self._discriminators[class_index](images, class_index)

    def classify(self, images):
        """Class probabilities [n, K] of images uint8 [n, H, W, C] by the classifier that filters."""
        return compute_probabilities(self._filter, images)

    def compute_hash(self):
        """SHA-256 over the weights of all generators, as hex: the same weights give the same shards."""
        return hash_weights([sampler.generator for sampler in dict.fromkeys(self._samplers)])

    def _load_pair(self, folder):
        generator = self._load_network(folder / "generator.keras")
        if generator.output_shape[1:] != self.image_shape:
            raise ValueError(
                f"{folder / 'generator.keras'}: should make images of shape {self.image_shape}. "
                f"Makes {generator.output_shape[1:]} instead."
            )
        return Sampler(generator), _build_score(self._load_network(folder / "discriminator.keras"))

    def _load_network(self, path):
        if not path.exists():
            raise ValueError(f"--model should be a finished run's folder. No {path.name} in {path.parent}.")
        try:
            return keras.models.load_model(path, compile=False)
        except Exception as error:  # whatever zipfile, h5py and Keras raise on a damaged file
            raise ValueError(f"{path}: should be a Keras model file. ({' '.join(str(error).split())[:200]})") from error


def _build_score(discriminator):
    conditional = len(discriminator.inputs) == 2

    @tf.function(reduce_retracing=True)
    def forward(images, label):
        images = to_network_range(tf.cast(images, tf.float32))
        labels = tf.fill(tf.shape(images)[:1], label)
        return discriminator([images, labels] if conditional else [images], training=False)

    return lambda images, class_index: forward(tf.constant(images), tf.constant(class_index, tf.int32)).numpy()
