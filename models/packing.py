"""Pack a finished run to ship it: half the precision, no Keras configuration, no path of the machine."""

import tempfile
from pathlib import Path

import numpy as np

from common.errors import RequestError
from common.run_folder import FILTER, PAIR, RunFolder
from models.density_ratio import fit_density_ratio
from models.description import save_description
from models.network_files import load_network, save_packed
from models.pretrained import PRETRAINED_FOLDER, find_model_folder
from models.startup import download_standard_set
from models.trained_gan import TrainedGAN, save_density_ratio
from real.datasets import Dataset, load_dataset
from synth.sampling import draw_latents
from synth.shards import save_hashes

_NETWORKS = (*PAIR, FILTER)
_MAX_DIFFERENCE = 0.01  # of the outputs of packed networks, relative; rounding alone makes less


def pack(run: str | Path, name: str, out: str | Path = PRETRAINED_FOLDER, *, overwrite: bool = False) -> list[Path]:
    """Pack a finished run on the data set `name` into out/name, to be opened like a run; return its files' paths.

    The density ratio is fitted where the run has none. What it records of the data is that of the data set by its
    name, whatever path the run had read it from.
    Raises RequestError for a run that is not finished, has several GANs, a judge that was trained on other pictures or
    networks that its recipe does not build, was trained on other images than the train part of `name`, or has weights
    that float16 can't hold; and where out/name exists, unless `overwrite` and it is a packed run.
    """
    source, target = find_model_folder(run, "RUN"), Path(out) / name
    if target.exists() and not (overwrite and _is_packed(target)):
        raise RequestError(f"{target} should be a new folder, or a packed run to replace with --overwrite. It exists.")
    trained = TrainedGAN(source)
    dataset = _load_data(run, name, trained)
    Path(out).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as temporary:
        packed = RunFolder(Path(temporary) / name)
        packed.model.path.mkdir(parents=True)
        for network in _NETWORKS:
            save_packed(packed.model.packed(network), load_network(source, network))
        ratio = trained.density_ratio
        ratio = fit_density_ratio(trained, *dataset.part("train")) if ratio is None else ratio
        save_density_ratio(packed.model.path, ratio)
        save_hashes(packed.path, trained.train_hashes())
        save_description(packed.model.path, trained.recipe, dataset, trained.seed)
        if not _is_equal(TrainedGAN(packed.model.path), trained):
            raise RequestError(f"{run}: should have the networks of its recipe, {trained.recipe.name}. They differ.")
        if target.exists():
            target.rename(Path(temporary) / "earlier")
        packed.path.rename(target)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _load_data(run: str | Path, name: str, trained: TrainedGAN) -> Dataset:
    """Load the data set of that name; RequestError where the run was not trained on its train part, or can't ship."""
    if not trained.recipe.conditional or trained.recipe.members > 1:
        raise RequestError(f"{run}: should have one GAN for all classes. The recipe {trained.recipe.name} has several.")
    if not trained.recipe.has_own_judge:  # its weights would be shipped, too
        raise RequestError(f"{run}: should have a judge that was fitted on its data. It is {trained.recipe.judge}.")
    dataset, hashes = load_dataset(name, download=download_standard_set), trained.train_hashes()
    if trained.fingerprint != dataset.fingerprint or set(hashes) != set(dataset.train_hashes()):
        raise RequestError(
            f"{run}: should be trained on the {len(dataset.train):,} train images of {name} "
            f"({dataset.fingerprint[:12]}). Got {len(hashes):,} images of {trained.data} ({trained.fingerprint[:12]})."
        )
    return dataset


def _is_packed(folder: Path) -> bool:
    """Whether the folder holds a packed run and nothing else."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    run = RunFolder("")
    networks = {run.model.packed(name).as_posix() for name in _NETWORKS}
    others = (run.model.description, run.model.density_ratio, run.hashes)
    return networks <= files <= networks | {path.as_posix() for path in others}


def _is_equal(packed: TrainedGAN, trained: TrainedGAN) -> bool:
    """Tell whether two TrainedGANs make and score the same images, up to rounding.

    Scores are compared within a class, as the filter does: their mean says nothing, and may be near zero.
    """
    for k in range(len(trained.class_names)):
        latents = draw_latents(0, k, 0, 0, trained.latent_dim)
        images = trained.generate(latents, k)
        outputs = [
            (packed.generate(latents, k), images),
            tuple(scores - scores.mean() for scores in (packed.score(images, k), trained.score(images, k))),
            (packed.classify(images), trained.classify(images)),
        ]
        for given, expected in outputs:
            if np.abs(given.astype(float) - expected).mean() > _MAX_DIFFERENCE * np.abs(expected).mean():
                return False
    return True
