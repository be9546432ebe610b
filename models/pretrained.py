"""Find a trained GAN by its path or by the name that it ships under, and pack a finished run to ship it.

    python -m models.pretrained synthetic mnist

A shipped GAN is named after the data set on whose train part it was trained; docs/files.md describes its files.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from common import command_line
from common.errors import RequestError
from common.files import load_json
from common.run_folder import DESCRIPTION, ModelFolder, RunFolder
from models.startup import import_tensorflow

PRETRAINED = ("mnist", "fashion_mnist")
A_RUN = f"a run's folder, or pretrained: {', '.join(PRETRAINED)}"  # what --model takes
PRETRAINED_FOLDER = Path(__file__).resolve().parent / "pretrained"


def find_model_folder(path: str | Path, flag: str = "--model") -> Path:
    """Return the model folder of a run: `path` is the run's folder, its model/, or else the name of a shipped one.

    Raises RequestError, in the name of `flag`, where there is none.
    """
    folders = [RunFolder(path).model, ModelFolder(path)]
    if str(path) in PRETRAINED:
        folders.append(RunFolder(PRETRAINED_FOLDER / path).model)
    for folder in folders:
        if folder.description.exists():
            return folder.path
    if _has_begun(RunFolder(path)):
        raise RequestError(f"{path} is an unfinished run of generate_data.py: the same command again finishes it.")
    raise RequestError(f"{flag} should be {A_RUN}. No model/{DESCRIPTION} in {path}.")


def _has_begun(run: RunFolder) -> bool:
    """Whether generate_data.py has begun, in this folder, to train; a run of --model trains nothing."""
    config = load_json(run.config) if run.config.is_file() else {}
    training = config.get("training")
    return isinstance(training, dict) and "recipe" in training


def build_parser() -> command_line.Parser:
    """Build the parser of the command."""
    parser = command_line.build_parser("python -m models.pretrained", __doc__, "RUN NAME [options]")
    parser.add_argument("run", metavar="RUN", help="folder of a finished run of generate_data.py")
    parser.add_argument("name", metavar="NAME", choices=PRETRAINED, help=" or ".join(PRETRAINED))
    help = "folder to put the folder NAME into (default: models/pretrained)"
    parser.add_argument("--out", metavar="DIR", default=PRETRAINED_FOLDER, help=help)
    parser.add_argument("--overwrite", action="store_true", help="replace what is there under this name")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Pack what the command line names and print the sizes; return the exit code."""
    parser = build_parser()
    options = parser.parse_args(argv)

    def pack_and_report() -> None:
        import_tensorflow()
        from models.packing import pack  # with TensorFlow, which the scripts do not need for A_RUN in their --help

        for path in pack(**vars(options)):
            print(f"{path.stat().st_size:>9,} bytes  {path}")

    return command_line.run(parser, pack_and_report, "The same command again starts over.")


if __name__ == "__main__":
    sys.exit(main())
