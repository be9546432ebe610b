"""A trained GAN as bytes, to be opened in another process or on another machine, where its folder is not."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from models.description import list_pairs, load_description
from models.startup import compute_in, import_tensorflow
from synth.run_folder import FILTER, PAIR, ModelFolder


@dataclass(frozen=True)
class PortableGAN:
    """The files of a model folder that sampling needs, {path below it: content}, and the threads to compute in."""

    files: dict[str, bytes]
    threads: int

    def __call__(self) -> object:
        """Return the models.trained_gan.TrainedGAN; TensorFlow begins with these threads."""
        import_tensorflow()
        compute_in(self.threads)
        from models.trained_gan import TrainedGAN  # TensorFlow begins with it

        with tempfile.TemporaryDirectory() as folder:
            for name, content in self.files.items():
                path = Path(folder, "model", name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            return TrainedGAN(Path(folder, "model"))


def pack_gan(folder: Path, threads: int) -> PortableGAN:
    """Return the GAN of a model folder."""
    model, description = ModelFolder(folder), load_description(folder)
    pairs = [subfolder for _, _, subfolder in list_pairs(description.recipe, description.class_names)]
    paths = [model.pair(pair).find_network(name) for pair in pairs for name in PAIR] + [model.find_network(FILTER)]
    found = [path for path in [model.description, model.density_ratio, *paths] if path and path.exists()]
    return PortableGAN({path.relative_to(model.path).as_posix(): path.read_bytes() for path in found}, threads)
