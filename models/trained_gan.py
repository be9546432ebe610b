"""A trained run: its networks, opened from disk, and what it was trained on."""

import hashlib
import math
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from common.errors import RequestError
from common.files import replacing, write_files
from common.images import to_network_range
from common.run_files import load_array
from common.run_folder import FILTER, MONITOR, PAIR, ModelFolder
from models.building import build_pair
from models.classifier import compute_probabilities
from models.density_ratio import compute_log_ratio, fit_density_ratio
from models.description import list_pairs, load_description
from models.inference import Sampler
from models.network_files import ANY, load_classifier, load_network
from real.datasets import Dataset
from synth.sampling import BLOCK_SIZE
from synth.shards import load_hashes

Score = Callable[[np.ndarray, int], np.ndarray]  # (images uint8 [n, H, W, C], class index) -> logits float32 [n]


def prepare_filter(folder: str | Path, dataset: Dataset, filter: str) -> None:
    """Fit the density ratio of a finished run's model folder where `filter` wants it and none is there.

    dataset: the real.datasets.Dataset that it was trained on, of two classes or more.
    """
    if filter == "density-ratio" and not ModelFolder(folder).density_ratio.exists():
        save_density_ratio(folder, fit_density_ratio(TrainedGAN(folder), *dataset.part("train")))


def save_density_ratio(folder: str | Path, weights: np.ndarray) -> None:
    """Write `folder`/density_ratio.npy, the weights of models.density_ratio."""
    with replacing(ModelFolder(folder).density_ratio) as temporary:
        np.save(temporary, weights)


def hash_weights(networks: Iterable[keras.Model]) -> str:
    """SHA-256 over the weights of the networks, as hex."""
    digest = hashlib.sha256()
    for network in networks:
        for array in network.get_weights():
            digest.update(array.tobytes())
    return digest.hexdigest()


class TrainedGAN:
    """The networks of a finished run's model folder.

    folder: where they lie, a common.run_folder.ModelFolder.
    image_shape, class_names, label_values, data, request, fingerprint: of the training data, as in
    real.datasets.Dataset. seed: of the training. pretrained_features: the judge, where it has seen other pictures, or
    None. classifier: the one that filters, or None (a run on one class, or one that was made by hand without it).
    density_ratio: weights of models.density_ratio, or None where it was not fitted.
    Raises RequestError where the folder does not hold a finished run, or its networks do not fit its description.
    That they have its classes is told by their label embeddings: a comparison with the networks that build_pair makes
    would refuse older runs, whose recipes built others.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        self.folder = ModelFolder(folder)
        description = load_description(folder)
        self.image_shape = description.image_shape
        self.class_names = description.class_names
        self.label_values = description.label_values
        self.data = description.data
        self.request = description.request
        self.fingerprint = description.fingerprint
        self.recipe = description.recipe
        self.seed = description.seed
        self.pretrained_features = None if self.recipe.has_own_judge else Path(self.recipe.judge).name
        self._train_counts = description.train_counts
        self._train_hashes = description.train_hashes
        self._networks: list[keras.Model] = []
        self._members: list[list[tuple[Sampler, Score]]] = [[] for _ in self.class_names]  # of each class
        pairs = list_pairs(self.recipe, self.class_names)
        _check_finished(self.folder, [subfolder for _, _, subfolder in pairs])
        for k, _, subfolder in pairs:
            pair = self._load_pair(folder / subfolder)
            for members in self._members if k is None else [self._members[k]]:
                members.append(pair)
        self.latent_dim = self._members[0][0][0].latent_dim
        self.classifier = self._load_classifier()
        self.density_ratio = self._load_density_ratio()

    def __reduce__(self) -> tuple[Callable[..., "TrainedGAN"], tuple[dict[str, bytes]]]:
        """Be pickled as the files that sampling needs: where it is unpickled the folder may not be there."""
        folder = self.folder
        pairs = [folder.pair(subfolder) for _, _, subfolder in list_pairs(self.recipe, self.class_names)]
        paths = [pair.find_network(name) for pair in pairs for name in PAIR] + [folder.find_network(FILTER)]
        found = [path for path in [folder.description, folder.density_ratio, *paths] if path and path.exists()]
        return _open_files, ({path.relative_to(folder.path).as_posix(): path.read_bytes() for path in found},)

    @property
    def has_classifier(self) -> bool:
        """Whether there is a classifier that can filter (a run on one class has none)."""
        return self.classifier is not None

    def check_filter(self, filter: str) -> None:
        """Raise RequestError where --filter is one that the run was not prepared for."""
        if filter == "density-ratio" and self.has_classifier and self.density_ratio is None:
            raise RequestError(
                f"--filter density-ratio needs {self.folder.density_ratio}, which is fitted after a training with "
                "this filter. Give another --filter, or the command that trained the run again with --filter "
                "density-ratio --overwrite, which keeps its model and replaces its shards."
            )

    def count_train(self) -> np.ndarray | None:
        """Return the number of images [K] that it was trained on of each class; None in a run of an earlier version."""
        return None if self._train_counts is None else np.array(self._train_counts)

    def train_hashes(self) -> np.ndarray:
        """Return the 64-bit hashes of the images that it was trained on, uint64 [n], for the leakage guard."""
        return load_hashes(self.folder.path.parent, self._train_hashes)

    def generate(self, latents: np.ndarray, class_index: int) -> np.ndarray:
        """Latents float32 [n, latent_dim] -> images uint8 [n, H, W, C] of one class; the members take turns."""
        images = np.empty((len(latents), *self.image_shape), np.uint8)
        members = self._members[class_index][: len(latents)]
        for m, (sampler, _) in enumerate(members):
            own = latents[m :: self.recipe.members]
            images[m :: self.recipe.members] = sampler(own, np.full(len(own), class_index))
        return images

    def score(self, images: np.ndarray, class_index: int) -> np.ndarray:
        """Realism of images uint8 [n, H, W, C] of one class: the members' mean discriminator logit, float32 [n]."""
        return np.mean([score(images, class_index) for _, score in self._members[class_index]], axis=0)

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities [n, K] of images uint8 [n, H, W, C] by the classifier that filters."""
        return compute_probabilities(self.classifier, images)

    def compute_log_ratio(self, images: np.ndarray, class_index: int) -> np.ndarray:
        """Logarithm of the probability of keeping images uint8 [n, H, W, C] of one class by their density ratio: [n].

        models.density_ratio says more.
        """
        assert self.density_ratio is not None  # check_filter refuses the filter without it
        return compute_log_ratio(self.classifier, self.density_ratio[class_index], images)

    def compute_hash(self) -> str:
        """SHA-256 over the weights of all networks, as hex: the same weights give the same shards.

        The density ratio is not counted, it follows from them.
        """
        return hash_weights(self._networks)

    def _load_pair(self, folder: Path) -> tuple[Sampler, Score]:
        class_count = len(self.class_names) if self.recipe.conditional else 0
        build = cache(lambda: build_pair(self.recipe, self.image_shape, class_count))  # for packed weights, once
        label = [()] if class_count else []
        generator = load_network(
            folder, "generator", lambda: build()[0], ([ANY, *label], self.image_shape), class_count
        )
        discriminator = load_network(
            folder, "discriminator", lambda: build()[1], ([self.image_shape, *label], ()), class_count
        )
        self._networks += [generator, discriminator]
        return Sampler(generator, math.ceil(BLOCK_SIZE / self.recipe.members)), build_score(discriminator)

    def _load_classifier(self) -> keras.Model | None:
        folder = self.folder
        left_by_training = folder.network(MONITOR).exists() or folder.packed("generator").exists()
        made_by_hand = folder.find_network(FILTER) is None and not left_by_training  # as in docs/extending.md
        if len(self.class_names) < 2 or made_by_hand:
            return None
        kind = (self.image_shape, len(self.class_names), self.recipe.judge)
        classifier = load_classifier(folder.path, FILTER, *kind)
        self._networks.append(classifier)
        return classifier

    def _load_density_ratio(self) -> np.ndarray | None:
        path = self.folder.density_ratio
        if self.classifier is None or not path.exists():
            return None
        advice = "Remove it: the command that trained the run, given again, fits it anew where it is asked for."
        shape = (len(self.class_names), self.classifier.get_layer("features").output.shape[-1] + 1)
        try:
            weights = load_array(path)
            if weights.shape != shape or weights.dtype != np.float32 or not np.isfinite(weights).all():
                found = f"{weights.dtype} {weights.shape}"
                raise RequestError(f"{path}: should be finite numbers, float32 of shape {shape}. Got {found} instead.")
        except RequestError as error:
            raise RequestError(f"{error} {advice}") from error
        return weights


def _open_files(files: dict[str, bytes]) -> TrainedGAN:
    """Return the GAN of the files of a model folder, {path below it: content}."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "model")
        write_files(model, files)
        return TrainedGAN(model)


def _check_finished(model: ModelFolder, subfolders: Iterable[Path]) -> None:
    """Raise RequestError where a pair of networks of the model folder was not trained to its end."""
    for subfolder in subfolders:
        pair = model.pair(subfolder)
        if pair.find_network("generator") is None:
            run = model.path.parent if model.path.name == "model" else model.path
            raise RequestError(
                f"{run} is an unfinished run of generate_data.py: the same command again finishes it. "
                f"No {pair.network('generator')}."
            )


def build_score(discriminator: keras.Model) -> Score:
    """Return what scores images with a discriminator."""
    conditional = len(discriminator.inputs) == 2

    @tf.function(reduce_retracing=True)
    def forward(images: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        images = to_network_range(tf.cast(images, tf.float32))
        labels = tf.fill(tf.shape(images)[:1], label)
        return discriminator([images, labels] if conditional else [images], training=False)

    return lambda images, class_index: forward(tf.constant(images), tf.constant(class_index, tf.int32)).numpy()
