"""Find a trained GAN by its path or by the name that it ships under, and pack a finished run to ship it.

    python -m models.pretrained synthetic mnist

A shipped GAN is named after the data set on whose train part it was trained; docs/files.md describes its files.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from synth import command_line
from synth.errors import RequestError
from synth.files import load_json
from synth.output_folder import CONFIG
from synth.sampling import draw_latents
from synth.shards import DENSITY_RATIO, DESCRIPTION, HASHES, save_hashes

PRETRAINED = ("mnist", "fashion_mnist")
A_RUN = f"a run's folder, or pretrained: {', '.join(PRETRAINED)}"  # what --model takes
PRETRAINED_FOLDER = Path(__file__).resolve().parent / "pretrained"
_NETWORKS = ("generator", "discriminator", "filter")
_MAX_DIFFERENCE = 0.01  # of the outputs of packed networks, relative; rounding alone makes less


def find_model_folder(path, flag="--model"):
    """Return the model folder of a run: `path` is the run's folder, its model/, or else the name of a shipped one.

    Raises RequestError, in the name of `flag`, where there is none.
    """
    folders = [Path(path) / "model", Path(path)]
    if str(path) in PRETRAINED:
        folders.append(PRETRAINED_FOLDER / path / "model")
    for folder in folders:
        if (folder / DESCRIPTION).exists():
            return folder
    if _has_begun(Path(path)):
        raise RequestError(f"{path} is an unfinished run of generate_data.py: the same command again finishes it.")
    raise RequestError(f"{flag} should be {A_RUN}. No model/{DESCRIPTION} in {path}.")


def _has_begun(folder):
    """Whether generate_data.py has begun, in `folder`, to train; a run of --model trains nothing."""
    config = load_json(folder / CONFIG) if (folder / CONFIG).is_file() else {}
    training = config.get("training")
    return isinstance(training, dict) and "recipe" in training


def pack(run, name, out=PRETRAINED_FOLDER, *, overwrite=False):
    """Pack a finished run on the data set `name` into out/name, to be opened like a run; return its files' paths.

    The density ratio is fitted where the run has none. What it records of the data is that of the data set by its
    name, whatever path the run had read it from.
    Raises RequestError for a run that is not finished, has several GANs or networks that its recipe does not build,
    was trained on other images than the train part of `name`, or has weights that float16 can't hold; and where
    out/name exists, unless `overwrite` and it is a packed run.
    """
    from models.density_ratio import fit_density_ratio
    from models.description import save_description
    from models.network_files import load_network, save_packed
    from models.startup import download_standard_set
    from models.trained_gan import TrainedGAN, save_density_ratio
    from synth.datasets import load_dataset

    source, target = find_model_folder(run, "RUN"), Path(out) / name
    if target.exists() and not (overwrite and _is_packed(target)):
        raise RequestError(f"{target} should be a new folder, or a packed run to replace with --overwrite. It exists.")
    trained = TrainedGAN(source)
    if not trained.recipe.conditional or trained.recipe.members > 1:
        raise RequestError(f"{run}: should have one GAN for all classes. The recipe {trained.recipe.name} has several.")
    dataset, hashes = load_dataset(name, download=download_standard_set), trained.train_hashes()
    if trained.fingerprint != dataset.fingerprint or set(hashes) != set(dataset.train_hashes()):
        raise RequestError(
            f"{run}: should be trained on the {len(dataset.train):,} train images of {name} "
            f"({dataset.fingerprint[:12]}). Got {len(hashes):,} images of {trained.data} ({trained.fingerprint[:12]})."
        )
    Path(out).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as temporary:
        model = Path(temporary) / name / "model"
        model.mkdir(parents=True)
        for network in _NETWORKS:
            save_packed(model / f"{network}.npz", load_network(source, network))
        ratio = trained.density_ratio
        save_density_ratio(model, fit_density_ratio(trained, *dataset.part("train")) if ratio is None else ratio)
        save_hashes(model.parent, hashes)
        save_description(model, trained.recipe, dataset, trained.seed)
        if not _is_equal(TrainedGAN(model), trained):
            raise RequestError(f"{run}: should have the networks of its recipe, {trained.recipe.name}. They differ.")
        if target.exists():
            target.rename(Path(temporary) / "earlier")
        model.parent.rename(target)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _is_packed(folder):
    """Whether the folder holds a packed run and nothing else."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    networks = {f"model/{name}.npz" for name in _NETWORKS}
    return networks <= files <= networks | {f"model/{DESCRIPTION}", f"model/{DENSITY_RATIO}", HASHES}


def _is_equal(packed, trained):
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


def build_parser():
    """Build the parser of the command."""
    parser = command_line.build_parser("python -m models.pretrained", __doc__, "RUN NAME [options]")
    parser.add_argument("run", metavar="RUN", help="folder of a finished run of generate_data.py")
    parser.add_argument("name", metavar="NAME", choices=PRETRAINED, help=" or ".join(PRETRAINED))
    help = "folder to put the folder NAME into (default: models/pretrained)"
    parser.add_argument("--out", metavar="DIR", default=PRETRAINED_FOLDER, help=help)
    parser.add_argument("--overwrite", action="store_true", help="replace what is there under this name")
    return parser


def main(argv=None):
    """Pack what the command line names and print the sizes; return the exit code."""
    parser = build_parser()
    options = parser.parse_args(argv)

    def pack_and_report():
        from models.startup import import_tensorflow

        import_tensorflow()
        for path in pack(**vars(options)):
            print(f"{path.stat().st_size:>9,} bytes  {path}")

    return command_line.run(parser, pack_and_report, "The same command again starts over.")


if __name__ == "__main__":
    sys.exit(main())
