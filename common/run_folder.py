"""What lies where in the folder of a run of generate_data.py; a run of `augment.py balance` has some of it, too."""

from pathlib import Path

from common.files import CONFIG, read_files

MANIFEST = "manifest.json"  # the shards, and how they were made
JOURNAL = "shards.jsonl"  # the shards that are newer than the manifest, a line each
PICTURES = "images"  # a folder of class folders, beside shards/
METADATA = "metadata.csv"  # in it, as Hugging Face's imagefolder calls it
HASHES = "train_hashes.npy"  # of the images that the GAN was trained on
SAMPLES = "samples.png"
CURVES = "curves.png"
DESCRIPTION = "recipe.json"  # in model/: the recipe, and what it was trained on
DENSITY_RATIO = "density_ratio.npy"  # in model/, where a filter has asked for it
HISTORY = "history.csv"  # beside each generator: a row for each round of its training
PAIR = ("generator", "discriminator")  # networks of a GAN
CLASSIFIERS = MONITOR, FILTER, FROZEN = ("judge", "filter", "frozen")  # networks beside them: see models.monitor


class ModelFolder:
    """Where a run's networks lie: its model/, or the sub-folder there of one of several GANs."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.description = self.path / DESCRIPTION
        self.density_ratio = self.path / DENSITY_RATIO
        self.history = self.path / HISTORY
        self.checkpoint = self.path / "checkpoint"  # a folder, while the GAN beside it is trained
        self.progress = self.path / "progress"  # a folder of sample grids

    def network(self, name: str) -> Path:
        """Return the path of a network's own file, in Keras' format, whether it is there or not."""
        return self.path / f"{name}.keras"

    def packed(self, name: str) -> Path:
        """Return the path of a network's packed weights (models.network_files), whether they are there or not."""
        return self.path / f"{name}.npz"

    def find_network(self, name: str) -> Path | None:
        """Return the path of a network, in Keras' format or packed; None where there is none."""
        return next((path for path in (self.network(name), self.packed(name)) if path.exists()), None)

    @property
    def has_pair(self) -> bool:
        """Whether both networks of a GAN are here, in Keras' format."""
        return all(self.network(name).exists() for name in PAIR)

    def pair(self, subfolder: str | Path) -> "ModelFolder":
        """Return the folder of one of the run's GANs, by its path from here (models.description.list_pairs)."""
        return ModelFolder(self.path / subfolder)


class RunFolder:
    """Where a run's files lie."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.model = ModelFolder(self.path / "model")
        self.config = self.path / CONFIG
        self.manifest = self.path / MANIFEST
        self.hashes = self.path / HASHES
        self.samples = self.path / SAMPLES
        self.curves = self.path / CURVES


def read_generators_last(folder: str | Path) -> dict[str, bytes]:
    """Return {path below it: content} of all files, the generators last: once they are there, so are the others."""
    files = read_files(folder)
    return dict(sorted(files.items(), key=lambda item: Path(item[0]).stem == PAIR[0]))
